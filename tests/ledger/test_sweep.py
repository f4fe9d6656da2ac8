# SPDX-License-Identifier: EUPL-1.2
"""sweep, with its deleter: what goes, what stays, and that the second reader accounts for it on every door."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from gateway.errors import LedgerError
from gateway.ledger.deletion import read_told
from gateway.ledger.retention import Keep, Periods, rules_at
from gateway.ledger.span import Span
from gateway.ledger.sweep import QUIET_ROWS, NotAsSigned, Sweep
from gateway.ledger.writer import LedgerBusy
from gateway.model import EventKind
from gateway.retention_gate import due
from support.keeping_rows import DAY, NOW, Years, an_event, years
from support.sealing import Between, checked

if TYPE_CHECKING:
    from support.ledger_doors import Door, FileDoor

TODAY = NOW.replace(hour=0, minute=0)
YEAR_AGO, THREE_YEARS_AGO = TODAY.replace(year=2025), TODAY.replace(year=2023)


@pytest.fixture
def ledger(door: Door) -> Years:
    """Three days each around the ends of both times, and today."""
    made = Years(door)
    for begin in (THREE_YEARS_AGO - 3 * DAY, YEAR_AGO - 3 * DAY, TODAY - DAY):
        made.append(years(begin, 6 if begin < TODAY - DAY else 1))
    return made


class Stopped(Exception):
    """The process ends here."""


def test_each_class_goes_when_its_time_is_over_and_not_before(ledger: Years):
    assert ledger.kinds() == {"data-key": 78, "sign-in": 78, "lookup": 156}
    # 36 sign-ins of 2023, and 18 of the three days before the year.
    assert ledger.delete() == {"security": 54, "disclosures": 36, "proof": 18}
    assert ledger.kinds() == {"data-key": 60, "sign-in": 24, "lookup": 120, "events-deleted": 3}
    assert min(at for _, kind, _, at in ledger.rows() if kind == "sign-in") == YEAR_AGO
    assert min(at for _, kind, _, at in ledger.rows() if kind == "lookup") == THREE_YEARS_AGO
    after = checked(ledger.store)
    assert (after.deleted, after.deletions, after.waiting) == (108, 3, 0)


def test_a_second_round_finds_nothing_and_the_next_day_what_that_brings(ledger: Years):
    ledger.delete()
    assert ledger.delete() == {}
    ledger.now += DAY
    assert ledger.delete() == {"security": 6, "disclosures": 12, "proof": 6}
    assert checked(ledger.store).deletions == 6


def test_a_clock_that_is_years_ahead_takes_no_more_than_a_month_a_day(ledger: Years, caplog):
    ledger.now += 20 * 365 * DAY
    with caplog.at_level("WARNING"):
        assert ledger.delete(daily=True) == {"security": 36, "disclosures": 72, "proof": 36}, "those of 2023"
    assert [one.message for one in caplog.records] == ["retention-behind"]
    assert min(at for _, kind, _, at in ledger.rows() if kind == "lookup") == YEAR_AGO - 3 * DAY
    assert ledger.delete(daily=True) == {"security": 36, "disclosures": 72, "proof": 36}, "those of 2025"
    assert checked(ledger.store).deleted == 288


def test_what_is_due_from_day_to_day_goes_as_if_asked_for(ledger: Years, caplog):
    assert ledger.delete(daily=True) == {"security": 36, "disclosures": 36, "proof": 18}
    assert ledger.delete(daily=True) == {"security": 18}
    caplog.clear()
    ledger.now += DAY
    assert ledger.delete(daily=True) == {"security": 6, "disclosures": 12, "proof": 6}
    assert caplog.records == []


def test_checkpoints_kept_from_before_agree_still(ledger: Years):
    head = ledger.store.head()
    ledger.delete()
    assert checked(ledger.store, head.note).kept == 1


def test_nothing_is_deleted_that_is_not_sealed(ledger: Years):
    sweep = Sweep(ledger.store, ledger.store.head(), rules_at(NOW, Periods()))
    ledger.append([an_event(EventKind.SIGN_IN, YEAR_AGO - DAY)])
    assert sum(one.told.count for one in sweep.batches(Keep.SECURITY)) == 54
    assert ledger.delete()["security"] == 55


def test_what_an_open_incident_is_about_stays_and_goes_when_it_is_closed(ledger: Years):
    ledger.holds = [Span(("b",), THREE_YEARS_AGO - 2 * DAY, THREE_YEARS_AGO - DAY)]
    gone = ledger.delete()
    # From a day before to two hours after it is held: look-ups of b, and all data keys.
    assert gone == {"security": 54, "disclosures": 36 - 13, "proof": 18 - 13}
    held = [at for _, kind, account, at in ledger.rows() if (kind, account) == ("lookup", "b") and at < THREE_YEARS_AGO]
    assert len(held) == 13
    assert checked(ledger.store).deletions == 3
    ledger.holds = ()
    assert ledger.delete() == {"disclosures": 13, "proof": 13}
    assert checked(ledger.store).deleted == 108


def test_a_data_key_stays_as_long_as_a_number_near_it(ledger: Years):
    near, far = (THREE_YEARS_AGO - timedelta(minutes=minutes) for minutes in (120, 121))
    ledger.append([an_event(EventKind.DATA_KEY, at, "", sealed=b"k" * 60) for at in (far, near)])
    assert ledger.delete()["proof"] == 18 + 1
    kept = [at for _, kind, _, at in ledger.rows() if kind == "data-key" and at < THREE_YEARS_AGO]
    assert kept == [near]
    ledger.now += DAY
    assert ledger.delete()["proof"] == 6 + 1


def test_shorter_and_longer_times_are_those_of_the_settings(ledger: Years):
    ledger.periods = Periods(36, 36)
    assert ledger.delete() == {"security": 18, "disclosures": 36, "proof": 18}
    ledger.periods = Periods(6, 6)
    gone = ledger.delete()
    assert gone == {"security": 54, "disclosures": 108, "proof": 54}
    assert ledger.kinds() == {"data-key": 6, "sign-in": 6, "lookup": 12, "events-deleted": 6}
    ledger.periods = Periods()
    assert ledger.delete() == {}
    assert checked(ledger.store).deleted == 36 + 36 + 216


@pytest.mark.parametrize("act", ["delete", "sealed", "tile"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_whatever_stops_it_the_next_round_ends_what_was_told(door: Door, act: str, nth: int):
    calls = [0]

    def hand(original):
        def one(*told):
            if hand.armed:
                calls[0] += 1
                if calls[0] == nth:
                    raise Stopped
            return original(*told)

        return one

    hand.armed = False
    tree = door.tree()
    made = Years(door, Between(tree, **({act: hand} if act != "sealed" else {})))
    for begin in (THREE_YEARS_AGO - 3 * DAY, YEAR_AGO - 3 * DAY):
        made.append(years(begin, 4))
    hand.armed = True
    if act == "sealed":
        made.between = lambda what: hand(lambda _what: None)(what) if what == "sealed" else None
    with pytest.raises(Stopped):
        made.delete()
    # Another process finds it so: whole for the reader, whatever was told and not done.
    hand.armed = False
    found = checked(tree)
    assert found.waiting <= 1
    again = Years(door, tree)
    again.delete()
    found = checked(tree)
    assert (found.deleted, found.waiting) == (24 + 18 + 36 + 18, 0)
    assert again.kinds()["events-deleted"] == 3


def tell_alone(ledger: Years) -> None:
    """A round that stops once a deletion is told and sealed."""

    def stop(what: str) -> None:
        if what == "sealed":
            raise Stopped

    ledger.between = stop
    with pytest.raises(Stopped):
        ledger.delete()
    ledger.between = lambda _act: None


def test_what_was_told_is_not_done_once_an_incident_holds_it(ledger: Years):
    tell_alone(ledger)
    ledger.holds = [Span(("a",), YEAR_AGO - 2 * DAY, YEAR_AGO - DAY)]
    assert ledger.delete()["security"] == 54 - 13
    found = checked(ledger.store)
    assert (found.waiting, found.deletions) == (1, 3)
    ledger.holds = ()
    assert ledger.delete() == {"security": 13}
    assert checked(ledger.store).waiting == 1


def test_what_was_told_is_not_done_once_it_is_to_be_kept_for_longer(ledger: Years):
    tell_alone(ledger)
    ledger.periods = Periods(24, 36)
    assert ledger.delete()["security"] == 36
    assert checked(ledger.store).waiting == 1


def test_more_than_one_batch_of_a_class_goes_one_after_the_other(door: Door):
    made = Years(door)
    made.append([an_event(EventKind.SIGN_IN, YEAR_AGO - DAY + timedelta(seconds=one)) for one in range(2_500)])
    assert made.delete("asked by anne: room") == {"security": 2_500}
    told = [(row[9], row[15]) for _, row in made.store.deletions(10)]
    assert [read_told(keep, text).count for keep, text in told] == [452, 1_024, 1_024]
    assert all(text.endswith("; asked by anne: room") for _, text in told)
    assert checked(made.store).deletions == 3


def test_a_row_that_is_not_what_was_signed_is_not_deleted(file: FileDoor):
    made = Years(file)
    made.append(years(YEAR_AGO - 3 * DAY, 2))
    with closing(sqlite3.connect(file.path)) as other, other:
        other.execute("update event set account = 'z' where sequence = 6")
    with pytest.raises(NotAsSigned, match="event 6, leaf 5, is not what was signed"):
        made.delete()
    assert made.kinds() == {"data-key": 12, "sign-in": 12, "lookup": 24}


def test_another_that_deletes_meanwhile_is_no_harm(ledger: Years, door: Door):
    tree = ledger.store
    one = next(Sweep(tree, tree.head(), rules_at(NOW, Periods())).batches(Keep.SECURITY))
    ledger.delete()
    with pytest.raises(Exception, match=r"gone already|rows are there|are not there"):
        one.carry_out(tree, 300)
    assert checked(tree).deleted == 108


def test_others_that_write_for_long_only_put_it_off(ledger: Years):
    calls = []

    def busy(original):
        def delete(*told):
            calls.append(told[0])
            if len(calls) == 1:
                raise LedgerBusy("wait")
            return original(*told)

        return delete

    ledger.store = Between(ledger.store, delete=busy)
    assert sum(ledger.delete().values()) == 108
    assert calls[0] == calls[1]


def test_where_another_seals_nothing_is_deleted(ledger: Years):
    ledger.sealer = Between(ledger.sealer, seal=lambda _act: lambda *_told: None)
    assert ledger.delete() == {}
    with pytest.raises(LedgerError, match="another process seals"):
        ledger.delete("asked by anne: room")


def test_the_sweep_does_not_look_through_what_is_young(door: Door):
    made = Years(door)
    made.append([an_event(EventKind.SIGN_IN, YEAR_AGO - DAY)])
    made.append([an_event(EventKind.SIGN_IN, NOW) for _ in range(QUIET_ROWS + 20)])
    made.append([an_event(EventKind.SIGN_IN, NOW - DAY)])
    assert due(made.store, made.store.head(), rules_at(NOW, Periods())) == {
        Keep.SECURITY: 1,
        Keep.DISCLOSURES: 0,
        Keep.PROOF: 0,
    }
    assert made.delete() == {"security": 1}


def test_a_sweep_that_is_to_stop_plans_no_further(ledger: Years):
    stopped = Sweep(ledger.store, ledger.store.head(), rules_at(NOW, Periods()), stopped=lambda: True)
    assert list(stopped.batches(Keep.SECURITY)) == []
