# SPDX-License-Identifier: EUPL-1.2
"""A delegate's session stands on what his own one proved: where, until when, and for as long as that still holds."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from portal.sso_door import KIT, add, goes, links_and_leaves

from gateway.identity.devices import reference_of
from gateway.identity.kept_work import Owner, State, Work
from gateway.identity.passkey_table import NewKey
from gateway.identity.sso import LoggedOut
from gateway.model import EventKind, Method, Proof
from support.provider import SUBJECT

from .world import JSON, PASSWORD, PHARMACY

DELEGATES, ACT_FOR = "/.herse/account/delegates", "/.herse/act-for"
LOU = "EMP-LOU"
HOME, ELSEWHERE = "192.0.2.77", "203.0.113.9"


def delegate(world, own=LOU):
    """The pharmacy gives `own` the right to act for it."""
    holder = world.browser()
    holder.sign_in()
    holder.step_up(world.code())
    until = (world.now + timedelta(days=30)).date().isoformat()
    form = {"name": "Lou Martin", "card": "", "identifier": own, "until": until, "give-infopatient": "1"}
    assert holder.post(DELEGATES, form).status_code == 303
    return holder


@pytest.fixture
def employee(world):
    world.add(LOU)
    delegate(world)
    return world


def at_home(world, own=LOU, network=HOME):
    """Lou's browser, signed in to the account of his own, with a fresh code."""
    world.later(seconds=30)  # a code works once
    browser = world.browser(network)
    browser.sign_in(own)
    assert browser.step_up(world.code(own)).status_code == 303
    return browser


def acts(browser):
    (offer,) = browser.get(ACT_FOR, **JSON).json()["accounts"]
    return browser.post(ACT_FOR, {"delegation": offer["delegation"]})


def acting(world, account=PHARMACY):
    return [one for one in world.sessions.of_account(account) if one.subject.delegation is not None]


def test_acting_takes_the_proofs_along_with_where_they_were_given(employee):
    lou = at_home(employee)
    (own,) = employee.sessions.of_account(LOU)
    proved_from = own.binding
    thief = employee.browser(ELSEWHERE)
    thief.plant(lou.token)
    assert acts(thief).status_code == 303
    (session,) = acting(employee)
    assert session.binding == proved_from, "a stolen cookie is not at home where the thief chose for whom to act"


def test_acting_lasts_no_longer_than_the_sign_in_it_stands_on(employee):
    lou = at_home(employee)
    (own,) = employee.sessions.of_account(LOU)
    ends = own.expires_at
    for _ in range(3):
        employee.later(minutes=20)
        assert acts(lou).status_code == 303
        (session,) = acting(employee)
        assert session.expires_at == ends


def test_of_parallel_choices_one_acts(employee):
    lou = at_home(employee)
    (offer,) = lou.get(ACT_FOR, **JSON).json()["accounts"]

    async def both():
        return await asyncio.gather(*(lou.post_soon(ACT_FOR, {"delegation": offer["delegation"]}) for _ in range(3)))

    answers = employee.run(both())
    assert len(acting(employee)) == 1
    assert sum("set-cookie" in one.headers for one in answers if one.headers.get("location") == "/") == 1


def test_what_proved_him_is_taken_away_and_the_delegate_is_out(employee):
    lou = at_home(employee)
    acts(lou)
    again = at_home(employee)
    assert again.post("/.herse/account/factors").status_code == 303  # a new application, in place of the one
    secret = again.get("/.herse/account/factors", **JSON).json()["secret"]
    employee.secrets[LOU] = secret
    assert again.post("/.herse/account/factors", {"code": employee.code(LOU)}).status_code == 303
    assert acting(employee) == []


def test_a_delegate_by_passkey_is_out_when_the_passkey_is_removed(employee):
    key = employee.passkeys.table.add(NewKey(b"id", LOU, b"a public key", 0), "clé", employee.now)
    (given,) = employee.delegates.of_own(LOU, employee.now)
    proofs = (Proof(Method.PASSKEY, employee.now),)
    bound = (employee.now, HOME, "")
    _, session = employee.sessions.open(employee.accounts.find(PHARMACY), proofs, *bound, delegation=given.delegation)
    own = at_home(employee)
    assert own.post("/.herse/account/passkeys/remove", {"passkey": key.reference}).status_code == 303
    assert session.ended


def test_a_change_of_his_own_password_ends_what_he_does_for_others(employee):
    acts(at_home(employee))
    own = at_home(employee)
    form = {"old": PASSWORD, "password": "grand cheval bleu mange lentement"}
    assert own.post("/.herse/account/password", form).status_code == 303
    assert acting(employee) == []


