# SPDX-License-Identifier: EUPL-1.2
"""What an operator has closed, met by a request: part of the hallway's second step, in a file of its own.

It only ever takes away: what the policy refuses stays refused in its own words. Who is not signed in is not told which
teleservices there are, closed ones neither: he signs in first. A portal that is closed is told to everybody.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING

from gateway.errors import Refused
from gateway.model import Effect, Reason
from gateway.pages.closed_words import closed_words

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.model import Closure, Switches
    from gateway.pages.explanation import Explanation
    from gateway.policy.rules import Policy
    from gateway.visit import Visit


class Shut(Refused):
    """The refusal of what is closed, by which closure."""

    def __init__(self, closure: Closure, at: datetime) -> None:
        reason = Reason.PORTAL_CLOSED if closure.teleservice is None else Reason.TELESERVICE_CLOSED
        wait = None if closure.until is None else max(1, ceil((closure.until - at).total_seconds()))
        super().__init__(reason, retry_after_seconds=wait)
        self.closure = closure


def check_open(visit: Visit, closed: Switches) -> None:
    """Raise Shut where this visit asks for what is closed."""
    decision, at = visit.decision, visit.at
    closure = closed.of(None, at)
    if closure is not None:
        if visit.session is None:
            visit.decision = replace(decision, rule=None)
        raise Shut(closure, at)
    if decision.rule is None or decision.effect is Effect.DENY or decision.reason is Reason.SIGN_IN_REQUIRED:
        return
    closure = closed.of(decision.rule, at)
    if closure is not None:
        raise Shut(closure, at)


def closed_in_words(visit: Visit, policy: Policy) -> Explanation | None:
    """What is told of the closure that refuses, if one does."""
    closure = visit.decision.closed
    if closure is None:
        return None
    return closed_words(closure, next((rule.title for rule in policy.rules if rule.name == closure.teleservice), ""))
