# SPDX-License-Identifier: EUPL-1.2
"""exposed: exact figures, held against a slow count over sets."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.incident.exposed import Exposure, Tally, categories_of, exposed
from gateway.ledger.event import LedgerUnreadable, microseconds
from support.incident_rows import NOON, look, mark, span

ALL = span("A", "B", "C")
LISTS = (None, "[]", '["identity"]', '["identity", "rights"]', '["rights", "rights"]')

LOOKS = st.lists(
    st.builds(
        look,
        st.none() | st.integers(0, 6),
        st.integers(-50, 50).map(lambda minutes: minutes * 97),
        st.sampled_from("ABC"),
        sequence=st.integers(1, 1_000),
        categories=st.sampled_from(LISTS),
        teleservice=st.sampled_from((None, "infopatient", "patients")),
        network=st.sampled_from((None, "192.0.2.1", "192.0.2.2")),
    ),
    max_size=60,
)


def in_order(looks):
    return sorted(looks, key=lambda one: (one.pseudonym is not None, one.pseudonym or b"", one.at, one.sequence))


def people_of(looks, name):
    """Different people by each value of what `name` picks out of a look-up."""
    found: dict[str, set[bytes]] = {}
    for one in looks:
        for value in name(one):
            found.setdefault(value, set()).add(one.pseudonym)
    return {value: len(people) for value, people in found.items()}


@given(LOOKS)
def test_every_figure_is_that_of_a_slow_count(looks):
    found = exposed(in_order(looks), ALL)
    since = microseconds(NOON)
    inside = [one for one in looks if one.at >= since]
    honest = {(one.pseudonym, one.place.account): set() for one in looks if one.at < since}
    for one in looks:
        if one.at < since:
            honest[one.pseudonym, one.place.account] |= set(categories_of(one.place.categories))
    named = [one for one in inside if one.pseudonym is not None]
    new = {
        one.pseudonym
        for one in named
        if (one.pseudonym, one.place.account) not in honest
        or not set(categories_of(one.place.categories)) <= honest[one.pseudonym, one.place.account]
    }
    counted = [one for one in named if one.pseudonym in new]
    assert found.unnamed == len(inside) - len(named)
    assert found.known == len({one.pseudonym for one in named}) - len(new)
    assert (found.whole.people, found.whole.looks) == (len(new), len(counted))
    assert found.whole.first == min((one.at for one in counted), default=None)
    assert found.whole.last == max((one.at for one in counted), default=None)
    for tallies, name in (
        (found.accounts, lambda one: [one.place.account]),
        (found.teleservices, lambda one: [one.place.teleservice or ""]),
        (found.networks, lambda one: [one.place.network or ""]),
    ):
        assert {key: tally.people for key, tally in tallies.items()} == people_of(counted, name)
        assert sum(tally.looks for tally in tallies.values()) == len(counted)
        for key, tally in tallies.items():
            own = [one for one in counted if name(one) == [key]]
            assert (tally.first, tally.last) == (min(one.at for one in own), max(one.at for one in own))
            assert tally.first_row in {one.sequence for one in own if one.at == tally.first}
            assert tally.last_row in {one.sequence for one in own if one.at == tally.last}
    assert found.categories == people_of(counted, lambda one: categories_of(one.place.categories))
    assert [people for _, people in found.grown][-1:] == ([len(new)] if new else [])
    assert found.grown == sorted(found.grown)


def test_nobody_is_nobody():
    assert exposed([], ALL) == Exposure()


def test_the_growth_counts_each_person_when_he_was_first_shown():
    about = span("A", hours=24 * 365)
    looks = [look(1, 0, "A"), look(1, 86_400, "A"), look(2, 20 * 86_400, "A"), look(3, 20 * 86_400, "A")]
    found = exposed(looks, about)
    step = (about.until - about.since) // 2_000
    assert found.grown == [
        (microseconds(NOON + step), 1),
        (microseconds(NOON + (timedelta(days=20) // step + 1) * step), 3),
    ]
    short = exposed([look(1, 30, "A"), look(2, 50, "A"), look(3, 60, "A")], span("A", hours=1))
    assert [people for _, people in short.grown] == [2, 3]  # no finer than a minute


def test_honest_use_is_of_the_same_account_and_of_all_that_was_shown():
    seen = look(1, -60, "A", categories='["identity"]')
    assert exposed([seen, look(1, 60, "A", categories='["identity"]')], ALL).known == 1
    for other in (look(1, 60, "B", categories='["identity"]'), look(1, 60, "A", categories='["rights"]')):
        found = exposed([seen, other], ALL)
        assert (found.known, found.whole.people) == (0, 1)
        assert found.whole.looks == 1  # the honest one is no exposure
    both = exposed([seen, look(1, 60, "A", categories='["identity"]'), look(1, 61, "B")], ALL)
    assert (both.known, both.whole.people, both.whole.looks) == (0, 1, 2)


def test_who_reads_long_hears_how_far_it_is():
    heard: list[int] = []
    looks = [look(place // 3_000, place % 3_000, "A") for place in range(12_000)]
    assert exposed(looks, ALL, heard.append).whole.looks == 12_000
    assert heard == [6_000, 12_000]  # at the end of a person, some thousands after the time before


def test_a_tally_keeps_the_first_and_the_last_with_their_rows():
    tally = Tally()
    for at, sequence in ((5, 1), (3, 2), (9, 3), (9, 4)):
        tally.add(at, sequence)
    assert tally == Tally(0, 4, 3, 9, 2, 4)


@pytest.mark.parametrize("text", ["", "{", '"identity"', "[1]", json.dumps({"a": 1})])
def test_damaged_categories_are_told(text):
    with pytest.raises(LedgerUnreadable, match="expected a list of texts"):
        exposed([look(1, 0, "A", categories=text)], ALL)


def test_categories_of_a_row_are_told_once_each():
    assert categories_of(None) == ()
    assert categories_of('["b", "a", "b"]') == ("b", "a")
    assert mark(1) == b"\x01" * 16
