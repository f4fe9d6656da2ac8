# SPDX-License-Identifier: EUPL-1.2
"""Two accounts, the passkeys under test, and the two ways in, each with fresh options unless some are given.

No assertions here; what is refused comes back as its reason (`refused`).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from gateway.errors import Refused
from gateway.identity import schema
from gateway.identity.database import reading
from gateway.identity.failures import Failures
from gateway.identity.passkey import Passkeys
from gateway.identity.throttle import Throttle
from support.authenticator import UP, UV, Authenticator

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gateway.identity.accounts import Accounts
    from gateway.identity.passkey_table import Passkey
    from gateway.model import Proof, Reason

ORIGIN = "https://portail.example:8443"
PHARMACY, DOCTOR = "750012346", "751234567"
SESSION, BROWSER, NETWORK = "s1", "b" * 43, "192.0.2.14"
LIES: dict[str, dict[str, Any]] = {
    "wrong origin": {"origin": "https://portail.example"},
    "another port of the same host": {"origin": "https://portail.example:8444"},
    "wrong rpId": {"rp_id": "example"},
    "user not verified": {"flags": UP},
    "user not present": {"flags": UV},
    "inside a frame of another site": {"cross_origin": True},
    "the other kind of answer": {"kind": "webauthn.payment"},
    "two ids": {"raw_id": b"x" * 32},
}
Options = dict[str, Any]


class House:
    """The passkeys of a database that holds the first account already."""

    def __init__(self, engine: sa.Engine, accounts: Accounts, at: datetime) -> None:
        accounts.create(DOCTOR, "Cabinet", "physician", None, [], at)
        self.accounts, self.engine, self.at = accounts, engine, at
        self.throttle = Throttle(per_account=1000, per_network=10_000)
        self.failures = Failures(engine)
        self.passkeys = Passkeys(engine, ORIGIN, self.throttle, self.failures)

    def key(self, **values: Any) -> Authenticator:
        """A new authenticator of our site."""
        return Authenticator(ORIGIN, **values)

    def add(self, key: Authenticator, account: str = PHARMACY, **lies: Any) -> Passkey:
        """Make a key and keep it."""
        options = self.passkeys.adding(account, "Pharmacie", SESSION, self.at)
        new = self.passkeys.check_new(account, key.create(options, **lies), SESSION, self.at)
        return self.passkeys.table.add(new, "Téléphone", self.at)

    def sign_in(self, key: Authenticator, options: Options | None = None, **lies: Any) -> tuple[str, Proof]:
        """Sign in with it."""
        options = options or self.passkeys.signing_in(BROWSER, self.at)
        return asyncio.run(self.passkeys.sign_in(key.get(options, **lies), BROWSER, NETWORK, self.at))

    def step_up(
        self, key: Authenticator, account: str = PHARMACY, options: Options | None = None, **lies: Any
    ) -> Proof:
        """Step up with it."""
        options = options or self.passkeys.stepping_up(account, SESSION, self.at)
        return asyncio.run(self.passkeys.step_up(account, key.get(options, **lies), SESSION, NETWORK, self.at))

    def failed(self) -> list[str]:
        """Whose tries are counted as failures in a row, oldest first."""
        with reading(self.engine) as connection:
            rows = connection.execute(sa.select(schema.failure.c.account, schema.failure.c.forgiven))
            return [row.account for row in rows if not row.forgiven]


def refused(act: Callable[..., object], *arguments: Any, **values: Any) -> Reason | None:
    """Why an act was refused; None if it was not."""
    try:
        act(*arguments, **values)
    except Refused as refusal:
        return refusal.reason
    return None
