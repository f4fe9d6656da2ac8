# SPDX-License-Identifier: EUPL-1.2
"""The account and its sessions: shown and ended by their owner alone."""

from __future__ import annotations

from gateway.model import EventKind

SESSIONS = "/.herse/account/sessions"
PHARMACY = "750012346"
DOCTOR = "751234567"


def test_the_account_tells_who_it_is_and_what_was_proved(world, signed_in):
    signed_in.step_up(world.code())
    page = signed_in.get("/.herse/account").text
    for words in (f"Cabinet {PHARMACY}", PHARMACY, "Pharmacien", "Camille Durand", "Mot de passe", "Code à 6"):
        assert words in page
    document = signed_in.get("/.herse/account", accept="application/json").json()
    assert document == {
        "account": PHARMACY,
        "title": f"Cabinet {PHARMACY}",
        "profession": "pharmacist",
        "assurance": "mfa",
        "totp": True,
        "quarantined": False,
        "activity": None,
    }


def test_V752_one_other_session_is_ended(world, signed_in):
    other = world.browser("198.51.100.7")
    other.sign_in()
    shown = signed_in.get(SESSIONS, accept="application/json").json()["sessions"]
    (theirs,) = [one for one in shown if not one["current"]]
    assert theirs["network"] == "198.51.100.7"
    page = signed_in.get(SESSIONS).text
    assert theirs["reference"] in page
    assert "Fermer toutes les autres" in page
    assert signed_in.post(SESSIONS, {"session": theirs["reference"]}).headers["location"] == SESSIONS
    assert other.get("/.herse/account").status_code == 303
    assert signed_in.get("/.herse/account").status_code == 200
    event = world.events()[0]
    assert (event.kind, event.session, event.network) == (EventKind.SIGN_OUT, theirs["reference"], "192.0.2.14")


def test_V752_all_others_are_ended_and_this_one_stays(world, signed_in):
    others = [world.browser() for _ in range(3)]
    for other in others:
        other.sign_in()
    assert signed_in.json(SESSIONS, {"others": "1"}).json() == {"account": PHARMACY, "ended": 3}
    assert [other.get("/.herse/account").status_code for other in others] == [303] * 3
    assert signed_in.get("/.herse/account").status_code == 200


def test_nobody_ends_or_sees_the_session_of_another_account(world, signed_in):
    stranger = world.browser()
    stranger.sign_in(DOCTOR)
    (theirs,) = world.sessions.of_account(DOCTOR)
    assert theirs.reference not in signed_in.get(SESSIONS).text
    assert signed_in.json(SESSIONS, {"session": theirs.reference}).json()["ended"] == 0
    assert not theirs.ended


def test_nothing_is_ended_without_a_choice(world, signed_in):
    world.browser().sign_in()
    before = world.kinds()
    for fields in ({}, {"session": ""}, {"others": "0"}):
        assert signed_in.json(SESSIONS, fields).json()["ended"] == 0
    assert world.kinds() == before


def test_sessions_end_even_when_the_ledger_fails(failing):
    browser, other = failing.browser(), failing.browser()
    browser.sign_in()
    other.sign_in()
    failing.ledger.fail()
    assert browser.post(SESSIONS, {"others": "1"}).status_code == 503
    assert other.get("/.herse/account").status_code == 303
