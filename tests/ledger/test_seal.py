# SPDX-License-Identifier: EUPL-1.2
"""Numbers on record: the officer reads them, the gateway does not, and none opens out of its row."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import LedgerError
from gateway.ledger.memory import MemoryLedger
from gateway.ledger.officer_key import new_officer_key
from gateway.ledger.seal import SealedLedger, Seals, Unopened, Unsealer, keys_between
from gateway.model import Event, EventKind, Receipt

AT = datetime(2026, 3, 2, 9, 59, 59, tzinfo=UTC)
NUMBER = "255081416802538"
REQUEST, PSEUDONYM = bytes(range(16)), bytes(range(16, 32))
OFFICER = new_officer_key()


def lookup(sealed: bytes, at: datetime = AT, pseudonym: bytes = PSEUDONYM) -> Event:
    return Event(EventKind.LOOKUP, "750012346", at, request=REQUEST, pseudonym=pseudonym, sealed=sealed)


class Desk:
    """A ledger behind its sealing door."""

    def __init__(self, **options):
        self.ledger = MemoryLedger(**options)
        self.seals = Seals(OFFICER.public)
        self.door = SealedLedger(self.ledger, self.seals)

    def record(self, number=NUMBER, at=AT, pseudonym=PSEUDONYM):
        return self.door.append([lookup(self.door.seal(number, REQUEST, pseudonym, at), at, pseudonym)])

    @property
    def events(self):
        return [one.event for one in self.ledger.stored]

    def kinds(self):
        return [event.kind for event in self.events]


@pytest.fixture
def desk():
    return Desk()


def read(events, officer=OFFICER):
    unsealer = Unsealer(officer)
    known = [unsealer.learn(one.sealed) for one in events if one.kind is EventKind.DATA_KEY]
    opened = [unsealer.open(one.sealed, one.request, one.pseudonym) for one in events if one.kind is EventKind.LOOKUP]
    return known, opened


def test_the_officer_reads_what_was_recorded(desk):
    desk.record()
    desk.record("2A5081416802575", pseudonym=REQUEST)
    assert desk.kinds() == [EventKind.DATA_KEY, EventKind.LOOKUP, EventKind.LOOKUP]
    assert read(desk.events) == ([True], [NUMBER, "2A5081416802575"])


def test_the_receipt_is_the_last_row_s(desk):
    assert desk.record().result() == Receipt(2)
    assert desk.record().result() == Receipt(3)


def test_nothing_of_a_number_stands_in_a_row_and_equal_numbers_look_different(desk):
    desk.record()
    desk.record()
    rows = [one.sealed for one in desk.events]
    assert not any(NUMBER[start : start + 4].encode() in row for row in rows for start in range(12))
    assert rows[1][16:] != rows[2][16:]
    assert len(rows[1]) == 8 + 8 + 15 + 16


def test_each_hour_has_its_key_and_both_open(desk):
    desk.record()
    desk.record(at=AT + timedelta(seconds=1))
    desk.record(at=AT)  # a slow request of the hour before
    assert desk.kinds() == [
        EventKind.DATA_KEY,
        EventKind.LOOKUP,
        EventKind.DATA_KEY,
        EventKind.LOOKUP,
        EventKind.LOOKUP,
    ]
    first, second, third = (one.sealed[:8] for one in desk.events if one.kind is EventKind.LOOKUP)
    assert first != second == third
    assert read(desk.events)[1] == [NUMBER] * 3


def test_what_waits_over_the_end_of_its_hour_is_recorded_with_its_key(desk):
    waiting = lookup(desk.door.seal(NUMBER, REQUEST, PSEUDONYM, AT))
    later = AT + timedelta(minutes=1)
    desk.record(at=later)
    desk.door.append([waiting])
    assert desk.kinds().count(EventKind.DATA_KEY) == 2
    assert read(desk.events)[1] == [NUMBER] * 2


def test_a_key_goes_along_until_it_is_known_to_be_durable():
    desk = Desk(waiting_at_most=3)
    desk.ledger.hold()
    first, refused = desk.record(), desk.record()
    with pytest.raises(LedgerError, match="to wait"):
        refused.result()
    desk.ledger.release()
    assert first.result() == Receipt(2)
    desk.record()
    assert desk.kinds() == [EventKind.DATA_KEY, EventKind.LOOKUP, EventKind.LOOKUP]


def test_a_key_whose_first_act_was_refused_comes_with_the_next():
    desk = Desk(waiting_at_most=2)
    pair = [lookup(desk.door.seal(NUMBER, REQUEST, PSEUDONYM, AT)) for _ in range(2)]
    with pytest.raises(LedgerError):
        desk.door.append(pair).result()
    desk.record()
    assert desk.kinds() == [EventKind.DATA_KEY, EventKind.LOOKUP]
    assert read(desk.events)[1] == [NUMBER]


def test_a_failed_ledger_is_told_as_failed(desk):
    assert not desk.door.failed
    desk.ledger.fail()
    assert desk.door.failed


def test_what_has_no_number_needs_no_key(desk):
    desk.door.append([Event(EventKind.SIGN_IN, "750012346", AT)])
    assert desk.kinds() == [EventKind.SIGN_IN]


def test_a_key_is_forgotten_when_its_hour_has_ended_and_not_before(desk):
    desk.seals.forget(AT)
    desk.record()
    desk.seals.forget(AT)
    desk.record()
    desk.seals.forget(AT + timedelta(seconds=1))
    desk.record()  # by a clock that went back: another key, never the forgotten one
    keys = [one.sealed[:8] for one in desk.events if one.kind is EventKind.LOOKUP]
    assert keys[0] == keys[1] != keys[2]


def test_a_counter_is_never_used_twice(desk):
    counters = [desk.door.seal(NUMBER, REQUEST, PSEUDONYM, AT)[8:16] for _ in range(1000)]
    assert len(set(counters)) == 1000


@pytest.mark.parametrize("place", range(8, 47))
def test_a_changed_byte_does_not_open(desk, place):
    desk.record()
    key, row = desk.events
    unsealer = Unsealer(OFFICER)
    unsealer.learn(key.sealed)
    changed = bytearray(row.sealed)
    changed[place] ^= 1
    with pytest.raises(Unopened, match="verify the ledger"):
        unsealer.open(bytes(changed), REQUEST, PSEUDONYM)


def test_a_number_does_not_open_in_another_row(desk):
    desk.record()
    key, row = desk.events
    unsealer = Unsealer(OFFICER)
    unsealer.learn(key.sealed)
    for request, pseudonym in ((PSEUDONYM, PSEUDONYM), (REQUEST, REQUEST)):
        with pytest.raises(Unopened, match="does not open"):
            unsealer.open(row.sealed, request, pseudonym)


def test_a_cut_row_is_refused_with_a_sentence(desk):
    desk.record()
    key, row = desk.events
    unsealer = Unsealer(OFFICER)
    unsealer.learn(key.sealed)
    for length in range(8, 47):
        with pytest.raises(Unopened):
            unsealer.open(row.sealed[:length], REQUEST, PSEUDONYM)


def test_a_row_without_its_key_is_told(desk):
    desk.record()
    with pytest.raises(Unopened, match="is not there; expected it at most two hours from"):
        Unsealer(OFFICER).open(desk.events[1].sealed, REQUEST, PSEUDONYM)


def test_another_officer_is_told_whose_it_is(desk):
    desk.record()
    other = new_officer_key()
    unsealer = Unsealer(other)
    assert not unsealer.learn(desk.events[0].sealed)
    with pytest.raises(Unopened, match=f"{OFFICER.public.id.hex()}, not to {other.public.id.hex()}"):
        unsealer.open(desk.events[1].sealed, REQUEST, PSEUDONYM)


def test_a_rotation_keeps_old_rows_readable_to_the_old_key_s_owner(desk):
    desk.record()
    new = new_officer_key()
    after = Desk()
    after.seals = Seals(new.public)
    after.door = SealedLedger(desk.ledger, after.seals)
    after.record("2A5081416802575")
    key, old, new_key, young = desk.events
    assert read([key, old]) == ([True], [NUMBER])
    assert read([new_key, young], new) == ([True], ["2A5081416802575"])


def test_a_damaged_data_key_is_told(desk):
    desk.record()
    damaged = bytearray(desk.events[0].sealed)
    damaged[-1] ^= 1
    with pytest.raises(Unopened, match=f"data key {damaged[:8].hex()}: .* does not open this data key"):
        Unsealer(OFFICER).learn(bytes(damaged))


def test_a_key_may_be_learnt_twice(desk):
    desk.record()
    unsealer = Unsealer(OFFICER)
    assert unsealer.learn(desk.events[0].sealed)
    assert unsealer.learn(desk.events[0].sealed)


def test_data_keys_are_looked_for_two_hours_around():
    assert keys_between(AT, AT) == (AT - timedelta(hours=2), AT + timedelta(hours=2))
