# SPDX-License-Identifier: EUPL-1.2
"""The section `[mail]` of the settings: who letters come from, and whether they go to a folder or to a mail server.

Strict and frozen as all sections (`settings`), which is built on top of this file. What contradicts itself, or would be
ignored, stops the start. Without the section letters lie in the state folder.
"""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from gateway.errors import StartError
from gateway.model.mail_address import is_mail_address

_PORTS: Final = range(1, 65_536)
_LONGEST_PASSWORD: Final = 1024


class Mail(BaseModel):
    """Letters to the holders of accounts: `from` one address, into `folder`, or to the server `smtp`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, strict=True)

    sender: str = Field(alias="from")
    folder: Path | None = Field(default=None, strict=False)
    smtp: str | None = None
    tls: Literal["starttls", "tls", "none"] | None = None
    user: str | None = None
    password_file: Path | None = Field(default=None, strict=False)
    authority: Path | None = Field(default=None, strict=False)

    @field_validator("folder", "password_file", "authority")
    @classmethod
    def _path(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        return None if value is None else Path((info.context or {}).get("folder", Path())) / value

    @field_validator("sender")
    @classmethod
    def _sender(cls, value: str) -> str:
        if not is_mail_address(value):
            raise ValueError("one address such as ne-pas-repondre@portail.example, plain ASCII, without a name")
        return value

    @field_validator("smtp")
    @classmethod
    def _smtp(cls, value: str | None) -> str | None:
        if value is not None:
            split_server(value)
        return value

    @field_validator("user")
    @classmethod
    def _user(cls, value: str | None) -> str | None:
        if value is not None and not (value.isascii() and value.isprintable() and value):
            raise ValueError("a name in printable ASCII")
        return value

    @model_validator(mode="after")
    def _one_way(self) -> Mail:
        if (self.folder is None) == (self.smtp is None):
            raise ValueError("either folder or smtp")
        of_server = {"tls": self.tls, "user": self.user, "password_file": self.password_file}
        of_server |= {"authority": self.authority}
        unused = [name for name, value in of_server.items() if value is not None]
        if self.folder is not None and unused:
            raise ValueError(f"no {', '.join(unused)} beside folder: they belong to smtp")
        if (self.user is None) != (self.password_file is None):
            raise ValueError("user and password_file: both, or neither")
        if self.tls == "none" and self.smtp is not None and not _is_here(split_server(self.smtp)[0]):
            raise ValueError('tls = "none" only to this machine, such as 127.0.0.1 or localhost')
        if self.tls == "none" and self.authority is not None:
            raise ValueError('no authority beside tls = "none": no certificate is looked at')
        return self


def split_server(text: str) -> tuple[str, int]:
    """`mail.example:587` or `[::1]:25` -> (host, port); ValueError says what is expected."""
    host, _, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    known = _is_address(bare) if host.startswith("[") else _is_name(host)
    if not known or not (port.isascii() and port.isdigit()) or int(port) not in _PORTS:
        raise ValueError("a server and a port, such as mail.example:587, 127.0.0.1:25 or [::1]:25")
    return bare, int(port)


def read_password(path: Path, key: str = "mail.password_file") -> str:
    """The one line of a password file that its owner alone may read; StartError otherwise."""
    try:
        mode = path.stat().st_mode & 0o777
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        found = error.strerror if isinstance(error, OSError) else "bytes that are not ASCII"
        raise StartError(f"{key} {path} cannot be read ({found}); expected one line of ASCII") from None
    if mode & 0o077:
        raise StartError(f"{key} {path} has mode {mode:04o}; expected 0600: run chmod 600 {path}")
    password = text.removesuffix("\n")
    if not 0 < len(password) <= _LONGEST_PASSWORD or not password.isprintable():
        raise StartError(f"{key} {path} does not hold one line with a password")
    return password


def _is_here(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_name(text: str) -> bool:
    labels = text.split(".")
    return text.isascii() and all(len(one) > 0 and one.replace("-", "").isalnum() for one in labels)
