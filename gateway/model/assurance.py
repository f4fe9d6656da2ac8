# SPDX-License-Identifier: EUPL-1.2
"""Who asks, and what was proved: Subject, Assurance and its proofs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from gateway.model.activity import Activity


class Level(IntEnum):
    """How strongly a person is proved, in the order a policy file knows."""

    NONE = 0
    PASSWORD = 1
    MFA = 2
    CARD = 3


class Method(StrEnum):
    """A way to prove who one is: RFC 8176 values, and words of ours where it has none.

    `hwk` is a passkey that verified its user; `psc` and `psc-sc` are Pro Santé Connect by the phone and by the card;
    `invite` is the out-of-band code of an enrolment, `rc` a recovery code.
    """

    PASSWORD = "pwd"  # noqa: S105  # the RFC's word
    TOTP = "otp"
    PASSKEY = "hwk"
    SMART_CARD = "sc"
    SSO = "psc"
    SSO_CARD = "psc-sc"
    INVITATION = "invite"
    RECOVERY = "rc"


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
    _proved: tuple[datetime | None, ...] = field(init=False, compare=False, repr=False)
    """The answers of `proved_at`, by level: proofs do not change, and every request asks."""
    stepped_up_at: datetime | None = field(init=False, compare=False, repr=False)
    """When the strongest level was last proved, if it is MFA at least: since then a budget that asks proof counts."""

    def __post_init__(self) -> None:
        methods = {proof.method for proof in self.proofs}
        level = Level.NONE
        if Method.PASSWORD in methods:
            level = Level.MFA if methods & _CODES else Level.PASSWORD
        if methods & _TWO_BY_THEMSELVES:
            level = Level.MFA
        if methods & _CARDS:
            level = Level.CARD
        object.__setattr__(self, "level", level)
        object.__setattr__(self, "_proved", tuple(self._latest(one) for one in Level))
        object.__setattr__(self, "stepped_up_at", self._latest(max(level, Level.MFA)))

    def proved_at(self, level: Level) -> datetime | None:
        """When the strongest-needed proof for `level` was last given; None if the level is not reached.

        MFA is as fresh as its second factor (or card), CARD as its card, PASSWORD as any of them.
        """
        return self._proved[level]

    def proved_by(self, methods: Collection[Method]) -> datetime | None:
        """When one of these methods was last proved; None if none of them was."""
        return max((proof.at for proof in self.proofs if proof.method in methods), default=None)

    def with_proof(self, proof: Proof) -> Assurance:
        """The same assurance with one proof added, or renewed."""
        kept = tuple(one for one in self.proofs if one.method is not proof.method)
        return Assurance((*kept, proof))

    def _latest(self, level: Level) -> datetime | None:
        if level is Level.NONE or self.level < level:
            return None
        counting = COUNTS_FOR[level]
        return max(proof.at for proof in self.proofs if proof.method in counting)


_CARDS = frozenset({Method.SMART_CARD, Method.SSO_CARD})
# Possession and a PIN or a finger in one act.
_TWO_BY_THEMSELVES = frozenset({Method.PASSKEY, Method.SSO})
# Possession alone: the second factor of a password.
_CODES = frozenset({Method.TOTP, Method.RECOVERY})
_SECOND_FACTORS = _CARDS | _TWO_BY_THEMSELVES | _CODES
COUNTS_FOR: dict[Level, frozenset[Method]] = {
    Level.PASSWORD: _SECOND_FACTORS | {Method.PASSWORD},
    Level.MFA: _SECOND_FACTORS,
    Level.CARD: _CARDS,
}
"""By level, the methods whose latest proof tells how fresh it is."""


@dataclass(frozen=True, slots=True)
class Delegation:
    """What the holder of an account gave to somebody who has proofs of his own: these teleservices, until then.

    `name` is the delegate's, `reference` the delegation's own and may be shown and recorded. `until` is the first
    moment at which it no longer holds. `own` is the delegate's own account, if it is that which proves him.
    """

    reference: str
    name: str
    teleservices: frozenset[str]
    until: datetime
    own: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """Who asks. Nobody is a subject too: `ANONYMOUS`. `account` is the canonical identifier (see identity.accounts).

    `holder` is the name of the person, where what was proved tells it: a holder of a shared account, or the delegate
    for whom `delegation` says what he may do on it. `activity` is the practice that he works in, if a provider told it.

    `met` is the policy's own note of what this subject was found to meet, and until when (see policy.evaluate). It says
    nothing that the other fields do not say, and is gone with the subject: when a proof is added, or the session ends.
    """

    account: str | None
    title: str = ""
    profession: str | None = None
    rpps: str | None = None
    holder: str | None = None
    assurance: Assurance = Assurance()
    session: str | None = None
    delegation: Delegation | None = None
    activity: Activity | None = None
    met: dict[object, datetime] = field(default_factory=dict, init=False, repr=False, compare=False)


ANONYMOUS = Subject(account=None)
