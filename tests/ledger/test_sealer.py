# SPDX-License-Identifier: EUPL-1.2
"""sealer: the tree grows over what is durable and is signed, on each door; the second reader agrees; faults end it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import LedgerError
from gateway.ledger.checkpoint import verify_checkpoint
from gateway.ledger.note import SigningKey, good_signature
from gateway.ledger.sealed_rows import sealed_rows, sealed_tiles
from gateway.ledger.sealer import ROWS_AT_ONCE, Sealer, SealError
from gateway.ledger.tree_store import Head
from gateway.ledger.verify import verify
from gateway.ledger.verify_line import from_rows
from gateway.ledger.wrong import Wrong
from support.ledger_doors import FileDoor, MemoryDoor
from support.small_ledger import BEGUN, FOREIGN, KEY, ORIGIN, an_event

HEARTBEAT = timedelta(seconds=15)
SECOND = timedelta(seconds=1)


@pytest.fixture(params=[FileDoor, MemoryDoor])
def door(request, tmp_path):
    made = request.param(tmp_path)
    yield made
    made.close()


class Counting:
    """How many events were appended so far, so that none is like the other."""

    def __init__(self, door):
        self.door = door
        self.count = 0

    def append(self, number):
        events = [an_event(self.count + one) for one in range(number)]
        self.count += number

        async def appended():
            await self.door.ledger.append(events).wait()

        asyncio.run(appended())


@pytest.fixture
def events(door):
    return Counting(door)


def checked(store, *kept):
    """What the second reader says of all that is stored."""
    head = store.head()
    size = 0 if head is None else head.size
    return verify(
        from_rows(sealed_rows(store, size)),
        None if head is None else head.note,
        [KEY.verifier().text()],
        good_signature,
        origin=ORIGIN,
        kept=kept,
        tiles=sealed_tiles(store, size),
    )


def test_an_empty_ledger_is_signed_too(door):
    store = door.tree()
    head = Sealer(store, KEY).seal(BEGUN, HEARTBEAT)
    assert (head.size, head.last_sequence) == (0, 0)
    assert verify_checkpoint(head.note, [KEY.verifier()], ORIGIN).size == 0
    assert store.head() == head
    assert checked(store).size == 0


@pytest.mark.parametrize("steps", [(1,), (1, 1, 1), (255, 1, 1), (256, 256), (3, 600, 1), (ROWS_AT_ONCE + 5,)])
def test_what_is_durable_is_sealed_and_the_second_reader_agrees(door, events, steps):
    sealer, store, kept = Sealer(door.tree(), KEY), door.tree(), []
    for place, number in enumerate(steps):
        events.append(number)
        head = sealer.seal(BEGUN + place * SECOND, HEARTBEAT)
        assert (head.size, head.last_sequence) == (events.count, events.count)
        kept.append(head.note)
    found = checked(store, *kept)
    assert (found.size, found.unsealed, found.kept) == (events.count, 0, len(steps))


def test_another_start_takes_up_where_the_last_left_off(door, events):
    store = door.tree()
    for place, number in enumerate((300, 1, 211, 256, 0, 7)):
        if number:
            events.append(number)
        assert Sealer(store, KEY).seal(BEGUN + place * SECOND, HEARTBEAT).size == events.count
    assert checked(store).size == events.count


def test_nothing_new_is_signed_again_only_after_a_heartbeat(door, events):
    events.append(3)
    sealer = Sealer(door.tree(), KEY)
    first = sealer.seal(BEGUN, HEARTBEAT)
    assert sealer.seal(BEGUN + HEARTBEAT - SECOND, HEARTBEAT) is first
    again = sealer.seal(BEGUN + HEARTBEAT, HEARTBEAT)
    assert (again.size, again.at) == (3, BEGUN + HEARTBEAT)
    assert again.note != first.note


def test_what_came_after_the_last_sealing_is_told_as_unsealed(door, events):
    events.append(5)
    Sealer(door.tree(), KEY).seal(BEGUN, HEARTBEAT)
    events.append(2)
    found = checked(door.tree())
    assert (found.size, found.unsealed) == (5, 2)


class Between:
    """A store with a hand in it: something happens before or instead of one of its acts."""

    def __init__(self, store, **hands):
        self.store = store
        self.hands = hands

    def __getattr__(self, name):
        act = getattr(self.store, name)
        return self.hands[name](act) if name in self.hands else act


def test_a_stop_between_tiles_and_signature_is_taken_up(door, events):
    """At each moment of a sealing the process ends; the next start seals the same, and the reader agrees."""
    events.append(700)
    Sealer(door.tree(), KEY).seal(BEGUN, HEARTBEAT)
    for stop in range(1, 9):
        events.append(90)
        left = [stop]

        def ending(act, left=left):
            def acted(*words):
                left[0] -= 1
                if left[0] < 0:
                    raise KeyboardInterrupt
                return act(*words)

            return acted

        hands = dict.fromkeys(("elected", "head", "settled", "rows", "tile", "grow"), ending)
        with pytest.raises(KeyboardInterrupt):
            Sealer(Between(door.tree(), **hands), KEY).seal(BEGUN + SECOND, HEARTBEAT)
        assert checked(door.tree()).size + checked(door.tree()).unsealed == events.count
    assert Sealer(door.tree(), KEY).seal(BEGUN + 2 * SECOND, HEARTBEAT).size == events.count
    assert checked(door.tree()).unsealed == 0


def test_who_is_not_elected_seals_nothing(door, events):
    events.append(1)
    assert Sealer(Between(door.tree(), elected=lambda _: lambda: False), KEY).seal(BEGUN, HEARTBEAT) is None
    assert door.tree().head() is None


def flipped(data):
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize("what", ["hashes", "sequences"])
def test_L2_a_tile_that_is_read_back_otherwise_is_not_signed(door, events, what):
    events.append(3)

    def bad(act):
        def tile(*place):
            found = act(*place)
            return None if found is None else replace(found, **{what: flipped(getattr(found, what))})

        return tile

    sealer = Sealer(Between(door.tree(), tile=bad), KEY)
    with pytest.raises(SealError, match="read back otherwise than it was written"):
        sealer.seal(BEGUN, HEARTBEAT)
    assert door.tree().head().size == 0
    with pytest.raises(SealError, match="read back otherwise"):
        sealer.seal(BEGUN, HEARTBEAT)


def test_L2_rows_that_are_read_back_otherwise_are_not_signed(door, events):
    events.append(3)
    reads = []

    def bad(act):
        def rows(*words):
            found = act(*words)
            reads.append(1)
            return found if len(reads) < 2 else [(found[0][0], (*found[0][1][:-1], b"other")), *found[1:]]

        return rows

    with pytest.raises(SealError, match="the memory or the disk"):
        Sealer(Between(door.tree(), rows=bad), KEY).seal(BEGUN, HEARTBEAT)
    assert door.tree().head().size == 0


def test_rows_that_went_away_between_two_readings_are_told(door, events):
    events.append(4)
    reads = []

    def fewer(act):
        def rows(*words):
            reads.append(1)
            return act(*words)[: 4 if len(reads) < 2 else 2]

        return rows

    with pytest.raises(SealError, match="the memory or the disk"):
        Sealer(Between(door.tree(), rows=fewer), KEY).seal(BEGUN, HEARTBEAT)
    assert door.tree().head().size == 0


def test_numbers_that_were_given_and_never_used_are_no_hole_in_the_tree(door, events):
    """A server that crashed goes on with higher numbers than it has rows."""
    events.append(4)
    sealer = Sealer(Between(door.tree(), settled=lambda act: lambda: act() + 32), KEY)
    assert sealer.seal(BEGUN, HEARTBEAT).last_sequence == 4
    events.append(3)
    assert sealer.seal(BEGUN + SECOND, HEARTBEAT).size == 7
    assert checked(door.tree()).size == 7


def test_L3_of_two_sealers_of_one_ledger_one_is_stopped_and_the_tree_is_whole(door, events):
    events.append(10)
    one, other = Sealer(door.tree(), KEY), Sealer(door.tree(), KEY)
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
def test_another_key_does_not_go_on_with_a_tree(door, events, key):
    events.append(2)
    Sealer(door.tree(), KEY).seal(BEGUN, HEARTBEAT)
    with pytest.raises(SealError):
        Sealer(door.tree(), key).seal(BEGUN + SECOND, HEARTBEAT)


def test_a_start_over_a_changed_tree_is_refused(door, events):
    events.append(300)
    Sealer(door.tree(), KEY).seal(BEGUN, HEARTBEAT)

    def bad(act):
        return lambda *place: replace(act(*place), hashes=flipped(act(*place).hashes))

    with pytest.raises(SealError, match="has the root"):
        Sealer(Between(door.tree(), tile=bad), KEY).seal(BEGUN, HEARTBEAT)
    other = Sealer(Between(door.tree(), tile=lambda act: lambda *p: replace(act(*p), sequences=b"\0" * 2_048)), KEY)
    with pytest.raises(SealError, match="the last leaf is not event 300"):
        other.seal(BEGUN, HEARTBEAT)


def test_a_start_over_an_older_head_is_refused(door, events):
    events.append(3)
    old = Sealer(door.tree(), KEY).seal(BEGUN, HEARTBEAT)
    events.append(3)
    Sealer(door.tree(), KEY).seal(BEGUN + SECOND, HEARTBEAT)
    put_back = Between(door.tree(), head=lambda _: lambda: Head(6, 6, old.at, old.note))
    with pytest.raises(SealError, match="was signed for 3"):
        Sealer(put_back, KEY).seal(BEGUN, HEARTBEAT)


def test_a_disk_that_fails_is_told_as_it_is(door, events):
    events.append(1)

    def failing(_act):
        def grow(*_words):
            raise LedgerError("no space left")

        return grow

    with pytest.raises(LedgerError, match="no space left"):
        Sealer(Between(door.tree(), grow=failing), KEY).seal(BEGUN, HEARTBEAT)


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
