# SPDX-License-Identifier: EUPL-1.2
"""The section `[card]` of the settings: the card listener, and what it believes. Without it no card is read.

Strict and frozen as all sections (`settings`), which is built on top of this file.
"""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

_PORTS: Final = range(1, 65_536)
_FIELD: Final = r"^[A-Za-z][A-Za-z0-9-]{0,63}$"
_TAKEN: Final = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "upgrade", "client-cert", "client-cert-chain"}
)
NGINX_FIELD: Final = "X-SSL-Client-Cert"
"""The field that nginx's escaped certificate comes in unless another is named."""


class Card(BaseModel):
    """The card host: where it is, what it shows, which authorities of cards and which revocation sources it uses.

    With `terminator`, browsers come through a TLS terminator at one of these addresses, which passes their certificate
    on in a field. No other address is believed: plain HTTP only if both ends are this machine, else each side shows a
    certificate.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, strict=True)

    origin: str
    listen: str = "127.0.0.1:8444"
    certificate: Path | None = Field(default=None, strict=False)
    key: Path | None = Field(default=None, strict=False)
    terminator: list[str] = []
    terminator_form: Literal["client-cert", "nginx"] | None = None
    terminator_field: Annotated[str, Field(pattern=_FIELD)] | None = None
    terminator_authority: Path | None = Field(default=None, strict=False)
    authorities: Path = Field(strict=False)
    sandbox: bool = False
    crl_files: list[Annotated[Path, Field(strict=False)]] = []
    crl_urls: list[str] = []
    ocsp_url: str | None = None
    grace_hours: Annotated[int, Field(ge=0, le=48)] = 0

    @field_validator("certificate", "key", "terminator_authority", "authorities")
    @classmethod
    def _path(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        return None if value is None else _anchored(value, info)

    @field_validator("crl_files")
    @classmethod
    def _paths(cls, value: list[Path], info: ValidationInfo) -> list[Path]:
        return [_anchored(one, info) for one in value]

    @field_validator("origin")
    @classmethod
    def _origin(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme != "https" or not parts.hostname or value != f"https://{parts.netloc}".lower():
            raise ValueError("an origin of its own such as https://carte.portail.example, lower case, no path")
        return value

    @field_validator("listen")
    @classmethod
    def _listen(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        try:
            ip_address(host.removeprefix("[").removesuffix("]"))
            fits = int(port) in _PORTS
        except ValueError:
            fits = False
        if not fits:
            raise ValueError("an IP address and a port, such as 127.0.0.1:8444 or [::1]:8444")
        return value

    @field_validator("terminator")
    @classmethod
    def _terminator(cls, value: list[str]) -> list[str]:
        for one in value:
            if not _is_of_one_machine(one):
                raise ValueError('addresses of single machines, such as ["127.0.0.1"] or ["192.0.2.10"], no network')
        return value

    @field_validator("terminator_field")
    @classmethod
    def _own_field(cls, value: str | None) -> str | None:
        if value is not None and value.lower() in _TAKEN:
            raise ValueError(f"a field of its own, such as {NGINX_FIELD}: this one means something else")
        return value

    @field_validator("crl_urls", "ocsp_url")
    @classmethod
    def _urls(cls, value: list[str] | str | None) -> list[str] | str | None:
        for one in [value] if isinstance(value, str) else value or []:
            if urlsplit(one).scheme not in {"http", "https"} or not urlsplit(one).hostname:
                raise ValueError("http:// or https:// addresses (what they give is signed)")
        return value

    @model_validator(mode="after")
    def _agrees(self) -> Card:
        """One way for certificates to come: contradictions stop the start."""
        fault = self._fault_with_terminator() if self.terminator else self._fault_without_terminator()
        if fault is not None:
            raise ValueError(fault)
        return self

    def _fault_without_terminator(self) -> str | None:
        if self.terminator_form or self.terminator_field or self.terminator_authority:
            return "terminator, the addresses that terminator_form, _field and _authority are about; or none of them"
        if self.certificate is None or self.key is None:
            return "certificate and key of the card host (only a terminator on this machine comes without TLS)"
        return None

    def _fault_with_terminator(self) -> str | None:
        if self.terminator_form is None:
            return 'terminator_form, "client-cert" (RFC 9440) or "nginx", beside terminator'
        if self.terminator_field is not None and self.terminator_form != "nginx":
            return 'terminator_field only with terminator_form = "nginx": that of RFC 9440 is Client-Cert'
        if _is_loopback(self.listen.rpartition(":")[0]):
            if not all(map(_is_loopback, self.terminator)):
                return "a terminator on this machine, or a listen address that it can reach"
            given = (self.certificate, self.key, self.terminator_authority)
            return None if all(given) or not any(given) else "certificate, key and terminator_authority: all, or none"
        if not (self.certificate and self.key and self.terminator_authority):
            return (
                "certificate, key and terminator_authority, since `listen` is not a loopback address: terminator and "
                "gateway show each other who they are"
            )
        return None

    @property
    def field(self) -> str | None:
        """The field of nginx's form; None for that of RFC 9440."""
        return (self.terminator_field or NGINX_FIELD) if self.terminator_form == "nginx" else None

    @property
    def grace(self) -> timedelta:
        """How long past its end a revocation list still counts; each use is told in the log."""
        return timedelta(hours=self.grace_hours)


def _is_loopback(address: str) -> bool:
    return ip_address(address.removeprefix("[").removesuffix("]")).is_loopback


def _is_of_one_machine(text: str) -> bool:
    """In its one spelling, as a socket's peer is written."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return str(address) == text and not (
        address.is_unspecified or address.is_multicast or text == "255.255.255.255" or text.startswith("::ffff:")
    )


def _anchored(value: Path, info: ValidationInfo) -> Path:
    """A path of the file, read from where the file lies."""
    return Path((info.context or {}).get("folder", Path())) / value
