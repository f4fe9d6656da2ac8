# SPDX-License-Identifier: EUPL-1.2
"""What makes the use of an account look like a robot's: Signal, and the Finding of one with its figures.

A finding says by itself how far it goes (`risk`): CALM is weak, alone it changes nothing; ELEVATED is strong, HIGH is
certain. Two weak ones weigh as one strong one, two strong ones as one certain one (`risk_of`). Nothing is hidden
behind a score: each finding is told in one sentence with its figures (pages.signal_words).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from gateway.model.budget import Risk

if TYPE_CHECKING:
    from collections.abc import Iterable

Figure: TypeAlias = tuple[str, int | float | str]


class Signal(StrEnum):
    """What was seen, by the name a policy file and the events give it."""

    PACE = "pace-of-a-machine"
    NEW_PEOPLE = "new-people"
    MISSES = "misses"
    NO_PAUSES = "no-pauses"
    IN_ORDER = "in-order"
    FAR_AWAY = "far-away"
    MANY_ACCOUNTS = "many-accounts"
    VOLUME = "volume"
    DRIFT = "drift"
    ALIKE = "alike"


class Finding(NamedTuple):
    """One signal, how far it goes, and the figures of its sentence by name. No patient, no number."""

    signal: Signal
    risk: Risk
    figures: tuple[Figure, ...]


_WEIGHT: Final = {Risk.CALM: 1, Risk.ELEVATED: 2, Risk.HIGH: 4}


def risk_of(findings: Iterable[Finding]) -> Risk:
    """Weak counts one, strong two, certain four: from two on the use is ELEVATED, from four on HIGH."""
    weight = sum(_WEIGHT[finding.risk] for finding in findings)
    if weight >= _WEIGHT[Risk.HIGH]:
        return Risk.HIGH
    return Risk.ELEVATED if weight >= _WEIGHT[Risk.ELEVATED] else Risk.CALM
