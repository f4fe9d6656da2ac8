# SPDX-License-Identifier: EUPL-1.2
"""The holder changes his password: by the old one and, with a second factor, a fresh proof; all others are out."""

from __future__ import annotations

import asyncio

import pytest

from gateway.identity.database import writing
from gateway.identity.passkey_table import NewKey
from gateway.identity.quarantine import begin
from gateway.model import EventKind, Method, Proof, Reason

OWN = "/.herse/account/password"
PHARMACY = "750012346"
LONE = "757575757"
PASSWORD = "cinq mots pour ouvrir la porte"
NEW = "grand cheval bleu mange lentement"
JSON = {"accept": "application/json"}


@pytest.fixture
def proved(world, signed_in):
    """Signed in, and a code given just now."""
    signed_in.step_up(world.code())
    return signed_in


@pytest.fixture
def lone(world, browser):
    """An account without any second factor, signed in."""
    world.add(LONE, totp=False)
    browser.sign_in(LONE)
    return browser


def change(browser, old=PASSWORD, new=NEW, **headers):
    return browser.post(OWN, {"old": old, "password": new}, **headers)


def opens(world, password, account=PHARMACY):
    return world.browser().sign_in(account, password).status_code == 303


def test_the_change_ends_all_others_and_renews_this_one(world, proved):
    world.browser("203.0.113.9").sign_in()
    thief = world.browser("203.0.113.9")
    thief.plant(proved.token)  # a copy of this very session
    assert proved.get("/.herse/account").text.count(f'href="{OWN}"') == 1
    page = proved.get(OWN).text
    for words in (
        'name="old"',
        'autocomplete="current-password"',
        'autocomplete="new-password"',
        f'value="{PHARMACY}"',
    ):
        assert words in page
    answer = change(proved)
    assert (answer.status_code, answer.headers["location"]) == (303, "/.herse/account/events?group=security")
    assert thief.get("/.herse/account").status_code == 303
    (session,) = world.sessions.of_account(PHARMACY)
    assert world.sessions.find(proved.token.encode(), world.now) is session
    assert world.kinds()[:2] == [EventKind.PASSWORD_SET, EventKind.SIGN_OUT]
    event = world.events()[0]
    assert (event.method, event.session) == ("pwd", session.reference)
    assert "Mot de passe choisi" in proved.get(answer.headers["location"]).text
    assert not opens(world, PASSWORD)
    assert opens(world, NEW)


def test_with_a_second_factor_a_fresh_proof_comes_first(world, signed_in):
    page = signed_in.get(OWN).text
    assert 'name="old"' not in page
    assert "Confirmer mon identité" in page
    answer = change(signed_in)
    assert answer.headers["location"].startswith("/.herse/step-up?to=")
    assert signed_in.json(OWN, {"old": PASSWORD, "password": NEW}).json()["type"] == "urn:herse:reason:proof-too-old"
    to = answer.headers["location"].removeprefix("/.herse/step-up?to=").split("&")[0]
    assert signed_in.step_up(world.code(), to=to).headers["location"] == OWN
    world.later(minutes=14)
    assert 'name="old"' in signed_in.get(OWN).text
    world.later(minutes=1)
    assert change(signed_in).headers["location"].startswith("/.herse/step-up?to=")
    assert opens(world, PASSWORD)


def test_a_passkey_is_a_second_factor_too(world, lone):
    assert 'name="old"' in lone.get(OWN).text
    key = NewKey(b"id", LONE, b"a public key", 0)
    world.passkeys.table.add(key, "clé", world.now)
    assert 'name="old"' not in lone.get(OWN).text
    assert change(lone).headers["location"].startswith("/.herse/step-up?to=")


def test_who_has_proved_more_has_to_prove_it_afresh(world, lone):
    (session,) = world.sessions.of_account(LONE)
    card = Proof(Method.SMART_CARD, world.now)
    token, _ = world.sessions.strengthen(session, card, world.now, session.network, session.device)
    lone.plant(token)
    thief = world.browser("203.0.113.9")
    thief.plant(token)
    assert change(thief).headers["location"].startswith("/.herse/step-up?to=")
    world.later(minutes=15)
    assert change(lone).headers["location"].startswith("/.herse/step-up?to=")
    assert opens(world, PASSWORD, LONE)


def test_in_quarantine_the_password_is_changed_by_nobody(world, lone):
    with writing(world.engine) as connection:
        begin(connection, LONE, world.now)
    assert 'name="old"' not in lone.get(OWN).text
    assert change(lone).headers["location"].startswith("/.herse/step-up?to=")
    assert opens(world, PASSWORD, LONE)


def test_from_another_network_the_proof_does_not_count(world, proved):
    elsewhere = world.browser("203.0.113.9")
    elsewhere.plant(proved.token)
    assert change(elsewhere).headers["location"].startswith("/.herse/step-up?to=")


def test_without_a_second_factor_the_old_password_is_enough(world, lone):
    assert 'name="old"' in lone.get(OWN).text
    assert change(lone).headers["location"] == "/.herse/account/events?group=security"
    assert opens(world, NEW, LONE)


