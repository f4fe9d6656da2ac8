# SPDX-License-Identifier: EUPL-1.2
"""The settings of one gateway: one TOML file, strict and frozen. An unknown key, a wrong type or a missing file stops
the start with all faults at once. No secret stands in this file: keys are files of their own in `keys.folder`.

Paths are relative to the folder of the settings file. Each key here is told in the README, held by a test.
"""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from gateway.errors import ConfigurationError, Fault, StartError
from gateway.settings_card import Card  # noqa: TC001  # pydantic reads the annotation
from gateway.settings_ledger import Ledger
from gateway.settings_mail import Mail, read_password
from gateway.settings_redis import Redis  # noqa: TC001
from gateway.settings_sso import Sso  # noqa: TC001
from gateway.state_files import LEDGER_FILE

if TYPE_CHECKING:
    from gateway.ledger.place import Place

_KEY = re.compile(r"[0-9a-f]{64}\n")
Seconds = Annotated[float, Field(gt=0, le=86_400)]


def _anchored(value: Path, info: ValidationInfo) -> Path:
    """A path of the file, read from where the file lies."""
    folder = (info.context or {}).get("folder", Path())
    return Path(folder) / value


class _Section(BaseModel):
    # Strict: a number in quotes is no number. Only paths are lax, since TOML has no type for them.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, strict=True)


