# SPDX-License-Identifier: EUPL-1.2
"""Who asks the ledger about people: an event for each account before the answer, and none where it cannot be kept."""

from __future__ import annotations

import asyncio

import pytest
from console.acts import PHARMACY, T0, Acts

from gateway.console.asker import asked_by
from gateway.console.reading_operations import OWNERS_AT_MOST, ReadingOperations, reading_handlers
from gateway.errors import LedgerError
from gateway.identity.accounts import AccountError
from gateway.model import EventKind

ASKED = {"what": "trace from A to B", "reason": "  a call of  the holder "}


@pytest.fixture
def desk(tmp_path):
    desk = Acts(tmp_path)
    desk.accounts.create(PHARMACY, "Pharmacie", "pharmacist", None, (), T0)
    desk.handlers = reading_handlers(ReadingOperations(desk.accounts, desk.append), lambda: T0)
    yield desk
    desk.engine.dispose()


def read(desk, **asked):
    with asked_by("alice"):
        return asyncio.run(desk.handlers["ledger.read"](ASKED | asked))


def told(desk):
    return [(one.kind, one.account, one.pseudonym) for one in desk.events]


def test_a_question_about_an_account_is_that_account_s_event(desk):
    assert read(desk, account="75 001 2346") == {"account": PHARMACY, "at": T0.isoformat()}
    (event,) = desk.events
    assert (event.kind, event.account, event.at) == (EventKind.LEDGER_READ, PHARMACY, T0)
    assert (event.reason, event.details) == ("a call of the holder", "trace from A to B; asked by alice")


def test_owners_are_taken_as_the_ledger_has_them_each_with_an_event(desk):
    assert read(desk, owners=["gone-since", PHARMACY])["account"] is None
    assert told(desk) == [(EventKind.LEDGER_READ, name, None) for name in ("gone-since", PHARMACY)]


def test_the_whole_ledger_and_one_person_are_nobody_s_event(desk):
    read(desk)
    read(desk, person="0f" * 16)
    assert told(desk) == [(EventKind.LEDGER_READ, "", None), (EventKind.LEDGER_READ, "", b"\x0f" * 16)]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"account": "NOBODY"}, "there is no account NOBODY"),
        ({"account": "é"}, "as identifier; expected"),
        ({"account": 7}, "found 7 as account"),
        ({"reason": ""}, "as reason; expected"),
        ({"reason": None}, "found None as reason"),
        ({"what": "two\nlines" * 20}, "as what is asked; expected"),
        ({"person": "255081416802538"}, "expected a pseudonym"),
        ({"owners": "750012346"}, "expected a list of texts"),
        ({"owners": ["x"] * (OWNERS_AT_MOST + 1)}, "expected at most 500 at once"),
    ],
)
def test_bad_values_are_told_and_nothing_is_recorded(desk, asked, said):
    with pytest.raises(AccountError, match=said) as error:
        read(desk, **asked)
    assert "255081416802538" not in str(error.value)
    assert desk.events == []


def test_no_record_no_answer(desk):
    desk.broken = True
    with pytest.raises(LedgerError, match="the disk is full"):
        read(desk, account=PHARMACY)
