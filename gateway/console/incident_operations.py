# SPDX-License-Identifier: EUPL-1.2
"""What operators do about an incident: open, change, note what was asked of the ledger, close. In the server and off
line.

The incident's file comes first, then what stops the thief (a lock of each account named), then one event for each
account, so that the ledger tells whose events were looked at, by whom and when. Who asks the ledger anything of an
incident is on record before he has the answer. Nothing is ever deleted.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from gateway.console.asked import text_of, texts_of
from gateway.console.asker import asker
from gateway.errors import HerseError, LedgerError
from gateway.identity.identifiers import parse_identifier, parse_label
from gateway.incident.incident import Act, Incident, IncidentError, check_span
from gateway.model import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from gateway.console.account_operations import AccountOperations
    from gateway.identity.accounts import Accounts
    from gateway.incident.kept import Incidents

    Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]

_text = partial(text_of, IncidentError)
_texts = partial(texts_of, IncidentError)

ACCOUNTS_AT_MOST: Final = 2_000
EVENTS_AT_ONCE: Final = 500
_TELESERVICE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_KINDS: Final = {
    "opened": EventKind.INCIDENT_OPENED,
    "changed": EventKind.INCIDENT_CHANGED,
    "examined": EventKind.INCIDENT_EXAMINED,
    "exported": EventKind.INCIDENT_EXPORTED,
    "drafted": EventKind.INCIDENT_DRAFTED,
    "closed": EventKind.INCIDENT_CLOSED,
}
_NOTED: Final = ("examined", "exported", "drafted")
_LONGEST_NAME: Final = 64


class IncidentOperations:
    """`append` makes one event durable; `operations` locks accounts."""

    def __init__(
        self,
        incidents: Incidents,
        accounts: Accounts,
        operations: AccountOperations,
        append: Callable[[Event], Awaitable[object]],
    ) -> None:
        self._incidents = incidents
        self._accounts = accounts
        self._operations = operations
        self._append = append

    async def open(self, asked: dict[str, Any], by: str, at: datetime) -> Incident:
        """A new incident with its events; IncidentError, AccountError: a bad value, and nothing is done."""
        accounts, teleservices, networks = self._named(asked), _teleservices(asked), _networks(asked)
        since, until, why = _time(asked, "since"), _time(asked, "until"), parse_label(_text(asked, "reason"), "reason")
        aware_at = at if asked.get("aware_at") is None else _time(asked, "aware_at")
        check_span(accounts, since, until, at)
        if aware_at > at:
            raise IncidentError(f"found {aware_at.isoformat()} as the moment of awareness; expected one that has been")
        source = asked.get("source")
        if source is not None and type(source) is not int:
            raise IncidentError(f"found {source!a} as the event it began with; expected a number")

        def made(number: str) -> Incident:
            first = Incident(number, at, aware_at, by, why, accounts, since, until, teleservices, source=source)
            return replace(first, networks=networks).done(Act(at, by, "opened", why))

        incident = await asyncio.to_thread(self._incidents.open, at, made)
        return await self._follow(incident, accounts if asked.get("freeze") is True else (), why)

    async def change(self, number: str, asked: dict[str, Any], by: str, at: datetime) -> Incident:
        """Add accounts, teleservices and addresses, move the interval. The clock goes on as it was."""
        before = self._open_one(number)
        added = self._named(asked)
        accounts = tuple(dict.fromkeys((*before.accounts, *added)))
        why = parse_label(_text(asked, "reason"), "reason")
        since = before.since if asked.get("since") is None else _time(asked, "since")
        until = before.until if asked.get("until") is None else _time(asked, "until")
        teleservices = _more(before.teleservices, _teleservices(asked))
        networks = _more(before.networks, _networks(asked))
        check_span(accounts, since, until, at)
        _check_at_most(accounts)
        changed = replace(before, accounts=accounts, since=since, until=until)
        changed = replace(changed, teleservices=teleservices, networks=networks)
        freeze = asked.get("freeze") is True
        if not freeze and changed == before:
            raise IncidentError(
                f"nothing would change in incident {number}; expected --account, --from, --to or --freeze"
            )
        changed = changed.done(Act(at, by, "changed", why))
        await asyncio.to_thread(self._incidents.put, changed)
        left = tuple(name for name in accounts if name not in changed.frozen)
        return await self._follow(changed, left if freeze else (), why)

    async def note(self, number: str, what: str, note: str, by: str, at: datetime) -> Incident:
        """Put on record what is asked of the ledger, before it is answered."""
        if what not in _NOTED:
            raise IncidentError(f"found {what!a} as what is done; expected one of: {', '.join(_NOTED)}")
        incident = self._incidents.find(number).done(Act(at, by, what, parse_label(note, "note")))
        await asyncio.to_thread(self._incidents.put, incident)
        return await self._follow(incident, (), None)

    async def close(self, number: str, reason: str, by: str, at: datetime) -> Incident:
        """Say that it is over. Everything is kept, and may still be asked."""
        why = parse_label(reason, "reason")
        incident = self._open_one(number).done(Act(at, by, "closed", why))
        await asyncio.to_thread(self._incidents.put, incident)
        return await self._follow(incident, (), why)

    def _open_one(self, number: str) -> Incident:
        incident = self._incidents.find(number)
        if incident.closed_at is not None:
            raise IncidentError(
                f"incident {number} was closed {incident.closed_at.isoformat()}; expected an open one: open another"
            )
        return incident

    def _named(self, asked: dict[str, Any]) -> tuple[str, ...]:
        """The accounts, each of which there is."""
        names = tuple(dict.fromkeys(parse_identifier(name) for name in _texts(asked, "accounts")))
        _check_at_most(names)
        unknown = [name for name in names if self._accounts.find(name) is None]
        if unknown:
            raise IncidentError(
                f"there is no account {', '.join(unknown)}; expected accounts of this gateway: compare the identifiers "
                "with those in the ledger. Nothing is done."
            )
        return names

    async def _follow(self, incident: Incident, freeze: Sequence[str], why: str | None) -> Incident:
        """What comes after the incident's file: locks, then events; the error says what stands."""
        act = incident.acts[-1]
        frozen: list[str] = []
        try:
            for name in freeze:
                await self._operations.lock(name, f"incident {incident.id}", act.at)
                frozen.append(name)
            if frozen:
                incident = replace(incident, frozen=(*incident.frozen, *frozen))
                await asyncio.to_thread(self._incidents.put, incident)
            await self._record(incident, act, why)
        except HerseError as error:
            told = f"; locked: {', '.join(frozen)}" if frozen else ""
            kind = LedgerError if isinstance(error, LedgerError) else IncidentError
            raise kind(
                f"incident {incident.id} is kept as {act.what}{told}, but not all that follows: {error}"
            ) from error
        return incident

    async def _record(self, incident: Incident, act: Act, why: str | None) -> None:
        details = f"incident {incident.id}, by {act.by}: {act.note}"
        kind = _KINDS[act.what]
        events = [Event(kind, name, act.at, reason=why, details=details) for name in incident.accounts]
        for first in range(0, len(events), EVENTS_AT_ONCE):
            await asyncio.gather(*map(self._append, events[first : first + EVENTS_AT_ONCE]))


