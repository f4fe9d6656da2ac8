# SPDX-License-Identifier: EUPL-1.2
"""« Délégations »: given by a fresh holder, used with the delegate's own card or account, seen in the holder's feed."""

from __future__ import annotations

import pytest
from portal.card_door import BACK, DOCTOR, HUGO, INES, JSON, PHARMACY, STEP_UP, card_is_read, open_card_door, sets_out

from gateway.identity.database import writing
from gateway.identity.quarantine import begin
from gateway.model import EventKind, Level
from gateway.portal.acting import OPEN_TO_DELEGATES

DELEGATES, ACT_FOR = "/.herse/account/delegates", "/.herse/act-for"
LOU = "30B0057881/CPET0002"
FORM = {"name": "Lou Martin", "card": LOU, "identifier": "", "until": "2026-12-22", "give-infopatient": "1"}


def fresh_holder(world, account=PHARMACY):
    browser = world.browser()
    browser.sign_in(account)
    browser.step_up(world.code(account))
    return browser


def given(browser):
    return browser.get(DELEGATES, **JSON).json()["delegates"]


def by_card(world, who=None):
    """Lou's browser, signed in with the card."""
    browser = world.browser(network="192.0.2.77")
    answer = browser.get(card_is_read(world, sets_out(browser), who))
    return browser, answer


def acting(world, account=PHARMACY):
    return [one for one in world.sessions.of_account(account) if one.subject.delegation is not None]


def test_a_holder_gives_sees_and_ends_a_delegation(world):
    browser = fresh_holder(world)
    assert "pour vous.</p>" in browser.get(DELEGATES).text
    answer = browser.post(DELEGATES, FORM)
    assert (answer.status_code, answer.headers["location"]) == (303, DELEGATES)
    page = browser.get(DELEGATES).text
    assert "Lou Martin" in page
    assert "<dd>Infopatient</dd>" in page
    (told,) = given(browser)
    assert (told["card"], told["teleservices"], told["until"]) == (LOU, ["infopatient"], "2026-12-22T23:00:00Z")
    assert browser.post(f"{DELEGATES}/end", {"delegation": told["delegation"]}).status_code == 303
    assert given(browser) == []
    events = [one for one in world.events() if one.kind in {EventKind.DELEGATION_GIVEN, EventKind.DELEGATION_ENDED}]
    assert [one.delegate for one in events] == [told["delegation"]] * 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": " "}, "Indiquez le nom"),
        ({"card": ""}, "Indiquez le numéro de sa carte"),
        ({"card": "12"}, "Indiquez le numéro de sa carte"),
        ({"identifier": "EMP-LOU"}, "un des deux, pas les deux"),
        ({"give-infopatient": "0"}, "Cochez au moins un"),
        ({"give-infopatient": "0", "give-payments": "1"}, "Cochez au moins un"),
        ({"until": "2027-12-31"}, "dans un an au plus"),
        ({"until": "2026-11-21"}, "dans un an au plus"),
        ({"until": "soon"}, "dans un an au plus"),
    ],
)
def test_what_is_wrong_is_told_beside_what_was_typed(world, change, words):
    browser = fresh_holder(world)
    answer = browser.post(DELEGATES, FORM | change)
    assert answer.status_code == 400
    assert words in answer.text
    assert 'role="alert"' in answer.text
    assert given(browser) == []
    assert browser.json(DELEGATES, FORM | change).status_code == 400


def test_without_a_fresh_proof_nothing_is_given_or_ended(world):
    browser = fresh_holder(world)
    browser.post(DELEGATES, FORM)
    world.later(minutes=15)
    assert "moins de 15 minutes" in browser.get(DELEGATES).text
    for path, form in ((DELEGATES, FORM), (f"{DELEGATES}/end", {"delegation": given(browser)[0]["delegation"]})):
        answer = browser.post(path, form)
        assert answer.headers["location"].startswith("/.herse/step-up?to=")
        assert browser.json(path, form).json()["type"].endswith("proof-too-old")
    assert len(given(browser)) == 1
    assert world.browser().post(DELEGATES, FORM).headers["location"].startswith("/.herse/sign-in")
    assert browser.post(DELEGATES, FORM, origin="https://evil.example").status_code == 403


def test_nobody_ends_the_delegation_of_another_account(world):
    browser, other = fresh_holder(world), fresh_holder(world, DOCTOR)
    browser.post(DELEGATES, FORM)
    other.post(f"{DELEGATES}/end", {"delegation": given(browser)[0]["delegation"]})
    assert (len(given(browser)), given(other)) == (1, [])


