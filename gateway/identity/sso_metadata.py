# SPDX-License-Identifier: EUPL-1.2
"""What the provider says of itself (OpenID Connect Discovery), held against what was pinned; and its signing keys.

The document is fetched at the configured address and nowhere else. Each address in it must be at a pinned origin; the
issuer must be the pinned one, byte for byte; PKCE with S256 must be offered. Keys come from `jwks_uri` alone, never
from a token.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import base64_to_int

from gateway.errors import Refused, StartError
from gateway.identity.sso_json import read_object
from gateway.identity.sso_settings import ClientAuth
from gateway.identity.sso_wire import Held, fetch
from gateway.model import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from gateway.identity.sso_settings import SsoSettings
    from gateway.identity.sso_wire import Transport

Key = RSAKey | ECKey
KEYS_AT_MOST: Final = 64
_RSA_BITS: Final = range(2048, 8193)
_RSA_EXPONENT_CHARACTERS: Final = 8  # base64url: up to 48 bits; a longer one only costs time
_RSA_CHARACTERS: Final = 1400
_TYPE_OF: Final = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC"}


@dataclass(frozen=True, slots=True)
class Metadata:
    """The provider's addresses that we use, each one checked."""

    issuer: str
    authorization: str
    token: str
    jwks: str
    userinfo: str | None
    end_session: str | None
    ciba: str | None
    names_itself: bool
    """It sends `iss` with its answers (RFC 9207): one without it is then not its own."""


