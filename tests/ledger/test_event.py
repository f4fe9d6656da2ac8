# SPDX-License-Identifier: EUPL-1.2
"""event: to a row and back, and one event is one line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.event import (
    COLUMNS,
    DETAILS_LIMIT,
    DEVICE_LIMIT,
    NAME_LIMIT,
    LedgerUnreadable,
    clean_text,
    event_from_row,
    microseconds,
    row,
)
from gateway.model import Event, EventKind, Reason

NOON = datetime(2026, 11, 22, 12, 0, 0, 123457, tzinfo=UTC)
FULL = Event(
    kind=EventKind.LOOKUP,
    account="pharmacie-des-lilas",
    at=NOON,
    session="s1",
    network="2001:db8::1",
    device="Firefox (X11; Linux) é",
    method="otp",
    teleservice="infopatient",
    request=bytes(16),
    reason=Reason.PERMITTED,
    pseudonym=bytes(range(16)),
    status=200,
    categories=("identity", "rights"),
    holder="Lou Martin",
    delegate="d-1",
    details="past 5 new people per 10m, then alert",
    sealed=bytes(range(47)),
)
TEXTS = ("account", "session", "network", "device", "method", "teleservice", "reason", "holder", "delegate", "details")
HOSTILE = [chr(code) for code in range(0x100)] + list(
    "\u2028\u2029\u202a\u202e\u2066\u2069\u200b\u200e\ufeff\u0600\U000e0001\ud800\udfff\ue000\u0378"
)


@pytest.mark.parametrize("kind", EventKind)
def test_an_event_comes_back_whole(kind: EventKind):
    assert event_from_row(row(FULL._replace(kind=kind))) == FULL._replace(kind=kind)
    sparse = Event(kind=kind, account="a", at=NOON)
    assert event_from_row(row(sparse)) == sparse


def test_a_row_has_the_columns_and_only_types_of_the_file():
    made = row(FULL)
    assert len(made) == len(COLUMNS)
    assert {type(value) for value in made} == {bytes, int, str}
    assert made[COLUMNS.index("at")] == microseconds(NOON) == 1_795_348_800_123_457


@pytest.mark.parametrize("field", [*TEXTS, "categories"])
def test_K1_every_character_in_every_field_keeps_one_event_on_one_line(field: str):
    for character in HOSTILE:
        text = f"a{character}b"
        event = FULL._replace(pseudonym=None, **{field: (text,) if field == "categories" else text})
        made = row(event)
        line = json.dumps([value for value in made if isinstance(value, (str, int))], ensure_ascii=False)
        assert len(line.splitlines()) == 1
        assert line.isprintable()
        line.encode("utf-8")
        assert event_from_row(made) == event_from_row(row(event_from_row(made)))


@given(st.text(max_size=300), st.integers(1, 250))
def test_K1_clean_text_is_printable_bounded_and_settled(text: str, limit: int):
    cleaned = clean_text(text, limit)
    assert cleaned.isprintable()
    assert len(cleaned) <= limit
    assert clean_text(cleaned, limit) == cleaned
    assert type(cleaned) is str


def test_printable_text_stays_as_it_is():
    assert clean_text("Clé n° 7 d'Élodie, 東京", 100) == "Clé n° 7 d'Élodie, 東京"


def test_lengths_are_bounded():
    event = Event(**dict.fromkeys(TEXTS, "x" * 5000), kind=EventKind.SIGN_IN, at=NOON, categories=("y" * 5000,))
    kept = event_from_row(row(event))
    assert kept.device == "x" * DEVICE_LIMIT
    assert kept.details == "x" * DETAILS_LIMIT
    assert kept.account == kept.session == kept.reason == "x" * NAME_LIMIT
    assert kept.categories == ("y" * NAME_LIMIT,)


@pytest.mark.parametrize("field", ["account", "session", "network", "method", "teleservice", "reason"])
def test_names_that_are_long_together_are_kept_each(field: str):
    event = FULL._replace(**dict.fromkeys(TEXTS, "x" * NAME_LIMIT), categories=())
    assert event_from_row(row(event)) == event
    cut = event._replace(pseudonym=None, **{field: "y" * (NAME_LIMIT + 1)})
    assert event_from_row(row(cut)) == cut._replace(**{field: "y" * NAME_LIMIT})


@pytest.mark.parametrize("names", [{"account": "a\n"}, {"teleservice": "x" * (NAME_LIMIT + 1)}])
def test_promise_4_people_are_recorded_under_the_names_they_are_counted_under(names: dict[str, str]):
    with pytest.raises(ValueError, match="a name that the ledger would change"):
        row(FULL._replace(**names))
    row(FULL._replace(pseudonym=None, **names))


def test_times_are_exact_and_aware():
    paris = timezone(timedelta(hours=1))
    assert row(FULL._replace(at=NOON.astimezone(paris))) == row(FULL)
    with pytest.raises(TypeError):
        row(FULL._replace(at=NOON.replace(tzinfo=None)))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("kind", "teleported"),
        ("at", 2**62),
        ("at", None),
        ("categories", "{"),
        ("categories", "{}"),
        ("categories", "[1]"),
    ],
)
def test_a_row_of_something_else_is_unreadable(column: str, value: object):
    damaged = list(row(FULL))
    damaged[COLUMNS.index(column)] = value
    with pytest.raises(LedgerUnreadable, match="not an event this version knows"):
        event_from_row(tuple(damaged))
