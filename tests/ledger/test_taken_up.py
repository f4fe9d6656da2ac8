# SPDX-License-Identifier: EUPL-1.2
"""taken_up: a start holds the newest events against what was signed, and says what it found, on each door."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.ledger.deletion import marked
from gateway.ledger.sealer import Sealer, SealError
from gateway.ledger.taken_up import last_leaves
from support.sealing import HEARTBEAT, SECOND, Between
from support.small_ledger import BEGUN, KEY


def resumed(store):
    sealer = Sealer(store, KEY)
    head = sealer.seal(BEGUN + SECOND, HEARTBEAT)
    return sealer.taken_up.told(head)


@pytest.mark.parametrize(("events_", "checked"), [(1, 1), (256, 256), (257, 1), (300, 44)])
def test_a_start_says_what_it_found(events, store, events_, checked):
    events.append(events_)
    assert resumed(store) == f"no tree was there: it begins with the {events_} events that were"
    events.append(7)
    assert resumed(store) == (
        f"the tree of {events_} events, signed at {BEGUN + SECOND:%Y-%m-%d %H:%M:%S} UTC, is as it was signed, and so "
        f"are the last {checked} of them: nothing that was signed is lost; 7 more were durable and not "
        "signed, and are now"
    )


def test_an_empty_tree_has_no_last_events(store):
    assert last_leaves(store, Sealer(store, KEY).seal(BEGUN, HEARTBEAT)) == 0


def test_what_was_sealed_half_way_is_not_counted_as_signed(events, store):
    """Tiles that go further than the head, as a stop between the two leaves them."""
    events.append(20)
    head = Sealer(store, KEY).seal(BEGUN, HEARTBEAT)
    events.append(5)

    def ending(act):
        def grow(before, tiles, after):
            act(before, tiles, after)
            raise KeyboardInterrupt

        return grow

    with pytest.raises(KeyboardInterrupt):
        Sealer(Between(store, grow=ending), KEY).seal(BEGUN, HEARTBEAT)
    assert last_leaves(store, head) == 20
    assert "20 events" in resumed(store)


@pytest.mark.parametrize(
    "fault",
    [
        lambda rows: rows[:-1],
        lambda rows: rows[1:],
        lambda rows: [*rows[:-1], (rows[-1][0], (*rows[-1][1][:-1], b"other"))],
        lambda rows: [*rows, (rows[-1][0] + 1, rows[-1][1])],
    ],
)
def test_L4_an_end_that_is_not_as_it_was_signed_stops_the_start(events, store, fault):
    events.append(30)
    Sealer(store, KEY).seal(BEGUN, HEARTBEAT)
    lossy = Between(store, rows=lambda act: lambda *words: fault(act(*words)))
    with pytest.raises(SealError, match="the last events that were signed"):
        Sealer(lossy, KEY).seal(BEGUN + SECOND, HEARTBEAT)


def test_events_that_retention_deleted_are_not_missed_and_the_others_are_still_looked_at(events, store):
    events.append(30)
    head = Sealer(store, KEY).seal(BEGUN, HEARTBEAT)
    gone = Between(
        store,
        tile=lambda act: lambda *place: replace(act(*place), gone=marked(None, 31, 0b1)),
        rows=lambda act: lambda *words: act(*words)[1:],
    )
    assert last_leaves(gone, head) == 29
    gone.hands["rows"] = lambda act: lambda *words: act(*words)[2:]
    assert last_leaves(gone, head) is None, "one more than was told is missing"
    gone.hands["rows"] = lambda act: act
    assert last_leaves(gone, head) is None, "one that was told to be gone is there"
    gone.hands["rows"] = lambda act: lambda *words: [(one, (*row[:-1], b"other")) for one, row in act(*words)[1:]]
    assert last_leaves(gone, head) is None


def test_a_tile_that_is_not_there_stops_the_start(events, store):
    events.append(3)
    head = Sealer(store, KEY).seal(BEGUN, HEARTBEAT)
    assert last_leaves(Between(store, tile=lambda _: lambda *_place: None), head) is None
