# SPDX-License-Identifier: EUPL-1.2
"""The order of steps of a sign-in: throttle, count, verify, and only then say more than no. No session is opened here.

An unknown account and a wrong password cost the same work and get the same answer. That an account is locked is told
only after a right password. Database work of the attack-facing steps runs in threads, off the event loop.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.errors import Refused
from gateway.identity.accounts import canonical_identifier
from gateway.identity.password import check_strength
from gateway.model import Method, Proof, Reason

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.identity.accounts import Account, Accounts
    from gateway.identity.failures import Failures
    from gateway.identity.otp import Factors
    from gateway.identity.password import PasswordHasher
    from gateway.identity.throttle import Throttle


class SignIn:
    """The ways in. `network` is the client's address."""

    def __init__(
        self,
        accounts: Accounts,
        factors: Factors,
        hasher: PasswordHasher,
        throttle: Throttle,
        failures: Failures,
    ) -> None:
        self._accounts = accounts
        self._factors = factors
        self._hasher = hasher
        self._throttle = throttle
        self._failures = failures

    async def by_password(self, identifier: str, password: str, network: str, at: datetime) -> Account:
        """The account whose password this is. Refused: CREDENTIALS_WRONG, THROTTLED, BUSY, ACCOUNT_LOCKED."""
        name = canonical_identifier(identifier)
        attempt = await self._attempt(name, Method.PASSWORD, network, at)
        encoded = await asyncio.to_thread(self._accounts.password_hash, name)
        try:
            right = await self._hasher.verify(encoded, password)
        except Refused:
            self._failures.withdraw(attempt)
            raise
        if not right:
            raise Refused(Reason.CREDENTIALS_WRONG)
        self._failures.succeeded(name, Method.PASSWORD, attempt)
        account = self._accounts.find(name)
        if account is None:  # gone since its hash was read
            raise Refused(Reason.CREDENTIALS_WRONG)
        if account.locked:
            raise Refused(Reason.ACCOUNT_LOCKED)
        return account

    def by_totp(self, identifier: str, code: object, network: str, at: datetime) -> Proof:
        """The proof of a second factor. Refused: CODE_WRONG, CODE_USED, SECOND_FACTOR_MISSING, THROTTLED."""
        name = canonical_identifier(identifier)
        self._throttle.hit(_counter(name, Method.TOTP), network)
        attempt = self._failures.attempt(name, Method.TOTP, at)
        try:
            proof = self._factors.use_totp(name, code, at)
        except Refused as refused:
            if refused.reason is Reason.SECOND_FACTOR_MISSING:
                self._failures.withdraw(attempt)
            raise
        self._failures.succeeded(name, Method.TOTP, attempt)
        return proof

    async def by_invitation(self, identifier: str, code: str, new_password: str, network: str, at: datetime) -> Account:
        """Use up a one-time code and set the password. The session to open has the proofs `pwd` and `invite`.

        The caller ends older sessions of the account. Refused: PASSWORD_TOO_WEAK (before anything is counted),
        INVITATION_WRONG, ACCOUNT_LOCKED, THROTTLED, BUSY.
        """
        name = canonical_identifier(identifier)
        check_strength(new_password, name)
        attempt = await self._attempt(name, Method.INVITATION, network, at)
        try:
            encoded = await self._hasher.hash(new_password)
        except Refused:
            self._failures.withdraw(attempt)
            raise
        account = await asyncio.to_thread(self._redeem, name, code, at, encoded)
        self._failures.succeeded(name, Method.INVITATION, attempt)
        return account

    def _redeem(self, name: str, code: str, at: datetime, encoded: str) -> Account:
        return self._accounts.redeem_invitation(name, code, at, encoded_hash=encoded)

    async def _attempt(self, name: str, method: Method, network: str, at: datetime) -> int:
        self._throttle.hit(_counter(name, method), network)
        return await asyncio.to_thread(self._failures.attempt, name, method, at)


def _counter(name: str, method: Method) -> str:
    """One counter per account and way in; `/` cannot stand in an identifier."""
    return f"{method}/{name}"
