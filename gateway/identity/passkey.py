# SPDX-License-Identifier: EUPL-1.2
"""Passkeys (WebAuthn level 2): what a browser is asked, and what its answer proves. Pages and sessions are not here.

The library `webauthn` reads and verifies; what counts is decided here: our origin alone, never inside a frame of
another site, the user verified by his authenticator, ES256, RS256 or Ed25519 whatever the browser was told, and a
signature counter that only goes up. Which authenticator it is does not matter: attestation is not asked for.
"""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import options_to_json_dict
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from gateway.errors import Refused
from gateway.identity.passkey_answer import ALGORITHMS, Assertion, check_key, read_assertion, read_registration
from gateway.identity.passkey_challenge import LIFETIME, Challenges, Purpose
from gateway.identity.passkey_table import MOST, KeptKey, NewKey, PasskeyTable
from gateway.model import Method, Proof, Reason

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Engine

    from gateway.identity.failures import Failures
    from gateway.identity.throttle import Throttle

_RP_NAME: Final = "Herse"
_MILLISECONDS: Final = int(LIFETIME.total_seconds() * 1000)


class Passkeys:
    """The ways in by passkey. `origin` as browsers write it; identifiers are canonical; `table` holds the keys."""

    def __init__(self, engine: Engine, origin: str, throttle: Throttle, failures: Failures) -> None:
        self.table = PasskeyTable(engine)
        self._origin = origin
        self._rp_id = urlsplit(origin).hostname or ""
        self._throttle = throttle
        self._failures = failures
        self._challenges = Challenges()

    def owner(self, credential: str) -> str | None:
        """Whose key an answer names, right or wrong: to tell the account that somebody tried."""
        try:
            kept = self.table.find(read_assertion(credential).id)
        except Refused:
            return None
        return None if kept is None else kept.account

    def adding(self, identifier: str, title: str, session: str, at: datetime) -> dict[str, Any]:
        """What the browser is asked, to make a new key; `session` is the session's reference."""
        options = generate_registration_options(
            rp_id=self._rp_id,
            rp_name=_RP_NAME,
            user_name=identifier,
            user_display_name=title or identifier,
            user_id=self.table.handle(identifier),
            challenge=self._challenges.give(Purpose.ADD, _of_session(identifier, session), at),
            timeout=_MILLISECONDS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,  # to sign in without an identifier
                require_resident_key=True,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(one) for one in self.table.ids(identifier)],
            supported_pub_key_algs=list(ALGORITHMS),
        )
        return options_to_json_dict(options)

    def check_new(self, identifier: str, credential: str, session: str, at: datetime) -> NewKey:
        """The new key out of the browser's answer; to be put into `table` once the ledger knows of it.

        The caller holds a fresh proof. Refused: PASSKEY_EXPIRED, PASSKEY_WRONG, PASSKEY_LIMIT, BUSY.
        """
        given = read_registration(credential)
        self._challenges.take(given.challenge, Purpose.ADD, _of_session(identifier, session), at)
        if len(self.table.ids(identifier)) >= MOST:
            raise Refused(Reason.PASSKEY_LIMIT)
        try:
            verified = verify_registration_response(
                credential=given.credential,
                expected_challenge=given.challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
                require_user_verification=True,
                supported_pub_key_algs=list(ALGORITHMS),
            )
            check_key(verified.credential_public_key)
        except Exception as error:  # the library and its parsers raise of all kinds: what is not verified is no key
            raise Refused(Reason.PASSKEY_WRONG) from error
        if self.table.find(verified.credential_id) is not None:
            raise Refused(Reason.PASSKEY_WRONG)
        return NewKey(verified.credential_id, identifier, verified.credential_public_key, verified.sign_count)

    def signing_in(self, browser: str, at: datetime) -> dict[str, Any]:
        """What the browser is asked at sign-in: any key for this site. `browser` is a secret of that browser."""
        return self._asking(Purpose.SIGN_IN, _of_browser(browser), [], at)

    def stepping_up(self, identifier: str, session: str, at: datetime) -> dict[str, Any]:
        """What the browser is asked at a step-up: one of the account's keys."""
        return self._asking(Purpose.STEP_UP, _of_session(identifier, session), self.table.ids(identifier), at)

    async def sign_in(self, credential: str, browser: str, network: str, at: datetime) -> tuple[str, Proof]:
        """Whose key it is, and the proof.

        Refused: PASSKEY_WRONG, PASSKEY_EXPIRED, PASSKEY_CLONED, ACCOUNT_LOCKED, THROTTLED, BUSY.
        """
        given = read_assertion(credential)
        return await self._prove(given, Purpose.SIGN_IN, _of_browser(browser), None, network, at)

    async def step_up(self, identifier: str, credential: str, session: str, network: str, at: datetime) -> Proof:
        """The proof of one of the account's own keys; refusals as in `sign_in`."""
        given = read_assertion(credential)
        bound_to = _of_session(identifier, session)
        _, proof = await self._prove(given, Purpose.STEP_UP, bound_to, identifier, network, at)
        return proof

    def _asking(self, purpose: Purpose, bound_to: str, known: list[bytes], at: datetime) -> dict[str, Any]:
        options = generate_authentication_options(
            rp_id=self._rp_id,
            challenge=self._challenges.give(purpose, bound_to, at),
            timeout=_MILLISECONDS,
            allow_credentials=[PublicKeyCredentialDescriptor(one) for one in known],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json_dict(options)

    async def _prove(  # noqa: PLR0917  # one step after the other, each with what it needs
        self, given: Assertion, purpose: Purpose, bound_to: str, within: str | None, network: str, at: datetime
    ) -> tuple[str, Proof]:
        """Throttle, challenge, count, verify. Unknown keys count like known ones; `within`: one account's alone."""
        unknown = f"?{sha256(given.id).hexdigest()}"  # `?` cannot stand in an identifier
        self._throttle.hit(f"{Method.PASSKEY}/{within or unknown}", network)
        self._challenges.take(given.challenge, purpose, bound_to, at)
        kept = await asyncio.to_thread(self.table.find, given.id)
        if kept is not None and within not in {None, kept.account}:
            kept = None  # somebody else's
        counted = within or (unknown if kept is None else kept.account)
        attempt = await asyncio.to_thread(self._failures.attempt, counted, Method.PASSKEY, at)
        if kept is None or not _names_its_account(given, kept, needed=within is None):
            raise Refused(Reason.PASSKEY_WRONG)
        locked = await asyncio.to_thread(self._judge, given, kept, at)
        await asyncio.to_thread(self._failures.succeeded, counted, Method.PASSKEY, attempt)
        if locked:  # only the holder of a key learns it
            raise Refused(Reason.ACCOUNT_LOCKED)
        return kept.account, Proof(Method.PASSKEY, at)

    def _judge(self, given: Assertion, kept: KeptKey, at: datetime) -> bool:
        """Verify, and note the use; whether the account is locked."""
        try:
            verified = verify_authentication_response(
                credential=given.credential,
                expected_challenge=given.challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
                credential_public_key=kept.public_key,
                credential_current_sign_count=0,  # compared in `note_use`: after the signature, in the act of writing
                require_user_verification=True,
            )
        except Exception as error:  # as in `check_new`
            raise Refused(Reason.PASSKEY_WRONG) from error
        return self.table.note_use(kept.id, verified.new_sign_count, at)


def _names_its_account(given: Assertion, kept: KeptKey, *, needed: bool) -> bool:
    """WebAuthn 7.2, step 6: without an identifier the authenticator must say whose key it is; else it may."""
    return given.handle == kept.handle or (given.handle is None and not needed)


def _of_session(identifier: str, session: str) -> str:
    return f"session/{identifier}/{session}"


def _of_browser(browser: str) -> str:
    return f"browser/{browser}"
