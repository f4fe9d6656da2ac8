# SPDX-License-Identifier: EUPL-1.2
"""A question to the policy and its answer: AccessRequest, Decision, and what a permit costs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from gateway.model.answers import Answers
    from gateway.model.assurance import Level, Method, Subject
    from gateway.model.budget import Meter, Quota, Spent
    from gateway.model.reason import Effect, Reason
    from gateway.model.switch import Closure


class Place(StrEnum):
    """Where a request carries the patient number."""

    PATH = "path"
    QUERY = "query"
    FORM = "form"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class PatientLocator:
    """Where the patient number sits: a template variable, a query or form field, or a JSON pointer (RFC 6901)."""

    place: Place
    name: str


@dataclass(frozen=True, slots=True)
class Record:
    """Obligation: make the disclosure durable before a byte of the answer leaves."""

    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a CHALLENGE asks for: a level, proved at most `max_age` ago (None: at any time in this session).

    `methods`: by one of these; empty is by any that reaches the level.
    """

    level: Level
    max_age: timedelta | None = None
    methods: tuple[Method, ...] = ()


class AccessRequest(NamedTuple):
    """The complete input of a decision. `path` is canonical (policy.target), `method` as the portal will see it."""

    subject: Subject
    method: str
    path: str
    at: datetime
    upgrade: bool = False


class Match(StrEnum):
    """How one criterion met the request: `may` would match if the person signed in or proved more."""

    HIT = "hit"
    MISS = "miss"
    MAY = "may"


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One criterion of one rule, for `policy explain`."""

    rule: str
    criterion: str
    match: Match
    detail: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of `decide`, and after it of `meter`: never a boolean, always with its rule and reasons.

    `segment` is the place of the patient number among the segments of the path, where the path carries it; else 0.
    `observed`: why it would not be permitted, were the rule not on trial. `spent`: the budget that refuses; `closed`:
    the operator's act that does.
    """

    effect: Effect
    rule: str | None
    reasons: tuple[Reason, ...]
    meter: Meter | None = None
    record: Record | None = None
    answers: Answers | None = None
    challenge: Challenge | None = None
    segment: int = 0
    streams: bool = False
    upgrade: bool = False
    anonymous: bool = False
    digest: str = ""
    trace: tuple[TraceLine, ...] = ()
    quotas: tuple[Quota, ...] = ()
    observed: tuple[Reason, ...] = ()
    retry_after_seconds: int | None = None
    spent: Spent | None = None
    closed: Closure | None = None

    @property
    def reason(self) -> Reason:
        """The first reason: the one a person is told."""
        return self.reasons[0]
