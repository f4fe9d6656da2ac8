# SPDX-License-Identifier: EUPL-1.2
"""counting: what is told of the budget that refuses, to the person and along to the page of the proof; and why alerts
are raised.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.counting import counted, in_words, slip, told, watched
from gateway.identity.at_rest import AtRest
from gateway.identity.session import Session
from gateway.identity.slips import Slips
from gateway.ledger.memory import MemoryLedger
from gateway.metering.look import Outcome
from gateway.metering.watching import Raised
from gateway.model import (
    AlertReason,
    Assurance,
    Budget,
    Counts,
    Decision,
    Effect,
    EventKind,
    Finding,
    Method,
    Past,
    Proof,
    Quota,
    Reason,
    Risk,
    Scope,
    Signal,
    Subject,
)
from gateway.pending import Pending
from gateway.visit import Visit

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEW = Budget(15, timedelta(minutes=10), Past.CHALLENGE, Counts.NEW, Scope.HOLDER)
CLOSING = Budget(60, DAY, Past.DENY, Counts.MISSED, lasts=12 * HOUR, closes=("aat", "elsewhere"))
POLICY = cast("Any", SimpleNamespace(rules=[SimpleNamespace(name="aat", title="Arrêts de travail")]))


def visit(*methods: Method, holder: str | None = None) -> Visit:
    made = Visit(cast("Any", SimpleNamespace(peer="192.0.2.7", id=b"r")), cast("Any", None), NOON)
    proofs = Assurance(tuple(Proof(method, NOON) for method in methods))
    made.subject = Subject("a", assurance=proofs, session="ref", holder=holder)
    made.decision = Decision(Effect.PERMIT, "t", (Reason.PERMITTED,))
    made.session = Session(b"", made.subject, NOON, NOON, NOON + HOUR, None, None)
    return made


def challenged(budget: Budget, *methods: Method, quotas: tuple[Quota, ...] = ()) -> Visit:
    made = visit(*methods)
    counted(made, Outcome(Effect.CHALLENGE, budget, quotas, 400))
    return made


def alerts(made: Visit) -> list[tuple[str | None, str | None]]:
    found = told(made)
    return [(one.reason, one.details) for one in found if one.kind is EventKind.ALERTED]


def test_the_budget_that_refuses_goes_with_the_decision():
    near = Quota(Budget(150, DAY, Past.DENY, Counts.NEW), 9, 60)
    spent = challenged(NEW, Method.PASSWORD, Method.TOTP, quotas=(near,)).decision.spent
    assert spent is not None
    assert (spent.budget, spent.seconds, spent.methods, spent.near) == (NEW, 400, (), near)


@pytest.mark.parametrize(
    ("budget", "proved", "methods"),
    [
        (NEW, (Method.PASSWORD, Method.TOTP), ()),
        (NEW, (Method.SMART_CARD,), (Method.SSO_CARD, Method.SMART_CARD)),
        (replace(NEW, methods=(Method.SSO,)), (Method.SMART_CARD,), (Method.SSO,)),
    ],
)
def test_who_came_by_a_card_is_led_to_a_card_since_a_code_opens_nothing(
    budget: Budget, proved: tuple[Method, ...], methods: tuple[Method, ...]
):
    spent = challenged(budget, *proved).decision.spent
    assert spent is not None
    assert spent.methods == methods


def test_a_session_that_has_moved_met_no_budget():
    made = visit(Method.PASSWORD, Method.TOTP)
    counted(made, Outcome(Effect.CHALLENGE, None, (), None, new=True))
    assert made.decision.spent is None
    assert in_words(made, POLICY) is None
    assert slip(made, Slips(AtRest(bytes(32)))) == ""


@pytest.mark.parametrize(("holder", "fr"), [(None, "Ce compte a"), ("Claire", "Vous avez")])
def test_it_is_told_to_the_holder_as_his_where_it_is_known_to_be(holder: str | None, fr: str):
    made = visit(Method.PASSWORD, Method.TOTP, holder=holder)
    counted(made, Outcome(Effect.CHALLENGE, NEW, (), 400))
    words = in_words(made, POLICY)
    assert words is not None
    assert words.fr.startswith(f"{fr} atteint la limite de 15 nouveaux patients en 10 minutes.")


def test_what_a_denial_closes_is_told_by_its_title():
    made = visit(Method.PASSWORD, Method.TOTP)
    counted(made, Outcome(Effect.DENY, CLOSING, (), 43_200))
    words = in_words(made, POLICY)
    assert words is not None
    assert "ainsi que dans : Arrêts de travail ;" in words.remedy_fr


def test_the_slip_is_the_sessions_own():
    slips, made = Slips(AtRest(bytes(32))), challenged(NEW, Method.PASSWORD, Method.TOTP)
    assert slips.read(slip(made, slips), "ref", NOON) == made.decision.spent
    assert slip(made, None) == ""
    made.session = None
    assert slip(made, slips) == ""


@pytest.mark.parametrize(
    ("risk", "reason"), [(Risk.HIGH, AlertReason.RISK_HIGH), (Risk.ELEVATED, AlertReason.RISK_ELEVATED)]
)
def test_a_risk_is_alerted_with_how_high_it_is(risk: Risk, reason: AlertReason):
    made = visit(Method.PASSWORD, Method.TOTP)
    made.raised = Raised(risk, (Finding(Signal.PACE, risk, (("people", 4), ("seconds", 2.5))),))
    ((told_as, details),) = alerts(made)
    assert told_as == str(reason)
    assert details == f"{risk.name.lower()} risk: 4 patients in 2.5 s, faster than typing by hand allows."


def test_a_budget_a_decoy_and_a_proof_that_never_comes_are_alerted_each_with_its_reason():
    made = visit(Method.PASSWORD, Method.TOTP)
    counted(made, Outcome(Effect.PERMIT, None, (), None, alerts=(Budget(5, HOUR, Past.ALERT),)))
    assert alerts(made) == [("budget", "past 5 people per 1h, then alert")]
    made = visit(Method.PASSWORD)
    made.decision = replace(made.decision, effect=Effect.DENY, reasons=(Reason.SEARCH_REFUSED,))
    assert [reason for reason, _ in alerts(made)] == ["decoy"]
    made = visit(Method.PASSWORD)
    made.decision = replace(made.decision, effect=Effect.CHALLENGE, reasons=(Reason.SECOND_FACTOR_REQUIRED,))
    assert [reason for _ in range(12) for reason, _ in alerts(made)] == ["unanswered"]


@pytest.mark.parametrize("risk", [Risk.ELEVATED, Risk.HIGH])
def test_what_the_watch_finds_only_later_is_put_on_record_by_itself(risk: Risk):
    made, found, ledger = (
        visit(),
        Finding(Signal.NEW_PEOPLE, Risk.HIGH, (("count", 9), ("of", 9), ("usual_percent", 30))),
        MemoryLedger(),
    )
    later: Pending[Raised | None] = Pending()
    doors = cast("Any", SimpleNamespace(ledger=ledger))
    watched(made, doors, later)
    assert alerts(made) == []
    later.resolve(Raised(risk, (found,)))
    (stored,) = ledger.stored
    assert (stored.event.kind, stored.event.request) == (EventKind.ALERTED, b"r")
    assert stored.event.reason == f"risk-{risk.name.lower()}"
    nothing: Pending[Raised | None] = Pending()
    watched(made, doors, nothing)
    nothing.resolve(None)
    assert len(ledger.stored) == 1
