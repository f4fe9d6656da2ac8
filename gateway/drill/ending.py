# SPDX-License-Identifier: EUPL-1.2
"""How a drill ends: with the incident that its alerts call for, and whether its list is whom the portal served.

The robot has stopped. An incident is opened for the accounts that were alerted since the attack began, from the
beginning of the sessions in which they were; where the portal knows of more, it is widened as an investigation would
(all hijacked accounts, the whole attack), and what the alerts alone would have missed is told. Of the addresses those
are named from which alerts or robots came and no holder was served: so that the list is of people a thief saw.
Where robots sat on the holders' own machines nothing in the ledger tells the two apart; the list then has everybody,
and each holder claims his own look-ups, one by one. People are never left out because an account had seen them before
(`--minus-honest`): a thief sees known people too, and the equality would be a lie.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from gateway.drill.accounts import ORIGIN
from gateway.drill.simulation import START
from gateway.incident.drafts import Facts, write_drafts
from gateway.incident.export import write_opened
from gateway.incident.exposed import exposed
from gateway.incident.incident import Act, Incident
from gateway.incident.kept import INCIDENTS_FOLDER, Incidents
from gateway.incident.people import officers_of, people
from gateway.incident.proofs import write_proofs
from gateway.incident.unsealing import Unsealing
from gateway.ledger.exposure import open_exposure
from gateway.ledger.seal import Unsealer
from gateway.ledger.sealer import Sealer
from gateway.ledger.span import Span
from gateway.ledger.store import open_ledger
from gateway.ledger.tree_rows import open_tree_store
from gateway.model import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from gateway.drill.people import People
    from gateway.drill.witness import Served, Witness
    from gateway.ledger.event import StoredEvent
    from gateway.ledger.exposure import ExposureReader
    from gateway.ledger.note import SigningKey
    from gateway.ledger.officer_key import OfficerKey

LEDGER_FILE: Final = "ledger.db"
LIST_FILE: Final = "list.jsonl"
DRAFTS_FOLDER: Final = "drafts"
CHECKPOINT_FILE: Final = "checkpoint.txt"
_BY: Final = "the drill"
_REASON: Final = "the drill's alerts"
_SECOND: Final = timedelta(seconds=1)
_ACTS: Final = {
    "opened": EventKind.INCIDENT_OPENED,
    "examined": EventKind.INCIDENT_EXAMINED,
    "exported": EventKind.INCIDENT_EXPORTED,
    "drafted": EventKind.INCIDENT_DRAFTED,
}


@dataclass(frozen=True, slots=True)
class Ended:
    """One incident and its list. People are different ones; `addresses` 0: all.

    `people_listed`: in the list; `claimed`: of these, whose every look-up there is a holder's own by his word;
    `people_served`: whom the portal served to the robot; `missing`: of these, who is not in the list; `surplus`: in the
    list, not claimed, and not served to the robot. `looks_wrong`: people whose look-ups in the list are not as many as
    the portal's. `missed_by_alerts`: whom the incident that the alerts name would not have listed.
    """

    incident: str | None
    accounts: int
    addresses: int
    people_listed: int
    claimed: int
    people_served: int
    missing: int
    surplus: int
    looks_wrong: int
    missed_by_alerts: int

    @property
    def exact(self) -> bool:
        """Whether the list is whom the portal served, nobody more and nobody less."""
        return not (self.missing or self.surplus or self.looks_wrong)


@dataclass(frozen=True, slots=True)
class Kept:
    """A scenario that was kept: its folder with the ledger in it, and what is needed to end it.

    `began`, `ends`: of the attack, in seconds. `key` signs the ledger; `officer` opens its numbers.
    """

    folder: Path
    witness: Witness
    people: People
    officer: OfficerKey
    key: SigningKey
    began: float
    ends: float

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.folder / LEDGER_FILE

    @property
    def until(self) -> datetime:
        """The first moment after all."""
        return START + timedelta(seconds=self.ends) + _SECOND


def sign(kept: Kept) -> None:
    """Seal the ledger, and leave its checkpoint beside it, as an auditor would keep it."""
    with closing(open_tree_store(kept.ledger)) as store:
        head = Sealer(store, kept.key).seal(kept.until, timedelta(days=1))
    if head is not None:
        (kept.folder / CHECKPOINT_FILE).write_text(head.note, encoding="utf-8")


def end(kept: Kept, alerted: Iterable[str]) -> Ended:
    """Open the incident, list, draft, compare. `alerted`: the accounts that alerts name. Files appear in the folder."""
    robbed = [one for one in kept.witness.served if one.robot]
    with closing(open_exposure(kept.ledger)) as reader:
        about = _named(reader, kept, sorted(alerted))
        caught = {one.person for one in robbed if _within(one, about)}
        missed = len({one.person for one in robbed} - caught)
        if missed:
            began = START + timedelta(seconds=kept.began)
            accounts = tuple(sorted({*about.accounts, *(one.account for one in robbed)}))
            about = replace(about, accounts=accounts, since=min(about.since, began))
        if not about.accounts:
            sign(kept)
            return Ended(None, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        alerts = reader.told(about, {EventKind.ALERTED})
        about = replace(about, networks=_foreign(kept.witness.served, alerts, about))
        incident = _opened(kept, about, alerts)
        sign(kept)
        _list(kept, reader, about)
        _draft(kept, reader, incident, alerts)
    return compared(_read(kept), kept.witness.served, incident, missed)


def _named(reader: ExposureReader, kept: Kept, names: Sequence[str]) -> Span:
    """The accounts that alerts name since the attack began, from the earliest beginning of such a session."""
    span = Span(tuple(names), START + timedelta(seconds=kept.began), kept.until)
    first: dict[str, datetime] = {}
    for stored in reader.told(span, {EventKind.ALERTED}) if names else ():
        event = stored.event
        if event.account not in first:
            begun = reader.session_began(event.account, event.session, event.at) if event.session else None
            first[event.account] = begun or event.at
    return replace(span, accounts=tuple(first), since=min(first.values(), default=span.since))


def _foreign(served: Iterable[Served], alerts: Iterable[StoredEvent], about: Span) -> tuple[str, ...]:
    """Addresses that alerts name or robots were served from, and no holder; none (all), if they shared one."""
    found: dict[bool, set[str]] = {True: set(), False: set()}
    for one in served:
        if _within(one, about):
            found[one.robot].add(one.network)
    robots, holders = found[True], found[False]
    named = robots | {alert.event.network for alert in alerts if alert.event.network}
    return () if robots & holders else tuple(sorted(named - holders))


def _within(one: Served, about: Span) -> bool:
    at = START + timedelta(seconds=one.at)
    named = one.account in about.accounts and about.since <= at < about.until
    return named and (not about.networks or one.network in about.networks)


def _opened(kept: Kept, about: Span, alerts: Sequence[StoredEvent]) -> Incident:
    """The incident in its file, and on record for each account with all that is about to be asked of the ledger."""
    at = kept.until
    aware_at, source = (alerts[0].event.at, alerts[0].sequence) if alerts else (at, None)

    def made(number: str) -> Incident:
        first = Incident(number, at, aware_at, _BY, _REASON, about.accounts, about.since, about.until, source=source)
        for act in _ACTS:
            first = first.done(Act(at, _BY, act, _REASON))
        return replace(first, networks=about.networks)

    incident = Incidents(kept.folder / INCIDENTS_FOLDER).open(at, made)
    details = f"incident {incident.id}, by {_BY}"
    with closing(open_ledger(kept.ledger)) as ledger:
        ledger.append_now(
            [Event(kind, name, at, details=details) for kind in _ACTS.values() for name in about.accounts]
        )
    return incident


def _list(kept: Kept, reader: ExposureReader, about: Span) -> None:
    """The list with the officer's key, if there is anybody to list."""
    if not reader.count(about):
        return
    keys = list(reader.data_keys(about))
    unsealing = Unsealing([Unsealer(kept.officer)])
    unsealing.learn(keys)
    write_opened(kept.folder / LIST_FILE, people(reader.looks(about, sealed=True), officers_of(keys)), unsealing)


