# SPDX-License-Identifier: EUPL-1.2
"""The order of steps of a sign-in: throttle, count, verify, and only then say more than no. No session is opened here.

An unknown account and a wrong password cost the same work and get the same answer. That an account is locked is told
only after a right password. Database work of the attack-facing steps runs in threads, off the event loop.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from gateway.errors import LedgerError, Refused
from gateway.identity.accounts import canonical_identifier
from gateway.identity.breached import Breached
from gateway.identity.dormancy import asleep
from gateway.identity.password import check_strength
from gateway.identity.password_change import MustChange
from gateway.model import Method, Proof, Reason

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from gateway.identity.accounts import Account, Accounts
    from gateway.identity.failures import Failures
    from gateway.identity.otp import Factors
    from gateway.identity.password import PasswordHasher
    from gateway.identity.throttle import Throttle

    Tell: TypeAlias = Callable[[Account, tuple[Method, ...]], Awaitable[object]]


class BothWrong(Refused):
    """Refused(CREDENTIALS_OR_CODE_WRONG) that knows what it does not tell."""

    def __init__(self, *, password_right: bool) -> None:
        super().__init__(Reason.CREDENTIALS_OR_CODE_WRONG)
        self.password_right = password_right


async def _untold(_account: Account, _methods: tuple[Method, ...]) -> None:
    """For whoever keeps no record."""


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
        """The account whose password this is. Refused: CREDENTIALS_WRONG, THROTTLED, BUSY, ACCOUNT_LOCKED,
        ACCOUNT_ASLEEP.

        MustChange: right, but it opens nothing before it is changed. A password found in the breached list is asked to
        change here, and from now on: whoever stole it would come this way too, and an honest person is not shut out.
        """
        return await self._by_password(canonical_identifier(identifier), password, None, network, at)

    async def by_both(
        self, identifier: str, password: str, code: str, network: str, at: datetime
    ) -> tuple[Account, tuple[Method, ...]]:
        """The account whose password and code these are, and what was proved. Refused: as `by_password`, but
        CREDENTIALS_OR_CODE_WRONG: which of them was wrong is told by no word, and by no time either.

        The code is used up last, so that a password that must be changed first leaves it good.
        """
        name = canonical_identifier(identifier)
        account = await self._by_password(name, password, code, network, at)
        try:
            proof = self.by_totp(name, code, network, at)
        except Refused as refused:
            if refused.reason is Reason.THROTTLED:
                raise
            raise Refused(Reason.CREDENTIALS_OR_CODE_WRONG) from None
        return account, (Method.PASSWORD, proof.method)

    def count_code(self, identifier: str, at: datetime) -> None:
        """Count a wrong code that came with a right password, as one that comes alone is counted."""
        with suppress(Refused):  # the wait runs already
            self._failures.failed(canonical_identifier(identifier), Method.TOTP, at)

    async def _by_password(self, name: str, password: str, code: str | None, network: str, at: datetime) -> Account:
        account, proved = await self._proved(name, password, network, at, code)
        if asleep(account, at):
            raise Refused(Reason.ACCOUNT_ASLEEP)
        await self._good_enough(account, proved, password, at)
        if self._accounts.password_hash(account.identifier) != proved:  # changed since: the old one opens nothing
            raise Refused(Reason.CREDENTIALS_WRONG)
        return account

    async def _proved(  # what was typed, from where
        self, name: str, password: str, network: str, at: datetime, code: str | None = None
    ) -> tuple[Account, str]:
        """Whose password this is, and the hash that it matched; a try is counted before it is looked at.

        With a code, both are looked at, always, before anything is said.
        """
        attempt = await self._attempt(name, Method.PASSWORD, network, at)
        encoded = await asyncio.to_thread(self._accounts.password_hash, name)
        try:
            right = await self._hasher.verify(encoded, password)
            if code is not None:
                await asyncio.to_thread(self._failures.check, name, Method.TOTP, at)
                right_code = await asyncio.to_thread(self._factors.is_code, name, code, at)
                if not (right and right_code):
                    raise BothWrong(password_right=right)
        except Refused as refused:
            if not isinstance(refused, BothWrong):
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
        return account, encoded or ""

    async def _good_enough(self, account: Account, proved: str, password: str, at: datetime) -> None:
        if account.must_change is not None:
            raise MustChange(Reason(account.must_change), account, proved, newly=False)
        if await asyncio.to_thread(self._breached.contains, password):
            why = Reason.PASSWORD_BREACHED
            newly = await asyncio.to_thread(self._accounts.changes.ask, [account.identifier], why, at)
            raise MustChange(why, account, proved, newly=bool(newly))

    async def change_password(  # noqa: PLR0917  # what was typed, by whom, from where
        self, must: MustChange, new_password: str, code: object, network: str, at: datetime, tell: Tell = _untold
    ) -> tuple[Account, tuple[Method, ...]]:
        """Set the new password of who proved the old one; a code too, where the account has an application.

        `tell` puts the change on record before it is made, when nothing else stands in its way any more. Returns what
        was proved for the session to open; the caller ends older ones. Refused: PASSWORD_REPEATED, PASSWORD_TOO_WEAK,
        PASSWORD_BREACHED (before a code is looked at), those of `by_totp`, ACCOUNT_LOCKED, SIGN_IN_REQUIRED (the
        password was changed meanwhile), BUSY.
        """
        account = must.account
        encoded = await self._another(account, must.proved, new_password)
        methods: tuple[Method, ...] = (Method.PASSWORD,)
        now = self._accounts.find(account.identifier)
        if now is not None and now.has_totp:  # a stolen password alone must not put the holder out
            methods += (self.by_totp(account.identifier, code, network, at).method,)
        if now is None or self._accounts.password_hash(account.identifier) != must.proved:
            raise Refused(Reason.SIGN_IN_REQUIRED)
        if now.locked:
            raise Refused(Reason.ACCOUNT_LOCKED)
        await tell(account, methods)
        replace = self._accounts.replace_password
        return await asyncio.to_thread(replace, account.identifier, must.proved, encoded, at), methods

    async def own_change(
        self, identifier: str, old_password: str, new_password: str, network: str, at: datetime
    ) -> tuple[str, str]:
        """What to replace, and by what, for a holder who chooses a new password: two hashes for `replace_password`.

        Nothing is changed yet. A wrong old password is counted and slowed down as at a sign-in. Refused: as
        `by_password`, but for sleep, and PASSWORD_REPEATED, PASSWORD_TOO_WEAK, PASSWORD_BREACHED.
        """
        account, proved = await self._proved(canonical_identifier(identifier), old_password, network, at)
        return proved, await self._another(account, proved, new_password)

    async def _another(self, account: Account, proved: str, new_password: str) -> str:
        """The hash of a password that will do in place of the one that was proved."""
        if await self._hasher.verify(proved, new_password):
            raise Refused(Reason.PASSWORD_REPEATED)
        await self._fit(new_password, account.identifier, (account.title, *(one.name for one in account.holders)))
        return await self._hasher.hash(new_password)

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

    async def by_invitation(  # noqa: PLR0917  # what was typed, from where
        self, identifier: str, code: str, new_password: str, network: str, at: datetime, tell: Tell = _untold
    ) -> Account:
        """Use up a one-time code and set the password. The session to open has the proofs `pwd` and `invite`.

        `tell` puts the new password on record before it is set, under a right code alone. The caller ends older
        sessions of the account. Refused: PASSWORD_TOO_WEAK and PASSWORD_BREACHED (no failure is counted for them),
        INVITATION_WRONG, ACCOUNT_LOCKED, THROTTLED, BUSY. The names of an account are looked for in the password only
        under a right code: whether they are found there would tell them to anybody.
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
            if invited is not None and not invited.locked and not asleep(invited, at):
                await tell(invited, (Method.INVITATION,))
        except (Refused, LedgerError):
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
