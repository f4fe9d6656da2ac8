# SPDX-License-Identifier: EUPL-1.2
"""Cases beside a policy: loaded as strictly, judged by the same function."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import ConfigurationError
from gateway.model import ANONYMOUS, Effect, Level, Method, Proof, Reason
from gateway.policy.cases import AT, Case, Cases, Outcome, load_cases, run_cases, subject_at
from gateway.policy.load import load_policy

POLICY_TEXT = """
version: 1
portal: house
title: House
teleservices:
  home: {title: Home, routes: [GET /], assurance: password, upgrade: websocket}
  lookup: {title: Lookup, routes: ["GET /lookup/{id}"], assurance: mfa, fresh_for: 4h, professions: [nurse]}
"""
POLICY = load_policy(POLICY_TEXT, "house.yaml")
HEAD = "version: 1\nportal: house\ncases:\n"
NURSE = "as: {account: '123456782', profession: nurse, assurance: mfa, proved_ago: 5m}"


def load(*cases: str) -> Cases:
    return load_cases(HEAD + "".join(f"  - {{name: n{n}, {case}}}\n" for n, case in enumerate(cases)), "c.yaml", POLICY)


def outcomes(*cases: str) -> list[tuple[Outcome, str]]:
    return [(result.outcome, result.detail) for result in run_cases(POLICY, load(*cases)).results]


def test_a_case_with_every_key() -> None:
    case = load(
        f"{NURSE}, request: GET /lookup/1, expect: permit, reason: permitted, upgrade: true, skip: later"
    ).cases[0]
    assert (case.name, case.request, case.expect, case.reason) == (
        "n0", "GET /lookup/1", Effect.PERMIT, Reason.PERMITTED,
    )  # fmt: skip
    assert (case.upgrade, case.skip) == (True, "later")
    assert (case.subject.account, case.subject.profession) == ("123456782", "nurse")
    assert case.subject.assurance.proved_at(Level.MFA) == AT - timedelta(minutes=5)


def test_a_case_names_its_day_and_what_was_proved() -> None:
    who = "as: {account: A-1, methods: [pwd, psc], proved_ago: 2h}"
    case = load(f"{who}, day: 2027-12-31, request: GET /, expect: permit").cases[0]
    assert case.at == datetime(2027, 12, 31, 12, tzinfo=UTC)
    proved_at = case.at - timedelta(hours=2)
    assert case.subject.assurance.proofs == (Proof(Method.PASSWORD, proved_at), Proof(Method.SSO, proved_at))
    assert load("as: {account: A-1, assurance: card}, request: GET /, expect: permit").cases[0].at == AT


def test_a_case_may_be_a_delegate() -> None:
    who = "as: {account: A-1, profession: nurse, assurance: mfa, delegate: {teleservices: [lookup]%s}}"
    asked = "request: GET /lookup/1, expect:"
    assert [outcome for outcome, _ in outcomes(
        f"{who % ''}, {asked} permit",
        f"{who % ''}, request: GET /, expect: deny, reason: not-delegated",
        f"{who % ', until: 2001-01-01'}, {asked} permit",
        f"{who % ', until: 2000-12-31'}, {asked} deny, reason: delegation-ended",
        f"{who % ', until: 2000-12-31'}, request: GET /nowhere, expect: deny, reason: delegation-ended",
    )] == [Outcome.PASS] * 5  # fmt: skip


def test_the_day_of_a_case_decides() -> None:
    text = POLICY_TEXT + "  list: {title: List, routes: [GET /list], assurance: mfa, discloses: [name], uncounted: x,"
    policy = load_policy(text + " attestation: {reference: R, until: 2027-12-31}}\n", "house.yaml")
    cases = "".join(
        f"  - {{name: n{day}, as: {{account: A-1, assurance: mfa}}, day: {day}, request: GET /list, expect: {told}}}\n"
        for day, told in (("2027-12-31", "permit"), ("2028-01-01", "challenge"))
    )
    assert run_cases(policy, load_cases(HEAD + cases, "c.yaml", policy)).count(Outcome.PASS) == 2


@pytest.mark.parametrize("level", Level)
def test_a_subject_has_proved_what_its_level_takes(level: Level) -> None:
    assert subject_at("A-1", None, level, AT).assurance.level is level
    assert subject_at(None, "nurse", level, AT) is ANONYMOUS


def test_cases_pass_fail_and_are_skipped() -> None:
    assert outcomes(
        "request: GET /, expect: challenge, reason: sign-in-required",
        f"{NURSE}, request: 'HEAD /LOOKUP/1/?a=b', expect: permit",
        f"{NURSE}, request: GET /lookup/1, expect: deny",
        f"{NURSE}, request: GET /lookup/1, expect: permit, reason: no-teleservice",
        "request: GET /, expect: permit, skip: not yet",
        f"{NURSE}, request: GET /nowhere, expect: permit",
        "request: GET /../lookup/1, expect: deny, reason: path-ambiguous",
        "request: GET /é, expect: deny, reason: malformed-request",
        f"{NURSE}, request: GET /, expect: permit, upgrade: true",
        f"{NURSE}, request: GET /lookup/1, expect: deny, reason: upgrade-not-allowed, upgrade: true",
    ) == [
        (Outcome.PASS, ""),
        (Outcome.PASS, ""),
        (Outcome.FAIL, "found permit (permitted) by rule lookup, expected deny"),
        (Outcome.FAIL, "found permit (permitted) by rule lookup, expected permit (no-teleservice)"),
        (Outcome.SKIPPED, "not yet"),
        (Outcome.FAIL, "found deny (no-teleservice) by no rule, expected permit"),
        (Outcome.PASS, ""),
        (Outcome.PASS, ""),
        (Outcome.PASS, ""),
        (Outcome.PASS, ""),
    ]


@pytest.mark.parametrize("request_", ["GET", "GET ", "'/x'", "GET / HTTP/1.1", "' /x'"])
def test_a_request_that_is_none_is_an_error(request_: str) -> None:
    ((outcome, detail),) = outcomes(f"request: {request_}, expect: deny")
    assert outcome is Outcome.ERROR
    assert "expected a method and a target" in detail


def test_the_report_counts_and_names_what_no_case_touched() -> None:
    passing = Case("a", ANONYMOUS, "GET /", Effect.CHALLENGE)
    failing = Case("b", ANONYMOUS, "GET /", Effect.DENY)
    skipped = Case("c", ANONYMOUS, "GET /lookup/1", Effect.DENY, skip="why")
    broken = Case("d", ANONYMOUS, "GET", Effect.DENY)
    report = run_cases(POLICY, Cases("c", (passing, failing, skipped, broken)))
    assert report.untouched == ("lookup",)
    nowhere = Case("e", ANONYMOUS, "GET /nowhere", Effect.CHALLENGE)
    assert run_cases(POLICY, Cases("c", (nowhere,))).untouched == ("home", "lookup")
    assert [report.count(outcome) for outcome in Outcome] == [1, 1, 1, 1]
    assert report.exit_code == 2
    assert run_cases(POLICY, Cases("c", (passing, failing))).exit_code == 1
    assert run_cases(POLICY, Cases("c", (passing, skipped))).exit_code == 0


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "found nothing"),
        ("version: 1\n", "the key `portal`"),
        (
            "version: 1\nportal: other\ncases: [{name: a, request: GET /, expect: deny}]",
            "`house`, the portal of the policy",
        ),
        ("version: 1\nportal: no\ncases: [{name: a, request: GET /, expect: deny}]", "which YAML reads as bool"),
        ("version: 1\nportal: house\ncases: []", "a list with nothing in it"),
        (HEAD + "  - {name: a}", "the key `request`"),
        (HEAD + "  - {request: GET /, expect: deny}", "the key `name`"),
        (HEAD + "  - {name: a, name: b, request: GET /, expect: deny}", "the key again"),
        (HEAD + "  - {name: a, request: GET /, expect: no}", "`no`, which YAML reads as bool"),
        (HEAD + "  - {name: a, request: GET /, expect: deny, reason: because}", "found `because`; expected one of"),
        (HEAD + "  - {name: a, request: GET /, expect: deny, at: noon}", "the unknown key `at`"),
        (HEAD + "  - {name: a, request: GET /, expect: deny, skip: yes}", "why this case is not run"),
        (HEAD + "  - {name: a, request: GET /, expect: deny, as: nobody}", "found `nobody`; expected a mapping"),
        (
            HEAD + "  - {name: a, request: GET /, expect: deny, as: {account: A-1}}",
            "found neither; expected `assurance`",
        ),
        (
            HEAD + "  - {name: a, request: GET /, expect: deny, as: {account: A-1, assurance: mfa, methods: [sc]}}",
            "both",
        ),
        (HEAD + "  - {name: a, request: GET /, expect: deny, as: {account: A-1, methods: [sms]}}", "one of pwd, otp"),
        (HEAD + "  - {name: a, request: GET /, expect: deny, day: tomorrow}", "a day such as"),
        (
            HEAD + "  - {name: a, request: GET /, expect: deny, as: {account: A-1, assurance: mfa, delegate: {}}}",
            "the key `teleservices`",
        ),
        (HEAD + "  - {name: a, request: GET /, expect: deny, as: {assurance: mfa}}", "the key `account`"),
        (
            HEAD + "  - {name: a, request: GET /, expect: deny, as: {account: 123456782, assurance: mfa}}",
            "reads as int",
        ),
        (
            HEAD + "  - {name: a, request: GET /, expect: deny, as: {account: A-1, assurance: sms}}",
            "one of none, password",
        ),
        (HEAD + "  - {name: a, request: GET /, expect: deny}\n" * 2, "the name `a` again"),
    ],
)
def test_0_10_cases_are_loaded_as_strictly(text: str, fault: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        load_cases(text, "c.yaml", POLICY)
    assert len(error.value.faults) <= 2
    assert fault in str(error.value)
