# SPDX-License-Identifier: EUPL-1.2
"""risks: a risk rises, stays for hours, is answered by a proof, and is the same in every process."""

from __future__ import annotations

import pytest

from gateway.metering.risks import KEPT, Rest, Risks, Standing
from gateway.metering.tally import span
from gateway.model import Risk

CALM, ELEVATED, HIGH = Risk.CALM, Risk.ELEVATED, Risk.HIGH
HOUR = 3_600_000_000


def test_it_rises_is_told_once_and_is_over_after_its_time():
    risks = Risks()
    assert risks.of("a", 0) is CALM
    assert not risks.found("a", CALM, 0)
    assert risks.found("a", ELEVATED, 0)
    assert not risks.found("a", ELEVATED, HOUR), "prolonged, but no news"
    assert risks.of("a", span(KEPT[ELEVATED])) is ELEVATED
    assert risks.of("a", HOUR + span(KEPT[ELEVATED])) is CALM
    assert risks.found("a", ELEVATED, 9 * HOUR), "news again"


def test_what_is_lower_changes_nothing_and_what_is_higher_begins_anew():
    risks = Risks()
    risks.found("a", HIGH, 0)
    assert not risks.found("a", ELEVATED, 23 * HOUR)
    assert risks.of("a", 24 * HOUR) is CALM
    risks.found("b", ELEVATED, 0)
    assert risks.found("b", HIGH, HOUR)
    assert risks.of("b", 2 * HOUR, HOUR // 2) is HIGH, "what was proved before it rose answers nothing"


def test_a_proof_since_answers_it_but_no_alarm_after_it():
    risks = Risks()
    risks.found("a", HIGH, 0)
    assert risks.of("a", HOUR, 1) is CALM
    risks.found("a", HIGH, HOUR)
    assert risks.of("a", HOUR, 1) is CALM, "found once more, it is the same risk"
    risks.alarm("a", HOUR)
    assert risks.of("a", HOUR, 1) is HIGH
    assert risks.of("a", HOUR, HOUR + 1) is CALM


def test_each_that_is_raised_or_prolonged_is_told_and_none_that_was_taken():
    risks, told = Risks(), []
    risks.told = told.append
    risks.found("a", ELEVATED, 0)
    risks.found("a", ELEVATED, HOUR)
    risks.alarm("b", HOUR)
    risks.take(Standing("c", HIGH, 0, HOUR))
    assert told == [
        Standing("a", ELEVATED, 0, span(KEPT[ELEVATED])),
        Standing("a", ELEVATED, 0, HOUR + span(KEPT[ELEVATED])),
        Standing("b", HIGH, HOUR, HOUR + span(KEPT[HIGH])),
    ]


@pytest.mark.parametrize(
    ("standing", "news"),
    [
        (Standing("a", ELEVATED, 0, 2 * HOUR), False),
        (Standing("a", ELEVATED, 0, HOUR), False),
        (Standing("a", ELEVATED, 0, 3 * HOUR), True),
        (Standing("a", HIGH, 0, HOUR), True),
        (Standing("b", ELEVATED, 0, HOUR), True),
    ],
)
def test_what_stands_elsewhere_is_taken_where_it_is_higher_or_longer(standing: Standing, news: bool):
    risks = Risks()
    assert risks.take(Standing("a", ELEVATED, 0, 2 * HOUR))
    assert risks.take(standing) is news
    assert (standing in risks.all()) is (news or standing == Standing("a", ELEVATED, 0, 2 * HOUR))
    risks.sweep(2 * HOUR)
    assert [one.until for one in risks.all()] == [one for one in [standing.until] if one > 2 * HOUR]


def test_who_was_just_noted_rests():
    rest = Rest()
    assert not rest("a", 1_000_000)
    rest.begin("a", 1_000_000)
    assert rest("a", 1_049_999)
    assert not rest("a", 1_050_000)
    assert not rest("b", 1_000_000)
    assert not rest("a", 999_999), "the clock stepped back"
    rest.sweep(1_050_000)
    assert not rest("a", 1_010_000)
