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

from gateway.model import Assurance, Level, Match, Method, Reason
from gateway.model.assurance import COUNTS_FOR
from gateway.policy.durations import duration_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.model import AccessRequest, Subject
    from gateway.policy.rules import Rule


@dataclass(frozen=True, slots=True)
class Criterion:
    """One question: which rules ask it (`applies`), how it is answered, why the answer is no, and how both are told.

    Whom it does not concern answers it with HIT, and `policy explain` leaves it out.
    """

    name: str
    applies: Callable[[Rule], bool]
    match: Callable[[Rule, AccessRequest], Match]
    reason: Callable[[Rule], Reason]
    wants: Callable[[Rule], str]
    found: Callable[[AccessRequest], str]
    concerns: Callable[[Subject], bool] = lambda _subject: True


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
_ON_PAPER = frozenset({Method.RECOVERY})
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


def _delegation_end(_rule: Rule, request: AccessRequest) -> Match:
    delegation = request.subject.delegation
    return _HIT if delegation is None or request.at < delegation.until else _MISS


def _delegation(rule: Rule, request: AccessRequest) -> Match:
    delegation = request.subject.delegation
    return _HIT if delegation is None or rule.name in delegation.teleservices else _MISS


def _methods(rule: Rule, request: AccessRequest) -> Match:
    return _MAY if request.subject.assurance.proved_by(rule.methods) is None else _HIT


def _methods_reason(rule: Rule) -> Reason:
    """Of methods that go by one page the reason that leads there; else the one that names them all."""
    asked = frozenset(rule.methods)
    if asked <= COUNTS_FOR[Level.CARD]:
        return Reason.CARD_REQUIRED
    return Reason.SECOND_FACTOR_REQUIRED if asked == {Method.TOTP} else Reason.METHOD_REQUIRED


def _means(rule: Rule, request: AccessRequest) -> Match:
    return _HIT if request.at <= _means_until(rule, request.subject.assurance) else _MAY


def _means_until(rule: Rule, assurance: Assurance) -> datetime:
    """The last moment at which what was proved may open patient data: other means than the allowed ones as attested."""
    if not ALLOWED_MEANS.isdisjoint(proof.method for proof in assurance.proofs):
        return _ALWAYS
    return _NEVER if rule.attestation is None else rule.attestation.ends_at - _LEAST


def _assurance(rule: Rule, request: AccessRequest) -> Match:
    return _HIT if _counting(rule, request.subject.assurance).level >= rule.level else _MAY


def _counting(rule: Rule, assurance: Assurance) -> Assurance:
    """What of the proofs counts here. A code from a list on paper brings somebody back to his account: nobody attested
    it, and it opens no data of patients.
    """
    if not rule.sensitive or assurance.proved_by(_ON_PAPER) is None:
        return assurance
    return Assurance(tuple(proof for proof in assurance.proofs if proof.method not in _ON_PAPER))


def _freshness(rule: Rule, request: AccessRequest) -> Match:
    return _HIT if request.at <= _fresh_until(rule, request.subject.assurance) else _MAY


def met_until(rule: Rule, subject: Subject) -> datetime:
    """Until when whoever meets a rule meets it: whatever time alone can take away."""
    assurance, delegation = subject.assurance, subject.delegation
    until = _fresh_until(rule, assurance)
    if rule.sensitive:
        until = min(until, _means_until(rule, assurance))
    return until if delegation is None or rule.anonymous else min(until, delegation.until - _LEAST)


def _fresh_until(rule: Rule, assurance: Assurance) -> datetime:
    """The last moment at which what was proved is fresh enough: a proof exactly `fresh_for` old still counts.

    Where methods are named, it is one of them that must be fresh, and the level too.
    """
    if rule.fresh_for is None:
        return _ALWAYS
    assurance = _counting(rule, assurance)
    proved_at = assurance.proved_at(rule.level)
    named_at = assurance.proved_by(rule.methods) if rule.methods else proved_at
    return _NEVER if proved_at is None or named_at is None else min(proved_at, named_at) + rule.fresh_for


def _wanted_freshness(rule: Rule) -> str:
    what = f"{rule.level.name.lower()}{f' by {method_words(rule.methods)}' if rule.methods else ''}"
    return f"{what} proved at most {duration_text(rule.fresh_for)} ago" if rule.fresh_for else ""


def method_words(methods: Iterable[Method]) -> str:
    """`sc or psc`: one of these."""
    return " or ".join(methods)


def _found_level(request: AccessRequest) -> str:
    assurance = request.subject.assurance
    told = "" if assurance.proved_by(_ON_PAPER) is None else " (with a recovery code, which opens no data of patients)"
    return f"{assurance.level.name.lower()}{told}"


def _found_methods(request: AccessRequest) -> str:
    return " + ".join(proof.method for proof in request.subject.assurance.proofs) or "nothing proved"


def _is_delegate(subject: Subject) -> bool:
    return subject.delegation is not None


def _found_delegation(request: AccessRequest) -> str:
    delegation = request.subject.delegation
    return ", ".join(sorted(delegation.teleservices)) if delegation else "none"


def _found_end(request: AccessRequest) -> str:
    delegation = request.subject.delegation
    return f"one until {delegation.until:%Y-%m-%d %H:%M} UTC" if delegation else "none"


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
        "delegation-end",
        lambda rule: not rule.anonymous,
        _delegation_end,
        lambda _rule: Reason.DELEGATION_ENDED,
        lambda _rule: "a delegation that has not ended",
        _found_end,
        _is_delegate,
    ),
    Criterion(
        "delegation",
        lambda rule: not rule.anonymous,
        _delegation,
        lambda _rule: Reason.NOT_DELEGATED,
        lambda rule: f"a delegation for {rule.name}",
        _found_delegation,
        _is_delegate,
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
        "methods",
        lambda rule: bool(rule.methods),
        _methods,
        _methods_reason,
        lambda rule: method_words(rule.methods),
        _found_methods,
    ),
    Criterion(
        "means",
        lambda rule: rule.sensitive,
        _means,
        lambda _rule: Reason.CARD_REQUIRED,
        _wanted_means,
        _found_methods,
    ),
    Criterion(
        "assurance",
        lambda rule: not rule.anonymous,
        _assurance,
        lambda rule: _LEVEL_REASONS[rule.level],
        lambda rule: f"{rule.level.name.lower()} or stronger",
        _found_level,
    ),
    Criterion(
        "freshness",
        lambda rule: rule.fresh_for is not None,
        _freshness,
        lambda rule: _methods_reason(rule) if rule.methods else _STALE_REASONS[rule.level],
        _wanted_freshness,
        _age,
    ),
)
