# SPDX-License-Identifier: EUPL-1.2
"""The section `[card]` of the settings: the card listener, and what it believes. Without it no card is read.

Strict and frozen as all sections (`settings`), which is built on top of this file.
"""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

_PORTS: Final = range(1, 65_536)


class Card(BaseModel):
    """The card host: where it is, what it shows, which authorities of cards and which revocation sources it uses."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, strict=True)

    origin: str
    listen: str = "127.0.0.1:8444"
    certificate: Path = Field(strict=False)
    key: Path = Field(strict=False)
    authorities: Path = Field(strict=False)
    sandbox: bool = False
    crl_files: list[Annotated[Path, Field(strict=False)]] = []
    crl_urls: list[str] = []
    ocsp_url: str | None = None
    grace_hours: Annotated[int, Field(ge=0, le=48)] = 0

    @field_validator("certificate", "key", "authorities")
    @classmethod
    def _path(cls, value: Path, info: ValidationInfo) -> Path:
        return _anchored(value, info)

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

    @field_validator("crl_urls", "ocsp_url")
    @classmethod
    def _urls(cls, value: list[str] | str | None) -> list[str] | str | None:
        for one in [value] if isinstance(value, str) else value or []:
            if urlsplit(one).scheme not in {"http", "https"} or not urlsplit(one).hostname:
                raise ValueError("http:// or https:// addresses (what they give is signed)")
        return value

    @property
    def grace(self) -> timedelta:
        """How long past its end a revocation list still counts; each use is told in the log."""
        return timedelta(hours=self.grace_hours)


def _anchored(value: Path, info: ValidationInfo) -> Path:
    """A path of the file, read from where the file lies."""
    return Path((info.context or {}).get("folder", Path())) / value
