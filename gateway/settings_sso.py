# SPDX-License-Identifier: EUPL-1.2
"""The section `[sso]` of the settings: Pro Santé Connect, or another OpenID Connect provider. Without it there is none.

What is not said is as Pro Santé Connect has it (its test world with `sandbox`); a hospital's own provider says more,
and needs no line of code. Secrets and keys are files of their own. All that does not fit together is told at once.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from gateway.identity.sso_settings import ClientAuth, origin_of, wrong_address

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLBACK_PATH: Final = "/.herse/sso/callback"
SIGNED_OUT_PATH: Final = "/.herse/signed-out"
_FILE_KEYS: Final = ("secret_file", "private_key_file", "certificate", "certificate_key")
_FILES_OF: Final = {
    ClientAuth.SECRET_BASIC: ("secret_file",),
    ClientAuth.SECRET_POST: ("secret_file",),
    ClientAuth.PRIVATE_KEY: ("private_key_file",),
    ClientAuth.TLS: ("certificate", "certificate_key"),
}
_AUTH_OF: Final = {
    "secret-basic": ClientAuth.SECRET_BASIC,
    "secret-post": ClientAuth.SECRET_POST,
    "private-key": ClientAuth.PRIVATE_KEY,
    "tls": ClientAuth.TLS,
}
Word = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[!-~]+$")]
Words = Annotated[list[Word], Field(min_length=1)]
OptionalPath = Annotated[Path | None, Field(strict=False)]


class Pinned(NamedTuple):
    """Where a provider is, and what it calls itself."""

    discovery: str
    issuer: str
    origins: frozenset[str]


def _psc(issuers: str, wallet: str) -> Pinned:
    issuer = f"{issuers}/auth/realms/esante-wallet"
    return Pinned(f"{issuer}/.well-known/wallet-openid-configuration", issuer, frozenset({issuers, wallet}))


PRO_SANTE_CONNECT: Final = _psc("https://auth.esw.esante.gouv.fr", "https://wallet.esw.esante.gouv.fr")
ITS_SANDBOX: Final = _psc("https://auth.bas.psc.esante.gouv.fr", "https://wallet.bas.psc.esante.gouv.fr")


class Sso(BaseModel):
    """One provider, and how it knows us."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, strict=True)

    name: Annotated[str, Field(min_length=1, max_length=60)] = "Pro Santé Connect"
    sandbox: bool = False
    discovery: str | None = None
    issuer: str | None = None
    origins: list[str] = []
    authority: OptionalPath = None
    client_id: Word
    client_auth: Literal["secret-basic", "secret-post", "private-key", "tls"] = "secret-basic"
    secret_file: OptionalPath = None
    private_key_file: OptionalPath = None
    certificate: OptionalPath = None
    certificate_key: OptionalPath = None
    scope: str = "openid scope_all"
    acr_values: str = "eidas1"
    acr_accepted: Words = ["eidas1", "eidas2", "eidas3"]
    algorithms: Annotated[list[Literal["RS256", "ES256", "PS256"]], Field(min_length=1)] = ["RS256"]
    national_id_claim: str = "SubjectNameID"
    card_values: list[Word] = ["CARD"]
    userinfo: bool = True
    ciba: bool = False
    session_minutes: Annotated[int, Field(ge=1, le=240)] = 240
    answer_seconds: Annotated[float, Field(gt=0, le=60)] = 10.0
    answer_bytes: Annotated[int, Field(ge=16_384, le=4_194_304)] = 262_144
    fetch_seconds: Annotated[float, Field(ge=1, le=3_600)] = 30.0
    keys_minutes: Annotated[int, Field(ge=1, le=1_440)] = 60
    metadata_minutes: Annotated[int, Field(ge=1, le=10_080)] = 1_440

    @field_validator("authority", *_FILE_KEYS)
    @classmethod
    def _path(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        return None if value is None else Path((info.context or {}).get("folder", Path())) / value

    @field_validator("name", "scope", "acr_values", "national_id_claim")
    @classmethod
    def _text(cls, value: str) -> str:
        if not value.isprintable() or value != value.strip():
            raise ValueError("printable text, without a blank before or after it")
        return value

    @field_validator("scope")
    @classmethod
    def _scope(cls, value: str) -> str:
        if "openid" not in value.split():
            raise ValueError("scopes with a blank between them, `openid` among them")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Sso:
        wrong = [*self._wrong_addresses(), *self._wrong_files()]
        if self.ciba and not self.national_id_claim:
            wrong.append(("ciba", "false, since who is asked on his phone is known by the claim of national_id_claim"))
        if wrong:
            told = [
                InitErrorDetails(
                    type=PydanticCustomError("value_error", "{e}", {"e": expected}), loc=(key,), input=None
                )
                for key, expected in wrong
            ]
            raise ValidationError.from_exception_data("sso", told)
        return self

    def _wrong_addresses(self) -> Iterator[tuple[str, str]]:
        given = {key for key in ("discovery", "issuer", "origins") if getattr(self, key)}
        if not given:
            return
        for key in ("discovery", "issuer", "origins"):
            if key not in given:
                yield key, f"it too, since {' and '.join(sorted(given))} names another provider than Pro Santé Connect"
        for key, url in (("discovery", self.discovery), ("issuer", self.issuer)):
            expected = wrong_address(url, sandbox=self.sandbox) if url else None
            if expected is not None:
                yield key, expected
        for one in self.origins:
            if wrong_address(one, sandbox=self.sandbox) is not None or origin_of(one) != one or one != one.lower():
                yield "origins", "https://host[:port] each, lower case, no path (http on loopback only in the sandbox)"
                return
        if self.discovery and self.origins and origin_of(self.discovery) not in self.origins:
            yield "discovery", "an address at one of `origins`"

    def _wrong_files(self) -> Iterator[tuple[str, str]]:
        needed = _FILES_OF[self.auth]
        for key in _FILE_KEYS:
            given = getattr(self, key) is not None
            if key in needed and not given:
                yield key, f"a file, since client_auth is {self.client_auth}"
            if given and key not in needed:
                yield key, f"nothing, since client_auth is {self.client_auth}: one way to prove who we are"

    @property
    def auth(self) -> ClientAuth:
        """How we prove ourselves, by the name of OpenID Connect."""
        return _AUTH_OF[self.client_auth]

    @property
    def pinned(self) -> Pinned:
        """Where the provider is: as said, or Pro Santé Connect."""
        if self.discovery is None or self.issuer is None:
            return ITS_SANDBOX if self.sandbox else PRO_SANTE_CONNECT
        return Pinned(self.discovery, self.issuer, frozenset(self.origins))

    @property
    def session_lifetime(self) -> timedelta:
        """How long the provider's own session lasts at most."""
        return timedelta(minutes=self.session_minutes)