def test_a_delegates_browser_is_none_of_the_holders(employee):
    lou = at_home(employee)
    acts(lou)
    assert employee.kinds()[:2] == [EventKind.SIGN_IN, EventKind.DEVICE_NEW]
    secret = lou.client.cookies.get("__Host-herse-device")
    (session,) = acting(employee)
    assert session.browser != reference_of(PHARMACY, secret)
    lou.sign_in(PHARMACY)  # with the holder's password, which he has seen
    assert employee.kinds()[:3] == [EventKind.SIGN_IN, EventKind.DEVICE_NEW, EventKind.SIGN_OUT], "the holder is told"


def test_his_browser_is_known_as_his_the_next_time(employee):
    lou = at_home(employee)
    acts(lou)
    lou.sign_in(LOU)
    acts(lou)
    assert employee.kinds()[0] == EventKind.SIGN_IN
    assert employee.kinds().count(EventKind.DEVICE_NEW) == 2, "the holder's browser and Lou's, once each"


def test_what_a_delegate_wrote_does_not_wait_for_the_holder(employee):
    lou = at_home(employee)
    acts(lou)
    (session,) = acting(employee)
    work = Work("POST", b"/x", (), b"a=1", "/")
    reference = employee.kept.keep(work, "infopatient", 1, Owner(PHARMACY, session.reference), employee.now)
    answer = lou.sign_in(PHARMACY, to=reference)
    assert answer.headers["location"] == "/"
    (holders,) = [one for one in employee.sessions.of_account(PHARMACY) if one.network == HOME]
    assert employee.kept.find(reference, Owner(PHARMACY, holders.reference), employee.now) is None


def test_a_wrong_code_tells_a_delegate_nothing_of_the_holder(employee):
    employee.passkeys.table.add(NewKey(b"id", PHARMACY, b"a public key", 0), "clé", employee.now)
    employee.ways_back.recovery.make(PHARMACY)
    lou = at_home(employee)
    acts(lou)
    shown = lou.get("/.herse/step-up").text
    told = lou.step_up(employee.wrong_code(LOU)).text
    for words in ("/.herse/step-up/passkey", "/.herse/step-up/recovery"):
        assert (words in shown, words in told) == (False, False)


@pytest.fixture
def linked(door, provider):
    """Kit's practice is linked to an identity at the provider, and acts for the pharmacy."""
    add(door, "750033029", KIT)
    links_and_leaves(door, provider)
    delegate(door, "750033003")
    return door


def test_acting_ends_with_the_providers_session(linked, provider):
    kit = linked.browser(HOME)
    goes(linked, provider, kit)
    (own,) = linked.sessions.of_account("750033003")
    ends = own.expires_at
    assert own.subject.activity is not None
    acts(kit)
    (session,) = acting(linked)
    assert (session.expires_at, session.subject.activity) == (ends, None), "his own activity is none of the holder's"
    told = LoggedOut(provider.issuer, SUBJECT, None)
    assert linked.doors.sso.sessions.living(told, linked.sessions) == [session]
    assert linked.doors.sso.sessions.id_token(session.reference), "and is signed out there as any other"


def test_who_loses_the_identity_that_he_acts_by_is_out(linked, provider):
    kit = linked.browser(HOME)
    goes(linked, provider, kit)
    acts(kit)
    own = at_home(linked, "750033003")
    (link,) = linked.doors.sso.links.of_account("750033003")
    assert own.post("/.herse/account/sso", {"link": link.reference}).status_code == 303
    assert acting(linked) == []


def test_kept_work_stays_with_its_writer_in_the_own_account(employee):
    lou = at_home(employee)
    (own,) = employee.sessions.of_account(LOU)
    reference = employee.kept.keep(
        Work("POST", b"/x", (), b"a=1", "/"), "infopatient", 1, Owner(LOU, own.reference), employee.now
    )
    assert lou.sign_in(LOU, to=reference).headers["location"] == f"/.herse/continue?to={reference}"
    (later,) = employee.sessions.of_account(LOU)
    assert employee.kept.find(reference, Owner(LOU, later.reference), employee.now).state == State.WAITING


@pytest.mark.parametrize("act", ["others", "all", "forget"])
def test_whoever_ends_his_other_sessions_ends_what_is_done_in_his_name_elsewhere(employee, act):
    lou = at_home(employee)
    acts(lou)
    again = at_home(employee)
    if act == "forget":
        (device,) = [one for one in again.get("/.herse/account/sessions", **JSON).json()["devices"] if one["current"]]
        form = {"device": device["reference"]}
        assert again.post("/.herse/account/devices/forget", form).status_code == 303
    else:
        assert again.post("/.herse/account/sessions", {act: "1"}).status_code == 303
    assert acting(employee) == []
    told = next(one for one in employee.events() if one.kind is EventKind.SIGN_OUT)
    assert told.holder == "Lou Martin", "in the feed of the account where it ended"
