# SPDX-License-Identifier: EUPL-1.2
"""decide: its order, its properties, and a second evaluator that must agree with it (faults class A, N4)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.model import (
    ANONYMOUS,
    AccessRequest,
    Assurance,
    Decision,
    Delegation,
    Effect,
    Level,
    Match,
    Method,
    PatientLocator,
    Place,
    Proof,
    Reason,
    Subject,
)
from gateway.policy.evaluate import DEFAULT, evaluate
from gateway.policy.load import load_policy
from gateway.policy.rules import Policy, Route, Rule
from gateway.policy.template import parse_template

AT = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = load_policy(
    """
version: 1
portal: house
title: House
teleservices:
  home: {title: Home, routes: [GET /, GET /home], assurance: password}
  static: {title: Static, routes: ["GET /static/{rest...}"], anonymous: true}
  lookup:
    title: Lookup
    routes:
      - {route: GET /lookup, patient: none}
      - {route: "GET,POST /lookup/{nir}", patient: {path: nir}}
    assurance: mfa
    fresh_for: 4h
    professions: [pharmacist]
    budgets: [{people: 5, window: 1h, past: deny}]
    discloses: [identity]
    attestation: {reference: TEST-1, until: 2099-12-31}
  card: {title: Card, routes: [GET /card], assurance: card, fresh_for: 1h}
  shop: {title: Shop, routes: [GET /shop], assurance: password, fresh_for: 1h, accounts: [SHOP-1]}
  talk: {title: Talk, routes: [GET /talk], assurance: password, upgrade: websocket}
  rest: {title: Rest, routes: ["GET /home/{rest...}"], assurance: card, order: 5}
""",
    "house.yaml",
)
OPEN = replace(POLICY, default=Effect.PERMIT)


def subject(*methods: Method, ago: timedelta = timedelta(0), **given_: str) -> Subject:
    proofs = tuple(Proof(method, AT - ago) for method in methods)
    return Subject(**{"account": "SHOP-1", "profession": "pharmacist", **given_}, assurance=Assurance(proofs))


PASSWORD = subject(Method.PASSWORD)
MFA = subject(Method.PASSWORD, Method.TOTP)
CARD = subject(Method.SMART_CARD)


def decide(who: Subject, method: str, path: str, *, upgrade: bool = False, policy: Policy = POLICY) -> Decision:
    return evaluate(policy, AccessRequest(who, method, path, AT, upgrade))


@pytest.mark.parametrize(
    ("who", "request_line", "effect", "reason", "rule"),
    [
        (ANONYMOUS, "GET /", Effect.CHALLENGE, Reason.SIGN_IN_REQUIRED, "home"),
        (ANONYMOUS, "GET /static/a.css", Effect.PERMIT, Reason.PERMITTED, "static"),
        (ANONYMOUS, "GET /nowhere", Effect.CHALLENGE, Reason.SIGN_IN_REQUIRED, None),
        (ANONYMOUS, "DELETE /", Effect.CHALLENGE, Reason.SIGN_IN_REQUIRED, None),
        (ANONYMOUS, "GET /card", Effect.CHALLENGE, Reason.SIGN_IN_REQUIRED, "card"),
        (subject(), "GET /", Effect.CHALLENGE, Reason.SIGN_IN_REQUIRED, "home"),
        (PASSWORD, "GET /", Effect.PERMIT, Reason.PERMITTED, "home"),
        (PASSWORD, "HEAD /HOME/", Effect.PERMIT, Reason.PERMITTED, "home"),
        (PASSWORD, "GET /nowhere", Effect.DENY, Reason.NO_TELESERVICE, None),
        (PASSWORD, "POST /", Effect.DENY, Reason.NO_TELESERVICE, None),
        (PASSWORD, "get /", Effect.DENY, Reason.NO_TELESERVICE, None),
        (PASSWORD, "TRACE /", Effect.DENY, Reason.NO_TELESERVICE, None),
        (PASSWORD, "OPTIONS /", Effect.DENY, Reason.NO_TELESERVICE, None),
        (PASSWORD, "GET /lookup", Effect.CHALLENGE, Reason.SECOND_FACTOR_REQUIRED, "lookup"),
        (MFA, "GET /lookup/1", Effect.PERMIT, Reason.PERMITTED, "lookup"),
        (CARD, "POST /lookup/1", Effect.PERMIT, Reason.PERMITTED, "lookup"),
        (subject(Method.PASSWORD, Method.TOTP, ago=timedelta(hours=5)), "GET /lookup", Effect.CHALLENGE,
         Reason.SECOND_FACTOR_STALE, "lookup"),
        (subject(Method.SMART_CARD, profession="nurse"), "GET /lookup", Effect.DENY,
         Reason.PROFESSION_NOT_ALLOWED, "lookup"),
        (subject(profession="nurse"), "GET /lookup", Effect.DENY, Reason.PROFESSION_NOT_ALLOWED, "lookup"),
        (MFA, "GET /card", Effect.CHALLENGE, Reason.CARD_REQUIRED, "card"),
        (CARD, "GET /card", Effect.PERMIT, Reason.PERMITTED, "card"),
        (subject(Method.SMART_CARD, ago=timedelta(hours=2)), "GET /card", Effect.CHALLENGE,
         Reason.CARD_REQUIRED, "card"),
        (subject(Method.PASSWORD, ago=timedelta(hours=2)), "GET /shop", Effect.CHALLENGE,
         Reason.SIGN_IN_REQUIRED, "shop"),
        (subject(Method.SMART_CARD, account="SHOP-2"), "GET /shop", Effect.DENY, Reason.ACCOUNT_NOT_ALLOWED, "shop"),
        (MFA, "GET /home/x", Effect.CHALLENGE, Reason.CARD_REQUIRED, "rest"),
    ],
)  # fmt: skip
def test_decisions(who: Subject, request_line: str, effect: Effect, reason: Reason, rule: str | None) -> None:
    method, path = request_line.split(" ")
    decision = decide(who, method, path)
    assert (decision.effect, decision.reason, decision.rule) == (effect, reason, rule)
    assert decision.digest == POLICY.digest
    assert (decision.challenge is not None) is (effect is Effect.CHALLENGE)


TRIAL = load_policy(
    """
