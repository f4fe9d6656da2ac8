# SPDX-License-Identifier: EUPL-1.2
"""A decision as text."""

from dataclasses import replace
from datetime import timedelta

from gateway.model import AccessRequest, Delegation, Level
from gateway.policy.cases import AT, subject_at
from gateway.policy.evaluate import evaluate
from gateway.policy.explain import LEGEND, explanation
from gateway.policy.load import load_policy

POLICY = load_policy(
    """
version: 1
portal: house
title: House
teleservices:
  home: {title: Home, routes: [GET /], assurance: password}
  lookup:
    title: Lookup
    routes: ["GET /lookup/{nir}"]
    assurance: mfa
    fresh_for: 4h
    patient: {path: nir}
    budgets: [{people: 5, window: 10m, past: challenge}]
    discloses: [identity, rights]
    attestation: {reference: TEST-1, until: 2099-12-31}
""",
    "house.yaml",
)


def told(level: Level, path: str) -> str:
    request = AccessRequest(subject_at("A-1", None, level, AT), "GET", path, AT)
    return explanation(evaluate(POLICY, request, explain=True)).replace(POLICY.digest, "DIGEST")


def test_the_table_and_a_permit_with_its_obligations() -> None:
    assert (
        told(Level.MFA, "/lookup/1")
        == f"""\
rule     criterion  match  detail
home     route      miss   none of GET /
         upgrade    hit    wants no upgrade of the connection; found asks for none
         sign-in    hit    wants someone signed in; found A-1
         assurance  hit    wants password or stronger; found mfa
lookup   route      hit    GET /lookup/{{nir}}
         upgrade    hit    wants no upgrade of the connection; found asks for none
         sign-in    hit    wants someone signed in; found A-1
         means      hit    wants card or Pro Santé Connect, or as attested to 2099-12-31 (TEST-1); found pwd + otp
         assurance  hit    wants mfa or stronger; found mfa
         freshness  hit    wants mfa proved at most 4h ago; found mfa proved 0d ago
default  unclaimed  miss   what no teleservice claims: deny

{LEGEND}

verdict: PERMIT permitted (teleservice lookup, policy DIGEST)
counts: the patient in path nir
budget: 5 people per 10m, then challenge
records: identity, rights"""
    )


def test_a_challenge_tells_what_it_asks_for() -> None:
    assert told(Level.PASSWORD, "/lookup/1").endswith(
        "verdict: CHALLENGE second-factor-required (teleservice lookup, policy DIGEST)\n"
        "asks for: mfa, proved at most 4h ago"
    )
    assert told(Level.NONE, "/").endswith("asks for: password")


def test_what_is_special_of_a_rule_and_a_person_is_told() -> None:
    text = """
version: 1
portal: house
title: House
teleservices:
  lookup:
    title: Lookup
    routes: ["GET /lookup/{nir}"]
    methods: [sc, psc]
    fresh_for: 15m
    patient: {path: nir}
    budgets: [{people: 5, window: 1h, past: deny}, {people: 2, window: 1h, past: challenge, per: holder}]
    discloses: [identity]
"""
    policy = load_policy(text, "house.yaml")
    delegation = Delegation("d-1", "Lou Martin", frozenset({"lookup"}), AT + timedelta(days=1))
    for level, end in (
        (Level.MFA, "asks for: mfa by sc or psc, proved at most 15m ago"),
        (Level.CARD, "budget: 2 people per 1h for each holder, then challenge\nrecords: identity"),
    ):
        subject = replace(subject_at("A-1", None, level, AT), delegation=delegation)
        found = explanation(evaluate(policy, AccessRequest(subject, "GET", "/lookup/1", AT), explain=True))
        assert found.endswith(end)
        assert "delegation      hit    wants a delegation for lookup; found lookup" in found
        assert f"methods         {'hit' if level is Level.CARD else 'may'}    wants sc or psc; found" in found


def test_what_is_on_trial_is_told_beside_the_verdict() -> None:
    text = """
version: 1
portal: house
title: House
teleservices:
  lookup: {title: Lookup, routes: [GET /lookup], assurance: card, observe: 2026-11-01}
"""
    policy = load_policy(text, "house.yaml")
    request = AccessRequest(subject_at("A-1", None, Level.PASSWORD, AT), "GET", "/lookup", AT)
    found = explanation(evaluate(policy, request, explain=True)).splitlines()
    assert found[-2].startswith("verdict: PERMIT permitted (teleservice lookup")
    assert found[-1] == "on trial, so not enforced: card-required"


def test_answers_that_are_scanned_are_told() -> None:
    text = """
version: 1
portal: house
title: House
teleservices:
  lists:
    title: Lists
    routes: ["GET /lists", {route: "GET /lists/{nir}", patient: {path: nir}}]
    assurance: card
    answers: {text: {}}
    budgets: [{people: 5, window: 10m, past: challenge}]
    discloses: [identity]
"""
    text = text.replace('"GET /lists"', '{route: "GET /lists", patient: none}')
    policy = load_policy(text, "house.yaml")
    told = []
    for path in ("/lists", "/lists/7"):
        request = AccessRequest(subject_at("A-1", None, Level.CARD, AT), "GET", path, AT)
        found = explanation(evaluate(policy, request, explain=True)).splitlines()
        told.append([line for line in found if line.startswith("counts:")])
    everybody = "counts: everybody whom the answer shows"
    assert told == [[everybody], ["counts: the patient in path nir", everybody]]


def test_a_denial_of_no_teleservice() -> None:
    assert told(Level.CARD, "/nowhere").endswith("verdict: DENY no-teleservice (no teleservice, policy DIGEST)")
