# SPDX-License-Identifier: EUPL-1.2
"""Recovery codes: ten of them on paper, each good once in place of the code application that was lost.

Shown once, when they are made; here stands the SHA-256 of each, keyed by its account: 80 random bits are enough for
that, and a code of another account is no code. A new set kills the old one. In quarantine none counts (`quarantine`).
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from gateway.errors import Refused
from gateway.identity import schema
from gateway.identity.database import reading, writing
from gateway.model import Method, Proof, Reason

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Engine

    from gateway.identity.failures import Failures
    from gateway.identity.throttle import Throttle

CODES: Final = 10
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base32: no I, L, O, U
_LENGTH: Final = 16  # 5 bits each
_GROUP: Final = 4
_MISREAD: Final = str.maketrans("OIL", "011")
_CODE = schema.recovery_code.c


class RecoveryCodes:
    """The codes of all accounts. Identifiers are canonical."""

    def __init__(self, engine: Engine, throttle: Throttle, failures: Failures) -> None:
        self._engine = engine
        self._throttle = throttle
        self._failures = failures

    def make(self, name: str) -> tuple[str, ...]:
        """A new set, to be shown this once; older codes of the account are dead. The caller holds a fresh proof."""
        codes = tuple(new_code() for _ in range(CODES))
        rows = [{"account": name, "digest": _digest(name, code)} for code in codes]
        with writing(self._engine) as connection:
            connection.execute(schema.recovery_code.delete().where(_CODE.account == name))
            connection.execute(schema.recovery_code.insert(), rows)
        return codes

    def left(self, name: str) -> int:
        """How many codes the account has that are not used."""
        with reading(self._engine) as connection:
            return connection.scalar(sa.select(sa.func.count()).where(_CODE.account == name)) or 0

    def use(self, name: str, code: str, network: str, at: datetime) -> Proof:
        """Use one up: of any number of parallel tries, one wins. Refused: RECOVERY_CODE_WRONG, THROTTLED."""
        self._throttle.hit(f"{Method.RECOVERY}/{name}", network)
        attempt = self._failures.attempt(name, Method.RECOVERY, at)
        used = schema.recovery_code.delete().where(_CODE.account == name, _CODE.digest == _digest(name, code))
        with writing(self._engine) as connection:
            if connection.execute(used).rowcount != 1:
                raise Refused(Reason.RECOVERY_CODE_WRONG)
        self._failures.succeeded(name, Method.RECOVERY, attempt)
        return Proof(Method.RECOVERY, at)


def new_code() -> str:
    """A fresh code such as `7K2Q-X9M4-TRC0-WZPA`."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    return "-".join(letters[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def _digest(account: str, code: str) -> bytes:
    """However the code was typed: case, hyphens, spaces, and letters that look like a digit."""
    typed = code.replace("-", "").replace(" ", "")
    letters = typed.upper().translate(_MISREAD) if typed.isascii() else typed
    return hashlib.sha256(f"recovery\n{account}\n{letters}".encode(errors="surrogatepass")).digest()
