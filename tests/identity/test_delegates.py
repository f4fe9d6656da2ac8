# SPDX-License-Identifier: EUPL-1.2
"""Delegations: what can be given, how a delegate is found, how it ends; and the sessions that stand on it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.identity.accounts import Accounts
from gateway.identity.at_rest import AtRest
from gateway.identity.database import create_database
from gateway.identity.delegates import LONGEST, MOST, DelegateError, Delegates
from gateway.identity.session import Sessions
from gateway.model import Method, Proof

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MONTH = NOON + timedelta(days=30)
HOLDER, OWN = "750012346", "EMP-LOU"
CARD = "3750012346/EMP0001"


@pytest.fixture
def engine(tmp_path):
    engine = create_database(tmp_path / "accounts.db")
    accounts = Accounts(engine, AtRest(bytes(32)))
    accounts.create(HOLDER, "Pharmacie du Pont", "pharmacist", None, [], NOON)
    accounts.create(OWN, "Lou Martin", "employee", None, [], NOON)
    yield engine
    engine.dispose()


@pytest.fixture
def delegates(engine):
    return Delegates(engine)


def draft(delegates, *, name="Lou Martin", card=CARD, own="", teleservices=("infopatient",), until=MONTH):
    return delegates.draft(HOLDER, name, card, own, teleservices, until, "Claire Fontaine", NOON)


def test_a_delegation_comes_back_as_it_was_given(delegates):
    given = draft(delegates, name="  Lou   Martin ", card=" 3750012346 / emp0001", teleservices=("b", "a"))
    assert (given.name, given.card, given.own, given.teleservices) == ("Lou Martin", CARD, None, ("a", "b"))
    assert delegates.of_account(HOLDER, NOON) == [], "a draft is not in force"
    delegates.give(given)
    assert delegates.of_account(HOLDER, NOON) == delegates.of_card(CARD, "-", NOON) == [given]
    told = given.delegation
    assert (told.reference, told.name, told.teleservices) == (given.reference, "Lou Martin", {"a", "b"})
    assert (told.until, told.own) == (MONTH, None)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", {"name": " "}),
        ("name", {"name": "Lou\u202eMartin"}),
        ("teleservices", {"teleservices": ()}),
        ("until", {"until": NOON}),
        ("until", {"until": NOON + LONGEST + timedelta(seconds=1)}),
        ("means", {"card": ""}),
        ("means", {"own": OWN}),
        ("means", {"card": "2600000099"}),
        ("means", {"card": "3750012346/EMP%"}),
        ("means", {"card": "", "own": HOLDER}),
        ("means", {"card": "", "own": "7500 12346"}),
        ("means", {"card": "", "own": "é"}),
    ],
)
def test_what_cannot_be_given_says_which_field_is_wrong(delegates, field, values):
    with pytest.raises(DelegateError) as error:
        draft(delegates, **values)
    assert error.value.field == field


def test_there_is_an_end_to_how_many(delegates):
    for number in range(MOST):
        delegates.give(draft(delegates, name=f"N{number:02}"))
    with pytest.raises(DelegateError) as error:
        draft(delegates)
    assert error.value.field == "most"


def test_a_card_is_found_by_either_of_its_numbers_and_an_account_by_its_identifier(delegates):
    by_number, own = draft(delegates, card="8025000001/2600000099"), draft(delegates, card="", own="emp lou")
    assert own.own == "EMPLOU"
    own = draft(delegates, card="", own="emp-lou")
    for given in (by_number, own):
        delegates.give(given)
    assert delegates.of_card("3750012346/emp0001", "8025000001/2600000099", NOON) == [by_number]
    assert delegates.of_card(CARD, "8025000001/2600000098", NOON) == []
    assert delegates.of_own(OWN, NOON) == [own]


def test_none_is_found_after_its_end_or_for_a_locked_account(delegates, engine):
    given, other = draft(delegates), draft(delegates, name="Other")
    delegates.give(given)
    delegates.give(other)
    assert delegates.of_card(CARD, "", MONTH - timedelta(microseconds=1)) == [given, other]
    assert delegates.of_card(CARD, "", MONTH) == []
    delegates.end("751234567", given.reference, NOON)
    delegates.end(HOLDER, other.reference, NOON)
    assert delegates.of_card(CARD, "", NOON) == [given]
    Accounts(engine, AtRest(bytes(32))).lock(HOLDER, NOON)
    assert delegates.of_card(CARD, "", NOON) == []


def opened(engine, delegation=None, holder=None):
    sessions = Sessions(engine, timedelta(minutes=30), timedelta(hours=4))
    account = Accounts(engine, AtRest(bytes(32))).find(HOLDER)
    proofs = [Proof(Method.SMART_CARD, NOON)]
    _, session = sessions.open(account, proofs, NOON, None, None, holder=holder, delegation=delegation)
    return sessions, session


def test_a_session_knows_its_person_over_a_restart_and_ends_with_the_delegation(delegates, engine):
    given = draft(delegates, card="", own=OWN, until=NOON + timedelta(hours=1))
    delegates.give(given)
    _, acting = opened(engine, given.delegation)
    assert (acting.subject.holder, acting.subject.delegation) == ("Lou Martin", given.delegation)
    assert acting.expires_at == given.until
    _, named = opened(engine, holder="Claire Fontaine")
    restarted = Sessions(engine, timedelta(minutes=30), timedelta(hours=4))
    assert [one.subject for one in restarted.of_account(HOLDER)] == [acting.subject, named.subject]
    assert [one.subject.delegation for one in restarted.of_account(HOLDER)] == [given.delegation, None]
    delegates.end(HOLDER, given.reference, NOON)
    restarted = Sessions(engine, timedelta(minutes=30), timedelta(hours=4))
    assert [one.subject.holder for one in restarted.of_account(HOLDER)] == ["Claire Fontaine"]


def test_what_ends_the_delegates_own_sessions_ends_those_on_the_holders_account(delegates, engine):
    given = draft(delegates, card="", own=OWN)
    delegates.give(given)
    sessions, acting = opened(engine, given.delegation)
    assert sessions.end_all("EMP-ANA", NOON) == 0
    accounts = Accounts(engine, AtRest(bytes(32)))
    accounts.lock(OWN, NOON)
    assert Sessions(engine, timedelta(minutes=30), timedelta(hours=4)).of_account(HOLDER) == []
    accounts.unlock(OWN, NOON)
    assert sessions.end_all(OWN, NOON) == 1
    assert acting.ended
    assert Sessions(engine, timedelta(minutes=30), timedelta(hours=4)).of_account(HOLDER) == []


def test_a_list_of_accounts_ends_what_their_owners_do_as_delegates_too(delegates, engine):
    given = draft(delegates, card="", own=OWN)
    delegates.give(given)
    sessions, acting = opened(engine, given.delegation)
    assert sessions.end_many(["EMP-ANA"], NOON) == {}
    assert sessions.end_many([OWN], NOON) == {HOLDER: 1}
    assert acting.ended
    assert Sessions(engine, timedelta(minutes=30), timedelta(hours=4)).of_account(HOLDER) == []