def test_a_card_opens_the_account_it_was_delegated_and_every_event_names_its_bearer(cards):
    browser = fresh_holder(cards)
    lou, answer = by_card(cards)
    assert (answer.status_code, lou.token) == (403, None)
    browser.post(DELEGATES, FORM)
    lou, answer = by_card(cards)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    (session,) = acting(cards)
    subject = session.subject
    assert (subject.account, subject.holder, subject.assurance.level) == (PHARMACY, "Lou Martin", Level.CARD)
    assert subject.delegation.teleservices == {"infopatient"}
    assert lou.post("/.herse/sign-out").status_code == 303
    mine = [(one.kind, one.holder, one.delegate) for one in cards.events()][:2]
    reference = subject.delegation.reference
    assert mine == [(EventKind.SIGN_OUT, "Lou Martin", reference), (EventKind.SIGN_IN, "Lou Martin", reference)]
    assert "par Lou Martin (par délégation)" in browser.get("/.herse/account/events").text
    assert browser.get("/.herse/account/events", **JSON).json()["events"][0]["holder"] == "Lou Martin"


def test_a_delegate_reaches_no_page_that_is_the_holders(cards):
    fresh_holder(cards).post(DELEGATES, FORM)
    lou, _ = by_card(cards)
    paths = [route.path.removeprefix("/.herse") for route in cards.app.routes]
    closed = [f"/.herse{path}" for path in paths if path not in OPEN_TO_DELEGATES and "backchannel" not in path]
    assert {DELEGATES, "/.herse/account/factors", "/.herse/account/password", "/.herse/account/mail"} <= set(closed)
    assert {"/.herse/account/sessions", "/.herse/account/events", "/.herse/account/recovery"} <= set(closed)
    for path in closed:
        assert lou.get(path, **JSON).json()["type"].endswith("not-delegated"), path
        assert lou.json(path, FORM).status_code in {403, 405}, path
    assert lou.get("/.herse/account").status_code == 200
    assert len(acting(cards)) == 1


def test_the_end_of_a_delegation_ends_its_sessions_at_once(cards):
    browser = fresh_holder(cards)
    browser.post(DELEGATES, FORM)
    by_card(cards)
    (session,) = acting(cards)
    browser.post(f"{DELEGATES}/end", {"delegation": session.subject.delegation.reference})
    assert session.ended
    assert acting(cards) == []
    assert len(cards.sessions.of_account(PHARMACY)) == 1, "the holder stays"
    assert by_card(cards)[1].status_code == 403


def test_among_several_accounts_a_delegate_chooses_as_holders_do(cards):
    for account in (PHARMACY, DOCTOR):
        fresh_holder(cards, account).post(DELEGATES, FORM)
    lou, answer = by_card(cards)
    assert answer.headers["location"] == BACK
    page = lou.get(BACK).text
    assert page.count("par délégation") == 2
    reference = cards.doors.delegates.of_account(DOCTOR, cards.now)[0].reference
    assert lou.post(BACK, {"identifier": DOCTOR}).status_code == 403, "the holder's own way in"
    assert lou.post(BACK, {"identifier": reference}).status_code == 303
    assert [len(acting(cards, account)) for account in (PHARMACY, DOCTOR)] == [0, 1]


def test_a_delegate_proves_himself_anew_by_his_card_alone(cards):
    fresh_holder(cards).post(DELEGATES, FORM)
    lou, _ = by_card(cards)
    cards.later(minutes=20)
    assert lou.get(STEP_UP).headers["location"].startswith("/.herse/card")
    assert lou.json("/.herse/step-up", {"code": cards.code()}).json()["type"].endswith("card-required")
    assert lou.get(card_is_read(cards, sets_out(lou), None)).status_code == 303
    assert acting(cards)[0].subject.assurance.stepped_up_at == cards.now
    assert lou.get(card_is_read(cards, sets_out(lou), HUGO)).status_code == 403, "another's card"


def test_a_holders_session_is_not_strengthened_by_a_delegates_card(cards):
    browser = fresh_holder(cards)
    browser.post(DELEGATES, FORM)
    assert browser.get(card_is_read(cards, sets_out(browser), None)).status_code == 403
    assert [one.subject.assurance.level for one in cards.sessions.of_account(PHARMACY)] == [Level.MFA]


def test_a_delegate_does_not_wake_an_account_that_sleeps(cards):
    fresh_holder(cards).post(DELEGATES, FORM | {"until": "2027-11-20"})
    cards.later(days=250)
    lou, answer = by_card(cards)
    assert lou.token is None
    assert answer.status_code == 403
    assert acting(cards) == []


