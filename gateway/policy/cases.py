# SPDX-License-Identifier: EUPL-1.2
"""The cases beside a policy: who asks for what, and what has to come of it. Loaded as strictly as the policy itself.

A case runs through the same `canonical` and `evaluate` as a request. Nobody's clock is asked: a case lives at one fixed
moment, or at noon of the day it names, and `proved_ago` counts back from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.errors import Refused
from gateway.model import (
    ANONYMOUS,
    AccessRequest,
    Assurance,
    Decision,
    Delegation,
    Effect,
    Level,
    Method,
    Proof,
    Reason,
    Subject,
)
from gateway.policy.evaluate import evaluate
from gateway.policy.fields import Fields
from gateway.policy.target import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from gateway.policy.rules import Policy
    from gateway.policy.tree import Node

AT = datetime(2001, 1, 1, 12, tzinfo=UTC)
"""The moment at which a case takes place that names no day."""

LEVELS = {level.name.lower(): level for level in Level}
METHODS = {method.value: method for method in Method}
_EFFECTS = {effect.value: effect for effect in Effect}
_REASONS = {reason.value: reason for reason in Reason}
_BY_LEVEL = {
    Level.NONE: (),
    Level.PASSWORD: (Method.PASSWORD,),
    Level.MFA: (Method.PASSWORD, Method.TOTP),
    Level.CARD: (Method.SMART_CARD,),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One case. `request` is a method and a raw target, as in `GET /x`; `skip` says why it is not run."""

    name: str
    subject: Subject
    request: str
    expect: Effect
    reason: Reason | None = None
    upgrade: bool = False
    skip: str | None = None
    at: datetime = AT


@dataclass(frozen=True, slots=True)
class Cases:
    """All cases of one file."""

    file: str
    cases: tuple[Case, ...]


