# SPDX-License-Identifier: EUPL-1.2
"""counting: what an outcome of the meter makes of a decision, and which events tell of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.counting import counted, proof_anew, told
from gateway.identity.session import Session
from gateway.metering.look import Outcome
from gateway.model import (
    Assurance,
    Budget,
    Decision,
    Effect,
    EventKind,
    Level,
    Method,
    Past,
    Proof,
    Quota,
    Reason,
    Subject,
)
from gateway.visit import Visit

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PERMIT, CHALLENGE, DENY = Effect.PERMIT, Effect.CHALLENGE, Effect.DENY
PERMITTED = Decision(PERMIT, "t", (Reason.PERMITTED,))


def subject(*methods: Method) -> Subject:
    return Subject("a", assurance=Assurance(tuple(Proof(method, NOON) for method in methods)))


MFA, CARD = subject(Method.PASSWORD, Method.TOTP), subject(Method.SMART_CARD)


def visit(who: Subject = MFA) -> Visit:
    """A visit that is permitted so far; nothing here looks at its request or its client."""
    made = Visit(cast("Any", SimpleNamespace(peer="192.0.2.7", id=b"r")), cast("Any", None), NOON)
    made.subject, made.decision = who, PERMITTED
    made.session = Session(b"", who, NOON, NOON, NOON + HOUR, None, None)
    return made


def events(made: Visit) -> list[tuple[EventKind, str | None]]:
    return [(one.kind, one.details) for one in told(made)]


@pytest.mark.parametrize(
    ("who", "level"), [(subject(Method.PASSWORD), Level.MFA), (MFA, Level.MFA), (CARD, Level.CARD)]
)
def test_a_proof_anew_is_as_strong_as_before_and_a_second_factor_at_least(who: Subject, level: Level):
    asked = proof_anew(who)
    assert (asked.level, asked.max_age, asked.methods) == (level, timedelta(0), ())


def test_a_permit_stays_one_and_keeps_what_is_left():
    made, quota = visit(), Quota(Budget(5, HOUR, Past.DENY), 4, 3600)
    counted(made, Outcome(PERMIT, None, (quota,), None))
    assert made.decision is PERMITTED
    assert made.quotas == (quota,)
    assert events(made) == []


def test_a_denial_tells_when_a_place_comes_back():
    made, budget = visit(), Budget(5, HOUR, Past.DENY)
    counted(made, Outcome(DENY, budget, (Quota(budget, 0, 60),), 60))
    decision = made.decision
    assert (decision.effect, decision.reason, decision.retry_after_seconds) == (DENY, Reason.BUDGET_EXHAUSTED, 60)
    assert (decision.challenge, decision.quotas) == (None, (Quota(budget, 0, 60),))


@pytest.mark.parametrize("methods", [(), (Method.SMART_CARD, Method.SSO)])
def test_a_challenge_asks_for_a_proof_anew_by_the_methods_of_its_budget(methods: tuple[Method, ...]):
    made = visit()
    counted(made, Outcome(CHALLENGE, Budget(5, HOUR, Past.CHALLENGE, methods=methods), (), 60))
    decision = made.decision
    assert (decision.effect, decision.reason) == (CHALLENGE, Reason.BUDGET_PROOF_REQUIRED)
    assert decision.retry_after_seconds is None
    assert decision.challenge is not None
    assert (decision.challenge.level, decision.challenge.methods) == (Level.MFA, methods)
    assert made.session is not None
    assert not made.session.suspected


def test_a_moved_session_that_asks_for_somebody_new_is_suspected():
    made = visit(CARD)
    counted(made, Outcome(CHALLENGE, None, (), None, new=True))
    assert (made.decision.reason, made.decision.challenge) == (Reason.SESSION_MOVED, proof_anew(CARD))
    assert made.session is not None
    assert made.session.suspected


def test_alerts_and_trials_are_told_with_their_budgets():
    made = visit()
    alert = Budget(5, HOUR, Past.ALERT)
    trials = tuple(
        Budget(5, HOUR, past, delay=timedelta(seconds=2 if past is Past.DELAY else 0), observe=True)
        for past in (Past.DENY, Past.CHALLENGE, Past.ALERT, Past.DELAY)
    )
    counted(made, Outcome(PERMIT, None, (), None, alerts=(alert,), observed=trials))
    assert events(made) == [
        (EventKind.ALERTED, "past 5 people per 1h, then alert"),
        (EventKind.OBSERVED, "would have denied: 5 people per 1h, then deny, observed only"),
        (EventKind.OBSERVED, "would have challenged: 5 people per 1h, then challenge, observed only"),
        (EventKind.OBSERVED, "would have met alert: 5 people per 1h, then alert, observed only"),
        (EventKind.OBSERVED, "would have met delay: 5 people per 1h, then delay 2s, observed only"),
    ]
