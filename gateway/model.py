# SPDX-License-Identifier: EUPL-1.2
"""The words the rooms exchange: plain frozen values, no I/O, no clock, nothing a framework would know.

Each word has one meaning in code, logs, policy files and README. Names come from XACML and AuthZEN (subject, action,
resource, effect, obligation), OpenID Connect and RFC 8176 (amr), RFC 9470 (step-up) and the field itself (teleservice).
Times are called `at` and are aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum, StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta


class Level(IntEnum):
    """How strongly a person is proved, in the order a policy file knows."""

    NONE = 0
    PASSWORD = 1
    MFA = 2
    CARD = 3


class Method(StrEnum):
    """A way to prove who one is: RFC 8176 values, and `invite` for the out-of-band code of an enrolment."""

    PASSWORD = "pwd"  # noqa: S105  # the RFC's word
    TOTP = "otp"
    SMART_CARD = "sc"
    INVITATION = "invite"


@dataclass(frozen=True, slots=True)
class Proof:
    """One method, proved at one moment."""

    method: Method
    at: datetime


@dataclass(frozen=True, slots=True)
class Assurance:
    """What a session has proved so far: the latest proof of each method (OpenID Connect `amr`, `auth_time`)."""

    proofs: tuple[Proof, ...] = ()
    level: Level = field(init=False, compare=False)

    def __post_init__(self) -> None:
        methods = {proof.method for proof in self.proofs}
        level = Level.NONE
        if Method.PASSWORD in methods:
            level = Level.MFA if Method.TOTP in methods else Level.PASSWORD
        if Method.SMART_CARD in methods:
            level = Level.CARD
        object.__setattr__(self, "level", level)

    def proved_at(self, level: Level) -> datetime | None:
        """When the strongest-needed proof for `level` was last given; None if the level is not reached.

        MFA is as fresh as its second factor (or card), CARD as its card, PASSWORD as any of them.
        """
        if level is Level.NONE or self.level < level:
            return None
        counting = _COUNTS_FOR[level]
        return max(proof.at for proof in self.proofs if proof.method in counting)

    def with_proof(self, proof: Proof) -> Assurance:
        """The same assurance with one proof added, or renewed."""
        kept = tuple(one for one in self.proofs if one.method is not proof.method)
        return Assurance((*kept, proof))


_COUNTS_FOR: dict[Level, frozenset[Method]] = {
    Level.PASSWORD: frozenset({Method.PASSWORD, Method.TOTP, Method.SMART_CARD}),
    Level.MFA: frozenset({Method.TOTP, Method.SMART_CARD}),
    Level.CARD: frozenset({Method.SMART_CARD}),
}


@dataclass(frozen=True, slots=True)
class Subject:
    """Who asks. Nobody is a subject too: `ANONYMOUS`. `account` is the canonical identifier (see identity.accounts)."""

    account: str | None
    title: str = ""
    profession: str | None = None
    rpps: str | None = None
    holder: str | None = None
    assurance: Assurance = Assurance()
    session: str | None = None


ANONYMOUS = Subject(account=None)


class Effect(Enum):
    """XACML's effect, with CHALLENGE between: yes, if more is proved first (RFC 9470)."""

    PERMIT = "permit"
    CHALLENGE = "challenge"
    DENY = "deny"