def test_what_a_delegate_does_keeps_the_account_in_use(cards):
    fresh_holder(cards).post(DELEGATES, FORM | {"until": "2027-11-20"})
    cards.later(days=182)
    _, answer = by_card(cards)
    assert answer.status_code == 303
    cards.later(days=1)
    assert cards.browser().sign_in().status_code == 303  # the holder, back from a long leave


def test_a_delegates_proof_says_nothing_of_the_holder_and_all_of_his_own_account(employee):
    lou = fresh_holder(employee, "EMP-LOU")
    employee.later(minutes=1)
    quarantines = employee.doors.ways_back.quarantines
    with writing(employee.engine) as connection:
        begin(connection, "EMP-LOU", employee.now)
    (offer,) = lou.get(ACT_FOR, **JSON).json()["accounts"]
    assert lou.post(ACT_FOR, {"delegation": offer["delegation"]}).status_code == 303
    employee.later(minutes=1)
    assert lou.step_up(employee.code("EMP-LOU")).status_code == 303
    assert quarantines.since("EMP-LOU") is None
    with writing(employee.engine) as connection:
        begin(connection, PHARMACY, employee.now)
    employee.later(minutes=1)
    assert lou.step_up(employee.code("EMP-LOU")).status_code == 303
    assert quarantines.since(PHARMACY) is not None


def test_a_card_names_its_holder(cards):
    browser = cards.browser()
    browser.get(card_is_read(cards, sets_out(browser), INES))
    (session,) = cards.sessions.of_account("750012379")
    assert session.subject.holder == "Claire Fontaine", "as printed on the card: the account does not say whose it is"
    assert cards.events("750012379")[0].holder == "Claire Fontaine"


@pytest.fixture
def employee(world):
    world.add("EMP-LOU")
    world.accounts.set_password("EMP-LOU", world.accounts.password_hash(PHARMACY), world.now)
    fresh_holder(world).post(DELEGATES, FORM | {"card": "", "identifier": "emp-lou"})
    return world


def test_an_employee_signs_in_to_his_own_account_and_chooses_for_whom_he_acts(employee):
    lou = fresh_holder(employee, "EMP-LOU")
    assert "Cabinet 750012346" in lou.get(ACT_FOR).text
    (offer,) = lou.get(ACT_FOR, **JSON).json()["accounts"]
    answer = lou.post(ACT_FOR, {"delegation": offer["delegation"]})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    (session,) = acting(employee)
    assert (session.subject.holder, session.subject.assurance.level) == ("Lou Martin", Level.MFA)
    assert employee.sessions.of_account("EMP-LOU") == []
    employee.later(minutes=1)
    assert lou.step_up(employee.code(PHARMACY)).status_code == 401, "the holder's code is not his"
    assert lou.step_up(employee.code("EMP-LOU")).status_code == 303
    assert session.subject.assurance.stepped_up_at == employee.now
    assert employee.events()[0].holder == "Lou Martin"


def test_what_was_given_to_nobody_or_to_others_is_not_chosen(employee):
    reference = employee.doors.delegates.of_account(PHARMACY, employee.now)[0].reference
    stranger = fresh_holder(employee, DOCTOR)
    assert stranger.get(ACT_FOR, **JSON).json()["accounts"] == []
    assert "Aucun professionnel" in stranger.get(ACT_FOR).text
    assert stranger.json(ACT_FOR, {"delegation": reference}).json()["type"].endswith("delegation-ended")
    assert employee.browser().get(ACT_FOR).headers["location"].startswith("/.herse/sign-in")
    lou = fresh_holder(employee, "EMP-LOU")
    employee.later(days=40)
    lou = fresh_holder(employee, "EMP-LOU")
    assert lou.post(ACT_FOR, {"delegation": reference}).status_code == 403


def test_who_has_an_account_only_to_act_for_others_is_asked_for_whom(world):
    world.accounts.create("EMP-ANA", "Ana", "employee", None, [], world.now)
    world.accounts.set_password("EMP-ANA", world.accounts.password_hash(PHARMACY), world.now)
    assert world.browser().sign_in("EMP-ANA").headers["location"] == ACT_FOR


def test_when_the_ledger_fails_nothing_is_given_and_no_delegate_gets_in(failing):
    world = open_card_door(failing)
    browser = fresh_holder(world)
    browser.post(DELEGATES, FORM)
    lou = world.browser()
    back = card_is_read(world, sets_out(lou), None)
    world.ledger.fail()
    assert browser.post(DELEGATES, FORM | {"name": "Ana"}).status_code == 503
    assert [one.name for one in world.doors.delegates.of_account(PHARMACY, world.now)] == ["Lou Martin"]
    assert lou.get(back).status_code == 503
    assert acting(world) == []