class Public(_Section):
    """The public listener: the portal behind the gateway, and the gateway's own pages under `/.herse/`."""

    origin: str
    listen: str = "127.0.0.1:8443"
    certificate: Path | None = Field(default=None, strict=False)
    key: Path | None = Field(default=None, strict=False)
    also_hosts: list[str] = []

    @field_validator("certificate", "key")
    @classmethod
    def _path(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        return None if value is None else _anchored(value, info)

    @field_validator("origin")
    @classmethod
    def _origin(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme != "https" or not parts.hostname or parts.path or parts.query or value != value.lower():
            raise ValueError("an origin such as https://portail.example or https://localhost:8443, lower case, no path")
        return value

    @field_validator("listen")
    @classmethod
    def _listen(cls, value: str) -> str:
        split_address(value)
        return value

    @model_validator(mode="after")
    def _tls(self) -> Public:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key: both, or neither")
        if self.certificate is None and not ip_address(split_address(self.listen)[0]).is_loopback:
            raise ValueError(
                "certificate and key, since `listen` is not a loopback address: plain HTTP never leaves the machine"
            )
        return self

    @property
    def hosts(self) -> frozenset[str]:
        """The Host values that are ours, lower case."""
        return frozenset({urlsplit(self.origin).netloc, *(host.lower() for host in self.also_hosts)})


class Portal(_Section):
    """The portal behind: where it is, and how long it may take."""

    url: str
    authority: Path | None = Field(default=None, strict=False)
    connect_seconds: Seconds = 5.0
    head_seconds: Seconds = 30.0
    idle_seconds: Seconds = 60.0
    stream_idle_seconds: Seconds = 300.0
    keepalive_seconds: Seconds = 15.0
    connections: Annotated[int, Field(ge=1, le=10_000)] = 256

    @field_validator("authority")
    @classmethod
    def _path(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        return None if value is None else _anchored(value, info)

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"} or parts.query:
            raise ValueError("http://host:port or https://host:port, no path")
        loopback = parts.hostname == "localhost" or (
            parts.hostname[0].isdigit() and ip_address(parts.hostname).is_loopback
        )
        if parts.scheme == "http" and not loopback:
            raise ValueError(
                "https://…, since the portal is not on this machine (patient data never cross a network in clear)"
            )
        return value.rstrip("/")


class PolicyFile(_Section):
    """The policy file; its cases lie beside it as `*.cases.yaml`."""

    file: Path = Field(strict=False)
    watch_seconds: Seconds = 1.0
    decoys: Path | None = Field(default=None, strict=False)

    @field_validator("file", "decoys")
    @classmethod
    def _path(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        return None if value is None else _anchored(value, info)


class Folder(_Section):
    """A folder of the gateway's own."""

    folder: Path = Field(strict=False)

    @field_validator("folder")
    @classmethod
    def _path(cls, value: Path, info: ValidationInfo) -> Path:
        return _anchored(value, info)


class Limits(_Section):
    """What a client may send, and how slowly."""

    head_seconds: Seconds = 10.0
    body_seconds: Seconds = 20.0
    idle_seconds: Seconds = 75.0
    head_bytes: Annotated[int, Field(ge=1024, le=262_144)] = 32_768
    header_count: Annotated[int, Field(ge=10, le=1000)] = 100
    url_bytes: Annotated[int, Field(ge=256, le=65_536)] = 8_192
    form_bytes: Annotated[int, Field(ge=1024, le=16_777_216)] = 65_536
    body_bytes: Annotated[int, Field(ge=1024)] = 1_073_741_824
    connections: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000


class SessionLife(_Section):
    """How long a session lives (domain: at most 30 minutes idle, 4 hours in all)."""

    idle_minutes: Annotated[int, Field(ge=1, le=30)] = 30
    absolute_minutes: Annotated[int, Field(ge=1, le=240)] = 240

    @property
    def idle(self) -> timedelta:
        """Longest time without a request."""
        return timedelta(minutes=self.idle_minutes)

    @property
    def absolute(self) -> timedelta:
        """Longest time since sign-in; a step-up never restarts it."""
        return timedelta(minutes=self.absolute_minutes)


class SignInLimits(_Section):
    """Throttles of sign-in and step-up: attempts in fifteen minutes (`per_minute_in_all`: in one)."""

    per_account: Annotated[int, Field(ge=1, le=100)] = 30
    per_network: Annotated[int, Field(ge=1)] = 60
    per_minute_in_all: Annotated[int, Field(ge=1)] = 2000
    hashing_threads: Annotated[int, Field(ge=1, le=64)] = 2
    hashing_waiting: Annotated[int, Field(ge=1, le=10_000)] = 64


class Log(_Section):
    """The operational log: JSON lines on standard error, without secrets or patient numbers."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(_Section):
    """All sections of the file."""

    public: Public
    portal: Portal
    policy: PolicyFile
    state: Folder
    keys: Folder
    limits: Limits = Limits()
    session: SessionLife = SessionLife()
    sign_in: SignInLimits = SignInLimits()
    log: Log = Log()
    ledger: Ledger = Ledger()
    card: Card | None = None
    mail: Mail | None = None
    sso: Sso | None = None
    redis: Redis | None = None

    def ledger_place(self) -> Place:
        """Where the ledger is; StartError if the file of its password cannot be used."""
        file = self.ledger.password_file
        password = None if file is None else read_password(file, "ledger.password_file")
        return self.ledger.place(self.state.folder / LEDGER_FILE, password)


def split_address(text: str) -> tuple[str, int]:
    """`127.0.0.1:8443` or `[::1]:8443` -> (address, port); ValueError says what is expected."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        ip_address(host)
        number = int(port)
    except ValueError:
        raise ValueError("an IP address and a port, such as 127.0.0.1:8443 or [::1]:8443") from None
    if not 0 < number < 65_536:  # noqa: PLR2004  # the port range
        raise ValueError("a port from 1 to 65535")
    return host, number


def parse_settings(text: str, file: str, folder: Path) -> Settings:
    """Settings from TOML text; relative paths are read from `folder`. ConfigurationError tells all faults at once."""
    try:
        values: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([Fault(file, None, "(file)", str(error), "a TOML file")]) from None
    try:
        return Settings.model_validate(values, context={"folder": folder})
    except ValidationError as error:
        raise ConfigurationError([_fault(file, one, values) for one in error.errors(include_url=False)]) from None


def load_settings(path: Path) -> Settings:
    """Read and check the settings file."""
    return parse_settings(read_settings(path), str(path), path.resolve().parent)


def read_settings(path: Path) -> str:
    """The text of the settings file."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        what = error.strerror if isinstance(error, OSError) else "bytes that are not UTF-8"
        raise ConfigurationError(
            [Fault(str(path), None, "(file)", str(what), "a readable TOML file (--config FILE)")]
        ) from None


def _fault(file: str, error: Any, values: dict[str, Any]) -> Fault:
    keys = [str(part) for part in error["loc"]]
    found: Any = values
    for part in error["loc"]:
        found = found.get(part, "nothing") if isinstance(found, dict) else found
    if keys in (["redis", "url"], ["ledger", "database"]) and error["type"] != "missing":
        found = "an address"  # somebody may have written a password into it
    shown = "a section" if isinstance(found, dict) else repr(found) if found != "nothing" else "nothing"
    expected = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        expected = "no such key (see the table of settings in the README)"
    return Fault(file, None, ".".join(keys) or "(file)", shown, expected)


def read_key(path: Path) -> bytes:
    """Read one of the gateway's own keys: 32 bytes in hex, readable by its owner alone; StartError otherwise."""
    try:
        mode = path.stat().st_mode & 0o777
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        found = error.strerror if isinstance(error, OSError) else "bytes that are not text"
        raise StartError(
            f"the key {path} cannot be read ({found}); restore it from where keys are kept, "
            "or make the keys of a new gateway with `herse certs keys`"
        ) from None
    if mode & 0o077:
        raise StartError(f"the key {path} has mode {mode:04o}; expected 0600: run chmod 600 {path}")
    if not _KEY.fullmatch(text):
        raise StartError(f"the key {path} is not 64 hexadecimal digits and a newline; restore it from its backup")
    return bytes.fromhex(text)