class Reason(StrEnum):
    """Why. A closed list: each has one status, one sentence in French and English, and one remedy (pages.reasons)."""

    PERMITTED = "permitted"
    # challenges
    SIGN_IN_REQUIRED = "sign-in-required"
    SECOND_FACTOR_REQUIRED = "second-factor-required"
    SECOND_FACTOR_STALE = "second-factor-stale"
    CARD_REQUIRED = "card-required"
    BUDGET_PROOF_REQUIRED = "budget-proof-required"
    # denials of the policy and the meter
    NO_TELESERVICE = "no-teleservice"
    PROFESSION_NOT_ALLOWED = "profession-not-allowed"
    ACCOUNT_NOT_ALLOWED = "account-not-allowed"
    BUDGET_EXHAUSTED = "budget-exhausted"
    PATIENT_NUMBER_MISSING = "patient-number-missing"
    PATIENT_NUMBER_MALFORMED = "patient-number-malformed"
    PATIENT_NUMBER_AMBIGUOUS = "patient-number-ambiguous"
    UPGRADE_NOT_ALLOWED = "upgrade-not-allowed"
    ORIGIN_NOT_ALLOWED = "origin-not-allowed"
    SERVICE_WORKER_NOT_ALLOWED = "service-worker-not-allowed"
    # the request itself
    MALFORMED_REQUEST = "malformed-request"
    PATH_AMBIGUOUS = "path-ambiguous"
    COOKIE_AMBIGUOUS = "cookie-ambiguous"
    HOST_UNKNOWN = "host-unknown"
    HEAD_TOO_LARGE = "head-too-large"
    URL_TOO_LONG = "url-too-long"
    BODY_TOO_LARGE = "body-too-large"
    REQUEST_TIMEOUT = "request-timeout"
    NOT_IMPLEMENTED = "not-implemented"
    # the house and the portal behind it
    PORTAL_UNREACHABLE = "portal-unreachable"
    PORTAL_TIMEOUT = "portal-timeout"
    PORTAL_ANSWER_INVALID = "portal-answer-invalid"
    LEDGER_UNAVAILABLE = "ledger-unavailable"
    SHUTTING_DOWN = "shutting-down"
    BUSY = "busy"
    INTERNAL_ERROR = "internal-error"
    # sign-in and enrolment
    CREDENTIALS_WRONG = "credentials-wrong"
    CODE_WRONG = "code-wrong"
    CODE_USED = "code-used"
    THROTTLED = "throttled"
    ACCOUNT_LOCKED = "account-locked"
    SECOND_FACTOR_MISSING = "second-factor-missing"
    INVITATION_WRONG = "invitation-wrong"
    PASSWORD_TOO_WEAK = "password-too-weak"  # noqa: S105
    FORM_FORGED = "form-forged"
    PROOF_TOO_OLD = "proof-too-old"


class Place(StrEnum):
    """Where a request carries the patient number."""

    PATH = "path"
    QUERY = "query"
    FORM = "form"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class PatientLocator:
    """Where the patient number sits: a template variable, a query or form field, or a JSON pointer (RFC 6901)."""

    place: Place
    name: str


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `people` different patients in any `window`; past it, `past` (CHALLENGE or DENY).

    A CHALLENGE budget counts people seen since the last proof of the needed level: a fresh proof opens a new stretch.
    A DENY budget counts everybody in the window, whatever was proved.
    """

    people: int
    window: timedelta
    past: Effect


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of a budget after a hit, for pages and `RateLimit` fields."""

    budget: Budget
    left: int
    reset_seconds: int


@dataclass(frozen=True, slots=True)
class Meter:
    """Obligation: count the patient of this request against these budgets before it is forwarded."""

    patient: PatientLocator
    budgets: tuple[Budget, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """Obligation: make the disclosure durable before a byte of the answer leaves."""

    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a CHALLENGE asks for: a level, proved at most `max_age` ago (None: at any time in this session)."""

    level: Level
    max_age: timedelta | None = None


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """The complete input of a decision. `path` is canonical (policy.target), `method` as the portal will see it."""

    subject: Subject
    method: str
    path: str
    at: datetime
    upgrade: bool = False


class Match(StrEnum):
    """How one criterion met the request: `may` would match if the person signed in or proved more."""

    HIT = "hit"
    MISS = "miss"
    MAY = "may"


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One criterion of one rule, for `policy explain`."""

    rule: str
    criterion: str
    match: Match
    detail: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of `decide`, and after it of `meter`: never a boolean, always with its rule and reasons."""

    effect: Effect
    rule: str | None
    reasons: tuple[Reason, ...]
    meter: Meter | None = None
    record: Record | None = None
    challenge: Challenge | None = None
    captures: tuple[tuple[str, str], ...] = ()
    streams: bool = False
    upgrade: bool = False
    anonymous: bool = False
    digest: str = ""
    trace: tuple[TraceLine, ...] = ()
    quotas: tuple[Quota, ...] = ()
    retry_after_seconds: int | None = None

    @property
    def reason(self) -> Reason:
        """The first reason: the one a person is told."""
        return self.reasons[0]


class EventKind(StrEnum):
    """What happened to an account, as the ledger and « Mes derniers événements » name it."""

    ACCOUNT_CREATED = "account-created"
    ACCOUNT_LOCKED = "account-locked"
    ACCOUNT_UNLOCKED = "account-unlocked"
    INVITED = "invited"
    PASSWORD_SET = "password-set"  # noqa: S105
    FACTOR_ADDED = "factor-added"
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


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to an account, as the ledger keeps it. No patient number in clear, ever.

    `request` ties the rows of one request together (16 random bytes); `pseudonym` is the keyed hash of one patient
    number; `network` is the client's address; `device` a short, cleaned User-Agent.
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


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that an event is durable: its sequence number in the ledger."""

    sequence: int
