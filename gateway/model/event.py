# SPDX-License-Identifier: EUPL-1.2
"""What the ledger keeps: Event, its kinds, why one is an alert, and the Receipt of a durable one."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime


class EventKind(StrEnum):
    """What happened to an account, as the ledger and « Mes derniers événements » name it.

    What operators switch for everybody happens to none: its account is empty.
    """

    ACCOUNT_CREATED = "account-created"
    ACCOUNT_LOCKED = "account-locked"
    ACCOUNT_UNLOCKED = "account-unlocked"
    ACCOUNT_WOKEN = "account-woken"
    INVITED = "invited"
    PASSWORD_SET = "password-set"  # noqa: S105
    PASSWORD_CHANGE_ASKED = "password-change-asked"  # noqa: S105
    RESET_ASKED = "reset-asked"
    QUARANTINE_BEGUN = "quarantine-begun"
    QUARANTINE_ENDED = "quarantine-ended"
    RELEASE_ASKED = "release-asked"
    RECOVERY_CODES_MADE = "recovery-codes-made"
    RECOVERY_CODE_USED = "recovery-code-used"
    FACTOR_ADDED = "factor-added"
    FACTOR_REMOVED = "factor-removed"
    MAIL_CHANGE_ASKED = "mail-change-asked"
    MAIL_CHANGED = "mail-changed"
    SSO_LINKED = "sso-linked"
    SSO_UNLINKED = "sso-unlinked"
    DELEGATION_GIVEN = "delegation-given"
    DELEGATION_ENDED = "delegation-ended"
    DEVICE_NEW = "device-new"
    DEVICE_FORGOTTEN = "device-forgotten"
    SIGN_IN = "sign-in"
    SIGN_IN_FAILED = "sign-in-failed"
    STEP_UP = "step-up"
    STEP_UP_FAILED = "step-up-failed"
    SIGN_OUT = "sign-out"
    ATTEMPT = "attempt"
    LOOKUP = "lookup"
    LOOKUP_MISSED = "lookup-missed"
    CHALLENGED = "challenged"
    REFUSED = "refused"
    OBSERVED = "observed"
    ALERTED = "alerted"
    REPORTED = "reported"
    DATA_KEY = "data-key"
    LEDGER_READ = "ledger-read"
    LEDGER_RESTORED = "ledger-restored"
    SESSIONS_ENDED = "sessions-ended"
    TELESERVICE_CLOSED = "teleservice-closed"
    TELESERVICE_OPENED = "teleservice-opened"
    PORTAL_CLOSED = "portal-closed"
    PORTAL_OPENED = "portal-opened"
    NOTICE_SET = "notice-set"
    NOTICE_CLEARED = "notice-cleared"
    INCIDENT_OPENED = "incident-opened"
    INCIDENT_CHANGED = "incident-changed"
    INCIDENT_EXAMINED = "incident-examined"
    INCIDENT_EXPORTED = "incident-exported"
    INCIDENT_DRAFTED = "incident-drafted"
    INCIDENT_CLOSED = "incident-closed"
    EVENTS_DELETED = "events-deleted"


class AlertReason(StrEnum):
    """Why an ALERTED event was raised: its `reason`."""

    RISK_HIGH = "risk-high"
    RISK_ELEVATED = "risk-elevated"
    BUDGET = "budget"
    DECOY = "decoy"
    UNANSWERED = "unanswered"
    UNREADABLE = "unreadable"


class Event(NamedTuple):
    """One thing that happened to an account, as the ledger keeps it. No patient number in clear, ever.

    `request` ties the rows of one request together (16 random bytes); `pseudonym` is the keyed hash of one patient
    number; `network` is the client's address; `device` a short, cleaned User-Agent. `holder` names the person where it
    is known who of those that use the account it was; `delegate` is the reference of the delegation he came by.
    `details` are the budget or the signals, with their figures, of an alert or of what would have been refused; of an
    operator's act who asked for it; of a report first the event that is complained of (`event 123`), if one is.
    `sealed` is the patient number that only the data-protection officer can read, or the key it was sealed with.
    """

    kind: EventKind
    account: str
    at: datetime
    session: str | None = None
    network: str | None = None
    device: str | None = None
    method: str | None = None
    teleservice: str | None = None
    request: bytes | None = None
    reason: str | None = None
    pseudonym: bytes | None = None
    status: int | None = None
    categories: tuple[str, ...] = ()
    holder: str | None = None
    delegate: str | None = None
    details: str | None = None
    sealed: bytes | None = None


class Receipt(NamedTuple):
    """Proof that an event is durable: its sequence number in the ledger."""

    sequence: int


class PastLook(NamedTuple):
    """One look-up as the ledger tells it: what budgets are rebuilt from. `network` is the client's address.

    `departement` (where the number was given) the ledger does not keep; a drill knows it.
    """

    account: str
    teleservice: str
    holder: str | None
    network: str | None
    pseudonym: bytes
    at: datetime
    missed: bool
    departement: str | None = None