def _draft(kept: Kept, reader: ExposureReader, incident: Incident, alerts: Sequence[StoredEvent]) -> None:
    """The notifications, with the proofs of the complaint."""
    found, key = exposed(reader.looks(incident.span), incident.span), kept.key.verifier().text()
    facts = Facts(incident, found, incident.opened_at, (), tuple(alerts), ORIGIN)
    with closing(open_tree_store(kept.ledger, writes=False)) as store:
        prove = partial(write_proofs, rows=reader.rows(incident.span), store=store, key=key)
        write_drafts(kept.folder / DRAFTS_FOLDER, facts, prove)


def _read(kept: Kept) -> Counter[int | None]:
    """The list as whoever got it would read it: people, by their number, and how often each was looked up."""
    found: Counter[int | None] = Counter()
    path = kept.folder / LIST_FILE
    if path.exists():
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                told = json.loads(line)
                found[kept.people.find(told["nir"])] += told["looks"]
    return found


def compared(
    listed: Counter[int | None], served: Iterable[Served], incident: Incident, missed_by_alerts: int = 0
) -> Ended:
    """The list against the portal's word. `listed`: how often each person was looked up; None is nobody it knows."""
    within: dict[bool, Counter[int | None]] = {True: Counter(), False: Counter()}
    robbed: set[int | None] = set()
    for one in served:
        if one.robot:
            robbed.add(one.person)
        if _within(one, incident.span):
            within[one.robot][one.person] += 1
    claimed = {person for person, looks in listed.items() if within[False][person] >= looks}
    whole = within[True] + within[False]
    return Ended(
        incident=incident.id,
        accounts=len(incident.accounts),
        addresses=len(incident.networks),
        people_listed=len(listed),
        claimed=len(claimed),
        people_served=len(robbed),
        missing=len(robbed - listed.keys()),
        surplus=len(listed.keys() - claimed - robbed),
        looks_wrong=sum(listed[person] != whole[person] for person in listed.keys() | whole.keys()),
        missed_by_alerts=missed_by_alerts,
    )
