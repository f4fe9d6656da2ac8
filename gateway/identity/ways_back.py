# SPDX-License-Identifier: EUPL-1.2
"""The ways back in, together: reset by mail, the quarantine it leads to, recovery codes. Nothing is decided here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.identity.quarantine import Quarantines
from gateway.identity.recovery import RecoveryCodes
from gateway.identity.reset import Resets

if TYPE_CHECKING:
    from typing import Self

    from sqlalchemy.engine import Engine

    from gateway.identity.accounts import Accounts
    from gateway.identity.breached import Breached
    from gateway.identity.failures import Failures
    from gateway.identity.password import PasswordHasher
    from gateway.identity.throttle import Throttle


@dataclass(frozen=True, slots=True)
class WaysBack:
    """For who has lost something, over one database."""

    resets: Resets
    quarantines: Quarantines
    recovery: RecoveryCodes

    @classmethod
    def over(  # noqa: PLR0917  # its doors
        cls,
        engine: Engine,
        accounts: Accounts,
        hasher: PasswordHasher,
        throttle: Throttle,
        failures: Failures,
        breached: Breached,
    ) -> Self:
        """All of them, with the counters of sign-in."""
        return cls(
            Resets(engine, accounts, hasher, throttle, breached),
            Quarantines(engine),
            RecoveryCodes(engine, throttle, failures),
        )
