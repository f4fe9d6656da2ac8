# SPDX-License-Identifier: EUPL-1.2
"""Which rule claims a method and a path, with the answers it can give made ready.

Routes stand in a tree by their segments, so the way to a rule is as long as the path, however many teleservices there
are. Where several routes fit, the lower `order` of their teleservices decides (`load` has made sure that it can).
Decisions are made once, when the policy is loaded: serving picks one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from gateway.model import Challenge, Decision, Effect, Level, Match, Place, Reason, Record
from gateway.policy.criteria import CRITERIA
from gateway.policy.template import fold, split

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.model import AccessRequest
    from gateway.policy.rules import Policy, Route, Rule

ON_TRIAL: Final = frozenset({"profession", "methods", "means", "assurance", "freshness"})
"""The criteria that a rule on trial (`observe`) tells and does not enforce, but for what `_floor` leaves of them."""
ENFORCED: Final = frozenset({"upgrade", "sign-in", "delegation-end", "delegation", "account", "assurance"})

CHALLENGING: Final = frozenset({"sign-in", "methods", "means", "assurance", "freshness"})
"""The criteria whose no can become a yes by what the person does next."""

Steps: TypeAlias = "tuple[tuple[Callable[[Rule, AccessRequest], Match], Decision], ...]"

_ANY_OTHER: Final = "{}"
"""A segment that equals no literal: a template holds braces around variables alone."""


class Claim:
    """One route of one rule: the questions in order, each with the Decision of a no, and the Decision of a yes.

    Of a rule on trial only the questions of `steps` decide, asked of `enforced`; those of `trial` are told.
    """

    __slots__ = ("enforced", "methods", "permit", "rank", "route", "rule", "steps", "trial")

    def __init__(self, rule: Rule, route: Route, position: int, digest: str) -> None:
        self.rule = rule
        self.route = route
        self.methods = route.methods
        self.rank = (rule.order, position)
        self.enforced = _floor(rule) if rule.observe else rule
        self.steps = _steps(self.enforced, ENFORCED if rule.observe else None, digest)
        self.trial = _steps(rule, ON_TRIAL, digest) if rule.observe else ()
        self.permit = _permit(rule, route, digest)


@dataclass(slots=True)
class _Node:
    """One place in the tree: what may follow, what ends here, what ends here or anywhere below."""

    literals: dict[str, _Node] = field(default_factory=dict)
    variable: _Node | None = None
    ends: list[Claim] = field(default_factory=list)
    tails: list[Claim] = field(default_factory=list)


@dataclass(slots=True)
class _Ready:
    """Which claim decides for one method, worked out for what most requests ask for.

    `paths` are written out in the file. `folders` are paths without their last segment: whatever that is, the claim is
    the same, unless the whole path is among `paths`.
    """

    paths: dict[str, Claim] = field(default_factory=dict)
    folders: dict[str, Claim] = field(default_factory=dict)


class Claims:
    """The index of one policy, and its answers to what no teleservice claims."""

    __slots__ = ("_ready", "_root", "ended", "otherwise", "sign_in", "unclaimed", "upgrade")

    def __init__(self, policy: Policy) -> None:
        self._root = _Node()
        self._ready: dict[str, _Ready] = {}
        claims = [
            Claim(rule, route, position, policy.digest)
            for position, (rule, route) in enumerate((rule, route) for rule in policy.rules for route in rule.routes)
        ]
        for claim in claims:
            self._place(claim)
        for claim in claims:
            for method in claim.methods:
                self._work_out(claim.route, method, self._ready.setdefault(method, _Ready()))
        # HEAD is judged as the GET it is a part of.
        self._ready["HEAD"] = self._ready.get("GET", _Ready())
        self.sign_in = _sign_in_first(None, policy.digest)
        self.upgrade = _deny(None, Reason.UPGRADE_NOT_ALLOWED, policy.digest)
        self.ended = _deny(None, Reason.DELEGATION_ENDED, policy.digest)
        self.unclaimed = _deny(None, Reason.NO_TELESERVICE, policy.digest)
        permit = Decision(Effect.PERMIT, None, (Reason.PERMITTED,), digest=policy.digest)
        self.otherwise = permit if policy.default is Effect.PERMIT else self.unclaimed

    def find(self, method: str, path: str) -> Claim | None:
        """The claim that decides, None if there is none."""
        ready = self._ready.get(method)
        if ready is None:
            return None
        if path.isascii():
            path = path.lower()
            claim = ready.paths.get(path)
            if claim is not None:
                return claim
            folder, slash, last = path.rpartition("/")
            if last and slash and folder in ready.folders:
                return ready.folders[folder]
        return min(self.fitting("GET" if method == "HEAD" else method, path), key=_rank, default=None)

    def fitting(self, method: str, path: str) -> list[Claim]:
        """All claims that fit a method as the portal knows it, and a canonical path."""
        return [claim for claim in self.on(path) if method in claim.methods]

    def on(self, path: str) -> list[Claim]:
        """All claims on a canonical path, whatever their methods."""
        found: list[Claim] = []
        nodes = [self._root]
        segments = split(path.lower()) if path.isascii() else [fold(segment) for segment in split(path)]
        for segment in segments:
            below: list[_Node] = []
            for node in nodes:
                if node.tails:
                    found += node.tails
                if segment in node.literals:
                    below.append(node.literals[segment])
                if node.variable is not None:
                    below.append(node.variable)
            nodes = below
        for node in nodes:
            found += node.ends
            found += node.tails
        return found

    def _place(self, claim: Claim) -> None:
        node = self._root
        for segment in claim.route.template.segments:
            if segment is not None:
                node = node.literals.setdefault(segment, _Node())
            else:
                node.variable = node.variable or _Node()
                node = node.variable
        (node.ends if claim.route.template.tail is None else node.tails).append(claim)

    def _work_out(self, route: Route, method: str, ready: _Ready) -> None:
        """Make ready the path that a route writes out, and the folder in which it leaves one segment open."""
        template = route.template
        variable = template.segments[-1] is None
        written = template.segments[:-1] if variable else template.segments
        literals = [segment for segment in written if segment is not None]
        path = "/".join(literals)
        if len(literals) < len(written) or not path.isascii():
            return
        if not variable:
            ready.paths[path or "/"] = min(self.fitting(method, path or "/"), key=_rank)
        if variable or template.tail is not None:
            ready.folders[path] = min(self.fitting(method, f"{path}/{_ANY_OTHER}"), key=_rank)
            for literal in filter(str.isascii, self._literals_below(literals)):
                ready.paths[f"{path}/{literal}"] = min(self.fitting(method, f"{path}/{literal}"), key=_rank)

    def _literals_below(self, segments: list[str]) -> set[str]:
        """What any route writes out after these segments, also one that has variables in their places."""
        nodes = [self._root]
        for segment in segments:
            below = [node.literals.get(segment) for node in nodes] + [node.variable for node in nodes]
            nodes = [node for node in below if node is not None]
        return {literal for node in nodes for literal in node.literals}


def _steps(rule: Rule, names: frozenset[str] | None, digest: str) -> Steps:
    asked = (one for one in CRITERIA if one.applies(rule) and (names is None or one.name in names))
    return tuple((one.match, _refusal(rule, one.name, one.reason(rule), digest)) for one in asked)


def _floor(rule: Rule) -> Rule:
    """What stays enforced of a rule on trial: whoever it is, he is signed in, to patient data with a second factor."""
    least = Level.MFA if rule.sensitive else Level.PASSWORD
    return replace(rule, level=min(rule.level, least), methods=(), fresh_for=None)


def _rank(claim: Claim) -> tuple[int, int]:
    return claim.rank


def _segment(route: Route) -> int:
    """Place of the patient number in the path; 0 if it is not there."""
    if route.patient is None or route.patient.place is not Place.PATH:
        return 0
    return dict(route.template.variables)[route.patient.name]


def _permit(rule: Rule, route: Route, digest: str) -> Decision:
    counts = route.patient is not None or rule.answers is not None
    discloses = rule.categories and (counts or not rule.metered)
    return Decision(
        Effect.PERMIT,
        rule.name,
        (Reason.PERMITTED,),
        meter=rule.meter(route.patient) if counts else None,
        record=Record(rule.categories) if discloses else None,
        answers=rule.answers,
        streams=rule.streams,
        upgrade=rule.upgrade,
        anonymous=rule.anonymous,
        digest=digest,
        segment=_segment(route),
    )


def _refusal(rule: Rule, criterion: str, reason: Reason, digest: str) -> Decision:
    if criterion == "sign-in":
        return _sign_in_first(rule.name, digest)
    if criterion in CHALLENGING:
        asked = Challenge(Level.CARD if criterion == "means" else rule.level, rule.fresh_for, rule.methods)
        return Decision(Effect.CHALLENGE, rule.name, (reason,), challenge=asked, digest=digest)
    return _deny(rule.name, reason, digest)


def _sign_in_first(rule: str | None, digest: str) -> Decision:
    """The same for every rule and for none: what is behind is not told to someone who is not signed in."""
    asked = Challenge(Level.PASSWORD)
    return Decision(Effect.CHALLENGE, rule, (Reason.SIGN_IN_REQUIRED,), challenge=asked, digest=digest)


def _deny(rule: str | None, reason: Reason, digest: str) -> Decision:
    return Decision(Effect.DENY, rule, (reason,), digest=digest)