def test_a_wrong_old_password_is_told_counted_and_slowed_down_as_at_a_sign_in(world, lone):
    for _ in range(5):
        answer = change(lone, old="non")
        assert answer.status_code == 401
        assert "Mot de passe actuel incorrect" in answer.text
        assert "identifiant" not in answer.text.partition("<main")[2].lower()
    event = world.events(LONE)[0]
    assert (event.kind, event.method, event.reason) == (EventKind.STEP_UP_FAILED, "pwd", "credentials-wrong")
    assert change(lone).status_code == 429  # the right one too
    assert world.browser().sign_in(LONE).status_code == 429  # one counter for both
    assert EventKind.PASSWORD_SET not in world.kinds(LONE)
    world.later(minutes=2)
    lone.sign_in(LONE)
    assert change(lone).status_code == 303


def test_what_is_wrong_with_the_new_one_is_told_and_nothing_is_changed(world, lone):
    cases = {
        PASSWORD: "Le nouveau mot de passe est le même",
        "court": "trop court",
        "": "trop court",
        "Camille Durand 1980": "votre nom ou celui du cabinet",
        "motdepasse123": "",
    }
    for new, words in cases.items():
        answer = change(lone, new=new)
        assert answer.status_code in {400, 403}, new
        assert words in answer.text
        assert 'name="old"' in answer.text
    assert lone.json(OWN, {"old": PASSWORD, "password": "court"}).json()["type"] == "urn:herse:reason:password-too-weak"
    assert EventKind.PASSWORD_SET not in world.kinds(LONE)
    assert opens(world, PASSWORD, LONE)


def test_programs(world, lone):
    assert lone.get(OWN, **JSON).json() == {"account": LONE, "may_change": True}
    told = lone.json(OWN, {"old": PASSWORD, "password": NEW}).json()
    assert told == {"account": LONE, "assurance": "password", "next": "/.herse/account/events?group=security"}
    assert lone.json(OWN, {"password": NEW}).json()["type"] == "urn:herse:reason:credentials-wrong"


def test_a_form_without_the_old_one_or_of_another_site_changes_nothing(world, lone):
    assert lone.post(OWN, {"password": NEW}).headers["location"] == OWN
    assert change(lone, origin="https://evil.example").status_code == 403
    assert change(world.browser()).headers["location"].startswith("/.herse/sign-in?to=")
    assert opens(world, PASSWORD, LONE)


def test_it_answers_a_campaign(world, lone):
    world.accounts.changes.ask([LONE], Reason.PASSWORD_MUST_CHANGE, world.now)
    assert change(lone).status_code == 303
    assert world.accounts.find(LONE).must_change is None


def test_an_account_without_a_password_is_told_so(world, lone):
    with world.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE account SET password = NULL WHERE identifier = ?", (LONE,))
    page = lone.get(OWN).text
    assert "pas de mot de passe" in page
    assert 'name="old"' not in page
    assert change(lone, old="").status_code == 401


def test_when_the_ledger_fails_the_password_stays(failing):
    failing.add(LONE, totp=False)
    browser, before = failing.browser(), failing.accounts.password_hash(LONE)
    browser.sign_in(LONE)

    def break_the_ledger():
        assert failing.accounts.password_hash(LONE) == before, "the change waits for its record"
        failing.ledger.fail()

    request = browser.post_soon(OWN, {"old": PASSWORD, "password": NEW})
    assert failing.meanwhile(request, break_the_ledger).status_code == 503
    assert change(browser).status_code == 503
    assert failing.accounts.password_hash(LONE) == before


def test_a_session_that_ends_meanwhile_changes_nothing(failing):
    failing.add(LONE, totp=False)
    browser, before = failing.browser(), failing.accounts.password_hash(LONE)
    browser.sign_in(LONE)
    request = browser.post_soon(OWN, {"old": PASSWORD, "password": NEW})
    answer = failing.meanwhile(request, lambda: failing.sessions.end_all(LONE, failing.now))
    assert answer.headers["location"].startswith("/.herse/sign-in?to=")
    assert failing.accounts.password_hash(LONE) == before


def test_of_parallel_changes_one_is_made(world, lone):
    async def race():
        posts = (lone.post_soon(OWN, {"old": PASSWORD, "password": f"{NEW} numéro {one}"}, **JSON) for one in range(6))
        return await asyncio.gather(*posts)

    assert sorted(answer.status_code for answer in world.run(race())).count(200) == 1
    assert len(world.sessions.of_account(LONE)) == 1


def test_F9_a_sign_in_with_the_old_password_under_way_at_the_change_opens_nothing(world, lone):
    """Its password was right when it was looked at; a look into the breached list later it is no more."""
    opened = []

    class Slow:
        def contains(self, password):
            world.accounts.set_password(LONE, "another hash", world.now)
            opened.append(password)
            return False

    world.doors.sign_in._breached = Slow()
    assert world.browser().sign_in(LONE).status_code == 401
    assert opened == [PASSWORD]
    assert [one.subject.assurance.proofs[0].method for one in world.sessions.of_account(LONE)] == [Method.PASSWORD]
