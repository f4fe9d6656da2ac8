# SPDX-License-Identifier: EUPL-1.2
"""The section `[redis]` of the settings: where budgets are counted when several workers share them.

Strict and frozen as all sections (`settings`), which is built on top of this file. The password is a file of its own,
never part of the URL. What leaves this machine goes over TLS: pseudonyms of patients are patient data.
"""

from __future__ import annotations

import ssl
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from gateway.errors import StartError
from gateway.metering.redis_address import read_address

if TYPE_CHECKING:
    from gateway.metering.redis_address import Address


class Redis(BaseModel):
    """One server, the master that Sentinels name, or a Cluster."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, strict=True)

    url: str
    user: str | None = None
    password_file: Path | None = Field(default=None, strict=False)
    authority: Path | None = Field(default=None, strict=False)
    deadline_ms: Annotated[int, Field(ge=10, le=5_000)] = 250

    @field_validator("password_file", "authority")
    @classmethod
    def _path(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        return None if value is None else Path((info.context or {}).get("folder", Path())) / value

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        if "@" in value:
            raise ValueError("a URL without a name and a password: they are redis.user and redis.password_file")
        address = read_address(value, _no_check())
        if not value.startswith("rediss") and not all(_is_here(host) for host, _ in address.hosts):
            raise ValueError("rediss:// (with TLS), since not all of its hosts are this machine")
        return value

    @field_validator("user")
    @classmethod
    def _user(cls, value: str | None) -> str | None:
        if value is not None and not (value.isascii() and value.isprintable() and value):
            raise ValueError("a name in printable ASCII")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Redis:
        if self.user is not None and self.password_file is None:
            raise ValueError("password_file beside user")
        if self.authority is not None and not self.url.startswith("rediss"):
            raise ValueError("no authority beside a URL without TLS: no certificate is looked at")
        return self

    def address(self, password: str | None) -> Address:
        """Where to connect, and as whom; StartError if the authority cannot be used."""
        tls = _tls(self.authority) if self.url.startswith("rediss") else None
        return replace(read_address(self.url, tls), user=self.user, password=password)


def demand_redis(redis: Redis | None, workers: int) -> None:
    """Refuse several workers that would each count for themselves: limits are never weaker than written."""
    if workers > 1 and redis is None:
        raise StartError(
            f"found {workers} workers and no section [redis]; expected one worker, or the url of a Redis where they "
            "count together: add [redis] to the settings, or leave --workers out"
        )


def _tls(authority: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        found = error.strerror or type(error).__name__
        raise StartError(f"redis.authority {authority}: {found}; expected the authority of Redis in PEM form") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _no_check() -> ssl.SSLContext:
    """What stands for the context while the URL alone is judged."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
