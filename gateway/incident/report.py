# SPDX-License-Identifier: EUPL-1.2
"""An incident and its figures in words for a terminal, and as JSON. The keys of the JSON are held by tests."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from gateway.ledger.event import EPOCH

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from gateway.incident.exposed import Exposure, Tally
    from gateway.incident.incident import Incident

_SHOWN: Final = 20
_HOUR: Final = timedelta(hours=1)


def clock_sentence(incident: Incident, at: datetime) -> str:
    """How much of the 72 hours is left: `41.5 h of 72 left, until 2026-11-23T09:00:00Z`."""
    left = (incident.due_at - at) / _HOUR
    due = f"{incident.due_at:%Y-%m-%dT%H:%M:%SZ}"
    if left >= 0:
        return f"{left:.1f} h of 72 left to notify the CNIL, until {due}"
    return f"the 72 h to notify the CNIL ended {-left:.1f} h ago, {due}: notify now, with the reasons"


def incident_text(incident: Incident, at: datetime) -> str:
    """One incident, whole."""
    closed = incident.closed_at
    lines = [
        f"Incident {incident.id}: {'open' if closed is None else f'closed {_time(closed)}'}",
        f"  {clock_sentence(incident, at)}",
        f"  aware since   {_time(incident.aware_at)}",
        f"  opened        {_time(incident.opened_at)} by {incident.opened_by}",
        f"  reason        {incident.reason}",
        f"  interval      {_time(incident.since)} to before {_time(incident.until)}",
        f"  teleservices  {', '.join(incident.teleservices) or 'all'}",
        f"  addresses     {', '.join(incident.networks) or 'all'}",
        f"  accounts      {', '.join(incident.accounts)}",
        f"  locked by it  {', '.join(incident.frozen) or 'none (herse incident change --freeze)'}",
    ]
    if incident.source is not None:
        lines.append(f"  began with    event {incident.source} of the ledger")
    lines.append("  what was done:")
    lines += [f"    {_time(act.at)}  {act.what} by {act.by}: {act.note}" for act in incident.acts]
    return "\n".join(lines)


def incident_line(incident: Incident, at: datetime) -> str:
    """One incident on a line of a list."""
    state = clock_sentence(incident, at) if incident.closed_at is None else f"closed {_time(incident.closed_at)}"
    return f"{incident.id}  {len(incident.accounts)} accounts, {incident.reason}; {state}"


def exposure_json(incident: Incident, found: Exposure, known_days: int | None) -> dict[str, Any]:
    """The figures as plain values."""
    return {
        "incident": incident.id,
        "since": _time(incident.since),
        "until": _time(incident.until),
        **_plain(found.whole),
        "categories": dict(sorted(found.categories.items())),
        "accounts": _all(found.accounts),
        "teleservices": _all(found.teleservices),
        "networks": _all(found.networks),
        "unnamed": found.unnamed,
        "minus_honest": None if known_days is None else {"days": known_days, "people": found.known},
    }


def exposure_text(incident: Incident, found: Exposure, known_days: int | None) -> str:
    """The figures as tables for a terminal."""
    return "\n".join(_lines(incident, found, known_days))


def as_json(values: Mapping[str, Any]) -> str:
    """One document."""
    return json.dumps(values, indent=1, ensure_ascii=False)


def _lines(incident: Incident, found: Exposure, known_days: int | None) -> Iterator[str]:
    whole = found.whole
    yield f"Incident {incident.id}: {whole.people:,} different people, {whole.looks:,} look-ups"
    if whole.first is not None and whole.last is not None:
        yield f"  first {_moment(whole.first)}, last {_moment(whole.last)}"
    if known_days is not None:
        yield (
            f"  Left out: {found.known:,} people of whom the same accounts had already been shown the same data in the "
            f"{known_days} days\n  before the interval. That was ordinary use of these accounts; it does not say that "
            "the thief did not see them.\n  The list of `herse incident export` has them."
        )
    if found.unnamed:
        yield (
            f"  Besides: {found.unnamed:,} disclosures in teleservices where nobody is counted (`uncounted`): whose "
            "data they\n  showed the ledger does not know."
        )
    yield "\n  categories of data                people"
    for name, people in sorted(found.categories.items(), key=lambda one: -one[1]):
        yield f"    {name:<30}{people:>10,}"
    for title, tallies in (
        ("accounts", found.accounts),
        ("teleservices", found.teleservices),
        ("addresses", found.networks),
    ):
        yield from _table(title, tallies)


def _table(title: str, tallies: Mapping[str, Tally]) -> Iterator[str]:
    yield f"\n  {title:<32}{'people':>10}{'look-ups':>12}  first                 last"
    ordered = sorted(tallies.items(), key=lambda one: (-one[1].people, one[0]))
    for name, tally in ordered[:_SHOWN]:
        first, last = (_moment(at) if at is not None else "" for at in (tally.first, tally.last))
        yield f"    {name or '(none)':<30}{tally.people:>10,}{tally.looks:>12,}  {first}  {last}"
    if len(ordered) > _SHOWN:
        yield f"    and {len(ordered) - _SHOWN:,} more: --json tells all"


def _all(tallies: Mapping[str, Tally]) -> dict[str, dict[str, Any]]:
    return {name: _plain(tally) for name, tally in sorted(tallies.items())}


def _plain(tally: Tally) -> dict[str, Any]:
    return {
        "people": tally.people,
        "looks": tally.looks,
        "first": None if tally.first is None else _moment(tally.first),
        "last": None if tally.last is None else _moment(tally.last),
        "first_event": tally.first_row,
        "last_event": tally.last_row,
    }


def _moment(at: int) -> str:
    return _time(EPOCH + timedelta(microseconds=at))


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
