# SPDX-License-Identifier: EUPL-1.2
"""What is counted, for whom, and what happens past a limit: Budget and the words in it, Quota, Spent, Meter."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import date

    from gateway.model.assurance import Level, Method
    from gateway.model.decision import PatientLocator


class Counts(StrEnum):
    """What a budget counts, always different ones.

    PEOPLE: patients looked up, in a window for as long as it lasts after the latest look-up. NEW: of these, whom this
    account had not seen before (`Meter.known_for`), from the first look-up on. MISSED: numbers tried that were nobody's
    or no numbers.
    """

    PEOPLE = "people"
    NEW = "new"
    MISSED = "missed"


class Scope(StrEnum):
    """Together with whom: the account, the one person who uses it, one network, or everybody of a teleservice."""

    ACCOUNT = "account"
    HOLDER = "holder"
    NETWORK = "network"
    SERVICE = "service"


class Past(StrEnum):
    """What happens past a budget. ALERT and DELAY let the look-up go on; CHALLENGE and DENY do not."""

    ALERT = "alert"
    DELAY = "delay"
    CHALLENGE = "challenge"
    DENY = "deny"


class Risk(IntEnum):
    """How much the use of an account looks like a robot's (metering.signals), in the order a policy file knows."""

    CALM = 0
    ELEVATED = 1
    HIGH = 2


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `people` in any `window`; past it, `past`.

    A CHALLENGE budget counts those seen since the last proof of the needed level: a fresh proof opens a new stretch.
    All others count everybody in the window, whatever was proved. `under`: asked only of sessions that have proved
    less. `risk`: asked only from this risk on. `lasts`: a DENY goes on for so long after it was met, instead of until
    a place is back, here and in the teleservices `closes`. `delay`: how long a DELAY holds a look-up back.
    `methods`: by which of them the proof after a CHALLENGE is given; none is any. `observe`: counted and told, never
    enforced; `observed_since` is the day on which that began, where the file says it.
    """

    people: int
    window: timedelta
    past: Past
    counts: Counts = Counts.PEOPLE
    per: Scope = Scope.ACCOUNT
    under: Level | None = None
    risk: Risk = Risk.CALM
    delay: timedelta = timedelta(0)
    lasts: timedelta | None = None
    closes: tuple[str, ...] = ()
    methods: tuple[Method, ...] = ()
    observe: bool = False
    observed_since: date | None = None


class Quota(NamedTuple):
    """What is left of a budget after a hit, for pages and `RateLimit` fields."""

    budget: Budget
    left: int
    reset_seconds: int


class Spent(NamedTuple):
    """The budget that refuses a look-up, and in how many seconds a place comes back by waiting.

    `methods`: by which of them a proof opens a new stretch of it; none is any. `near`: a DENY budget that little is
    left of, which no proof lifts.
    """

    budget: Budget
    seconds: int
    methods: tuple[Method, ...] = ()
    near: Quota | None = None


@dataclass(frozen=True, slots=True)
class Meter:
    """Obligation: count the patient of this request against these budgets before it is forwarded.

    `patient` is where the request carries the number; None if it does not, and only the answer shows people.
    `known_for`: how long after its latest look-up a person counts as known to the account. `moved_new`: a session that
    is used from elsewhere needs a fresh proof before it sees people who are new, instead of before anything.
    `of_account` to `of_service` are the same budgets by scope, in the order of the file.
    """

    patient: PatientLocator | None
    budgets: tuple[Budget, ...]
    known_for: timedelta | None = None
    moved_new: bool = False
    of_account: tuple[Budget, ...] = field(init=False, compare=False, repr=False)
    of_holder: tuple[Budget, ...] = field(init=False, compare=False, repr=False)
    of_network: tuple[Budget, ...] = field(init=False, compare=False, repr=False)
    of_service: tuple[Budget, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        for scope in Scope:
            budgets = tuple(budget for budget in self.budgets if budget.per is scope)
            object.__setattr__(self, f"of_{scope}", budgets)
