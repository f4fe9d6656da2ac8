# SPDX-License-Identifier: EUPL-1.2
"""answers: the `RateLimit` fields, as fields and as the lines of a head."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.model import Budget, Challenge, Decision, Effect, Level, Method, Quota, Reason
from gateway.pages.answers import rate_limit, rate_limit_lines, redirect, refusal

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SHORT, LONG = Budget(50, HOUR, Effect.CHALLENGE), Budget(500, DAY, Effect.DENY)


def lines(teleservice: str, quotas: tuple[Quota, ...]) -> bytes:
    return b"".join(b"\r\n%b: %b" % field for field in rate_limit(teleservice, quotas))


def test_each_budget_is_told_with_what_is_left_of_it():
    quotas = (Quota(SHORT, 12, 3599), Quota(LONG, 0, 86_400))
    assert rate_limit("lookup", quotas) == [
        (b"ratelimit-policy", b'"lookup-1";q=50;w=3600, "lookup-2";q=500;w=86400'),
        (b"ratelimit", b'"lookup-1";r=12;t=3599, "lookup-2";r=0;t=86400'),
    ]


def test_where_nothing_is_counted_nothing_is_told():
    assert rate_limit("lookup", ()) == []
    assert rate_limit_lines("lookup", ()) == b""


@pytest.mark.parametrize("teleservice", ["lookup", "other", "100%-d", None])
def test_the_lines_are_the_fields_whatever_was_told_before(teleservice: str):
    for budgets in ((SHORT,), (SHORT, LONG), (LONG, SHORT), (Budget(51, HOUR, Effect.CHALLENGE),), (SHORT,)):
        for left in (0, 7, 50):
            quotas = tuple(Quota(budget, left + place, 60 * left) for place, budget in enumerate(budgets))
            assert rate_limit_lines(teleservice, quotas) == lines(teleservice, quotas)


def test_named_methods_go_along_to_the_page_and_to_the_program():
    asked = Challenge(Level.MFA, HOUR, (Method.SMART_CARD, Method.SSO))
    decision = Decision(Effect.CHALLENGE, "aat", (Reason.METHOD_REQUIRED,), challenge=asked)
    assert dict(redirect(decision, "abc")[1])[b"location"] == (
        b"/.herse/step-up?to=abc&reason=method-required&methods=sc.psc"
    )
    assert dict(refusal(decision, b"application/json", b"", "-")[1])[b"www-authenticate"] == (
        b'Bearer error="insufficient_user_authentication", acr_values="mfa", amr_values="sc psc", max_age="3600"'
    )
