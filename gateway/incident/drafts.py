# SPDX-License-Identifier: EUPL-1.2
"""Drafts, in French, of what an incident makes due: authorities, people, professionals, the complaint. Nothing is sent.

All that the ledger and the incident know is filled in; what only a person can know is marked `[À COMPLÉTER : …]`. The
words stand in the templates of `pages`; here is what they are told.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from shutil import rmtree
from typing import TYPE_CHECKING, Any, Final

from gateway.errors import HerseError
from gateway.incident.incident import IncidentError
from gateway.ledger.event import EPOCH
from gateway.model import EventKind
from gateway.pages.category_words import category_names, kinds_told, unknown_categories
from gateway.pages.event_words import reason_sentence, sentence
from gateway.pages.render import french_text
from gateway.whole_file import sync

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from gateway.incident.exposed import Exposure, Tally
    from gateway.incident.incident import Incident
    from gateway.incident.proofs import Proved
    from gateway.ledger.event import StoredEvent

MEASURES: Final = frozenset(
    {
        EventKind.ACCOUNT_LOCKED,
        EventKind.ACCOUNT_UNLOCKED,
        EventKind.PASSWORD_CHANGE_ASKED,
        EventKind.PASSWORD_SET,
        EventKind.QUARANTINE_BEGUN,
        EventKind.QUARANTINE_ENDED,
        EventKind.SESSIONS_ENDED,
        EventKind.TELESERVICE_CLOSED,
        EventKind.TELESERVICE_OPENED,
        EventKind.PORTAL_CLOSED,
        EventKind.PORTAL_OPENED,
    }
)
"""What was done to an account, or to all, to stop the thief, or to let the holders in again."""
DRAFTS: Final = {
    "0-LISEZ-MOI": "incident_readme",
    "1-anssi-cert-fr": "incident_anssi",
    "2-cert-sante": "incident_cert_sante",
    "3-cnil-notification-initiale": "incident_cnil",
    "4-cnil-notification-complementaire": "incident_cnil",
    "5-lettre-aux-personnes": "incident_person",
    "7-plainte": "incident_complaint",
}
"""Files and their templates; one for each professional comes between."""
_PROFESSIONAL: Final = "6-professionnel-{account}"
_COMPLEMENTARY: Final = "4-cnil-notification-complementaire"
_ADDRESSES: Final = 50
PROOFS_FOLDER: Final = "7-plainte-preuves"
PROOFS_README: Final = "LISEZ-MOI.txt"
_NO_BRACKETS: Final = str.maketrans("[]", "()")
"""They mark what is left open."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known. `measures`: MEASURES on its accounts since it began; `alerts`: the alerts within the interval.

    `proofs`: what lies in PROOFS_FOLDER; None if nothing does, and `unproved` says why.
    """

    incident: Incident
    found: Exposure
    at: datetime
    measures: tuple[StoredEvent, ...]
    alerts: tuple[StoredEvent, ...]
    origin: str
    proofs: Proved | None = None
    unproved: str = ""


def drafts(facts: Facts) -> dict[str, str]:
    """The drafts by the name of their file."""
    told = _told(facts)
    found = {}
    for name, template in DRAFTS.items():
        found[f"{name}.txt"] = french_text(template, **told, complementary=name == _COMPLEMENTARY)
    for account in facts.incident.accounts:
        name = _PROFESSIONAL.format(account=account)
        found[f"{name}.txt"] = french_text("incident_professional", **told, **_of_account(facts, account))
    return dict(sorted(found.items()))


def write_drafts(folder: Path, facts: Facts, prove: Callable[[Path], Proved] | None = None) -> list[str]:
    """Write them into a folder that is new or empty, which appears with all of them; their names.

    `prove` writes the ledger's proofs into a folder it makes. Where it cannot, the drafts say why: they do not wait.
    """
    folder = folder.absolute()
    making = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.new")
    try:
        making.mkdir(mode=0o700, parents=True)
        if prove is not None:
            facts = _proved(facts, making / PROOFS_FOLDER, prove)
        texts = drafts(facts)
        if facts.proofs is not None:
            texts[f"{PROOFS_FOLDER}/{PROOFS_README}"] = french_text("incident_proofs", **_told(facts))
        for name, text in texts.items():
            (making / name).write_text(text, encoding="utf-8")
            sync(making / name)
        making.replace(folder)  # over an empty folder, never over one with files
        sync(folder.parent)
    except OSError as error:
        raise IncidentError(
            f"{folder} cannot be written ({error.strerror}); expected a new or an empty folder on a disk with room: "
            "name another one"
        ) from error
    finally:
        rmtree(making, ignore_errors=True)
    return list(texts)


def _proved(facts: Facts, folder: Path, prove: Callable[[Path], Proved]) -> Facts:
    try:
        return replace(facts, proofs=prove(folder), unproved="")
    except HerseError as error:
        rmtree(folder, ignore_errors=True)
        return replace(facts, proofs=None, unproved=str(error).translate(_NO_BRACKETS))


def _told(facts: Facts) -> dict[str, Any]:
    incident, found = facts.incident, facts.found
    ordered = sorted(found.accounts.items(), key=lambda one: (-one[1].people, one[0]))
    return {
        "incident": incident,
        "at": facts.at,
        "late": facts.at > incident.due_at,
        "origin": facts.origin,
        "proofs": facts.proofs,
        "proofs_folder": PROOFS_FOLDER,
        "unproved": facts.unproved,
        "whole": _tally(found.whole),
        "unnamed": found.unnamed,
        "accounts": [{"name": name, **_tally(tally)} for name, tally in ordered],
        "teleservices": [{"name": name or "(sans nom)", **_tally(one)} for name, one in _most(found.teleservices)],
        "networks": [{"name": name or "(inconnue)", **_tally(one)} for name, one in _most(found.networks)],
        "more_networks": max(0, len(found.networks) - _ADDRESSES),
        "categories": category_names(found.categories),
        "kinds": kinds_told(found.categories, found.whole.people),
        "others": unknown_categories(found.categories),
        "measures": [_event(one) for one in facts.measures],
        "alerts": [_event(one) for one in facts.alerts],
        "first_alert": facts.alerts[0].event.at if facts.alerts else None,
    }


def _of_account(facts: Facts, account: str) -> dict[str, Any]:
    tally = facts.found.accounts.get(account)
    return {
        "account": account,
        "own": None if tally is None else _tally(tally),
        "own_measures": [_event(one) for one in facts.measures if one.event.account == account],
        "locked": account in facts.incident.frozen,
    }


def _most(tallies: dict[str, Tally]) -> list[tuple[str, Tally]]:
    return sorted(tallies.items(), key=lambda one: (-one[1].people, one[0]))[:_ADDRESSES]


def _tally(tally: Tally) -> dict[str, Any]:
    return {
        "people": tally.people,
        "looks": tally.looks,
        "first": _moment(tally.first),
        "last": _moment(tally.last),
        "first_row": tally.first_row,
        "last_row": tally.last_row,
    }


def _event(stored: StoredEvent) -> dict[str, Any]:
    event = stored.event
    why = reason_sentence(event.reason, "fr") or event.reason or ""
    words = sentence(event.kind, "fr")
    return {"at": event.at, "account": event.account, "words": words, "why": why, "sequence": stored.sequence}


def _moment(at: int | None) -> datetime | None:
    return None if at is None else EPOCH + timedelta(microseconds=at)
