# SPDX-License-Identifier: EUPL-1.2
"""What an incident is: a durable thing with a number, a clock of 72 hours, whom it is about, and what was done.

Pure: values and their text. The clock (GDPR art. 33) runs from the moment somebody became aware, nights and Sundays
included, and no closing stops it. How incidents are kept: `kept`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from gateway.errors import HerseError
from gateway.ledger.span import Span

CLOCK: Final = timedelta(hours=72)
VERSION: Final = 1
_TIMES: Final = ("opened_at", "aware_at", "since", "until")
_TEXTS: Final = ("id", "opened_by", "reason")
_LISTS: Final = ("accounts", "teleservices", "frozen", "networks")
_LATER: Final = frozenset({"networks"})
"""Lists that files of earlier builds have not: empty there."""


class IncidentError(HerseError):
    """Something cannot be done with an incident; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that was done about an incident: `opened`, `changed`, `examined`, `exported`, `drafted`, `closed`."""

    at: datetime
    by: str
    what: str
    note: str


@dataclass(frozen=True, slots=True)
class Incident:
    """`since` is inclusive, `until` exclusive; no teleservice named: all, and no address (`networks`) named: all.

    `source`: the event it was opened from.
    """

    id: str
    opened_at: datetime
    aware_at: datetime
    opened_by: str
    reason: str
    accounts: tuple[str, ...]
    since: datetime
    until: datetime
    teleservices: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    source: int | None = None
    acts: tuple[Act, ...] = ()
    networks: tuple[str, ...] = ()

    @property
    def span(self) -> Span:
        """What of the ledger it is about."""
        return Span(self.accounts, self.since, self.until, self.teleservices, self.networks)

    @property
    def due_at(self) -> datetime:
        """By when the CNIL has to know."""
        return self.aware_at + CLOCK

    @property
    def closed_at(self) -> datetime | None:
        """When it was closed; None: it is open."""
        return next((act.at for act in self.acts if act.what == "closed"), None)

    def done(self, act: Act) -> Incident:
        """The same, and this was done."""
        return replace(self, acts=(*self.acts, act))

    def plain(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "herse-incident": VERSION,
            **{name: getattr(self, name) for name in _TEXTS},
            **{name: getattr(self, name).isoformat() for name in _TIMES},
            **{name: list(getattr(self, name)) for name in _LISTS},
            "source": self.source,
            "acts": [{"at": act.at.isoformat(), "by": act.by, "what": act.what, "note": act.note} for act in self.acts],
        }


def as_text(incident: Incident) -> str:
    """As its file has it."""
    return json.dumps(incident.plain(), ensure_ascii=False, indent=1) + "\n"


def load_incident(text: str, name: str) -> Incident:
    """From its file; IncidentError naming it if that is none of this version."""
    try:
        return from_plain(json.loads(text))
    except (ValueError, KeyError, TypeError) as error:
        raise IncidentError(
            f"{name} is not an incident that this version knows ({type(error).__name__}: {error}); expected what "
            "`herse incident open` wrote: restore it from a backup, or read it with the version that wrote it"
        ) from error


def from_plain(found: dict[str, Any]) -> Incident:
    """The incident of plain values; ValueError, KeyError or TypeError if they are none."""
    if found["herse-incident"] != VERSION:
        raise ValueError(f"version {found['herse-incident']!a}, not {VERSION}")
    source = found["source"]
    if source is not None and type(source) is not int:
        raise TypeError("source is no number")
    values: dict[str, Any] = {name: _text(found[name]) for name in _TEXTS}
    values |= {name: _time(found[name]) for name in _TIMES}
    lists = {name: [] if name in _LATER else found[name] for name in _LISTS} | {
        name: found[name] for name in _LATER if name in found
    }
    values |= {name: tuple(_text(one) for one in lists[name]) for name in _LISTS}
    return Incident(
        **values,
        source=source,
        acts=tuple(
            Act(_time(one["at"]), *(_text(one[key]) for key in ("by", "what", "note"))) for one in found["acts"]
        ),
    )


def check_span(accounts: tuple[str, ...], since: datetime, until: datetime, at: datetime) -> None:
    """IncidentError if no event can lie in it."""
    if not accounts:
        raise IncidentError("no account is named; expected at least one: --account IDENTIFIER")
    if until <= since:
        raise IncidentError(
            f"the interval ends {until.isoformat()}, which is not after its beginning {since.isoformat()}; expected "
            "--to later than --from"
        )
    if since > at:
        raise IncidentError(f"the interval begins {since.isoformat()}, which is to come; expected a time that has been")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!a} is no text")
    return value


def _time(value: object) -> datetime:
    found = datetime.fromisoformat(_text(value))
    if found.utcoffset() != timedelta(0):
        raise ValueError(f"{value!a} is no time in UTC")
    return found
