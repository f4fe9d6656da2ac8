# SPDX-License-Identifier: EUPL-1.2
"""How the portal learns who is asking: one signed JWT in `Herse-Assertion` (ES256, RFC 7519).

Minted once per subject and reused for at most a minute, so that signing costs nothing per request: what is told of a
session changes with its subject as a whole. The private key never leaves this file; the public one is served at
`/.herse/jwks.json` (RFC 7517).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from joserfc import jwt
from joserfc.jwk import ECKey

from gateway.errors import StartError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from gateway.model import Subject

REUSED_SECONDS = 60
LIVES_SECONDS = 120
_REUSED = timedelta(seconds=REUSED_SECONDS)
_KEPT_AT_MOST = 100_000


class Assertions:
    """Mints the assertion of a subject for one portal. Costs one signature (about 31 µs) per session and minute."""

    def __init__(self, key: ECKey, issuer: str, audience: str) -> None:
        self._key = key
        self._issuer = issuer
        self._audience = audience
        self._header = {"alg": "ES256", "typ": "JWT", "kid": key.thumbprint()}
        self._minted: dict[str | None, tuple[Subject, datetime, datetime, bytes]] = {}

    def jwks(self) -> dict[str, Any]:
        """The public key set."""
        public = self._key.as_dict(private=False)
        return {"keys": [{**public, "kid": self._header["kid"], "use": "sig", "alg": "ES256"}]}

    def of(self, subject: Subject, at: datetime) -> bytes:
        """The header value for a signed-in subject, fresh for at least another minute."""
        minted = self._minted.get(subject.session)
        if minted is not None:
            told, since, until, value = minted
            if told is subject and since <= at < until:
                return value
        if len(self._minted) >= _KEPT_AT_MOST:
            self._minted.clear()  # dearer for a moment, never wrong
        value = self._mint(subject, int(at.timestamp()))
        self._minted[subject.session] = (subject, at, at + _REUSED, value)
        return value

    def _mint(self, subject: Subject, now: int) -> bytes:
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": subject.account,
            "name": subject.title,
            "profession": subject.profession,
            "rpps": subject.rpps,
            "acr": subject.assurance.level.name.lower(),
            "amr": [str(proof.method) for proof in subject.assurance.proofs],
            "sid": subject.session,
            "iat": now,
            "exp": now + LIVES_SECONDS,
        }
        if subject.delegation is not None:  # RFC 8693, section 4.1
            claims["act"] = {"sub": subject.delegation.reference, "name": subject.delegation.name}
        else:
            if subject.holder is not None:
                claims["holder"] = subject.holder
            if subject.activity is not None:
                claims["activity"] = subject.activity.told
        return jwt.encode(self._header, claims, self._key, algorithms=["ES256"]).encode("ascii")


def load_assertion_key(path: Path) -> ECKey:
    """Read the private key (PEM, P-256) that `herse certs keys` made; StartError says what is wrong."""
    try:
        key = ECKey.import_key(path.read_bytes())
    except OSError as error:
        raise StartError(
            f"{path}: {error.strerror}; expected the assertion key; make it with `herse certs keys`"
        ) from None
    except ValueError:
        raise StartError(f"{path}: not a private key in PEM form; make a new one with `herse certs keys`") from None
    if key.curve_name != "P-256" or not key.is_private:
        raise StartError(f"{path}: expected a private key on curve P-256; make one with `herse certs keys`")
    return key
