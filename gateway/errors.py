# SPDX-License-Identifier: EUPL-1.2
"""The exceptions that cross rooms. A refusal carries a closed `Reason`; a configuration fault says how to mend it.

No message here may hold a secret, a code or a patient number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.model import Reason
    from gateway.model.unread import Unread


class HerseError(Exception):
    """Root of all errors that Herse raises on purpose."""


class Refused(HerseError):
    """A step of the hallway or of a sign-in says no, for one reason of the closed list."""

    def __init__(self, reason: Reason, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds


class UnreadableError(HerseError):
    """The people in an answer cannot be told; `why`, never what stood there."""

    def __init__(self, why: Unread) -> None:
        super().__init__(str(why))
        self.why = why


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a file a person wrote: where, what was found, what is expected, what to do next."""

    file: str
    line: int | None
    key: str
    found: str
    expected: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.key}: found {self.found}; expected {self.expected}"


class ConfigurationError(HerseError):
    """Settings or policy that must not be used: all faults at once. Commands print them and exit 2."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class StartError(HerseError):
    """Something outside the files keeps Herse from starting (port in use, database of a newer version, unreadable
    certificate). The message says what was found, what is expected and what to do next.
    """


class LedgerError(HerseError):
    """The ledger could not make an event durable. Nothing may be disclosed after the first one."""