def parse_metadata(document: Mapping[str, Any], settings: SsoSettings) -> Metadata:
    """The addresses out of a discovery document; StartError tells the first thing that is not as pinned."""
    if document.get("issuer") != settings.issuer:
        raise _fault(settings, "issuer", document.get("issuer"), settings.issuer)
    _require(settings, document, "code_challenge_methods_supported", "S256")
    if "id_token_signing_alg_values_supported" in document:
        _require(settings, document, "id_token_signing_alg_values_supported", *settings.algorithms)
    for_tls = document.get("mtls_endpoint_aliases", {}) if settings.client_auth is ClientAuth.TLS else {}
    if not isinstance(for_tls, dict):
        raise _fault(settings, "mtls_endpoint_aliases", for_tls, "an object")

    def address(name: str) -> str | None:
        found = for_tls.get(name, document.get(name))
        if found is not None and not settings.allows(found):
            raise _fault(settings, name, found, f"an address at {', '.join(sorted(settings.origins))}")
        return found

    def needed(name: str) -> str:
        found = address(name)
        if found is None:
            raise _fault(settings, name, None, "an address")
        return found

    return Metadata(
        issuer=settings.issuer,
        authorization=needed("authorization_endpoint"),
        token=needed("token_endpoint"),
        jwks=needed("jwks_uri"),
        userinfo=needed("userinfo_endpoint") if settings.userinfo else None,
        end_session=address("end_session_endpoint"),
        ciba=address("backchannel_authentication_endpoint"),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _require(settings: SsoSettings, document: Mapping[str, Any], name: str, *any_of: str) -> None:
    found = document.get(name)
    if not isinstance(found, list) or not any(one in found for one in any_of):
        raise _fault(settings, name, found, " or ".join(sorted(any_of)))


def _fault(settings: SsoSettings, name: str, found: object, expected: str) -> StartError:
    told = f"{found!a:.200}" if found is not None else "nothing"
    return StartError(
        f"{settings.discovery}: {name}: found {told}; expected {expected}. Compare the provider's own documentation "
        "with the settings of sso; nobody can sign in through it until they agree."
    )


def parse_keys(document: Mapping[str, Any], algorithms: frozenset[str]) -> dict[str | None, dict[str, Key]]:
    """Signing keys by `kid`, for each algorithm they may verify. A `kid` that two keys share names none of them.

    Keys that are not for us are passed over (RFC 7517 section 5); a set without end is Refused.
    """
    listed = document.get("keys")
    if not isinstance(listed, list) or len(listed) > KEYS_AT_MOST:
        raise Refused(Reason.SSO_ANSWER_INVALID)
    usable = [one for one in listed if isinstance(one, dict) and _may_sign(one, algorithms)]
    times = Counter(one.get("kid") for one in usable)
    found: dict[str | None, dict[str, Key]] = {}
    for one in usable:
        key = _imported(one)
        if key is not None and times[one.get("kid")] == 1:
            fitting = [name for name in sorted(algorithms) if _TYPE_OF[name] == one["kty"]]
            found[one.get("kid")] = {name: key for name in fitting if one.get("alg", name) == name}
    return found


def _may_sign(one: Mapping[str, Any], algorithms: frozenset[str]) -> bool:
    """A public key of a type that a configured algorithm uses, meant for signatures, with a name we can compare."""
    operations = one.get("key_ops", ["verify"])
    return (
        one.get("kty") in [_TYPE_OF[name] for name in algorithms]
        and one.get("use", "sig") == "sig"
        and one.get("crv", "P-256") == "P-256"
        and isinstance(operations, list)
        and "verify" in operations
        and isinstance(one.get("kid", ""), str)
        and "d" not in one
    )


def _imported(one: Mapping[str, Any]) -> Key | None:
    """The key, if it can be read and is of a strength that we take."""
    try:
        if one["kty"] == "EC":
            return ECKey.import_key({name: one[name] for name in ("kty", "crv", "x", "y")})
        if len(one["e"]) > _RSA_EXPONENT_CHARACTERS or len(one["n"]) > _RSA_CHARACTERS:
            return None
        if base64_to_int(one["n"]).bit_length() not in _RSA_BITS:
            return None
        return RSAKey.import_key({"kty": "RSA", "n": one["n"], "e": one["e"]})
    except (JoseError, ValueError, TypeError, KeyError):
        return None


class Provider:
    """One provider as we know it now: its metadata and its keys, each fetched at most once per interval."""

    def __init__(self, settings: SsoSettings, transport: Transport) -> None:
        self._settings = settings
        self._transport = transport
        self._metadata = Held(self._fetch_metadata, settings.fetch_interval, settings.metadata_lifetime)
        self._jwks: str | None = None
        self._keys = Held(self._fetch_keys, settings.fetch_interval, settings.keys_lifetime)

    async def start(self, at: datetime) -> Metadata:
        """For the start of the server: StartError if the provider is not as pinned; Refused if it cannot be asked."""
        metadata = parse_metadata(await self._document(), self._settings)
        self._metadata.put(metadata, at)
        return metadata

    async def metadata(self, at: datetime) -> Metadata:
        """The addresses; Refused (SSO_UNREACHABLE, SSO_ANSWER_INVALID) if they cannot be had as pinned."""
        return await self._metadata.get(at)

    async def key(self, at: datetime, kid: str | None, algorithm: str) -> Key:
        """The one key that this token may be signed with; an unknown `kid` makes us look again, once per interval."""
        self._jwks = (await self.metadata(at)).jwks
        find = _finder(kid, algorithm)
        key = find(await self._keys.get(at, wanted=lambda keys: find(keys) is not None))
        if key is None:
            raise Refused(Reason.SSO_ANSWER_INVALID)
        return key

    async def _document(self) -> dict[str, Any]:
        answer = await fetch(self._transport, self._settings, self._settings.discovery)
        return read_object(answer.content)

    async def _fetch_metadata(self) -> Metadata:
        try:
            return parse_metadata(await self._document(), self._settings)
        except StartError:
            raise Refused(Reason.SSO_ANSWER_INVALID) from None

    async def _fetch_keys(self) -> dict[str | None, dict[str, Key]]:
        if self._jwks is None:
            raise Refused(Reason.SSO_UNREACHABLE)
        answer = await fetch(self._transport, self._settings, self._jwks)
        return parse_keys(read_object(answer.content), self._settings.algorithms)


def _finder(kid: str | None, algorithm: str) -> Callable[[Mapping[str | None, Mapping[str, Key]]], Key | None]:
    """Without a `kid` only a key that is alone for its algorithm will do (OpenID Connect Core 10.1)."""

    def find(keys: Mapping[str | None, Mapping[str, Key]]) -> Key | None:
        if kid is not None:
            return keys.get(kid, {}).get(algorithm)
        fitting = [by_name[algorithm] for by_name in keys.values() if algorithm in by_name]
        return fitting[0] if len(fitting) == 1 else None

    return find
