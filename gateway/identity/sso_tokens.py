# SPDX-License-Identifier: EUPL-1.2
"""The checks of what the provider signs: ID token, signed userinfo, logout token. Pure: text, key and time in, claims
out, or Refused with the reason.

The signature is joserfc's work; what a token says about how to check itself is refused here first (RFC 8725).
Sources: OpenID Connect Core 3.1.3.7, Back-Channel Logout 2.6.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from joserfc import jws
from joserfc.errors import JoseError

from gateway.errors import Refused
from gateway.identity.sso_json import read_object
from gateway.identity.sso_settings import LEEWAY
from gateway.model import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.identity.sso_metadata import Key
    from gateway.identity.sso_settings import SsoSettings

Claims = dict[str, Any]
TOKEN_CHARACTERS: Final = 16_384
SUBJECT_CHARACTERS: Final = 255
ISSUED_WITHIN: Final = timedelta(minutes=5)
"""A token comes to us right after it was made."""
LIVES_AT_MOST: Final = timedelta(hours=24)
LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
_COMPACT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
# What a header may hold: the rest either tells how to find a key (jwk, jku, x5u, x5c) or changes the rules (crit, b64).
_HEADER: Final = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})


@dataclass(frozen=True, slots=True)
class Head:
    """The header of a token: nothing in it is believed before the signature was verified with a key of ours."""

    algorithm: str
    kid: str | None
    type: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What an ID token must match in this one sign-in. `code` and `access_token`: what came with it."""

    nonce: str | None
    max_age: timedelta
    access_token: str | None = None
    code: str | None = None


def read_head(token: object, settings: SsoSettings) -> Head:
    """The header of a compact JWS of a configured algorithm, with no word about keys; Refused otherwise."""
    if not isinstance(token, str) or len(token) > TOKEN_CHARACTERS or not _COMPACT.fullmatch(token):
        raise _invalid()
    header = read_object(_decoded(token.partition(".")[0]))
    algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ")
    if not set(header) <= _HEADER or algorithm not in sorted(settings.algorithms):
        raise _invalid()
    if not all(one is None or isinstance(one, str) for one in (kid, kind)) or ("kid" in header and not kid):
        raise _invalid()
    return Head(algorithm, kid, kind.lower() if kind is not None else None)


def verify_signature(token: str, head: Head, key: Key) -> Claims:
    """The claims of a token that this key signed by the algorithm of its header (which `read_head` accepted)."""
    try:
        signed = jws.deserialize_compact(token, key, registry=jws.JWSRegistry(algorithms=[head.algorithm]))
    except (JoseError, ValueError, TypeError):
        raise _invalid() from None
    return read_object(signed.payload)


def check_id_token(head: Head, claims: Claims, settings: SsoSettings, expected: Expected, at: datetime) -> Claims:
    """The claims again, once all hold for this sign-in. Refused: SSO_ANSWER_INVALID, SSO_TOO_OLD, SSO_ACR_TOO_LOW."""
    # Keycloak says in a claim what a token is for. Without it: a logout token tells itself by its event.
    _require(head.type in {None, "jwt"} and claims.get("typ", "ID") == "ID" and "events" not in claims)
    _check_issued(claims, settings, at)
    _require(_seconds(claims, "exp") <= _seconds(claims, "iat") + LIVES_AT_MOST.total_seconds())
    check_subject(claims.get("sub"))
    if expected.nonce is not None:
        _require(_same(claims.get("nonce"), expected.nonce))
    for name, whole in (("at_hash", expected.access_token), ("c_hash", expected.code)):
        if name in claims:
            _require(whole is not None and _same(claims[name], half_hash(whole)))
    _require(isinstance(claims.get("sid", ""), str))
    _check_acr(claims, settings)
    _check_age(claims, expected.max_age, at)
    return claims


def check_userinfo(head: Head, claims: Claims, settings: SsoSettings, at: datetime) -> Claims:
    """Claims of a signed userinfo answer: ours, by the pinned issuer, and not another token of his."""
    _require(head.type in {None, "jwt"} and "events" not in claims and "nonce" not in claims)
    _check_parties(claims, settings)
    for name, late in (("exp", False), ("iat", True), ("nbf", True)):
        if name in claims:
            moment = _moment(claims, name)
            _require(moment <= at + LEEWAY if late else moment > at - LEEWAY)
    return claims


