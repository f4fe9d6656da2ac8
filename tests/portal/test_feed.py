# SPDX-License-Identifier: EUPL-1.2
"""From rows to lines: grouping of look-ups, attempts left out, pages that neither lose nor repeat an event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.event import Cursor, StoredEvent
from gateway.model import Event, EventKind
from gateway.portal.feed import CHUNK, MOST_ROWS, read_feed

T0 = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def stored(events):
    """As the ledger numbers them: oldest first in, newest first out."""
    return [StoredEvent(number, event) for number, event in enumerate(events, 1)][::-1]


def fetching(rows):
    def fetch(before, limit):
        return [row for row in rows if before is None or row.sequence < before.sequence][:limit]

    return fetch


def look_up(person, minute=0, **values):
    values = {"teleservice": "infopatient", "session": "s", "pseudonym": b"%d" % person} | values
    return Event(values.pop("kind", EventKind.LOOKUP), "A", T0 + timedelta(minutes=minute), **values)


def lines(events, before=None, count=50):
    feed = read_feed(fetching(stored(events)), before, count)
    return [(line.event.kind, line.people, line.sequence) for line in feed.lines]


def test_look_ups_of_one_hour_are_one_line_with_different_people():
    assert lines([look_up(1), look_up(2, 10), look_up(1, 59)]) == [(EventKind.LOOKUP, 2, 3)]


def test_another_hour_teleservice_session_or_outcome_begins_a_new_line():
    events = [
        look_up(1),
        look_up(2, 60),
        look_up(3, 60, teleservice="aat"),
        look_up(4, 60, teleservice="aat", session="t"),
        look_up(5, 60, teleservice="aat", session="t", kind=EventKind.LOOKUP_MISSED),
    ]
    assert [people for _, people, _ in lines(events)] == [1] * 5


def test_another_person_in_the_same_hour_begins_a_new_line():
    events = [look_up(1), look_up(2, holder="Lou"), look_up(3, holder="Lou", delegate="d-1"), look_up(3)]
    assert [people for _, people, _ in lines(events)] == [1] * 4


def test_something_between_parts_the_line():
    events = [look_up(1), Event(EventKind.STEP_UP, "A", T0, session="s"), look_up(2)]
    assert lines(events) == [(EventKind.LOOKUP, 1, 3), (EventKind.STEP_UP, None, 2), (EventKind.LOOKUP, 1, 1)]


def test_an_attempt_is_left_out_where_its_outcome_is_told_and_shown_where_it_is_not():
    def attempt(request):
        return Event(EventKind.ATTEMPT, "A", T0, teleservice="aat", request=request)

    told = [attempt(b"1"), look_up(1, request=b"1"), attempt(b"2"), look_up(2, request=b"2")]
    assert lines(told) == [(EventKind.LOOKUP, 2, 4)]
    assert lines([attempt(b"1"), look_up(1, request=b"2")])[1] == (EventKind.ATTEMPT, None, 1)


def test_a_look_up_without_pseudonym_counts_as_somebody():
    assert lines([look_up(1, pseudonym=None)]) == [(EventKind.LOOKUP, 1, 1)]


def test_a_group_longer_than_a_chunk_stays_one_line():
    events = [look_up(number) for number in range(CHUNK * 2 + 7)]
    assert lines(events) == [(EventKind.LOOKUP, CHUNK * 2 + 7, CHUNK * 2 + 7)]


def test_a_page_reads_a_bounded_number_of_rows_and_goes_on_after_them():
    rows = stored([look_up(number) for number in range(MOST_ROWS + 3)])
    feed = read_feed(fetching(rows), None, 50)
    assert [line.people for line in feed.lines] == [MOST_ROWS]
    rest = read_feed(fetching(rows), feed.following, 50)
    assert [line.people for line in rest.lines] == [3]
    assert rest.following is None


def test_an_exact_page_has_no_following_one():
    events = [Event(EventKind.SIGN_IN, "A", T0 + timedelta(hours=number)) for number in range(3)]
    assert read_feed(fetching(stored(events)), None, 3).following is None
    assert read_feed(fetching(stored(events)), None, 2).following == Cursor(events[1].at, 2)
    assert read_feed(fetching([]), None, 2).lines == []


def test_no_line_prints_a_pseudonym():
    feed = read_feed(fetching(stored([look_up(1, pseudonym=b"NEVERSHOWN"), look_up(2)])), None, 50)
    assert "seen" not in repr(feed.lines[0])


EVENTS = st.lists(
    st.one_of(
        st.builds(look_up, st.integers(0, 3), st.integers(0, 130)),
        st.builds(lambda minute: Event(EventKind.SIGN_IN, "A", T0 + timedelta(minutes=minute)), st.integers(0, 130)),
    ),
    max_size=40,
)


@given(EVENTS, st.integers(1, 5))
def test_pages_together_say_what_one_page_would(events, count):
    paged, before = [], None
    while True:
        feed = read_feed(fetching(stored(events)), before, count)
        paged += [(line.event.kind, line.people, line.sequence) for line in feed.lines]
        if feed.following is None:
            break
        before = feed.following
    assert paged == lines(events, count=1000)
