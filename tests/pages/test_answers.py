# SPDX-License-Identifier: EUPL-1.2
"""answers: the `RateLimit` fields, as fields and as lines of a head; a budget that refuses; where a browser goes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.model import (
    Budget,
    Challenge,
    Counts,
    Decision,
    Effect,
    Level,
    Meter,
    Method,
    Past,
    PatientLocator,
    Place,
    Quota,
    Reason,
    Scope,
    Spent,
)
from gateway.pages.answers import rate_limit, rate_limit_lines, redirect, refusal
from gateway.pages.budget_words import past_budget

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AT = datetime(2026, 11, 22, 13, 25, tzinfo=UTC)
SHORT, LONG = Budget(50, HOUR, Past.CHALLENGE), Budget(500, DAY, Past.DENY)
NEW = Budget(15, HOUR, Past.CHALLENGE, Counts.NEW, Scope.HOLDER)
ALL = (SHORT, NEW, LONG)


def lines(teleservice: str, quotas: tuple[Quota, ...], budgets: tuple[Budget, ...]) -> bytes:
    return b"".join(b"\r\n%b: %b" % field for field in rate_limit(teleservice, quotas, budgets))


def test_each_budget_is_told_by_its_place_in_the_policy_with_what_it_counts_and_what_is_left():
    quotas = (Quota(NEW, 12, 3599), Quota(LONG, 0, 86_400))
    assert rate_limit("lookup", quotas, ALL) == [
        (b"ratelimit-policy", b'"lookup-2";q=15;qu="new-people";w=3600, "lookup-3";q=500;qu="people";w=86400'),
        (b"ratelimit", b'"lookup-2";r=12;t=3599, "lookup-3";r=0;t=86400'),
    ]


def test_where_nothing_is_counted_nothing_is_told():
    assert rate_limit("lookup", (), ALL) == []
    assert rate_limit_lines("lookup", (), ALL) == b""


@pytest.mark.parametrize("teleservice", ["lookup", "other", "100%-d", None])
def test_the_lines_are_the_fields_whatever_was_told_before(teleservice: str):
    backwards = ALL[::-1]
    for budgets, every in (((SHORT,), ALL), ((SHORT, LONG), ALL), ((SHORT, LONG), backwards), ((NEW,), ALL)):
        for left in (0, 7, 50):
            quotas = tuple(Quota(budget, left + place, 60 * left) for place, budget in enumerate(budgets))
            assert rate_limit_lines(teleservice, quotas, every) == lines(teleservice, quotas, every)


def spent(effect: Effect, budget: Budget, methods: tuple[Method, ...] = ()) -> Decision:
    challenged = effect is Effect.CHALLENGE
    meter = Meter(PatientLocator(Place.QUERY, "nir"), ALL)
    return Decision(
        effect,
        "lookup",
        (Reason.BUDGET_PROOF_REQUIRED if challenged else Reason.BUDGET_EXHAUSTED,),
        meter,
        challenge=Challenge(Level.MFA, timedelta(0)) if challenged else None,
        quotas=(Quota(budget, 0, 400),),
        retry_after_seconds=None if challenged else 400,
        spent=Spent(budget, 400, methods),
    )


@pytest.mark.parametrize(
    ("effect", "budget", "status", "retry"), [(Effect.CHALLENGE, NEW, 401, None), (Effect.DENY, LONG, 429, b"400")]
)
def test_a_program_is_told_which_budget_refused(effect: Effect, budget: Budget, status: int, retry: bytes | None):
    decision = spent(effect, budget)
    told = past_budget(decision.spent, AT, named=False)
    code, fields, body = refusal(decision, b"application/json", b"fr", "-", told=told)
    members = json.loads(body)
    assert (code, dict(fields).get(b"retry-after")) == (status, retry)
    assert members["retry_after"] == 400
    assert members["budget"]["people"] == budget.people
    assert members["budget"]["window_seconds"] == budget.window.total_seconds()
    assert members["detail"] == told.sentence("fr")
    assert members["remedy"] == told.remedy("fr").replace("\n", " ")
    assert members["teleservice"] == "lookup"
    assert b";r=0;t=400" in dict(fields)[b"ratelimit"]


def test_a_person_reads_the_same_on_the_page():
    decision = spent(Effect.DENY, LONG)
    told = past_budget(decision.spent, AT, named=False)
    page = refusal(decision, b"text/html", b"fr", "-", told=told)[2].decode()
    assert told.sentence("fr").partition("'")[0] in page
    assert "500 patients différents en 24 heures" in page.replace("\u00a0", " ")
    assert "500" not in refusal(replace(decision, spent=None), b"text/html", b"fr", "-")[2].decode()


def test_a_browser_takes_along_the_slip_and_the_methods_of_the_budget():
    decision = spent(Effect.CHALLENGE, NEW, (Method.SMART_CARD, Method.SSO))
    assert dict(redirect(decision, "abc", "s-lip")[1])[b"location"] == (
        b"/.herse/step-up?to=abc&reason=budget-proof-required&methods=sc.psc&why=s-lip"
    )
    assert dict(redirect(spent(Effect.CHALLENGE, NEW), "abc")[1])[b"location"] == (
        b"/.herse/step-up?to=abc&reason=budget-proof-required"
    )


def test_named_methods_go_along_to_the_page_and_to_the_program():
    asked = Challenge(Level.MFA, HOUR, (Method.SMART_CARD, Method.SSO))
    decision = Decision(Effect.CHALLENGE, "aat", (Reason.METHOD_REQUIRED,), challenge=asked)
    assert dict(redirect(decision, "abc")[1])[b"location"] == (
        b"/.herse/step-up?to=abc&reason=method-required&methods=sc.psc"
    )
    assert dict(refusal(decision, b"application/json", b"", "-")[1])[b"www-authenticate"] == (
        b'Bearer error="insufficient_user_authentication", acr_values="mfa", amr_values="sc psc", max_age="3600"'
    )