version: 1
portal: house
title: House
teleservices:
  trial: {title: T, routes: [GET /trial], assurance: card, fresh_for: 1h, professions: [nurse], observe: true}
""",
    "house.yaml",
)


def test_a_rule_on_trial_tells_what_it_would_have_said_and_lets_pass() -> None:
    nurse = subject(Method.SMART_CARD, profession="nurse")
    for who, observed in (
        (nurse, ()),
        (subject(Method.SMART_CARD, profession="nurse", ago=timedelta(hours=2)), (Reason.CARD_REQUIRED,)),
        (PASSWORD, (Reason.PROFESSION_NOT_ALLOWED, Reason.CARD_REQUIRED)),
    ):
        for _ in range(2):
            decision = decide(who, "GET", "/trial", policy=TRIAL)
            assert decision.effect is Effect.PERMIT
            assert set(decision.observed) == set(observed), decision.observed
    nobody = decide(ANONYMOUS, "GET", "/trial", policy=TRIAL)
    assert (nobody.effect, nobody.reason) == (Effect.CHALLENGE, Reason.SIGN_IN_REQUIRED)


def test_N5_only_one_teleservice_may_upgrade() -> None:
    assert decide(PASSWORD, "GET", "/talk", upgrade=True).effect is Effect.PERMIT
    assert decide(PASSWORD, "GET", "/talk", upgrade=True).upgrade
    assert decide(ANONYMOUS, "GET", "/talk", upgrade=True).reason is Reason.SIGN_IN_REQUIRED
    for who in (ANONYMOUS, CARD):
        for path in ("/", "/nowhere", "/static/a"):
            assert decide(who, "GET", path, upgrade=True).reason is Reason.UPGRADE_NOT_ALLOWED


def test_a_visitor_cannot_tell_what_exists() -> None:
    """Everything a client could see of a challenge is the same for a rule and for none."""
    unknown = decide(ANONYMOUS, "GET", "/nowhere")
    for path in ("/", "/card", "/lookup/1", "/shop"):
        assert replace(decide(ANONYMOUS, "GET", path), rule=None) == unknown


def test_a_permitting_default_is_for_people_and_for_unclaimed_paths() -> None:
    assert decide(PASSWORD, "DELETE", "/nowhere", policy=OPEN).effect is Effect.PERMIT
    assert decide(PASSWORD, "GET", "/nowhere", policy=OPEN, upgrade=True).effect is Effect.DENY
    assert decide(ANONYMOUS, "GET", "/nowhere", policy=OPEN).effect is Effect.CHALLENGE
    assert decide(CARD, "DELETE", "/lookup/1", policy=OPEN).reason is Reason.NO_TELESERVICE
    assert decide(CARD, "TRACE", "/", policy=OPEN).reason is Reason.NO_TELESERVICE


def test_a_permit_tells_where_in_the_path_the_number_stands() -> None:
    decision = decide(MFA, "GET", "/Lookup/1a2B/")
    assert decision.segment == 2
    assert decision.meter is not None
    assert decision.meter.patient == PatientLocator(Place.PATH, "nir")
    assert decision.record is not None
    bare = decide(MFA, "GET", "/lookup")
    assert (bare.segment, bare.meter, bare.record) == (0, None, None)


def test_a_challenge_asks_for_what_opens_the_door() -> None:
    asked = decide(PASSWORD, "GET", "/lookup").challenge
    assert asked is not None
    assert (asked.level, asked.max_age) == (Level.MFA, timedelta(hours=4))


def test_a_permit_once_given_is_no_permit_for_more() -> None:
    who = subject(Method.PASSWORD, Method.TOTP)
    stricter = replace(POLICY, rules=tuple(replace(rule, fresh_for=timedelta(minutes=5)) for rule in POLICY.rules))

    def again(policy: Policy, after: timedelta, *, upgrade: bool = False) -> Reason:
        return evaluate(policy, AccessRequest(who, "GET", "/lookup/1", AT + after, upgrade)).reason

    fresh = timedelta(hours=4)
    assert again(POLICY, timedelta(0)) is Reason.PERMITTED
    assert again(POLICY, timedelta(0), upgrade=True) is Reason.UPGRADE_NOT_ALLOWED
    assert again(stricter, fresh) is Reason.SECOND_FACTOR_STALE
    assert again(POLICY, fresh) is Reason.PERMITTED
    assert again(POLICY, fresh + timedelta(microseconds=1)) is Reason.SECOND_FACTOR_STALE
    assert len(who.met) == 1


def test_nothing_is_kept_with_nobody() -> None:
    assert decide(ANONYMOUS, "GET", "/static/a.css").effect is Effect.PERMIT
    assert ANONYMOUS.met == {}


def test_the_trace_is_of_the_same_decision() -> None:
    for who in (ANONYMOUS, PASSWORD, MFA, CARD):
        for path in ("/", "/lookup/1", "/nowhere", "/home/x"):
            request = AccessRequest(who, "HEAD", path, AT)
            explained = evaluate(POLICY, request, explain=True)
            assert replace(explained, trace=()) == evaluate(POLICY, request)
            rules = {line.rule for line in explained.trace}
            assert rules == {rule.name for rule in POLICY.rules} | {DEFAULT}
            own = [line.match for line in explained.trace if line.rule == (explained.rule or DEFAULT)]
            assert (explained.effect is Effect.PERMIT) == ({*own} == {Match.HIT} and explained.rule is not None)


def test_the_trace_tells_who_came_first() -> None:
    policy = Policy(
        "p", "P", Effect.DENY,
        tuple(
            Rule(name, name, tuple(Route(("GET",), parse_template(path + tail)) for tail in ("", "/{y...}")), order)
            for name, path, order in (("a", "/{x}", 2), ("b", "/b", 1))
        ),
        "digest",
    )  # fmt: skip
    trace = evaluate(policy, AccessRequest(PASSWORD, "GET", "/b", AT), explain=True).trace
    told = [
        (line.rule, line.criterion, line.match, line.detail) for line in trace if line.criterion in ("route", "order")
    ]
    assert told == [
        ("a", "route", Match.HIT, "GET /{x}"),
        ("a", "order", Match.MISS, "b comes first (1 < 2)"),
        ("b", "route", Match.HIT, "GET /b"),
    ]
    assert trace[-1].match is Match.MISS
    last = evaluate(policy, AccessRequest(PASSWORD, "GET", "/", AT), explain=True).trace[-1]
    assert (last.rule, last.match) == (DEFAULT, Match.HIT)


def test_a_delegate_does_what_was_given_to_him_and_no_longer() -> None:
    until = AT + timedelta(hours=1)
    delegation = Delegation("d-1", "Lou Martin", frozenset({"shop"}), until)
    acting = replace(subject(Method.PASSWORD, account="SHOP-1"), delegation=delegation)
    moment = timedelta(microseconds=1)
    for path, at, reason in (
        ("/shop", AT, Reason.PERMITTED),
        ("/shop", until - moment, Reason.PERMITTED),
        ("/shop", until, Reason.DELEGATION_ENDED),
        ("/shop", AT, Reason.PERMITTED),
        ("/home", AT, Reason.NOT_DELEGATED),
        ("/static/x", until, Reason.PERMITTED),
        ("/nowhere", AT, Reason.PERMITTED),
        ("/nowhere", until, Reason.DELEGATION_ENDED),
    ):
        assert evaluate(OPEN, AccessRequest(acting, "GET", path, at)).reason is reason, path
    trace = evaluate(OPEN, AccessRequest(acting, "GET", "/shop", until), explain=True).trace
    assert [(line.rule, line.match) for line in trace if line.criterion == "delegation"] == [
        ("home", Match.MISS), ("lookup", Match.MISS), ("card", Match.MISS), ("shop", Match.HIT), ("talk", Match.MISS),
        ("rest", Match.MISS),
    ]  # fmt: skip
