# SPDX-License-Identifier: EUPL-1.2
"""Step-up keeps your work: only what came right, only for its own session, only for its time, and the rest is told."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from gateway.model import Level
from support.kept_desk import CONTINUE, DOCTOR, FORM, LARGEST, PHARMACY, TYPED
from support.servers import wait_until

pytestmark = pytest.mark.system


def test_no_other_session_and_no_other_account_sees_or_sends_it(desk, portal):
    same, other = desk.house.sign_in(PHARMACY, Level.MFA), desk.house.sign_in(DOCTOR, Level.MFA)
    with desk.house.serve():
        person = desk.person()
        to = person.work()
        for cookie in (same, other):
            stranger = desk.person(cookie)
            assert stranger.see(to).headers["location"] == "/"
            assert stranger.confirm(to).headers["location"] == "/"
            assert stranger.confirm(to, "give-up").headers["location"] == "/"
        nobody = desk.person("x=1")
        assert nobody.confirm(to).headers["location"].startswith("/.herse/sign-in")
        assert desk.states() == ["waiting"]
        assert portal.seen == []
        person.post("/.herse/sign-out", b"")
        assert person.confirm(to).headers["location"].startswith("/.herse/sign-in")
        assert portal.seen == []


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://localhost:8443"}, False),
        ({"origin": "https://localhost:8443", "sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "same-site"}, False),
        ({}, False),
        ({"sec_fetch_site": "same-origin"}, True),
        ({"origin": "https://localhost:8443", "sec_fetch_site": "same-origin"}, True),
        ({"origin": "https://localhost:8443"}, True),
    ],
    ids=str,
)
def test_R1_a_form_that_another_site_made_is_not_kept(running, fields, kept):
    answer = running.person().ask("POST", "/letters", TYPED, content_type=FORM, **fields)
    assert answer.status_code in {303, 403}
    assert running.states() == ["waiting"] * kept
    assert ("work-" in answer.headers.get("location", "")) is kept


def test_a_confirmation_that_another_site_made_sends_nothing(running, portal):
    person = running.person()
    to = person.work()
    person.prove(running.code(), to)
    for fields in ({"origin": "https://evil.example"}, {"origin": "null"}, {"sec_fetch_site": "cross-site"}):
        assert person.confirm(to, **fields).status_code == 403
    assert person.ask("GET", f"{CONTINUE}?to={to}&work=send").status_code == 200
    assert portal.seen == []
    assert running.states() == ["waiting"]


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (b"a=" + b"x" * (LARGEST - 1), {}),
        (b"--x--", {"content_type": "multipart/form-data; boundary=x"}),
        (b"a=1", {"content_type": "text/plain"}),
        (b"a=1", {"content_encoding": "gzip"}),
    ],
    ids=["65 KiB", "multipart", "text", "packed"],
)
def test_what_is_not_kept_is_told_as_lost_after_the_proof(running, portal, content, fields):
    person = running.person()
    to = person.work(content, **fields)
    assert not to.startswith("work-")
    assert running.rows() == []
    following = person.prove(running.code(), to)
    shown = person.ask("GET", following)
    assert shown.status_code == 200
    assert "pas pu être gardé" in shown.text
    assert 'href="/letters/new?a=b"' in shown.text
    program = person.post("/letters", content, accept="application/json", **fields)
    assert "kept" not in program.text
    assert portal.count(b"/letters/new") == 0


def test_64_KiB_are_kept_to_the_last_byte(running, portal):
    person, content = running.person(), b"a=" + b"x" * (LARGEST - 2)
    to = person.work(content)
    person.prove(running.code(), to)
    assert person.confirm(to).status_code == 200
    assert portal.seen[0].body == content


def test_what_has_waited_too_long_or_was_given_up_is_never_sent(running, portal):
    person = running.person()
    late, unwanted = person.work(), person.work()
    person.prove(running.code())
    with closing(sqlite3.connect(running.house.accounts_file)) as database, database:
        database.execute("update kept_work set kept_at = kept_at - 900000000 where reference = ?", (late,))
    answer = person.confirm(late)
    assert (answer.status_code, "Envoi effacé" in answer.text) == (409, True)
    given_up = person.confirm(unwanted, "give-up")
    assert (given_up.status_code, given_up.headers["location"]) == (303, f"{CONTINUE}?to={unwanted}")
    assert "abandonné" in person.see(unwanted).text
    assert person.confirm(unwanted).status_code == 409
    assert portal.seen == []
    wait_until("the sweep", lambda: [row[2] for row in running.rows()] == [None, None])
