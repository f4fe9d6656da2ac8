# SPDX-License-Identifier: EUPL-1.2
"""The risks that stand: of which accounts, how high, since when and until when. Pure; nothing is found here.

A risk that was raised stays for hours, so that a robot which pauses finds no open door, and is told once for as long as
it stays. Several processes may keep the same risks: what one raised, the others `take`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.metering.tally import span
from gateway.model import Risk

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT: Final = {Risk.ELEVATED: timedelta(hours=4), Risk.HIGH: timedelta(hours=24)}
"""How long a risk stays after it was last found."""
_NOTED_EVERY: Final = 50_000
"""Microseconds."""


class Standing(NamedTuple):
    """The risk of one account; `since` and `until` in microseconds since 1970."""

    account: str
    risk: Risk
    since: int
    until: int


class Risks:
    """One Standing per account at most. `told` hears of each that was raised or prolonged here."""

    def __init__(self) -> None:
        self.told: Callable[[Standing], None] = _nobody
        self._standing: dict[str, Standing] = {}

    def of(self, account: str, at: int, proved: int | None = None) -> Risk:
        """The risk of an account for whoever proved himself last at `proved`; both in microseconds.

        A proof that was given since the risk rose answers it: a thief has none, and nobody honest is asked twice.
        """
        standing = self._standing.get(account)
        if standing is None or at >= standing.until or (proved is not None and proved > standing.since):
            return Risk.CALM
        return standing.risk

    def found(self, account: str, risk: Risk, at: int) -> bool:
        """Take in what the signals of an account say at `at`; whether its risk has risen."""
        before = self.of(account, at)
        if risk is Risk.CALM or risk < before:
            return False
        self._stand(account, risk, at if risk > before else self._standing[account].since, at)
        return risk > before

    def alarm(self, account: str, at: int) -> None:
        """What leaves no doubt: high from now on, whatever was proved before."""
        self._stand(account, Risk.HIGH, at, at)

    def take(self, standing: Standing) -> bool:
        """Take in what stands elsewhere; whether it is news: higher, or for longer."""
        before = self._standing.get(standing.account)
        if before is not None and (before.risk, before.until) >= (standing.risk, standing.until):
            return False
        self._standing[standing.account] = standing
        return True

    def all(self) -> list[Standing]:
        """What stands."""
        return list(self._standing.values())

    def _stand(self, account: str, risk: Risk, since: int, at: int) -> None:
        standing = self._standing[account] = Standing(account, risk, since, at + span(KEPT[risk]))
        self.told(standing)

    def sweep(self, now: int) -> None:
        """Forget what is over."""
        self._standing = {account: one for account, one in self._standing.items() if now < one.until}


class Rest:
    """Which accounts were noted so shortly before that nothing is learnt from the next look-up."""

    def __init__(self) -> None:
        self._noted: dict[str, int] = {}

    def __call__(self, account: str, at: int) -> bool:
        """Whether a look-up at `at` (microseconds) comes so soon after the last one noted that it is let pass: what is
        that fast is found by every twentieth of its look-ups, and a flood of them must not cost twice.
        """
        return 0 <= at - self._noted.get(account, 0) < _NOTED_EVERY

    def begin(self, account: str, at: int) -> None:
        """One was noted."""
        self._noted[account] = at

    def sweep(self, now: int) -> None:
        """Forget who rests no more."""
        self._noted = {account: at for account, at in self._noted.items() if now - at < _NOTED_EVERY}


def _nobody(standing: Standing) -> None:
    """There is no other process."""
