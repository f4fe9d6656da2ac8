# SPDX-License-Identifier: EUPL-1.2
"""What a policy file becomes: frozen values, and the one way from a method and a path to the rule that claims them.

Building these values checks nothing: `load` has done it. Nothing here reads a file, a clock or a person.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from gateway.model import Effect, Level, Meter
from gateway.policy.claims import Claims

if TYPE_CHECKING:
    from gateway.model import Budget, Method, PatientLocator
    from gateway.model.answers import Answers
    from gateway.policy.template import Template


@dataclass(frozen=True, slots=True)
class Route:
    """One line of `routes`. GET stands for HEAD too.

    `patient` is where this route carries the patient number; None in a metered teleservice is a page that shows nobody
    (`patient: none`).
    """

    methods: tuple[str, ...]
    template: Template
    patient: PatientLocator | None = None

    def __str__(self) -> str:
        return f"{','.join(self.methods)} {self.template.text}"


@dataclass(frozen=True, slots=True)
class Attestation:
    """Why a password with a second factor may open what discloses patient data, and until which day (UTC, included).

    Since 2026 the rules of electronic identification allow that only to an attested means: référentiel d'identification
    électronique (PGSSI-S), EXI 03 of version 1.0.
    """

    reference: str
    until: date

    @property
    def ends_at(self) -> datetime:
        """The first moment at which it no longer holds."""
        return datetime.combine(self.until, time.min, UTC) + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rule:
    """One teleservice: what it claims, what it asks of a person, what a permit obliges to.

    `professions` and `accounts`: None is everybody. `methods`: none is any that reaches the level. `uncounted` is the
    reason why data leaves without being counted. `known_for` and `moved_new` are those of the Meter.
    `observe`: on trial, told and not enforced (see claims.ENFORCED).
    """

    name: str
    title: str
    routes: tuple[Route, ...]
    order: int = 0
    anonymous: bool = False
    level: Level = Level.PASSWORD
    methods: tuple[Method, ...] = ()
    fresh_for: timedelta | None = None
    professions: frozenset[str] | None = None
    accounts: frozenset[str] | None = None
    answers: Answers | None = None
    budgets: tuple[Budget, ...] = ()
    known_for: timedelta | None = None
    moved_new: bool = False
    categories: tuple[str, ...] = ()
    uncounted: str | None = None
    streams: bool = False
    upgrade: bool = False
    attestation: Attestation | None = None
    observe: bool = False
    observed_since: date | None = None

    @property
    def sensitive(self) -> bool:
        """Whether data of patients is disclosed here."""
        return bool(self.categories)

    @property
    def metered(self) -> bool:
        """Whether people are counted here."""
        return self.answers is not None or any(route.patient is not None for route in self.routes)

    def meter(self, patient: PatientLocator | None) -> Meter:
        """What a permit obliges to count, where the patient number sits there; None: in the answer alone."""
        return Meter(patient, self.budgets, self.known_for, self.moved_new)


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy file. `digest` is the first 16 hexadecimal digits of the SHA-256 of its text."""

    name: str
    title: str
    default: Effect
    rules: tuple[Rule, ...]
    digest: str
    claims: Claims = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "claims", Claims(self))
