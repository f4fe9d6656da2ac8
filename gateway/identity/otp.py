# SPDX-License-Identifier: EUPL-1.2
"""Time-based one-time codes (RFC 6238, 30 s, six digits, SHA-1 as authenticator apps expect) under our own rules.

pyotp computes the codes; what counts as one is decided here: exactly six ASCII digits, one step of clock drift either
way, and each step once, across sessions and processes. Secrets are sealed at rest, bound to their account and factor.
"""

from __future__ import annotations

import hmac
import re
import secrets
from typing import TYPE_CHECKING, Any, Final

import pyotp
import sqlalchemy as sa

from gateway.errors import Refused
from gateway.identity import schema
from gateway.identity.database import reading, writing
from gateway.model import Method, Proof, Reason

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Engine

    from gateway.identity.at_rest import AtRest

STEP_SECONDS = 30
_DRIFT = (-1, 0, 1)
_CODE = re.compile(r"[0-9]{6}")
_SECRET_CHARACTERS = 32  # base32: 160 bits, the length of the HMAC
_FACTOR = schema.factor.c
_NOBODY: Final = "factor/nobody"


def new_secret() -> str:
    """A fresh secret of 160 bits in base32."""
    return pyotp.random_base32(_SECRET_CHARACTERS)


def provisioning_uri(secret: str, account: str, issuer: str) -> str:
    """The `otpauth://` URI that an authenticator app reads as a QR code. It holds the secret."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def matching_step(secret: str, code: object, at: datetime) -> int | None:
    """The newest time step, out of the current one and its neighbours, whose code this is; None if it is none's."""
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        return None
    current = int(at.timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret)
    found = None
    for drift in _DRIFT:  # all of them, always: the time taken tells nothing
        if hmac.compare_digest(totp.generate_otp(current + drift), code):
            found = current + drift
    return found


class Factors:
    """The second factors of all accounts: one authenticator secret each, for now."""

    def __init__(self, engine: Engine, at_rest: AtRest) -> None:
        self._engine = engine
        self._at_rest = at_rest
        self._nobody = at_rest.seal(new_secret().encode(), _NOBODY)

    def add_totp(self, identifier: str, secret: str, at: datetime) -> None:
        """Give the account this secret in place of any earlier one. For a person who enrols: `enrol_totp`."""
        self._write(identifier, secret, at, used_step=0)

    def enrol_totp(self, identifier: str, secret: str, code: object, at: datetime) -> Proof:
        """`add_totp` once the person shows, by a code, that his app has the secret; that code is used up by it.

        Refused(CODE_WRONG) changes nothing. The caller holds a fresh `invite` or `otp` proof.
        """
        step = matching_step(secret, code, at)
        if step is None:
            raise Refused(Reason.CODE_WRONG)
        self._write(identifier, secret, at, used_step=step)
        return Proof(Method.TOTP, at)

    def is_code(self, identifier: str, code: object, at: datetime) -> bool:
        """Whether a code would be right, used or not; nothing is used up. An unknown account costs the same."""
        row = self._totp(identifier)
        sealed, bound = (self._nobody, _NOBODY) if row is None else (row.secret, _bound_to(identifier, row.id))
        step = matching_step(self._at_rest.open(sealed, bound).decode(), code, at)
        return row is not None and step is not None

    def use_totp(self, identifier: str, code: object, at: datetime) -> Proof:
        """Use up a code. Refused: SECOND_FACTOR_MISSING, CODE_WRONG, CODE_USED (this step or a later one was used)."""
        row = self._totp(identifier)
        if row is None:
            raise Refused(Reason.SECOND_FACTOR_MISSING)
        secret = self._at_rest.open(row.secret, _bound_to(identifier, row.id)).decode()
        step = matching_step(secret, code, at)
        if step is None:
            raise Refused(Reason.CODE_WRONG)
        use = schema.factor.update().where(_FACTOR.id == row.id, _FACTOR.last_step < step).values(last_step=step)
        with writing(self._engine) as connection:
            if connection.execute(use).rowcount != 1:
                raise Refused(Reason.CODE_USED)
        return Proof(Method.TOTP, at)

    def _totp(self, identifier: str) -> Any:
        query = sa.select(_FACTOR.id, _FACTOR.secret).where(_FACTOR.account == identifier, _FACTOR.type == "totp")
        with reading(self._engine) as connection:
            return connection.execute(query).one_or_none()

    def _write(self, identifier: str, secret: str, at: datetime, *, used_step: int) -> None:
        factor_id = secrets.token_hex(8)
        sealed = self._at_rest.seal(secret.encode(), _bound_to(identifier, factor_id))
        with writing(self._engine) as connection:
            connection.execute(schema.factor.delete().where(_FACTOR.account == identifier, _FACTOR.type == "totp"))
            connection.execute(
                schema.factor.insert().values(
                    id=factor_id, account=identifier, type="totp", secret=sealed, last_step=used_step, added_at=at
                )
            )


def _bound_to(identifier: str, factor_id: str) -> str:
    return f"factor/{identifier}/{factor_id}"
