# SPDX-License-Identifier: EUPL-1.2
"""What a rule may ask of a request, one criterion each, in the order in which they decide.

A criterion answers HIT, MISS, or MAY where signing in or proving more would make it a HIT. The first answer that is not
a HIT decides: MAY becomes the criterion's CHALLENGE, MISS its DENY. Serving walks these functions and stops there;
`policy explain` walks the same functions and does not stop.

An answer depends on the rule, the subject, an upgrade and, by `met_until` alone, the moment. `evaluate.decide` relies
on that to keep until when a subject meets a rule: a criterion that looks at more has to be asked there each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gateway.model import Level, Match, Method, Reason
from gateway.policy.durations import duration_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.model import AccessRequest, Assurance
    from gateway.policy.rules import Rule


@dataclass(frozen=True, slots=True)
class Criterion:
    """One question: who is asked it (`applies`), how it is answered, why the answer is no, and how both are told."""

    name: str
    applies: Callable[[Rule], bool]
    match: Callable[[Rule, AccessRequest], Match]
    reason: Callable[[Rule], Reason]
    wants: Callable[[Rule], str]
    found: Callable[[AccessRequest], str]


_LEVEL_REASONS = {
    Level.PASSWORD: Reason.SIGN_IN_REQUIRED,
    Level.MFA: Reason.SECOND_FACTOR_REQUIRED,
    Level.CARD: Reason.CARD_REQUIRED,
}
_STALE_REASONS = {**_LEVEL_REASONS, Level.MFA: Reason.SECOND_FACTOR_STALE}


# By names of their own: looking a member up in its class is slow, and every request does.
_HIT, _MISS, _MAY = Match.HIT, Match.MISS, Match.MAY

ALLOWED_MEANS = frozenset({Method.SMART_CARD, Method.SSO_CARD, Method.SSO})
"""What may open patient data without more: card and Pro Santé Connect (PGSSI-S, EXI 03)."""
_LEAST = timedelta(microseconds=1)
_ALWAYS = datetime.max.replace(tzinfo=UTC)
_NEVER = datetime.min.replace(tzinfo=UTC)


def _upgrade(_rule: Rule, request: AccessRequest) -> Match:
    """Asked only of rules that let nobody leave HTTP."""
    return _MISS if request.upgrade else _HIT


def _sign_in(_rule: Rule, request: AccessRequest) -> Match:
    return _MAY if request.subject.account is None else _HIT


def _account(rule: Rule, request: AccessRequest) -> Match:
    account = request.subject.account
    if account is None:
        return _MAY
    return _HIT if rule.accounts is None or account in rule.accounts else _MISS


def _profession(rule: Rule, request: AccessRequest) -> Match:
    subject = request.subject
    if subject.account is None:
        return _MAY
    return _HIT if rule.professions is None or subject.profession in rule.professions else _MISS


def _means(rule: Rule, request: AccessRequest) -> Match:
    return _HIT if request.at <= _means_until(rule, request.subject.assurance) else _MAY


def _means_until(rule: Rule, assurance: Assurance) -> datetime:
    """The last moment at which what was proved may open patient data: other means than the allowed ones as attested."""
    if not ALLOWED_MEANS.isdisjoint(proof.method for proof in assurance.proofs):
        return _ALWAYS
    return _NEVER if rule.attestation is None else rule.attestation.ends_at - _LEAST


def _assurance(rule: Rule, request: AccessRequest) -> Match:
    return _HIT if request.subject.assurance.level >= rule.level else _MAY


def _freshness(rule: Rule, request: AccessRequest) -> Match:
    return _HIT if request.at <= _fresh_until(rule, request.subject.assurance) else _MAY


def met_until(rule: Rule, assurance: Assurance) -> datetime:
    """Until when whoever meets a rule meets it: whatever time alone can take away."""
    fresh = _fresh_until(rule, assurance)
    return min(fresh, _means_until(rule, assurance)) if rule.sensitive else fresh


def _fresh_until(rule: Rule, assurance: Assurance) -> datetime:
    """The last moment at which what was proved is fresh enough: a proof exactly `fresh_for` old still counts."""
    if rule.fresh_for is None:
        return _ALWAYS
    proved_at = assurance.proved_at(rule.level)
    return _NEVER if proved_at is None else proved_at + rule.fresh_for


def _age(request: AccessRequest) -> str:
    assurance = request.subject.assurance
    proved_at = assurance.proved_at(assurance.level)
    if proved_at is None:
        return "nothing proved"
    return f"{assurance.level.name.lower()} proved {duration_text(request.at - proved_at)} ago"


def _wanted_means(rule: Rule) -> str:
    allowed = "card or Pro Santé Connect"
    attested = rule.attestation
    return allowed if attested is None else f"{allowed}, or as attested to {attested.until} ({attested.reference})"


CRITERIA = (
    Criterion(
        "upgrade",
        lambda rule: not rule.upgrade,
        _upgrade,
        lambda _rule: Reason.UPGRADE_NOT_ALLOWED,
        lambda _rule: "no upgrade of the connection",
        lambda request: "asks for one" if request.upgrade else "asks for none",
    ),
    Criterion(
        "sign-in",
        lambda rule: not rule.anonymous,
        _sign_in,
        lambda _rule: Reason.SIGN_IN_REQUIRED,
        lambda _rule: "someone signed in",
        lambda request: request.subject.account or "nobody",
    ),
    Criterion(
        "account",
        lambda rule: rule.accounts is not None,
        _account,
        lambda _rule: Reason.ACCOUNT_NOT_ALLOWED,
        lambda rule: " or ".join(sorted(rule.accounts or ())),
        lambda request: request.subject.account or "nobody",
    ),
    Criterion(
        "profession",
        lambda rule: rule.professions is not None,
        _profession,
        lambda _rule: Reason.PROFESSION_NOT_ALLOWED,
        lambda rule: " or ".join(sorted(rule.professions or ())),
        lambda request: request.subject.profession or "none",
    ),
    Criterion(
        "means",
        lambda rule: rule.sensitive,
        _means,
        lambda _rule: Reason.CARD_REQUIRED,
        _wanted_means,
        lambda request: " + ".join(proof.method for proof in request.subject.assurance.proofs) or "nothing proved",
    ),
    Criterion(
        "assurance",
        lambda rule: not rule.anonymous,
        _assurance,
        lambda rule: _LEVEL_REASONS[rule.level],
        lambda rule: f"{rule.level.name.lower()} or stronger",
        lambda request: request.subject.assurance.level.name.lower(),
    ),
    Criterion(
        "freshness",
        lambda rule: rule.fresh_for is not None,
        _freshness,
        lambda rule: _STALE_REASONS[rule.level],
        lambda rule: (
            f"{rule.level.name.lower()} proved at most {duration_text(rule.fresh_for)} ago" if rule.fresh_for else ""
        ),
        _age,
    ),
)
