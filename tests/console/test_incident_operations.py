# SPDX-License-Identifier: EUPL-1.2
"""What operators do about an incident: the file, the locks, the events, in that order; words where one is missing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gateway.console.account_operations import AccountOperations
from gateway.console.asker import asked_by
from gateway.console.incident_operations import ACCOUNTS_AT_MOST, IncidentOperations, incident_handlers
from gateway.errors import LedgerError
from gateway.identity.accounts import AccountError, Accounts
from gateway.identity.at_rest import AtRest
from gateway.identity.database import create_database
from gateway.identity.session import Sessions
from gateway.incident.incident import IncidentError, from_plain
from gateway.incident.kept import Incidents
from gateway.ledger.memory import MemoryLedger
from gateway.model import EventKind, Method, Proof

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ASKED = {
    "accounts": ["75 001 2346", "B12"],
    "since": "2026-11-20T00:00:00+00:00",
    "until": "2026-11-23T00:00:00+00:00",
    "reason": "  a call of  the holder ",
}


class Desk:
    """Everything around the operations, and what they left."""

    def __init__(self, folder):
        self.engine = create_database(folder / "accounts.db")
        self.accounts = Accounts(self.engine, AtRest(b"k" * 32))
        self.sessions = Sessions(self.engine, timedelta(minutes=30), timedelta(hours=4))
        for name in ("750012346", "B12", "C12"):
            self.accounts.create(name, "Pharmacie", "pharmacist", None, (), NOW)
        self.ledger = MemoryLedger()
        self.incidents = Incidents(folder / "incidents")
        operations = AccountOperations(self.accounts, self.sessions, self.append)
        made = IncidentOperations(self.incidents, self.accounts, operations, self.append)
        self.now = NOW
        self.handlers = incident_handlers(made, lambda: self.now)

    async def append(self, event):
        return await self.ledger.append([event]).wait()

    def __call__(self, command, by="alice", **values):
        with asked_by(by):
            return from_plain(asyncio.run(self.handlers[f"incident.{command}"](values)))

    def open(self, **values):
        return self("open", **(ASKED | values))

    def told(self):
        return [(str(one.event.kind), one.event.account, one.event.reason) for one in self.ledger.stored]


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path)
    yield desk
    desk.engine.dispose()


def test_an_incident_is_kept_and_on_record_for_each_of_its_accounts(desk):
    opened = desk.open()
    assert (opened.id, opened.opened_by, opened.reason) == ("2026-11-23-1", "alice", "a call of the holder")
    assert opened.accounts == ("750012346", "B12")
    assert (opened.aware_at, opened.due_at) == (NOW, NOW + timedelta(hours=72))
    assert desk.incidents.find(opened.id) == opened
    assert desk.told() == [("incident-opened", name, "a call of the holder") for name in opened.accounts]
    assert desk.ledger.stored[0].event.details == "incident 2026-11-23-1, by alice: a call of the holder"
    assert not desk.accounts.find("B12").locked


def test_freezing_locks_each_account_and_ends_its_sessions(desk):
    account = desk.accounts.find("B12")
    token, _ = desk.sessions.open(account, [Proof(Method.PASSWORD, NOW)], NOW, "192.0.2.1", "")
    opened = desk.open(freeze=True)
    assert opened.frozen == opened.accounts
    assert desk.incidents.find(opened.id).frozen == opened.accounts
    assert desk.accounts.find("B12").locked
    assert desk.sessions.find(token.encode(), NOW) is None
    assert desk.told()[:2] == [("account-locked", name, f"incident {opened.id}") for name in opened.accounts]
    assert {kind for kind, _, _ in desk.told()[2:]} == {"incident-opened"}


def test_the_clock_may_have_begun_before(desk):
    assert desk.open(aware_at="2026-11-22T18:00:00+00:00").due_at == datetime(2026, 11, 25, 18, tzinfo=UTC)
    with pytest.raises(IncidentError, match="as the moment of awareness"):
        desk.open(aware_at="2026-11-23T09:00:01+00:00")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"accounts": []}, "no account is named"),
        ({"accounts": ["NOBODY", "B12", "NO-ONE"]}, "there is no account NOBODY, NO-ONE; expected"),
        ({"accounts": "B12"}, "expected a list of texts"),
        ({"accounts": [f"A{place:05}" for place in range(ACCOUNTS_AT_MOST + 1)]}, "expected at most 2000"),
        ({"until": "2026-11-20T00:00:00+00:00"}, "not after its beginning"),
        ({"since": "2026-11-23T10:00:00+00:00", "until": "2026-11-24T00:00:00+00:00"}, "is to come"),
        ({"since": "2026-11-20T00:00:00"}, "expected a time in UTC"),
        ({"since": "then"}, "expected a time in UTC"),
        ({"since": None}, "expected a text"),
        ({"teleservices": ["Info patient"]}, "expected its name in the policy"),
        ({"networks": ["192.0.2.0/24"]}, "expected an address as"),
        ({"networks": "192.0.2.1"}, "expected a list of texts"),
        ({"source": "7"}, "expected a number"),
    ],
)
def test_a_bad_value_is_told_and_nothing_is_done(desk, change, said):
    with pytest.raises(IncidentError, match=said):
        desk.open(freeze=True, **change)
    assert (desk.told(), desk.incidents.numbers()) == ([], [])
    assert not desk.accounts.find("B12").locked


@pytest.mark.parametrize("change", [{"reason": " "}, {"reason": "a\u202eb"}, {"accounts": ["?"]}])
def test_words_nobody_could_read_are_told(desk, change):
    with pytest.raises(AccountError, match="expected"):
        desk.open(**change)
    assert desk.incidents.numbers() == []


def test_it_grows_with_what_becomes_known_and_its_clock_goes_on(desk):
    opened = desk.open(teleservices=["infopatient"], networks=["192.0.2.1"])
    desk.now = NOW + timedelta(hours=5)
    more = {"accounts": ["C12", "B12"], "teleservices": ["patients"], "since": "2026-11-19T00:00:00+00:00"}
    more["networks"] = ["192.0.2.1", "2001:DB8:0::1"]
    changed = desk("change", id=opened.id, reason="another call", by="bob", **more)
    assert changed.accounts == ("750012346", "B12", "C12")
    assert changed.teleservices == ("infopatient", "patients")
    assert changed.networks == ("192.0.2.1", "2001:db8::1")
    assert changed.since == datetime(2026, 11, 19, tzinfo=UTC)
    assert (changed.until, changed.due_at) == (opened.until, opened.due_at)
    assert [act.what for act in changed.acts] == ["opened", "changed"]
    assert desk.told()[-3:] == [("incident-changed", name, "another call") for name in changed.accounts]


def test_all_teleservices_stay_all(desk):
    opened = desk.open()
    with pytest.raises(IncidentError, match="nothing would change"):
        desk("change", id=opened.id, reason="x", by="bob", accounts=[], teleservices=["infopatient"])
    frozen = desk("change", id=opened.id, reason="x", by="bob", accounts=["B12"], freeze=True)
    assert (frozen.teleservices, frozen.frozen) == ((), opened.accounts)
    again = desk("change", id=opened.id, reason="x", by="bob", accounts=["C12"], freeze=True)
    assert again.frozen == (*opened.accounts, "C12")
    assert [kind for kind, _, _ in desk.told()].count("account-locked") == 3
    with pytest.raises(IncidentError, match="not after its beginning"):
        desk("change", id=opened.id, reason="x", by="bob", accounts=[], until="2026-11-01T00:00:00+00:00")


@pytest.mark.parametrize("what", ["examined", "exported", "drafted"])
def test_whoever_asks_the_ledger_is_on_record(desk, what):
    opened = desk.open()
    noted = desk("note", id=opened.id, what=what, note="list of people, sealed", by="carol")
    assert (noted.acts[-1].what, noted.acts[-1].by) == (what, "carol")
    last = desk.ledger.stored[-1].event
    assert last.kind is EventKind(f"incident-{what}")
    assert last.details == f"incident {opened.id}, by carol: list of people, sealed"


@pytest.mark.parametrize("what", ["closed", "opened", ""])
def test_other_things_are_not_noted(desk, what):
    opened = desk.open()
    with pytest.raises(IncidentError, match="examined, exported, drafted"):
        desk("note", id=opened.id, what=what, note="x", by="carol")


def test_a_closed_one_is_kept_may_be_asked_and_is_not_changed(desk):
    opened = desk.open()
    closed = desk("close", id=opened.id, reason="all are told", by="alice")
    assert closed.closed_at == NOW
    assert desk.told()[-1] == ("incident-closed", "B12", "all are told")
    assert desk("note", id=opened.id, what="examined", note="figures", by="bob").closed_at == NOW
    for command, more in (("close", {}), ("change", {"accounts": ["C12"]})):
        with pytest.raises(IncidentError, match="was closed 2026-11-23T09:00:00"):
            desk(command, id=opened.id, reason="x", by="bob", **more)
    with pytest.raises(IncidentError, match="there is no incident '2026-11-23-2'; expected one of: 2026-11-23-1"):
        desk("close", id="2026-11-23-2", reason="x", by="bob")


def test_if_the_ledger_fails_what_stands_is_said_and_who_asks_is_refused(desk):
    opened = desk.open()
    desk.ledger.fail()
    with pytest.raises(LedgerError, match="incident 2026-11-23-2 is kept as opened, but not all that follows"):
        desk.open()
    with pytest.raises(LedgerError, match="is kept as examined"):
        desk("note", id=opened.id, what="examined", note="figures", by="bob")
    with pytest.raises(LedgerError, match="not all that follows"):
        desk.open(freeze=True)
    assert desk.accounts.find("750012346").locked  # the lock stands, though it could not be told
