# SPDX-License-Identifier: EUPL-1.2
"""sealer: what is not as it was written is not signed, and a start over a changed tree is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import LedgerError
from gateway.ledger.event import microseconds
from gateway.ledger.note import SigningKey
from gateway.ledger.sealer import LATE, Sealer, SealError
from gateway.ledger.tree_store import Head
from gateway.ledger.wrong import Wrong
from support.ledger_doors import FileDoor
from support.sealing import HEARTBEAT, SECOND, Between, Counting, checked
from support.small_ledger import BEGUN, FOREIGN, KEY


def flipped(data):
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize("what", ["hashes", "sequences"])
def test_L2_a_tile_that_is_read_back_otherwise_is_not_signed(door, events, store, what):
    events.append(3)

    def bad(act):
        def tile(*place):
            found = act(*place)
            return None if found is None else replace(found, **{what: flipped(getattr(found, what))})

        return tile

    sealer = Sealer(Between(store, tile=bad), KEY)
    with pytest.raises(SealError, match="read back otherwise than it was written"):
        sealer.seal(BEGUN, HEARTBEAT)
    assert door.tree().head().size == 0
    with pytest.raises(SealError, match="read back otherwise"):
        sealer.seal(BEGUN, HEARTBEAT)


def test_L2_rows_that_are_read_back_otherwise_are_not_signed(door, events, store):
    events.append(3)
    reads = []

    def bad(act):
        def rows(*words):
            found = act(*words)
            reads.append(1)
            return found if len(reads) < 2 else [(found[0][0], (*found[0][1][:-1], b"other")), *found[1:]]

        return rows

    with pytest.raises(SealError, match="the memory or the disk"):
        Sealer(Between(store, rows=bad), KEY).seal(BEGUN, HEARTBEAT)
    assert door.tree().head().size == 0


def test_rows_that_went_away_between_two_readings_are_told(door, events, store):
    events.append(4)
    reads = []

    def fewer(act):
        def rows(*words):
            reads.append(1)
            return act(*words)[: 4 if len(reads) < 2 else 2]

        return rows

    with pytest.raises(SealError, match="the memory or the disk"):
        Sealer(Between(store, rows=fewer), KEY).seal(BEGUN, HEARTBEAT)
    assert door.tree().head().size == 0


def test_numbers_that_were_given_and_never_used_are_no_hole_in_the_tree(door, events, store):
    """A server that crashed goes on with higher numbers than it has rows."""
    events.append(4)
    sealer = Sealer(Between(store, settled=lambda act: lambda: act() + 32), KEY)
    assert sealer.seal(BEGUN, HEARTBEAT).last_sequence == 4
    events.append(3)
    assert sealer.seal(BEGUN + SECOND, HEARTBEAT).size == 7
    assert checked(door.tree()).size == 7


@pytest.mark.parametrize("step", [timedelta(days=30), -timedelta(days=30)])
def test_a_clock_that_was_wrong_hides_no_event_and_keeps_it_signed(door, events, store, step):
    """Signed by a clock that was a month off; set right, it seals what has come since, and signs as before."""
    asked = []

    def noted(act):
        def rows(*words):
            asked.append(words[-1])
            return act(*words)

        return rows

    sealer = Sealer(Between(store, rows=noted), KEY)
    events.append(1)
    sealer.seal(BEGUN + step, HEARTBEAT)
    asked.clear()
    events.append(1)
    head = sealer.seal(BEGUN, HEARTBEAT)
    assert (head.size, head.at) == (2, BEGUN)
    assert set(asked) == {microseconds(min(BEGUN, BEGUN + step) - LATE)}
    assert sealer.seal(BEGUN - step, HEARTBEAT).at == BEGUN - step, "a heartbeat is due whichever way the clock went"


def test_L3_of_two_sealers_of_one_ledger_one_is_stopped_and_the_tree_is_whole(door, events, store):
    events.append(10)
    one, other = Sealer(store, KEY), Sealer(store, KEY)
    one.seal(BEGUN, HEARTBEAT)
    other.seal(BEGUN, HEARTBEAT)
    events.append(5)
    assert one.seal(BEGUN + SECOND, HEARTBEAT).size == 15
    events.append(5)
    with pytest.raises(SealError):
        other.seal(BEGUN + 2 * SECOND, HEARTBEAT)
    with pytest.raises(SealError):
        other.seal(BEGUN + 3 * SECOND, HEARTBEAT)
    assert one.seal(BEGUN + 3 * SECOND, HEARTBEAT).size == 20
    assert checked(door.tree()).size == 20


@pytest.mark.parametrize("key", [FOREIGN, SigningKey("another.example/ledger", bytes(range(32)))])
def test_another_key_does_not_go_on_with_a_tree(door, events, store, key):
    events.append(2)
    Sealer(store, KEY).seal(BEGUN, HEARTBEAT)
    with pytest.raises(SealError):
        Sealer(store, key).seal(BEGUN + SECOND, HEARTBEAT)


def test_a_start_over_a_changed_tree_is_refused(door, events, store):
    events.append(300)
    Sealer(store, KEY).seal(BEGUN, HEARTBEAT)

    def bad(act):
        return lambda *place: replace(act(*place), hashes=flipped(act(*place).hashes))

    with pytest.raises(SealError, match="has the root"):
        Sealer(Between(store, tile=bad), KEY).seal(BEGUN, HEARTBEAT)
    other = Sealer(Between(store, tile=lambda act: lambda *p: replace(act(*p), sequences=b"\0" * 2_048)), KEY)
    with pytest.raises(SealError, match="the last leaf is not event 300"):
        other.seal(BEGUN, HEARTBEAT)


def test_a_start_over_an_empty_tree_that_leaves_events_out_is_refused(store):
    empty = Sealer(store, KEY).seal(BEGUN, HEARTBEAT)
    skipping = Between(store, head=lambda _: lambda: replace(empty, last_sequence=2))
    with pytest.raises(SealError, match="the last leaf is not event 2"):
        Sealer(skipping, KEY).seal(BEGUN, HEARTBEAT)


def test_a_start_over_an_older_head_is_refused(door, events, store):
    events.append(3)
    old = Sealer(store, KEY).seal(BEGUN, HEARTBEAT)
    events.append(3)
    Sealer(store, KEY).seal(BEGUN + SECOND, HEARTBEAT)
    put_back = Between(store, head=lambda _: lambda: Head(6, 6, old.at, old.note))
    with pytest.raises(SealError, match="was signed for 3"):
        Sealer(put_back, KEY).seal(BEGUN, HEARTBEAT)


def test_a_disk_that_fails_is_told_as_it_is(door, events, store):
    events.append(1)

    def failing(_act):
        def grow(*_words):
            raise LedgerError("no space left")

        return grow

    with pytest.raises(LedgerError, match="no space left"):
        Sealer(Between(store, grow=failing), KEY).seal(BEGUN, HEARTBEAT)


def test_a_row_changed_after_its_sealing_is_found_by_the_reader(tmp_path):
    door = FileDoor(tmp_path)
    Counting(door).append(300)
    Sealer(door.tree(), KEY).seal(BEGUN, HEARTBEAT)
    store = door.tree()
    changed = Between(
        store,
        rows=lambda act: (
            lambda *w: [(at, (*one[:3], "x", *one[4:]) if at == 77 else one) for at, one in act(*w) if at != 200]
        ),
    )
    with pytest.raises(Wrong, match="77"):
        checked(changed)
    door.close()
