# SPDX-License-Identifier: EUPL-1.2
"""decide: one pure function from a policy and a request to a Decision. Serving, explaining and testing all call it.

It trusts that `request.path` comes out of `target.canonical`. The query is no part of its input.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.model import AccessRequest, Decision, Match, TraceLine
from gateway.policy.criteria import CRITERIA, met_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gateway.model import Subject
    from gateway.policy.claims import Claim
    from gateway.policy.rules import Policy, Rule

_HIT = Match.HIT
DEFAULT = "default"
"""The name under which a trace tells of what no teleservice claims."""


def evaluate(policy: Policy, request: AccessRequest, *, explain: bool = False) -> Decision:
    """PERMIT with its obligations, CHALLENGE with what to prove, or DENY, always with rule and reason.

    `trace` is filled only with `explain`: each criterion of each rule, in file order, by the functions that decided.
    """
    decision = decide(policy, *request)
    if explain:
        claim = policy.claims.find(request.method, request.path)
        return replace(decision, trace=tuple(_trace(policy, request, claim)))
    return decision


def decide(  # noqa: PLR0917  # the words of AccessRequest
    policy: Policy, subject: Subject, method: str, path: str, at: datetime, upgrade: bool
) -> Decision:
    """As `evaluate`, for serving: of an AccessRequest that has not been put together.

    No subject and no rule ever changes, so whoever meets a rule meets it until the proof is too old, or the delegation
    over. That moment is kept with the subject, by claim, since other policies have other claims. An upgrade is the
    request's own: walked.
    """
    claim = policy.claims.find(method, path)
    if claim is None:
        return _unclaimed(policy, AccessRequest(subject, method, path, at, upgrade))
    until = subject.met.get(claim)
    if until is not None and at <= until and not upgrade:
        return claim.permit
    decision = _judge(claim, AccessRequest(subject, method, path, at, upgrade))
    if decision is claim.permit and subject.account is not None:
        subject.met[claim] = met_until(claim.rule, subject)
    return decision


def _judge(claim: Claim, request: AccessRequest) -> Decision:
    rule = claim.enforced
    for match, refusal in claim.steps:
        if match(rule, request) is not _HIT:
            return refusal
    if claim.trial:
        observed = tuple(refusal.reason for match, refusal in claim.trial if match(claim.rule, request) is not _HIT)
        return replace(claim.permit, observed=observed) if observed else claim.permit
    return claim.permit


def _unclaimed(policy: Policy, request: AccessRequest) -> Decision:
    """The file's default, for people who are signed in. It never opens another method of a path that a rule claims."""
    claims = policy.claims
    if request.upgrade:
        return claims.upgrade
    subject = request.subject
    if subject.account is None:
        return claims.sign_in
    if subject.delegation is not None and request.at >= subject.delegation.until:
        return claims.ended
    return claims.unclaimed if claims.on(request.path) else claims.otherwise


def _trace(policy: Policy, request: AccessRequest, decides: Claim | None) -> Iterator[TraceLine]:
    method = "GET" if request.method == "HEAD" else request.method
    fitting = {claim.rule.name: claim for claim in sorted(policy.claims.fitting(method, request.path), key=_later)}
    for rule in policy.rules:
        yield from _of_rule(rule, request, fitting.get(rule.name), decides)
    match = _HIT if decides is None else Match.MISS
    yield TraceLine(DEFAULT, "unclaimed", match, f"what no teleservice claims: {policy.default.value}")


def _of_rule(rule: Rule, request: AccessRequest, fits: Claim | None, decides: Claim | None) -> Iterator[TraceLine]:
    if fits is None:
        routes = ", ".join(str(route) for route in rule.routes)
        yield TraceLine(rule.name, "route", Match.MISS, f"none of {routes}")
    else:
        yield TraceLine(rule.name, "route", _HIT, str(fits.route))
    if fits is not None and decides is not None and fits is not decides:
        yield TraceLine(
            rule.name, "order", Match.MISS, f"{decides.rule.name} comes first ({decides.rule.order} < {rule.order})"
        )
    for criterion in CRITERIA:
        if criterion.applies(rule) and criterion.concerns(request.subject):
            detail = f"wants {criterion.wants(rule)}; found {criterion.found(request)}"
            yield TraceLine(rule.name, criterion.name, criterion.match(rule, request), detail)


def _later(claim: Claim) -> tuple[int, int]:
    """Sort key that puts the route which decides last, so that it is the one kept per rule."""
    order, position = claim.rank
    return -order, -position
