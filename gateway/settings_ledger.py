# SPDX-License-Identifier: EUPL-1.2
"""The section `[ledger]` of the settings: where events are kept. Without it, or without `database`, in a file.

Strict and frozen as all sections (`settings`), which is built on top of this file. The password is a file of its own,
never part of the URL. What leaves this machine goes over TLS, and the server's certificate is judged in full.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from gateway.ledger.place import PostgresAddress
from gateway.ledger.publishing import destination
from gateway.ledger.retention import (
    DISCLOSURES_MONTHS,
    MONTHS_AT_LEAST,
    MONTHS_AT_MOST,
    SECURITY_MONTHS,
    Periods,
)

if TYPE_CHECKING:
    from gateway.ledger.place import Place

_EXPECTED: Final = "postgresql://host:port/name, or postgresql:///name?host=/folder/of/the/socket"
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,63}")
_PORT: Final = 5432
_ORIGIN: Final = re.compile(r"[!-*,-~]{1,128}")


Months = Annotated[int, Field(ge=MONTHS_AT_LEAST, le=MONTHS_AT_MOST)]


class Ledger(BaseModel):
    """A PostgreSQL database, and as whom we come to it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, strict=True)

    database: str | None = None
    user: str | None = None
    password_file: Path | None = Field(default=None, strict=False)
    authority: Path | None = Field(default=None, strict=False)
    origin: str | None = None
    checkpoints: tuple[str, ...] = Field(default=(), strict=False)
    checkpoint_seconds: Annotated[float, Field(ge=1, le=86_400)] = 60.0
    unsealed_seconds: Annotated[float, Field(ge=5, le=3_600)] = 60.0
    security_months: Months = SECURITY_MONTHS
    disclosures_months: Months = DISCLOSURES_MONTHS
    longer_because: str | None = None

    @field_validator("origin")
    @classmethod
    def _origin(cls, value: str | None) -> str | None:
        if value is not None and not _ORIGIN.fullmatch(value):
            raise ValueError("a name such as portail.example/ledger, without spaces and plus signs")
        return value

    @field_validator("checkpoints")
    @classmethod
    def _checkpoints(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            destination(text, lambda _to, _note: None)
        return value

    @field_validator("password_file", "authority")
    @classmethod
    def _path(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        return None if value is None else Path((info.context or {}).get("folder", Path())) / value

    @field_validator("database")
    @classmethod
    def _database(cls, value: str | None) -> str | None:
        if value is not None:
            if "@" in value:
                raise ValueError("a URL without a name and a password: they are ledger.user and ledger.password_file")
            _read(value)
        return value

    @field_validator("user")
    @classmethod
    def _user(cls, value: str | None) -> str | None:
        if value is not None and not _NAME.fullmatch(value):
            raise ValueError("a name of letters, digits, `_`, `.` and `-`")
        return value

    @field_validator("longer_because")
    @classmethod
    def _reason(cls, value: str | None) -> str | None:
        if value is not None and not (value.strip() and value.isprintable()):
            raise ValueError("a sentence: who decided that events are kept for longer, and why")
        return value

    @model_validator(mode="after")
    def _kept(self) -> Ledger:
        longer = [
            f"ledger.{name}_months = {months} (more than {usual})"
            for name, months, usual in (
                ("security", self.security_months, SECURITY_MONTHS),
                ("disclosures", self.disclosures_months, DISCLOSURES_MONTHS),
            )
            if months > usual
        ]
        if longer and self.longer_because is None:
            raise ValueError(
                f"longer_because beside {' and '.join(longer)}: who decided it, and why (CNIL, deliberation 2021-122)"
            )
        return self

    @property
    def periods(self) -> Periods:
        """How long events are kept."""
        return Periods(self.security_months, self.disclosures_months)

    @model_validator(mode="after")
    def _whole(self) -> Ledger:
        if self.database is None:
            if (self.user, self.password_file, self.authority) != (None, None, None):
                raise ValueError("database, beside a user, a password_file or an authority")
        elif self.authority is not None and _is_socket(_read(self.database)):
            raise ValueError("no authority beside a Unix socket: no certificate is looked at")
        return self

    def place(self, file: Path, password: str | None) -> Place:
        """The database or, where none is named, the file."""
        if self.database is None:
            return file
        found = _read(self.database)
        return PostgresAddress(
            host=found.host,
            database=found.database,
            port=found.port,
            user=self.user,
            password=password,
            tls=self.authority is not None or not _is_here(found),
            authority=self.authority,
        )


def _read(text: str) -> PostgresAddress:
    """Who is named by a URL; ValueError says what is expected."""
    try:
        parts = urlsplit(text)
        port = parts.port or _PORT
        given = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise ValueError(_EXPECTED) from None
    name = unquote(parts.path.removeprefix("/"))
    host = parts.hostname or given.pop("host", "")
    if parts.scheme != "postgresql" or given or parts.fragment or not _NAME.fullmatch(name):
        raise ValueError(_EXPECTED)
    if parts.hostname is None and not host.startswith("/"):
        raise ValueError(_EXPECTED)
    return PostgresAddress(host, name, port)


def _is_socket(address: PostgresAddress) -> bool:
    return address.host.startswith("/")


def _is_here(address: PostgresAddress) -> bool:
    try:
        return _is_socket(address) or address.host == "localhost" or ip_address(address.host).is_loopback
    except ValueError:
        return False
