# SPDX-License-Identifier: EUPL-1.2
"""The lines of a trace: as a table to read, CSV for French spreadsheets, or JSON Lines for programs. Pure.

The words are those of « Mes derniers événements », and what that page leaves out is left out here, unless the whole is
asked for: figures and reasons of alerts teach who goes round them. A person is a mark that joins the lines of one trace
and no others. Never here: a pseudonym, a patient number.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from gateway.incident.listing import csv_row
from gateway.model import AlertReason, EventKind, Reason
from gateway.pages.category_words import category_names
from gateway.pages.device import readable_device
from gateway.pages.event_words import by_whom, method_name, reason_sentence, sentence
from gateway.pages.when import PARIS, iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.ledger.event import StoredEvent
    from gateway.model import Event
    from gateway.pages.language import Language

FORMATS: Final = ("table", "csv", "jsonl")
_MARK_BYTES: Final = 6
_COLUMNS: Final[dict[Language, tuple[str, ...]]] = {
    "fr": (
        *("date", "evenement", "compte", "teleservice", "personne", "donnees", "par", "delegation", "moyen", "motif"),
        *("adresse", "appareil", "session", "code", "numero", "details"),
    ),
    "en": (
        *("date", "event", "account", "service", "person", "data", "by", "delegation", "means", "reason"),
        *("address", "device", "session", "code", "number", "details"),
    ),
}
"""The first line of the CSV. The last column is filled where the whole is asked for."""


class TraceLines:
    """`titles` of teleservices by name; `mark_key`: 32 random bytes of this trace alone."""

    def __init__(
        self,
        language: Language,
        titles: Mapping[str, str],
        mark_key: bytes,
        *,
        provider: str | None = None,
        whole: bool = False,
    ) -> None:
        self._language: Language = language
        self._titles = titles
        self._mark_key = mark_key
        self._provider = provider
        self._whole = whole

    def heading(self, form: str) -> str:
        """What stands before the lines."""
        return csv_row(_COLUMNS[self._language]) if form == "csv" else ""

    def line(self, form: str, stored: StoredEvent) -> str:
        """One event, with its line feed."""
        match form:
            case "csv":
                return csv_row(self._cells(stored))
            case "jsonl":
                return json.dumps(self._plain(stored), ensure_ascii=False) + "\n"
            case _:
                return self._row(stored)

    def _cells(self, stored: StoredEvent) -> tuple[str, ...]:
        event, language = stored.event, self._language
        return (
            self._date(event),
            self._sentence(event, None),
            event.account,
            self._title(event) or "",
            self._mark(event) or "",
            self._categories(event),
            event.holder or "",
            event.delegate or "",
            method_name(event.method, language, self._provider),
            self._why(event),
            event.network or "",
            readable_device(event.device, language) if event.device else "",
            event.session or "",
            str(event.kind),
            str(stored.sequence),
            (event.details or "") if self._whole else "",
        )

    def _plain(self, stored: StoredEvent) -> dict[str, Any]:
        """As the page's own JSON, one event at a time."""
        event = stored.event
        told: dict[str, Any] = {
            "sequence": stored.sequence,
            "at": iso(event.at),
            "kind": str(event.kind),
            "account": event.account,
            "teleservice": event.teleservice,
            "person": self._mark(event),
            "categories": list(event.categories),
            "reason": event.reason if self._whole else _told(event.reason),
            "network": event.network,
            "device": event.device,
            "method": event.method,
            "session": event.session,
            "holder": event.holder,
            "delegate": event.delegate,
            "status": event.status,
        }
        return told | {"details": event.details} if self._whole else told

    def _row(self, stored: StoredEvent) -> str:
        event, language = stored.event, self._language
        mark = self._mark(event)
        more = (
            ("personne " if language == "fr" else "person ") + mark if mark else "",
            self._categories(event),
            by_whom(event.holder, language, delegate=event.delegate is not None),
            method_name(event.method, language, self._provider),
            self._why(event),
            event.network or "",
            readable_device(event.device, language) if event.device else "",
            (event.details or "") if self._whole else "",
        )
        words = self._sentence(event, self._title(event))
        return f"{self._date(event)}  " + " · ".join(part for part in (words, *more) if part) + "\n"

    def _date(self, event: Event) -> str:
        there = event.at.astimezone(PARIS)
        return f"{there:%d/%m/%Y %H:%M:%S}" if self._language == "fr" else f"{there:%Y-%m-%d %H:%M:%S}"

    def _sentence(self, event: Event, title: str | None) -> str:
        return sentence(event.kind, self._language, title)

    def _title(self, event: Event) -> str | None:
        return None if event.teleservice is None else self._titles.get(event.teleservice, event.teleservice)

    def _categories(self, event: Event) -> str:
        return category_names(event.categories) if self._language == "fr" else ", ".join(event.categories)

    def _why(self, event: Event) -> str:
        """The page's sentence; with the whole the word itself where there is none, such as an operator's reason."""
        return reason_sentence(event.reason, self._language, self._provider) or (
            (event.reason or "") if self._whole else ""
        )

    def _mark(self, event: Event) -> str | None:
        if event.pseudonym is None or event.kind is EventKind.LEDGER_READ:
            return None
        return blake2b(event.pseudonym, digest_size=_MARK_BYTES, key=self._mark_key).hexdigest()


def _told(reason: str | None) -> str | None:
    """As the page has it: that a number was a decoy is for the support to know."""
    return Reason.SEARCH_REFUSED if reason == AlertReason.DECOY else reason
