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
from gateway.identity.breached import Breached
from gateway.identity.password import check_strength
from gateway.identity.password_change import MustChange
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

    def __init__(  # noqa: PLR0917  # its doors
        self,
        accounts: Accounts,
        factors: Factors,
        hasher: PasswordHasher,
        throttle: Throttle,
        failures: Failures,
        breached: Breached | None = None,
    ) -> None:
        self._accounts = accounts
        self._factors = factors
        self._hasher = hasher
        self._throttle = throttle
        self._failures = failures
        self._breached = breached or Breached()

    async def by_password(self, identifier: str, password: str, network: str, at: datetime) -> Account:
        """The account whose password this is. Refused: CREDENTIALS_WRONG, THROTTLED, BUSY, ACCOUNT_LOCKED.

        MustChange: right, but it opens nothing before it is changed. A password found in the breached list is asked to
        change here, and from now on: whoever stole it would come this way too, and an honest person is not shut out.
        """
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
        await self._good_enough(account, encoded or "", password, at)
        return account

    async def _good_enough(self, account: Account, proved: str, password: str, at: datetime) -> None:
        if account.must_change is not None:
            raise MustChange(Reason(account.must_change), account, proved, newly=False)
        if await asyncio.to_thread(self._breached.contains, password):
            why = Reason.PASSWORD_BREACHED
            newly = await asyncio.to_thread(self._accounts.changes.ask, [account.identifier], why, at)
            raise MustChange(why, account, proved, newly=bool(newly))

    async def change_password(
        self, must: MustChange, new_password: str, code: object, network: str, at: datetime
    ) -> tuple[Account, tuple[Method, ...]]:
        """Set the new password of who proved the old one; a code too, where the account has an application.

        Returns what was proved for the session to open; the caller ends older ones. Refused: PASSWORD_REPEATED,
        PASSWORD_TOO_WEAK, PASSWORD_BREACHED (before a code is looked at), those of `by_totp`, ACCOUNT_LOCKED,
        SIGN_IN_REQUIRED (the password was changed meanwhile), BUSY.
        """
        account = must.account
        if await self._hasher.verify(must.proved, new_password):
            raise Refused(Reason.PASSWORD_REPEATED)
        await self._fit(new_password, account.identifier, (account.title, *(one.name for one in account.holders)))
        encoded = await self._hasher.hash(new_password)
        methods: tuple[Method, ...] = (Method.PASSWORD,)
        now = self._accounts.find(account.identifier)
        if now is not None and now.has_totp:  # a stolen password alone must not put the holder out
            methods += (self.by_totp(account.identifier, code, network, at).method,)
        replace = self._accounts.replace_password
        return await asyncio.to_thread(replace, account.identifier, must.proved, encoded, at), methods

    async def _fit(self, password: str, identifier: str, names: tuple[str, ...] = ()) -> None:
        """Whether a new password will do: TooWeak, or Refused(PASSWORD_BREACHED). In the hasher's threads."""
        await self._hasher.run(lambda: check_strength(password, identifier, names))
        if await asyncio.to_thread(self._breached.contains, password):
            raise Refused(Reason.PASSWORD_BREACHED)

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

        The caller ends older sessions of the account. Refused: PASSWORD_TOO_WEAK and PASSWORD_BREACHED (no failure is
        counted for them), INVITATION_WRONG, ACCOUNT_LOCKED, THROTTLED, BUSY. The names of an account are looked for in
        the password only under a right code: whether they are found there would tell them to anybody.
        """
        name = canonical_identifier(identifier)
        self._throttle.hit(_counter(name, Method.INVITATION), network)
        await self._fit(new_password, name)
        attempt = await asyncio.to_thread(self._failures.attempt, name, Method.INVITATION, at)
        try:
            invited = await asyncio.to_thread(self._accounts.invited, name, code, at)
            if invited is not None:
                await self._fit(new_password, name, (invited.title, *(one.name for one in invited.holders)))
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