class Outcome(StrEnum):
    """What came of a case. ERROR: it could not be judged."""

    PASS = "PASS"  # noqa: S105  # the word of test reports
    FAIL = "FAIL"
    SKIPPED = "SKIPPED"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class Result:
    """One case and what came of it; `detail` tells what was found where it did not pass."""

    case: Case
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All results, and the rules that decided no case."""

    results: tuple[Result, ...]
    untouched: tuple[str, ...]

    def count(self, outcome: Outcome) -> int:
        """How many cases ended like this."""
        return sum(result.outcome is outcome for result in self.results)

    @property
    def exit_code(self) -> int:
        """0: nothing failed; 1: a case failed; 2: a case could not be judged."""
        if self.count(Outcome.ERROR):
            return 2
        return 1 if self.count(Outcome.FAIL) else 0


def subject_at(account: str | None, profession: str | None, level: Level, proved_at: datetime) -> Subject:
    """Someone who proved what `level` takes, all at one moment."""
    if account is None:
        return ANONYMOUS
    return Subject(account, profession=profession, assurance=proved(_BY_LEVEL[level], proved_at))


def proved(methods: Iterable[Method], at: datetime) -> Assurance:
    """What these methods prove together, all at one moment."""
    return Assurance(tuple(Proof(method, at) for method in methods))


def delegated(teleservices: Iterable[str], last: date | None, at: datetime) -> Delegation:
    """What was given to somebody who acts for the account, up to its last day (UTC); his time is not up without one."""
    ends = at if last is None else datetime.combine(last, time.min, UTC)
    return Delegation("case", "a delegate", frozenset(teleservices), ends + timedelta(days=1))


def load_cases(text: str, file: str, policy: Policy) -> Cases:
    """The cases of a text. Raises ConfigurationError with all faults."""
    fields = Fields(file)
    keys = fields.document(text, required=("portal", "cases"))
    portal = fields.name(keys["portal"]) if "portal" in keys else None
    if portal is not None and portal != policy.name:
        fields.fault(keys["portal"], f"`{policy.name}`, the portal of the policy")
    cases: list[Case] = []
    for node in fields.items(keys["cases"]) if "cases" in keys else []:
        cases.append(_case(fields, node))
        if cases[-1].name in {case.name for case in cases[:-1]}:
            fields.fault(node, "a name of its own for each case", f"the name `{cases[-1].name}` again")
    fields.finish()
    return Cases(file, tuple(cases))


def run_cases(policy: Policy, cases: Cases) -> Report:
    """Judge every case; name the rules that none of them touched."""
    results: list[Result] = []
    touched: set[str | None] = set()
    for case in cases.cases:
        if case.skip is not None:
            results.append(Result(case, Outcome.SKIPPED, case.skip))
            continue
        try:
            decision = _decide(policy, case)
        except ValueError as error:
            results.append(Result(case, Outcome.ERROR, str(error)))
            continue
        touched.add(decision.rule)
        results.append(_compare(case, decision))
    return Report(tuple(results), tuple(rule.name for rule in policy.rules if rule.name not in touched))


def _decide(policy: Policy, case: Case) -> Decision:
    """What serving would do. Raises ValueError if the request line is none."""
    method, _, target = case.request.partition(" ")
    if not method or not target or " " in target:
        raise ValueError(f"found the request `{case.request}`, expected a method and a target such as `GET /x`")
    try:
        path, _ = canonical(target.encode())
    except Refused as refused:
        return Decision(Effect.DENY, None, (refused.reason,), digest=policy.digest)
    return evaluate(policy, AccessRequest(case.subject, method, path, case.at, case.upgrade))


def _compare(case: Case, decision: Decision) -> Result:
    if decision.effect is case.expect and case.reason in (None, decision.reason):
        return Result(case, Outcome.PASS)
    rule = "no rule" if decision.rule is None else f"rule {decision.rule}"
    expected = case.expect.value if case.reason is None else f"{case.expect.value} ({case.reason})"
    return Result(
        case, Outcome.FAIL, f"found {decision.effect.value} ({decision.reason}) by {rule}, expected {expected}"
    )


def _case(fields: Fields, node: Node) -> Case:
    """A case as far as it was understood."""
    optional = ("as", "day", "reason", "upgrade", "skip")
    keys = fields.mapping(node, required=("name", "request", "expect"), optional=optional)
    day = fields.day(keys["day"]) if "day" in keys else None
    at = AT if day is None else datetime.combine(day, AT.timetz())
    return Case(
        name=(fields.text(keys["name"]) if "name" in keys else None) or node.path,
        subject=_subject(fields, keys["as"], at) if "as" in keys else ANONYMOUS,
        request=(fields.text(keys["request"]) if "request" in keys else None) or "",
        expect=(fields.choice(keys["expect"], _EFFECTS) if "expect" in keys else None) or Effect.DENY,
        reason=fields.choice(keys["reason"], _REASONS) if "reason" in keys else None,
        upgrade="upgrade" in keys and fields.yes(keys["upgrade"]),
        skip=fields.text(keys["skip"], "why this case is not run") if "skip" in keys else None,
        at=at,
    )


def _subject(fields: Fields, node: Node, at: datetime) -> Subject:
    """Who asks; a case without `as` is nobody signed in."""
    optional = ("assurance", "methods", "profession", "proved_ago", "delegate")
    keys = fields.mapping(node, required=("account",), optional=optional)
    if ("assurance" in keys) is ("methods" in keys):
        found = "both" if "methods" in keys else "neither"
        fields.fault(node, "`assurance`, or `methods` with what was proved", found)
    account = fields.account(keys["account"]) if "account" in keys else None
    profession = fields.name(keys["profession"]) if "profession" in keys else None
    level = fields.choice(keys["assurance"], LEVELS) if "assurance" in keys else None
    ago = fields.duration(keys["proved_ago"], shortest=timedelta(0)) if "proved_ago" in keys else None
    proved_at = at - (ago or timedelta(0))
    subject = subject_at(account, profession, level or Level.NONE, proved_at)
    if "delegate" in keys:
        subject = replace(subject, delegation=_delegation(fields, keys["delegate"], at))
    if "methods" not in keys:
        return subject
    named = fields.each(keys["methods"], lambda item: fields.choice(item, METHODS))
    return replace(subject, assurance=proved(map(Method, named), proved_at))


def _delegation(fields: Fields, node: Node, at: datetime) -> Delegation:
    """Somebody who acts for the account, as the case tells."""
    keys = fields.mapping(node, required=("teleservices",), optional=("until",))
    named = fields.each(keys["teleservices"], fields.name) if "teleservices" in keys else ()
    last = fields.day(keys["until"]) if "until" in keys else None
    return delegated(named, last, at)
