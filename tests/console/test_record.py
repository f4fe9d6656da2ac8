# SPDX-License-Identifier: EUPL-1.2
"""What operators did, on record and told: several events of one act are one letter, and what is durable is told."""

import asyncio
from datetime import UTC, datetime

import pytest

from gateway.console.record import Record
from gateway.errors import LedgerError
from gateway.identity.accounts import Accounts
from gateway.identity.at_rest import AtRest
from gateway.identity.database import create_database
from gateway.mail.memory import MemoryOutbox
from gateway.model import Event, EventKind
from gateway.notices import Notices

AT = datetime(2026, 11, 22, 8, 5, tzinfo=UTC)
NAME = "750012346"
ENDED = Event(EventKind.QUARANTINE_ENDED, NAME, AT, method="agents")
INVITED = Event(EventKind.INVITED, NAME, AT)


class Kept(list[Event]):
    """A ledger that takes `most` events."""

    def __init__(self, most: int = 10) -> None:
        super().__init__()
        self.most = most

    async def take(self, event: Event) -> None:
        if len(self) == self.most:
            raise LedgerError("the disk is full")
        self.append(event)


@pytest.fixture
def outbox() -> MemoryOutbox:
    return MemoryOutbox()


@pytest.fixture
def notices(tmp_path, outbox):
    engine = create_database(tmp_path / "accounts.db")
    accounts = Accounts(engine, AtRest(bytes(32)))
    accounts.create(NAME, "Pharmacie du Pont", "pharmacist", None, (), AT, "pont@exemple.example")
    yield Notices(accounts, outbox, "https://portail.example")
    engine.dispose()


def test_one_act_of_two_events_is_one_letter(notices, outbox):
    kept = Kept()
    asyncio.run(Record(kept.take, notices)(ENDED, INVITED))
    assert kept == [ENDED, INVITED]
    (letter,) = outbox.letters
    assert "de nouveau ouverts" in letter.text
    assert "An activation code was made" in letter.text


def test_what_is_durable_is_told_and_what_is_not_is_said(notices, outbox):
    with pytest.raises(LedgerError, match=f"account {NAME} is made, but its event invited could not .* disk is full"):
        asyncio.run(Record(Kept(1).take, notices)(ENDED, INVITED))
    (letter,) = outbox.letters
    assert "activation code" not in letter.text


def test_what_is_not_on_record_is_told_to_nobody(notices, outbox):
    with pytest.raises(LedgerError):
        asyncio.run(Record(Kept(0).take, notices)(ENDED))
    assert outbox.letters == []


def test_without_letters_it_is_on_record():
    kept = Kept()
    asyncio.run(Record(kept.take, None)(ENDED))
    assert kept == [ENDED]
