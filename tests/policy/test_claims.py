# SPDX-License-Identifier: EUPL-1.2
"""Which rule claims a request, and the answers made ready for it."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from gateway.model import (
    Budget,
    Challenge,
    Effect,
    Level,
    Meter,
    Method,
    Past,
    PatientLocator,
    Place,
    Reason,
    Record,
    Scope,
)
from gateway.policy.claims import Claim
from gateway.policy.rules import Policy, Route, Rule
from gateway.policy.template import parse_template

NIR = PatientLocator(Place.PATH, "nir")


def route(text: str, patient: PatientLocator | None = None) -> Route:
    methods, _, path = text.partition(" ")
    return Route(tuple(methods.split(",")), parse_template(path), patient)


def rule(name: str, *routes: str, order: int = 0) -> Rule:
    return Rule(name, name, tuple(route(text) for text in routes), order)


def policy(*rules: Rule, default: Effect = Effect.DENY) -> Policy:
    return Policy("p", "P", default, rules, "digest")


HOUSE = policy(
    rule("home", "GET /", "GET /Accueil"),
    rule("people", "GET,POST /people/{id}", "GET /people"),
    rule("files", "GET /people/{id}/files/{rest...}"),
    rule("écran", "GET /Écran/{x}", "GET /a b"),
    rule("new", "GET /people/new", order=-1),
    rule("old", "GET /{any}/old", order=-2),
    rule("rest", "GET /{rest...}", order=9),
)


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/", "home"),
        ("HEAD", "/", "home"),
        ("GET", "/accueil", "home"),
        ("GET", "/ACCUEIL/", "home"),
        ("GET", "/people", "people"),
        ("GET", "/people/1", "people"),
        ("POST", "/People/1/", "people"),
        ("POST", "/people/new", "people"),
        ("GET", "/people/new", "new"),
        ("GET", "/people/old", "old"),
        ("GET", "/people/1/files", "files"),
        ("GET", "/people/1/files/a/b/", "files"),
        ("GET", "/people/1/file", "rest"),
        ("GET", "/écran/1", "écran"),
        ("GET", "/E\u0301CRAN/1", "écran"),
        ("GET", "/A B", "écran"),
        ("GET", "/é", "rest"),
        ("GET", "/x/y/z", "rest"),
        ("POST", "/", None),
        ("get", "/", None),
        ("TRACE", "/", None),
        ("CONNECT", "/", None),
        ("OPTIONS", "/", None),
        ("GET", "", None),
        ("GET", "accueil", None),
    ],
)
def test_A8_N4_the_rule_of_a_request(method: str, path: str, name: str | None) -> None:
    claim = HOUSE.claims.find(method, path)
    assert (claim and claim.rule.name) == name


MADE_READY = policy(
    rule("wide", "GET,POST /{a}", "GET /{a}/{b}", "POST /{rest...}", order=5),
    rule("people", "GET,POST /people/{id}", "GET /files/{rest...}"),
    rule("new", "GET /people/new", "GET /files/top", order=-1),
    rule("old", "GET /{any}/old", "DELETE /{any}/old/{x}", order=-2),
    rule("accents", "GET /écran/{x}", "GET /people/été"),
    rule("below", "GET /people/{id}/{page}", "HEAD /only", order=1),
)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "PUT"])
def test_A8_what_is_made_ready_is_what_the_tree_says(method: str) -> None:
    words = ["people", "PEOPLE", "new", "old", "Old", "files", "top", "écran", "été", "1", "{}", "only"]
    claims = MADE_READY.claims
    for path in (
        "/".join(("", *some)) + end for n in range(4) for some in product(words, repeat=n) for end in ("", "/")
    ):
        fitting = claims.fitting("GET" if method == "HEAD" else method, path)
        assert claims.find(method, path) is min(fitting, key=lambda claim: claim.rank, default=None), path
        assert claims.find(method, path[1:]) is None or path == "/", "a path begins with a slash"


def test_most_requests_are_made_ready() -> None:
    get = MADE_READY.claims._ready["GET"]
    assert {"", "/people", "/files"} <= set(get.folders)
    assert {"/people/new", "/people/old", "/files/old", "/files", "/files/top"} <= set(get.paths)


def test_all_that_fit_are_known() -> None:
    assert {claim.rule.name for claim in HOUSE.claims.on("/people/old")} == {"old", "people", "rest"}
    assert {claim.rule.name for claim in HOUSE.claims.fitting("POST", "/people/old")} == {"people"}


def test_a_rule_without_an_overlap_needs_no_catch_all() -> None:
    small = policy(rule("a", "GET /a/b"))
    assert small.claims.find("GET", "/a") is None
    assert small.claims.find("GET", "/a/b/c") is None
    assert small.claims.find("GET", "/c") is None


def only(one: Rule) -> Claim:
    claim = policy(one).claims.on("/x/1" if one.routes[0].template.variables else "/x")[0]
    assert claim.rule is one
    return claim


def test_a_permit_of_a_plain_teleservice_obliges_to_nothing() -> None:
    permit = only(Rule("a", "A", (route("GET /x"),), streams=True, upgrade=True, anonymous=True)).permit
    assert (permit.effect, permit.rule, permit.reason, permit.digest) == (
        Effect.PERMIT, "a", Reason.PERMITTED, "digest",
    )  # fmt: skip
    assert (permit.meter, permit.record, permit.challenge) == (None, None, None)
    assert (permit.streams, permit.upgrade, permit.anonymous) == (True, True, True)


def test_a_metered_permit_obliges_to_count_and_record() -> None:
    budgets = (Budget(5, timedelta(hours=1), Past.DENY),)
    metered = Rule(
        "a", "A", (route("GET /x/{nir}", NIR), route("GET /x")), budgets=budgets, categories=("identity",)
    )  # fmt: skip
    claim = only(metered)
    each = Budget(2, timedelta(hours=1), Past.DENY, per=Scope.HOLDER)
    meter = only(replace(metered, budgets=(each, *budgets), known_for=timedelta(days=9), moved_new=True)).permit.meter
    assert meter == Meter(NIR, (each, *budgets), timedelta(days=9), moved_new=True)
    assert (meter.of_account, meter.of_holder) == (budgets, (each,))
    assert (claim.permit.meter, claim.permit.record) == (Meter(NIR, budgets), Record(("identity",)))
    assert claim.permit.segment == 2
    bare = policy(metered).claims.find("GET", "/x")
    assert bare is not None
    assert (bare.permit.meter, bare.permit.record, bare.permit.segment) == (None, None, 0)


def test_a_number_outside_the_path_needs_no_capture() -> None:
    form = PatientLocator(Place.FORM, "nir")
    claim = only(Rule("a", "A", (route("POST /x", form),), categories=("identity",)))
    assert claim.permit.meter == Meter(form, ())
    assert claim.permit.segment == 0


def test_what_is_disclosed_uncounted_is_recorded() -> None:
    claim = only(Rule("a", "A", (route("GET /x"),), categories=("identity",), uncounted="a list"))
    assert (claim.permit.meter, claim.permit.record) == (None, Record(("identity",)))


def test_each_no_has_its_decision() -> None:
    claim = only(
        Rule("a", "A", (route("GET /x"),), level=Level.MFA, fresh_for=timedelta(hours=4),
             professions=frozenset({"nurse"}), accounts=frozenset({"X-1"}))
    )  # fmt: skip
    found = [(refusal.effect, refusal.reason, refusal.challenge) for _, refusal in claim.steps]
    asked = Challenge(Level.MFA, timedelta(hours=4))
    assert found == [
        (Effect.DENY, Reason.UPGRADE_NOT_ALLOWED, None),
        (Effect.CHALLENGE, Reason.SIGN_IN_REQUIRED, Challenge(Level.PASSWORD)),
        (Effect.DENY, Reason.DELEGATION_ENDED, None),
        (Effect.DENY, Reason.NOT_DELEGATED, None),
        (Effect.DENY, Reason.ACCOUNT_NOT_ALLOWED, None),
        (Effect.DENY, Reason.PROFESSION_NOT_ALLOWED, None),
        (Effect.CHALLENGE, Reason.SECOND_FACTOR_REQUIRED, asked),
        (Effect.CHALLENGE, Reason.SECOND_FACTOR_STALE, asked),
    ]
    assert {(refusal.rule, refusal.digest) for _, refusal in claim.steps} == {("a", "digest")}


def test_a_challenge_names_the_methods_of_its_rule() -> None:
    asked = (Method.PASSKEY, Method.SMART_CARD)
    claim = only(Rule("a", "A", (route("GET /x"),), level=Level.MFA, methods=asked))
    assert (Reason.METHOD_REQUIRED, Challenge(Level.MFA, None, asked)) in [
        (refusal.reason, refusal.challenge) for _, refusal in claim.steps
    ]


def test_what_nobody_claims() -> None:
    denying, permitting = policy(rule("a", "GET /a")).claims, policy(default=Effect.PERMIT).claims
    assert denying.otherwise is denying.unclaimed
    assert (denying.unclaimed.effect, denying.unclaimed.reason) == (Effect.DENY, Reason.NO_TELESERVICE)
    assert (permitting.otherwise.effect, permitting.otherwise.record) == (Effect.PERMIT, None)
    assert (denying.ended.effect, denying.ended.reason) == (Effect.DENY, Reason.DELEGATION_ENDED)
    assert (denying.upgrade.effect, denying.upgrade.reason) == (Effect.DENY, Reason.UPGRADE_NOT_ALLOWED)
    assert (denying.sign_in.effect, denying.sign_in.challenge) == (Effect.CHALLENGE, Challenge(Level.PASSWORD))


def test_of_a_rule_on_trial_a_second_factor_stays_enforced_where_data_of_patients_is() -> None:
    strict = Rule("a", "A", (route("GET /x"),), level=Level.CARD, methods=(Method.SMART_CARD,), fresh_for=timedelta(1))
    open_to_all = only(replace(strict, observe=True))
    assert (open_to_all.enforced.level, open_to_all.enforced.methods) == (Level.PASSWORD, ())
    assert open_to_all.enforced.fresh_for is None
    of_patients = only(replace(strict, observe=True, categories=("identity",), uncounted="a list"))
    assert of_patients.enforced.level is Level.MFA
    assert only(strict).enforced == strict
    assert only(strict).trial == ()
