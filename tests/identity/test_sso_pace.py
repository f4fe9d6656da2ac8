# SPDX-License-Identifier: EUPL-1.2
"""How often one person may be asked on his phone: one at a time, few in an hour, and longer waits after each no."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import Refused
from gateway.identity.sso_pace import PER_HOUR, Pace, Said
from gateway.model import Reason

T0 = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
WHO, ANOTHER = "899700427885", "810101010105"
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def wait(pace, at, person=WHO):
    """How long this person may not be asked; None, and he is being asked."""
    try:
        pace.begin(person, at)
    except Refused as refused:
        return refused.retry_after_seconds
    return None


def test_an_open_prompt_is_not_doubled_and_concerns_nobody_else():
    pace = Pace()
    assert wait(pace, T0) is None
    assert wait(pace, T0) == 300
    pace.opened(WHO, T0 + 2 * MINUTE)
    assert wait(pace, T0 + 30 * SECOND) == 90
    assert wait(pace, T0 + 30 * SECOND, ANOTHER) is None


def test_whoever_says_yes_is_asked_again_at_once_but_not_without_end():
    pace = Pace()
    for number in range(PER_HOUR):
        assert wait(pace, T0 + number * MINUTE) is None
        pace.ended(WHO, Said.YES, T0 + number * MINUTE)
    assert wait(pace, T0 + 10 * MINUTE) == 50 * 60
    assert wait(pace, T0 + HOUR - SECOND) == 1
    assert wait(pace, T0 + HOUR) is None


@pytest.mark.parametrize(("said", "minutes"), [(Said.NOTHING, [1, 5, 20, 60, 240, 240]), (Said.NO, [5, 60, 240, 240])])
def test_each_prompt_without_a_yes_makes_the_next_wait_longer(said, minutes):
    pace, at, found = Pace(), T0, []
    for _ in minutes:
        assert wait(pace, at) is None
        pace.ended(WHO, said, at)
        found.append(wait(pace, at) // 60)
        at += max(found[-1], 16) * MINUTE  # past the wait, and past the limit of an hour
    assert found == minutes


def test_a_yes_forgets_the_noes_before():
    pace = Pace()
    pace.begin(WHO, T0)
    pace.ended(WHO, Said.NO, T0)
    pace.begin(WHO, T0 + 5 * MINUTE)
    pace.ended(WHO, Said.YES, T0 + 5 * MINUTE)
    assert wait(pace, T0 + 6 * MINUTE) is None
    pace.ended(WHO, Said.NOTHING, T0 + 6 * MINUTE)
    assert wait(pace, T0 + 6 * MINUTE) == 60


def test_a_prompt_that_nobody_asked_the_outcome_of_was_not_said_yes_to():
    pace = Pace()
    pace.begin(WHO, T0)
    pace.opened(WHO, T0 + 2 * MINUTE)
    assert wait(pace, T0 + 2 * MINUTE) == 60
    assert wait(pace, T0 + 3 * MINUTE) is None
    pace.opened(WHO, T0 + 5 * MINUTE)
    assert wait(pace, T0 + 6 * MINUTE) == 4 * 60


def test_a_night_of_prompts_that_nobody_polls_is_a_few():
    pace = Pace()
    asked = 0
    for minute in range(12 * 60):
        if wait(pace, T0 + minute * MINUTE) is None:
            asked += 1
            pace.opened(WHO, T0 + (minute + 2) * MINUTE)
    assert asked <= 7


def test_a_provider_that_could_not_be_asked_costs_nothing():
    pace = Pace()
    for _ in range(2 * PER_HOUR):
        assert wait(pace, T0) is None
        pace.unasked(WHO)


def test_words_about_somebody_who_was_not_asked_are_none():
    pace = Pace()
    pace.opened(WHO, T0 + MINUTE)
    pace.ended(WHO, Said.NO, T0)
    pace.unasked(WHO)
    assert wait(pace, T0) is None


def test_after_a_day_nothing_is_remembered_and_more_people_than_fit_are_refused():
    pace = Pace(most_people=2)
    pace.begin(WHO, T0)
    pace.begin(ANOTHER, T0 + HOUR)
    with pytest.raises(Refused) as refusal:
        pace.begin("third", T0 + 23 * HOUR)
    assert refusal.value.reason is Reason.BUSY
    assert wait(pace, T0 + 24 * HOUR, "third") is None
    assert len(pace._people) == 2


def test_the_day_counts_from_the_last_prompt():
    pace, at = Pace(), T0
    for hours in (0, 10, 20, 30):
        at = T0 + hours * HOUR
        pace.begin(WHO, at)
        pace.ended(WHO, Said.NO, at)
    assert wait(pace, at) == 240 * 60
