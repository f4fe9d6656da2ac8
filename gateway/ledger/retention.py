# SPDX-License-Identifier: EUPL-1.2
"""How long each kind of event is kept, and which events may go at a moment. Pure.

Four classes, each kind in exactly one. What tells of security is kept for twelve months, what was disclosed for
thirty-six (CNIL, deliberation 2021-122); what proves the rest as long as the longer of the two; and what tells of a
deletion for ever, since without it nobody could say of a leaf that its row went as it should. Never here: rows, the
order in which they go (`sweep`), what a deletion event says (`deletion`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from gateway.ledger.event import EPOCH, MICROSECOND, microseconds
from gateway.model import EventKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.ledger.span import Span


class Keep(StrEnum):
    """A class of events, by its name in settings, deletion events and the README."""

    SECURITY = "security"
    DISCLOSURES = "disclosures"
    PROOF = "proof"
    ALWAYS = "always"


SECURITY_MONTHS: Final = 12
DISCLOSURES_MONTHS: Final = 36
MONTHS_AT_LEAST: Final = 6
"""The eight weeks of an account's own past, with the 90 days before them that tell who was new, are 146 days; where an
account is at home, 30. How far a policy counts back (`known_for`, budgets) is asked of the policy: see `rules_at`."""
MONTHS_AT_MOST: Final = 240
DAILY_AT_MOST: Final = timedelta(days=31)
"""So much of the time of a class goes in one day by itself: a clock set years ahead empties no ledger overnight."""

CLASSES: Final[Mapping[Keep, frozenset[EventKind]]] = {
    Keep.DISCLOSURES: frozenset({EventKind.ATTEMPT, EventKind.LOOKUP, EventKind.LOOKUP_MISSED}),
    Keep.PROOF: frozenset(
        {
            EventKind.DATA_KEY,
            EventKind.TELESERVICE_CLOSED,
            EventKind.TELESERVICE_OPENED,
            EventKind.PORTAL_CLOSED,
            EventKind.PORTAL_OPENED,
            EventKind.NOTICE_SET,
            EventKind.NOTICE_CLEARED,
            EventKind.INCIDENT_OPENED,
            EventKind.INCIDENT_CHANGED,
            EventKind.INCIDENT_EXAMINED,
            EventKind.INCIDENT_EXPORTED,
            EventKind.INCIDENT_DRAFTED,
            EventKind.INCIDENT_CLOSED,
            EventKind.REPORTED,
            EventKind.LEDGER_READ,
            EventKind.LEDGER_RESTORED,
        }
    ),
    Keep.ALWAYS: frozenset({EventKind.EVENTS_DELETED}),
    Keep.SECURITY: frozenset(
        {
            EventKind.ACCOUNT_CREATED,
            EventKind.ACCOUNT_LOCKED,
            EventKind.ACCOUNT_UNLOCKED,
            EventKind.ACCOUNT_WOKEN,
            EventKind.INVITED,
            EventKind.PASSWORD_SET,
            EventKind.PASSWORD_CHANGE_ASKED,
            EventKind.RESET_ASKED,
            EventKind.QUARANTINE_BEGUN,
            EventKind.QUARANTINE_ENDED,
            EventKind.RELEASE_ASKED,
            EventKind.RECOVERY_CODES_MADE,
            EventKind.RECOVERY_CODE_USED,
            EventKind.FACTOR_ADDED,
            EventKind.FACTOR_REMOVED,
            EventKind.MAIL_CHANGE_ASKED,
            EventKind.MAIL_CHANGED,
            EventKind.SSO_LINKED,
            EventKind.SSO_UNLINKED,
            EventKind.DELEGATION_GIVEN,
            EventKind.DELEGATION_ENDED,
            EventKind.DEVICE_NEW,
            EventKind.DEVICE_FORGOTTEN,
            EventKind.SIGN_IN,
            EventKind.SIGN_IN_FAILED,
            EventKind.STEP_UP,
            EventKind.STEP_UP_FAILED,
            EventKind.SIGN_OUT,
            EventKind.CHALLENGED,
            EventKind.REFUSED,
            EventKind.OBSERVED,
            EventKind.ALERTED,
            EventKind.SESSIONS_ENDED,
        }
    ),
}
CLASS_OF: Final[Mapping[str, Keep]] = {str(kind): keep for keep, kinds in CLASSES.items() for kind in kinds}
"""The class of each kind by its name. A kind of a newer version has none, and is kept."""

ORDER: Final = (Keep.SECURITY, Keep.DISCLOSURES, Keep.PROOF)
"""In which order classes go: a data key after the numbers sealed with it."""

_BEFORE_SPAN: Final = timedelta(hours=24)
"""An incident looks for the beginning of a session a day back."""
_AFTER_SPAN: Final = timedelta(hours=2)
"""And for data keys two hours either way."""


@dataclass(frozen=True, slots=True)
class Periods:
    """How many months."""

    security: int = SECURITY_MONTHS
    disclosures: int = DISCLOSURES_MONTHS

    def months(self, keep: Keep) -> int | None:
        """Of one class; None: for ever."""
        if keep is Keep.ALWAYS:
            return None
        longest = max(self.security, self.disclosures)
        return {Keep.SECURITY: self.security, Keep.DISCLOSURES: self.disclosures}.get(keep, longest)


@dataclass(frozen=True, slots=True)
class Rules:
    """What may go. `before`: the midnight before which the time of a class is over, in microseconds since 1970."""

    before: Mapping[Keep, int]
    holds: tuple[tuple[frozenset[str], int, int], ...] = ()
    """Accounts of open incidents, from when to when."""

    def over(self, kind: str, account: str, at: int) -> bool:
        """Whether the time of an event is over, and no open incident holds it."""
        keep = CLASS_OF.get(kind, Keep.ALWAYS)
        return at < self.before.get(keep, at) and not self.held(account, at)

    def held(self, account: str, at: int) -> bool:
        """Whether an open incident is about it; what is of nobody's account is about everybody."""
        return any(since <= at < until and (not account or account in names) for names, since, until in self.holds)


def rules_at(
    at: datetime, periods: Periods, holds: Iterable[Span] = (), counted_back: timedelta = timedelta(0)
) -> Rules:
    """The rules of a day. `counted_back`: how far back the policy in force counts, which is kept in any case."""
    counted = midnight(at - counted_back)
    before = {keep: microseconds(min(months_before(at, periods.months(keep) or 0), counted)) for keep in ORDER}
    return Rules(
        before,
        tuple(
            (frozenset(span.accounts), microseconds(span.since - _BEFORE_SPAN), microseconds(span.until + _AFTER_SPAN))
            for span in holds
        ),
    )


def of_one_day(rules: Rules, keep: Keep, oldest: int) -> Rules:
    """The same rules, but for what of a class is younger than its oldest event that is over by DAILY_AT_MOST."""
    end = microseconds(midnight(EPOCH + oldest * MICROSECOND + DAILY_AT_MOST))
    return replace(rules, before={**rules.before, keep: min(rules.before[keep], end)})


def months_before(at: datetime, months: int) -> datetime:
    """The midnight (UTC) so many calendar months ago; the last day of a month that is shorter."""
    day = at.astimezone(UTC).date()
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    for number in range(day.day, 27, -1):
        try:
            return datetime(year, month + 1, number, tzinfo=UTC)
        except ValueError:
            continue
    return datetime(year, month + 1, min(day.day, 27), tzinfo=UTC)


def midnight(at: datetime) -> datetime:
    """The beginning of its day, UTC."""
    return datetime.combine(at.astimezone(UTC).date(), datetime.min.time(), UTC)
