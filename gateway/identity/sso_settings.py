# SPDX-License-Identifier: EUPL-1.2
"""What one OpenID Connect provider is for us: everything that is pinned, and every limit. Values only, no network.

Nothing here is derived from anything else: Pro Santé Connect's discovery path and authorization host follow no rule.
A hospital's own provider is another set of these values, never another line of code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from gateway.errors import StartError

if TYPE_CHECKING:
    from pathlib import Path

KNOWN_ALGORITHMS: Final = frozenset({"RS256", "ES256", "PS256"})
LEEWAY: Final = timedelta(seconds=30)
"""How far the provider's clock may be from ours."""
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class ClientAuth(StrEnum):
    """How we prove to the provider that we are its client (the names of OpenID Connect and RFC 8705)."""

    SECRET_BASIC = "client_secret_basic"  # noqa: S105  # a name, no secret
    SECRET_POST = "client_secret_post"  # noqa: S105
    PRIVATE_KEY = "private_key_jwt"
    TLS = "tls_client_auth"


@dataclass(frozen=True, slots=True, kw_only=True)
class SsoSettings:
    """One provider. `origins`: every `scheme://host[:port]` that its metadata may send us or the browser to."""

    discovery: str
    issuer: str
    origins: frozenset[str]
    client_id: str
    redirect_uri: str
    signed_out_uri: str
    client_auth: ClientAuth = ClientAuth.SECRET_BASIC
    client_secret: str | None = field(default=None, repr=False)
    private_key: bytes | None = field(default=None, repr=False)
    """PEM, RSA or P-256, for private_key_jwt."""
    certificate: Path | None = None
    certificate_key: Path | None = None
    authority: Path | None = None
    """Trust this authority alone for the provider's TLS; None: the system's store."""
    scope: str = "openid scope_all"
    acr_values: str = "eidas1"
    acr_accepted: frozenset[str] = frozenset({"eidas1", "eidas2", "eidas3"})
    algorithms: frozenset[str] = frozenset({"RS256"})
    card_values: frozenset[str] = frozenset({"CARD"})
    """Values of `authMode`, or of an entry of `amr`, that tell a card; every other value is none."""
    national_id_claim: str | None = "SubjectNameID"
    """The claim that holds the national id; None: this provider gives none. If named, it must be there."""
    userinfo: bool = True
    sandbox: bool = False
    """The provider's test world: plain HTTP on loopback, and ids that are not RPPS numbers. Never with real people."""
    session_lifetime: timedelta = timedelta(hours=4)
    """What the provider's own session lasts at most: a proof older than this is no proof, and ours ends with it."""
    answer_within: timedelta = timedelta(seconds=10)
    answer_bytes: int = 256 * 1024
    fetch_interval: timedelta = timedelta(seconds=30)
    """Keys and metadata: asked for at most once in this time, whatever comes in."""
    keys_lifetime: timedelta = timedelta(hours=1)
    metadata_lifetime: timedelta = timedelta(days=1)

    def __post_init__(self) -> None:
        for name in ("discovery", "issuer", "redirect_uri", "signed_out_uri"):
            self._require_url(name, getattr(self, name))
        for origin in self.origins:
            self._require_url("origins", origin)
            if origin_of(origin) != origin:
                raise StartError(f"sso origins: found {origin}; expected scheme://host[:port], lower case, no path")
        if origin_of(self.discovery) not in self.origins:
            raise StartError(f"sso discovery: found {self.discovery}; expected an address at one of {_told(self)}")
        if not self.algorithms or not self.algorithms <= KNOWN_ALGORITHMS:
            found = ", ".join(sorted(self.algorithms)) or "none"
            raise StartError(f"sso algorithms: found {found}; expected one or more of RS256, ES256, PS256")
        if not self.acr_accepted:
            raise StartError("sso acr_accepted: found nothing; expected the acr values that count, such as eidas1")
        if "openid" not in self.scope.split():
            raise StartError(f"sso scope: found {self.scope!r}; expected `openid` in it")
        self._require_credential()

    def allows(self, url: object) -> bool:
        """Whether an address of the provider's metadata is one that was pinned: known origin, nothing odd in it."""
        return isinstance(url, str) and _plain(url) and origin_of(url) in self.origins

    def _require_url(self, name: str, url: str) -> None:
        expected = wrong_address(url, sandbox=self.sandbox)
        if expected is not None:
            raise StartError(f"sso {name}: found {url!r}; expected {expected}")

    def _require_credential(self) -> None:
        needed = {
            ClientAuth.SECRET_BASIC: self.client_secret,
            ClientAuth.SECRET_POST: self.client_secret,
            ClientAuth.PRIVATE_KEY: self.private_key,
            ClientAuth.TLS: self.certificate and self.certificate_key,
        }[self.client_auth]
        if not needed:
            raise StartError(f"sso client_auth: found {self.client_auth} without its secret, key or certificate")


def wrong_address(url: str, *, sandbox: bool) -> str | None:
    """What is expected in the place of this address; None if it can stand."""
    parts = urlsplit(url) if _plain(url) else None
    told = "an https:// address"
    if parts is None or not parts.hostname or parts.scheme not in {"https", "http"} or "@" in parts.netloc:
        return told
    if parts.scheme == "http" and not (sandbox and parts.hostname in _LOOPBACK):
        return f"{told} (http on loopback only in the sandbox)"
    return None


def origin_of(url: str) -> str:
    """`scheme://host[:port]` as written in the address; the empty string if it has none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else ""


def _plain(url: str) -> bool:
    """Printable ASCII that every parser reads alike: no blank, no backslash, no fragment, no user part."""
    readable = url.isascii() and url.isprintable() and not set(url) & set(" \\#@<>\"'`{}|^")
    return readable and bool(origin_of(url))


def _told(settings: SsoSettings) -> str:
    return ", ".join(sorted(settings.origins)) or "no origin at all"
