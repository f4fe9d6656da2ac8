# SPDX-License-Identifier: EUPL-1.2
"""sealer: the tree grows over what is durable and is signed, on each door, and the second reader agrees."""

from __future__ import annotations

import pytest

from gateway.ledger.checkpoint import verify_checkpoint
from gateway.ledger.sealer import ROWS_AT_ONCE, Sealer
from support.sealing import HEARTBEAT, SECOND, Between, checked
from support.small_ledger import BEGUN, KEY, ORIGIN


def test_an_empty_ledger_is_signed_too(store):
    head = Sealer(store, KEY).seal(BEGUN, HEARTBEAT)
    assert (head.size, head.last_sequence) == (0, 0)
    assert verify_checkpoint(head.note, [KEY.verifier()], ORIGIN).size == 0
    assert store.head() == head
    assert checked(store).size == 0


@pytest.mark.parametrize("steps", [(1,), (1, 1, 1), (255, 1, 1), (256, 256), (3, 600, 1), (ROWS_AT_ONCE + 5,)])
def test_what_is_durable_is_sealed_and_the_second_reader_agrees(door, events, store, steps):
    sealer, kept = Sealer(store, KEY), []
    for place, number in enumerate(steps):
        events.append(number)
        head = sealer.seal(BEGUN + place * SECOND, HEARTBEAT)
        assert (head.size, head.last_sequence) == (events.count, events.count)
        kept.append(head.note)
    found = checked(store, *kept)
    assert (found.size, found.unsealed, found.kept) == (events.count, 0, len(steps))


def test_another_start_takes_up_where_the_last_left_off(door, store, events):
    for place, number in enumerate((300, 1, 211, 256, 0, 7)):
        if number:
            events.append(number)
        assert Sealer(store, KEY).seal(BEGUN + place * SECOND, HEARTBEAT).size == events.count
    assert checked(store).size == events.count


def test_nothing_new_is_signed_again_only_after_a_heartbeat(door, events, store):
    events.append(3)
    sealer = Sealer(store, KEY)
    first = sealer.seal(BEGUN, HEARTBEAT)
    assert sealer.seal(BEGUN + HEARTBEAT - SECOND, HEARTBEAT) is first
    again = sealer.seal(BEGUN + HEARTBEAT, HEARTBEAT)
    assert (again.size, again.at) == (3, BEGUN + HEARTBEAT)
    assert again.note != first.note


def test_what_came_after_the_last_sealing_is_told_as_unsealed(door, events, store):
    events.append(5)
    Sealer(store, KEY).seal(BEGUN, HEARTBEAT)
    events.append(2)
    found = checked(door.tree())
    assert (found.size, found.unsealed) == (5, 2)


def test_a_stop_between_tiles_and_signature_is_taken_up(door, events, store):
    """At each moment of a sealing the process ends; the next start seals the same, and the reader agrees."""
    events.append(700)
    Sealer(store, KEY).seal(BEGUN, HEARTBEAT)
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
            Sealer(Between(store, **hands), KEY).seal(BEGUN + SECOND, HEARTBEAT)
        assert checked(door.tree()).size + checked(door.tree()).unsealed == events.count
    assert Sealer(store, KEY).seal(BEGUN + 2 * SECOND, HEARTBEAT).size == events.count
    assert checked(door.tree()).unsealed == 0


def test_who_is_not_elected_seals_nothing(door, events, store):
    events.append(1)
    assert Sealer(Between(store, elected=lambda _: lambda: False), KEY).seal(BEGUN, HEARTBEAT) is None
    assert door.tree().head() is None