def check_logout_token(head: Head, claims: Claims, settings: SsoSettings, at: datetime) -> Claims:
    """Claims of a back-channel logout token. The caller sees to it that each `jti` is used once."""
    events = claims.get("events")
    _require(head.type in {None, "jwt", "logout+jwt"} and claims.get("typ", "Logout") == "Logout")
    _require(isinstance(events, dict) and isinstance(events.get(LOGOUT_EVENT), dict) and "nonce" not in claims)
    # Some providers still send none with `exp`; `iat` bounds it as tightly.
    _check_issued(claims, settings, at, may_lack_end=True)
    _require(isinstance(claims.get("jti"), str) and 0 < len(claims["jti"]) <= SUBJECT_CHARACTERS)
    named = [claims[name] for name in ("sub", "sid") if name in claims]
    _require(bool(named) and all(isinstance(one, str) and 0 < len(one) <= SUBJECT_CHARACTERS for one in named))
    return claims


def check_subject(subject: object) -> str:
    """A `sub`: 1 to 255 printable ASCII characters; Refused(SSO_IDENTITY_INVALID) otherwise."""
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_CHARACTERS:
        raise Refused(Reason.SSO_IDENTITY_INVALID)
    if not subject.isascii() or not subject.isprintable():
        raise Refused(Reason.SSO_IDENTITY_INVALID)
    return subject


def half_hash(text: str) -> str:
    """`at_hash` and `c_hash` for an algorithm of 256 bits, which all of ours are (OpenID Connect Core 3.1.3.6)."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).rstrip(b"=").decode()


def authenticated_at(claims: Mapping[str, Any]) -> datetime:
    """When the person proved himself to the provider."""
    return _moment(claims, "auth_time")


def _check_issued(claims: Claims, settings: SsoSettings, at: datetime, *, may_lack_end: bool = False) -> None:
    _check_parties(claims, settings)
    issued = _moment(claims, "iat")
    _require(at - ISSUED_WITHIN <= issued <= at + LEEWAY)
    if "exp" in claims or not may_lack_end:
        _require(_moment(claims, "exp") > max(at - LEEWAY, issued))
    if "nbf" in claims:
        _require(_moment(claims, "nbf") <= at + LEEWAY)


def _check_parties(claims: Claims, settings: SsoSettings) -> None:
    """`iss` byte for byte; `aud` is us, or holds us with `azp` naming us."""
    audience = claims.get("aud")
    listed = [audience] if isinstance(audience, str) else audience
    _require(claims.get("iss") == settings.issuer)
    _require(isinstance(listed, list) and all(isinstance(one, str) for one in listed) and settings.client_id in listed)
    alone = listed == [settings.client_id]
    _require(claims.get("azp", settings.client_id if alone else None) == settings.client_id)


def _check_acr(claims: Claims, settings: SsoSettings) -> None:
    acr = claims.get("acr")
    if not isinstance(acr, str) or acr not in settings.acr_accepted:
        raise Refused(Reason.SSO_ACR_TOO_LOW)


def _check_age(claims: Claims, max_age: timedelta, at: datetime) -> None:
    """Our own look at `auth_time`: a provider may keep a session for hours and ignore `max_age`."""
    if "auth_time" not in claims:
        raise Refused(Reason.SSO_TOO_OLD)
    proved = authenticated_at(claims)
    _require(proved <= at + LEEWAY)
    if at - proved > max_age + LEEWAY:
        raise Refused(Reason.SSO_TOO_OLD)


def _seconds(claims: Mapping[str, Any], name: str) -> int:
    """A NumericDate of whole seconds. A fraction is legal, yet no provider of ours sends one."""
    found = claims.get(name)
    if type(found) is not int:
        raise _invalid()
    return found


def _moment(claims: Mapping[str, Any], name: str) -> datetime:
    seconds = _seconds(claims, name)
    if not 0 < seconds < 1 << 36:  # some two thousand years: what `datetime` can hold
        raise _invalid()
    return datetime.fromtimestamp(seconds, UTC)


def _same(found: object, due: str) -> bool:
    return isinstance(found, str) and hmac.compare_digest(found.encode("utf-8", "replace"), due.encode())


def _decoded(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        raise _invalid() from None


def _require(holds: bool) -> None:
    if not holds:
        raise _invalid()


def _invalid() -> Refused:
    return Refused(Reason.SSO_ANSWER_INVALID)