def incident_handlers(operations: IncidentOperations, clock: Callable[[], datetime]) -> dict[str, Handler]:
    """The commands by name, from and to plain JSON values; each gives the incident."""

    async def opened(asked: dict[str, Any]) -> dict[str, Any]:
        return (await operations.open(asked, _by(), clock())).plain()

    async def changed(asked: dict[str, Any]) -> dict[str, Any]:
        return (await operations.change(_text(asked, "id"), asked, _by(), clock())).plain()

    async def noted(asked: dict[str, Any]) -> dict[str, Any]:
        number, what, note = (_text(asked, name) for name in ("id", "what", "note"))
        return (await operations.note(number, what, note, _by(), clock())).plain()

    async def closed(asked: dict[str, Any]) -> dict[str, Any]:
        return (await operations.close(_text(asked, "id"), _text(asked, "reason"), _by(), clock())).plain()

    return {
        "incident.open": opened,
        "incident.change": changed,
        "incident.note": noted,
        "incident.close": closed,
    }


def _by() -> str:
    """The Unix user, by the kernel's word."""
    return (asker() or "unknown")[:_LONGEST_NAME]


def _check_at_most(accounts: Sequence[str]) -> None:
    if len(accounts) > ACCOUNTS_AT_MOST:
        raise IncidentError(
            f"found {len(accounts)} accounts; expected at most {ACCOUNTS_AT_MOST}: open several incidents"
        )


def _more(before: tuple[str, ...], named: tuple[str, ...]) -> tuple[str, ...]:
    """None named means all: naming some would make an incident narrower, and it only ever grows."""
    return tuple(dict.fromkeys((*before, *named))) if before else ()


def _networks(asked: dict[str, Any]) -> tuple[str, ...]:
    """Addresses as the ledger writes them."""
    try:
        return tuple(dict.fromkeys(str(ip_address(text)) for text in _texts(asked, "networks")))
    except ValueError as error:
        raise IncidentError(
            f"{error}; expected an address as `herse incident exposed` tells it, such as 192.0.2.7"
        ) from None


def _teleservices(asked: dict[str, Any]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(_texts(asked, "teleservices")))
    for name in names:
        if not _TELESERVICE.fullmatch(name):
            raise IncidentError(f"found {name!a} as teleservice; expected its name in the policy, such as infopatient")
    return names


def _time(asked: dict[str, Any], name: str) -> datetime:
    text = _text(asked, name)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.utcoffset() != timedelta(0):
        raise IncidentError(f"found {text!a} as {name}; expected a time in UTC such as 2026-11-20T08:00:00+00:00")
    return found
