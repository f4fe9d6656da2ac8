# SPDX-License-Identifier: EUPL-1.2
"""The pages on which passkeys are added, named and removed, and what each change leaves in the ledger."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from portal.world import assurance

from gateway.identity.passkey_table import MOST, NewKey
from gateway.model import EventKind, Method, Reason
from support.authenticator import Authenticator
from support.passkey_pages import ADD, LIST, ORIGIN, REMOVE, RENAME, SIGN_IN, STEP_UP, new_key, options_of, sign_in

PHARMACY, DOCTOR = "750012346", "751234567"
JSON = {"accept": "application/json"}


def test_a_passkey_is_added_named_and_told(world, strong):
    assert "Aucune clé d\u2019accès" in strong.get(LIST).text
    new_key(strong, "  Clé <bleue> ")
    page = strong.get(LIST)
    assert "Clé &lt;bleue&gt;" in page.text
    assert "jamais" in page.text
    (added,) = [event for event in world.events() if event.kind is EventKind.FACTOR_ADDED]
    assert (added.method, added.session) == (Method.PASSKEY, world.sessions.of_account(PHARMACY)[0].reference)
    assert "Moyen de connexion ajouté" in strong.get("/.herse/account/events").text
    assert assurance(world, strong).proofs[-1].method is Method.TOTP, "a new key is no proof: nothing was signed"


def test_I7_adding_and_removing_need_a_fresh_proof(world, signed_in):
    page = signed_in.get(LIST)
    assert "data-options" not in page.text
    key = Authenticator(ORIGIN)
    reference = world.sessions.of_account(PHARMACY)[0].reference
    credential = key.create(world.passkeys.adding(PHARMACY, "", reference, world.now))
    answer = signed_in.post(ADD, {"credential": credential, "name": "mine"})
    assert answer.headers["location"].startswith("/.herse/step-up?to=")
    assert signed_in.json(ADD, {"credential": credential, "name": "mine"}).json()["type"].endswith(Reason.PROOF_TOO_OLD)
    assert world.passkeys.table.of_account(PHARMACY) == []
    to = re.search("to=([^&]*)", answer.headers["location"]).group(1)
    assert signed_in.step_up(world.code(), to=to).headers["location"] == LIST
    new_key(signed_in)
    world.later(minutes=15)
    (kept,) = world.passkeys.table.of_account(PHARMACY)
    assert "/.herse/step-up" in signed_in.post(REMOVE, {"passkey": kept.reference}).headers["location"]
    assert REMOVE not in signed_in.get(LIST).text
    assert world.passkeys.table.of_account(PHARMACY) == [kept]


def test_a_session_that_ends_meanwhile_removes_nothing(failing):
    browser = failing.browser()
    browser.sign_in()
    browser.step_up(failing.code())
    kept = failing.passkeys.table.add(NewKey(b"id", PHARMACY, b"a public key", 0), "clé", failing.now)
    request = browser.post_soon(REMOVE, {"passkey": kept.reference})
    answer = failing.meanwhile(request, lambda: failing.sessions.end_all(PHARMACY, failing.now))
    assert answer.headers["location"].startswith("/.herse/sign-in?to=")
    assert failing.passkeys.table.of_account(PHARMACY) == [kept]


def test_a_passkey_is_renamed_by_its_own_account(world, strong, key):
    (kept,) = world.passkeys.table.of_account(PHARMACY)
    assert strong.post(RENAME, {"passkey": kept.reference, "name": "Ordinateur"}).status_code == 303
    assert "Ordinateur" in strong.get(LIST).text
    stranger = world.browser()
    stranger.sign_in(DOCTOR)
    stranger.step_up(world.code(DOCTOR))
    assert stranger.json(RENAME, {"passkey": kept.reference, "name": "x"}).json()["renamed"] == 0
    assert stranger.json(REMOVE, {"passkey": kept.reference}).json()["removed"] == 0
    assert "Ordinateur" in strong.get(LIST).text
    assert EventKind.FACTOR_REMOVED not in world.kinds(DOCTOR)
    assert strong.post(RENAME, {"passkey": kept.reference, "name": " "}).status_code == 400


def test_a_removed_passkey_and_what_it_opened_end_at_once(world, strong, key):
    opened = world.browser()
    sign_in(opened, key)
    by_password = world.browser()
    by_password.sign_in()
    (kept,) = world.passkeys.table.of_account(PHARMACY)
    assert strong.post(REMOVE, {"passkey": kept.reference}).headers["location"] == LIST
    assert world.sessions.find(opened.token.encode(), world.now) is None
    assert world.sessions.find(by_password.token.encode(), world.now) is not None
    assert world.sessions.find(strong.token.encode(), world.now) is not None
    assert sign_in(world.browser(), key).status_code == 401
    removed = next(event for event in world.events() if event.kind is EventKind.FACTOR_REMOVED)
    assert removed.method == Method.PASSKEY
    assert strong.json(REMOVE, {"passkey": kept.reference}).json()["removed"] == 0
    assert Counter(world.kinds())[EventKind.FACTOR_REMOVED] == 1


def test_an_eleventh_passkey_is_refused_and_the_page_says_so(world, strong):
    late = options_of(strong.get(LIST))
    for number in range(MOST):
        new_key(strong, f"clé {number}")
    assert "data-options" not in strong.get(LIST).text
    answer = strong.post(ADD, {"credential": Authenticator(ORIGIN).create(late), "name": "onze"})
    assert answer.status_code == 409
    assert Counter(world.kinds())[EventKind.FACTOR_ADDED] == MOST


def test_a_wrong_registration_changes_nothing(world, strong):
    key = Authenticator(ORIGIN)
    fields = {"credential": key.create(options_of(strong.get(LIST)), origin="https://evil.example"), "name": "x"}
    assert strong.post(ADD, fields).status_code == 401
    assert strong.post(ADD, {**fields, "name": ""}).status_code == 400
    assert strong.post(ADD, {"name": "x"}).headers["location"] == LIST
    assert EventKind.FACTOR_ADDED not in world.kinds()
    assert world.passkeys.table.of_account(PHARMACY) == []


def test_signed_out_people_are_sent_to_sign_in_first(world, browser):
    for path in (LIST, RENAME, REMOVE, STEP_UP):
        assert browser.get(path).headers["location"].startswith("/.herse/sign-in")
        assert browser.post(path, {"passkey": "x", "name": "x"}).headers["location"].startswith("/.herse/sign-in")
        assert browser.get(path, **JSON).status_code == 401


def test_only_these_pages_run_a_script_and_only_that_one(world, strong):
    script = f"script-src {ORIGIN}/.herse/static/passkey.js"
    for path in (SIGN_IN, STEP_UP, LIST):
        new_key(strong) if path == STEP_UP else None
        page = strong.get(path)
        assert page.headers["content-security-policy"].endswith(script), path
        assert re.findall(r"<script[^>]*>[^<]*", page.text) == [
            re.search(r"<script src=\"[^\"]*\" defer>", page.text)[0]
        ]
        assert "JavaScript" in page.text, "it says what to do without it"
    for path in ("/.herse/sign-in", "/.herse/step-up", "/.herse/account"):
        page = strong.get(path)
        assert "script" not in page.headers["content-security-policy"]
        assert "<script" not in page.text
    found = strong.get("/.herse/static/passkey.js")
    assert found.headers["content-type"] == "text/javascript; charset=utf-8"


def test_a_key_that_is_there_already_is_not_told_as_added(world, strong, key):
    fields = {"credential": key.create(options_of(strong.get(LIST))), "name": "encore"}
    assert strong.post(ADD, fields).status_code == 401
    assert Counter(world.kinds())[EventKind.FACTOR_ADDED] == 1


def test_programs_walk_the_same_way_in_JSON(world, strong):
    key = Authenticator(ORIGIN)
    shown = strong.get(LIST, **JSON).json()
    assert (shown["passkeys"], shown["may_change"]) == ([], True)
    added = strong.json(ADD, {"credential": key.create(shown["options"]), "name": "banc"}).json()
    assert added["name"] == "banc"
    program = world.browser()
    assert program.get(SIGN_IN, **JSON).json()["type"].endswith(Reason.FORM_FORGED)
    program.get(SIGN_IN)
    answer = program.json(SIGN_IN, {"credential": key.get(program.get(SIGN_IN, **JSON).json()["options"])})
    assert answer.json() == {"account": PHARMACY, "assurance": "mfa", "next": "/"}
    answer = program.json(STEP_UP, {"credential": key.get(program.get(STEP_UP, **JSON).json()["options"])})
    assert answer.json()["assurance"] == "mfa"
    listed = program.get(LIST, **JSON).json()["passkeys"]
    assert [(one["name"], one["last_used_at"]) for one in listed] == [("banc", "2026-11-22T08:00:00Z")]
    assert program.json(RENAME, {"passkey": added["passkey"], "name": "table"}).json()["renamed"] == 1
    assert program.json(REMOVE, {"passkey": added["passkey"]}).json()["removed"] == 1
    assert program.json(SIGN_IN, {"credential": "{}"}).json()["type"].endswith(Reason.PASSKEY_WRONG)


@pytest.mark.parametrize("path", [SIGN_IN, STEP_UP, ADD, RENAME, REMOVE])
def test_R1_no_other_site_can_post_these_forms(world, strong, key, path):
    (kept,) = world.passkeys.table.of_account(PHARMACY)
    fields = {"credential": key.get(options_of(strong.get(STEP_UP))), "passkey": kept.reference, "name": "x"}
    for headers in ({"origin": "null"}, {"origin": "https://evil.example"}, {"sec_fetch_site": "same-site"}):
        assert strong.post(path, fields, **headers).status_code == 403
    assert world.passkeys.table.of_account(PHARMACY) == [kept]


def test_nothing_is_done_while_the_ledger_is_down(failing):
    browser = failing.browser()
    browser.sign_in()
    browser.step_up(failing.code())
    key = new_key(browser)
    (kept,) = failing.passkeys.table.of_account(PHARMACY)
    options = {path: options_of(browser.get(path)) for path in (SIGN_IN, STEP_UP, LIST)}
    failing.ledger.fail()
    other = Authenticator(ORIGIN)
    assert browser.post(SIGN_IN, {"credential": key.get(options[SIGN_IN])}).status_code == 503
    assert browser.post(STEP_UP, {"credential": key.get(options[STEP_UP])}).status_code == 503
    assert browser.post(ADD, {"credential": other.create(options[LIST]), "name": "x"}).status_code == 503
    assert browser.post(REMOVE, {"passkey": kept.reference}).status_code == 503
    assert failing.passkeys.table.of_account(PHARMACY) == [kept]
