# SPDX-License-Identifier: EUPL-1.2
"""Each criterion on its own: hit, miss, may."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.model import ANONYMOUS, AccessRequest, Assurance, Delegation, Level, Match, Method, Proof, Reason, Subject
from gateway.policy.criteria import CRITERIA, met_until
from gateway.policy.rules import Attestation, Rule

AT = datetime(2026, 1, 1, tzinfo=UTC)
BY_NAME = {criterion.name: criterion for criterion in CRITERIA}
HIT, MISS, MAY = Match.HIT, Match.MISS, Match.MAY


def person(*methods: Method, ago: timedelta = timedelta(0), profession: str | None = "nurse") -> Subject:
    proofs = tuple(Proof(method, AT - ago) for method in methods)
    return Subject("ACCOUNT-1", profession=profession, assurance=Assurance(proofs))


def ask(subject: Subject, *, upgrade: bool = False) -> AccessRequest:
    return AccessRequest(subject, "GET", "/x", AT, upgrade)


MFA = (Method.PASSWORD, Method.TOTP)
FRESH = Rule("a", "A", (), level=Level.MFA, fresh_for=timedelta(hours=4))
SENSITIVE = Rule("a", "A", (), level=Level.MFA, categories=("identity",))
TODAY, YESTERDAY = (
    replace(SENSITIVE, attestation=Attestation("R", AT.date() - timedelta(days=days))) for days in (0, 1)
)


# A password given now, a code two hours ago.
LATELY = Subject(
    "ACCOUNT-1",
    assurance=Assurance((Proof(Method.TOTP, AT - timedelta(hours=2)), Proof(Method.PASSWORD, AT))),
)
# A code two hours ago, and a recovery code now.
ON_PAPER = Subject(
    "ACCOUNT-1",
    assurance=Assurance((*LATELY.assurance.proofs, Proof(Method.RECOVERY, AT))),
)
HOUR, MOMENT = timedelta(hours=1), timedelta(microseconds=1)
NAMED = Rule("a", "A", (), level=Level.MFA, methods=(Method.TOTP, Method.SMART_CARD), fresh_for=HOUR)


def delegate(until: datetime, *teleservices: str) -> Subject:
    return replace(person(*MFA), delegation=Delegation("d-1", "Lou Martin", frozenset(teleservices), until))


@pytest.mark.parametrize(
    ("name", "rule", "request_", "match"),
    [
        ("upgrade", Rule("a", "A", ()), ask(ANONYMOUS), HIT),
        ("upgrade", Rule("a", "A", ()), ask(ANONYMOUS, upgrade=True), MISS),
        ("sign-in", Rule("a", "A", ()), ask(ANONYMOUS), MAY),
        ("sign-in", Rule("a", "A", ()), ask(person()), HIT),
        ("account", Rule("a", "A", (), accounts=frozenset({"ACCOUNT-1"})), ask(ANONYMOUS), MAY),
        ("account", Rule("a", "A", (), accounts=frozenset({"ACCOUNT-1"})), ask(person()), HIT),
        ("account", Rule("a", "A", (), accounts=frozenset({"ACCOUNT-2"})), ask(person()), MISS),
        ("account", Rule("a", "A", (), accounts=frozenset()), ask(person()), MISS),
        ("profession", Rule("a", "A", (), professions=frozenset({"nurse"})), ask(ANONYMOUS), MAY),
        ("profession", Rule("a", "A", (), professions=frozenset({"nurse"})), ask(person()), HIT),
        ("profession", Rule("a", "A", (), professions=frozenset({"physician"})), ask(person()), MISS),
        ("profession", Rule("a", "A", (), professions=frozenset({"nurse"})), ask(person(profession=None)), MISS),
        ("profession", Rule("a", "A", (), professions=frozenset()), ask(person()), MISS),
        ("assurance", Rule("a", "A", (), level=Level.PASSWORD), ask(person()), MAY),
        ("assurance", Rule("a", "A", (), level=Level.PASSWORD), ask(person(Method.PASSWORD)), HIT),
        ("assurance", Rule("a", "A", (), level=Level.PASSWORD), ask(person(Method.INVITATION)), MAY),
        ("assurance", Rule("a", "A", (), level=Level.MFA), ask(person(Method.PASSWORD)), MAY),
        ("assurance", Rule("a", "A", (), level=Level.MFA), ask(person(*MFA)), HIT),
        ("assurance", Rule("a", "A", (), level=Level.CARD), ask(person(*MFA)), MAY),
        ("assurance", Rule("a", "A", (), level=Level.MFA), ask(person(Method.SMART_CARD)), HIT),
        ("means", SENSITIVE, ask(person(*MFA)), MAY),
        ("means", SENSITIVE, ask(person(Method.PASSKEY)), MAY),
        ("means", SENSITIVE, ask(person(Method.SMART_CARD)), HIT),
        ("means", SENSITIVE, ask(person(*MFA, Method.SSO)), HIT),
        ("means", SENSITIVE, ask(person(Method.SSO_CARD)), HIT),
        ("means", TODAY, ask(person(*MFA)), HIT),
        ("means", YESTERDAY, ask(person(*MFA)), MAY),
        ("means", YESTERDAY, ask(person(Method.SSO)), HIT),
        ("assurance", FRESH, ask(person(Method.PASSWORD, Method.RECOVERY)), HIT),
        ("assurance", TODAY, ask(person(Method.PASSWORD, Method.RECOVERY)), MAY),
        ("assurance", SENSITIVE, ask(person(Method.SMART_CARD, Method.RECOVERY)), HIT),
        ("freshness", replace(TODAY, fresh_for=HOUR), ask(ON_PAPER), MAY),
        ("freshness", replace(SENSITIVE, fresh_for=HOUR), ask(ON_PAPER), MAY),
        ("freshness", replace(FRESH, fresh_for=HOUR), ask(ON_PAPER), HIT),
        ("delegation-end", Rule("a", "A", ()), ask(person()), HIT),
        ("delegation-end", Rule("a", "A", ()), ask(delegate(AT + MOMENT)), HIT),
        ("delegation-end", Rule("a", "A", ()), ask(delegate(AT)), MISS),
        ("delegation", Rule("a", "A", ()), ask(person()), HIT),
        ("delegation", Rule("a", "A", ()), ask(delegate(AT, "b", "a")), HIT),
        ("delegation", Rule("a", "A", ()), ask(delegate(AT, "b")), MISS),
        ("methods", NAMED, ask(person(Method.PASSWORD, Method.PASSKEY)), MAY),
        ("methods", NAMED, ask(person(*MFA)), HIT),
        ("methods", NAMED, ask(person(Method.SMART_CARD)), HIT),
        ("freshness", NAMED, ask(person(Method.PASSKEY)), MAY),
        ("freshness", NAMED, ask(person(*MFA, ago=HOUR)), HIT),
        ("freshness", NAMED, ask(person(*MFA, ago=HOUR + MOMENT)), MAY),
        ("freshness", replace(NAMED, methods=(Method.PASSWORD,)), ask(LATELY), MAY),
        ("freshness", replace(NAMED, methods=(Method.TOTP,), level=Level.PASSWORD), ask(LATELY), MAY),
        ("freshness", FRESH, ask(person(Method.PASSWORD)), MAY),
        ("freshness", FRESH, ask(person(*MFA, ago=timedelta(hours=4))), HIT),
        ("freshness", FRESH, ask(person(*MFA, ago=timedelta(hours=4, seconds=1))), MAY),
        ("freshness", Rule("a", "A", (), level=Level.MFA), ask(person(*MFA, ago=timedelta(days=9))), HIT),
    ],
)
def test_how_a_criterion_meets_a_request(name: str, rule: Rule, request_: AccessRequest, match: Match) -> None:
    assert BY_NAME[name].match(rule, request_) is match


def test_an_old_second_factor_is_not_made_fresh_by_a_new_password() -> None:
    proofs = (Proof(Method.PASSWORD, AT), Proof(Method.TOTP, AT - timedelta(hours=5)))
    subject = Subject("ACCOUNT-1", assurance=Assurance(proofs))
    assert BY_NAME["freshness"].match(FRESH, ask(subject)) is MAY


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        (Rule("a", "A", ()), "upgrade sign-in delegation-end delegation assurance"),
        (Rule("a", "A", (), upgrade=True), "sign-in delegation-end delegation assurance"),
        (Rule("a", "A", (), anonymous=True), "upgrade"),
        (SENSITIVE, "upgrade sign-in delegation-end delegation means assurance"),
        (Rule("a", "A", (), accounts=frozenset({"X-1"}), professions=frozenset({"nurse"}), fresh_for=timedelta(1)),
         "upgrade sign-in delegation-end delegation account profession assurance freshness"),
    ],
)  # fmt: skip
def test_a_rule_is_asked_what_it_says(rule: Rule, names: str) -> None:
    assert [criterion.name for criterion in CRITERIA if criterion.applies(rule)] == names.split()


@pytest.mark.parametrize(
    ("name", "level", "reason"),
    [
        ("upgrade", Level.PASSWORD, Reason.UPGRADE_NOT_ALLOWED),
        ("sign-in", Level.CARD, Reason.SIGN_IN_REQUIRED),
        ("account", Level.PASSWORD, Reason.ACCOUNT_NOT_ALLOWED),
        ("profession", Level.PASSWORD, Reason.PROFESSION_NOT_ALLOWED),
        ("assurance", Level.PASSWORD, Reason.SIGN_IN_REQUIRED),
        ("assurance", Level.MFA, Reason.SECOND_FACTOR_REQUIRED),
        ("assurance", Level.CARD, Reason.CARD_REQUIRED),
        ("means", Level.MFA, Reason.CARD_REQUIRED),
        ("freshness", Level.PASSWORD, Reason.SIGN_IN_REQUIRED),
        ("freshness", Level.MFA, Reason.SECOND_FACTOR_STALE),
        ("freshness", Level.CARD, Reason.CARD_REQUIRED),
    ],
)
def test_why_the_answer_is_no(name: str, level: Level, reason: Reason) -> None:
    assert BY_NAME[name].reason(Rule("a", "A", (), level=level)) is reason


@pytest.mark.parametrize(
    ("methods", "reason"),
    [
        ((Method.SMART_CARD,), Reason.CARD_REQUIRED),
        ((Method.SMART_CARD, Method.SSO_CARD), Reason.CARD_REQUIRED),
        ((Method.TOTP,), Reason.SECOND_FACTOR_REQUIRED),
        ((Method.TOTP, Method.SMART_CARD), Reason.METHOD_REQUIRED),
        ((Method.PASSKEY,), Reason.METHOD_REQUIRED),
    ],
)
def test_why_a_named_method_is_asked_for(methods: tuple[Method, ...], reason: Reason) -> None:
    rule = Rule("a", "A", (), level=Level.MFA, methods=methods)
    assert BY_NAME["methods"].reason(rule) is BY_NAME["freshness"].reason(rule) is reason


def test_a_delegation_is_told_of_delegates_alone() -> None:
    asked = [BY_NAME["delegation-end"], BY_NAME["delegation"]]
    rule, acting = Rule("a", "A", ()), delegate(AT, "c", "b")
    assert [one.wants(rule) for one in asked] == ["a delegation that has not ended", "a delegation for a"]
    assert [one.found(ask(acting)) for one in asked] == ["one until 2026-01-01 00:00 UTC", "b, c"]
    assert [one.found(ask(person())) for one in asked] == ["none", "none"]
    assert [one.name for one in CRITERIA if not one.concerns(person())] == ["delegation-end", "delegation"]
    assert all(one.concerns(acting) for one in CRITERIA)


def test_named_methods_are_told() -> None:
    assert BY_NAME["methods"].wants(NAMED) == "otp or sc"
    assert BY_NAME["methods"].found(ask(person(*MFA))) == "pwd + otp"
    assert BY_NAME["freshness"].wants(NAMED) == "mfa by otp or sc proved at most 1h ago"
    assert BY_NAME["freshness"].wants(Rule("a", "A", ())) == ""


def test_how_long_time_alone_leaves_a_rule_met() -> None:
    never, always = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    by_code, by_card = person(*MFA), person(Method.SMART_CARD)
    end_of_today = AT + timedelta(days=1) - timedelta(microseconds=1)
    assert met_until(Rule("a", "A", ()), by_code) == always
    assert met_until(FRESH, by_code) == AT + timedelta(hours=4)
    assert met_until(SENSITIVE, by_code) == never
    assert met_until(SENSITIVE, by_card) == always
    assert met_until(TODAY, by_code) == end_of_today
    assert met_until(replace(TODAY, fresh_for=timedelta(hours=4)), by_code) == AT + timedelta(hours=4)
    assert met_until(replace(TODAY, fresh_for=timedelta(days=9)), by_code) == end_of_today
    for rule, until in ((Rule("a", "A", ()), AT + HOUR - MOMENT), (Rule("a", "A", (), anonymous=True), always)):
        assert met_until(rule, delegate(AT + HOUR, "a")) == until


def test_an_attestation_is_told() -> None:
    assert BY_NAME["means"].wants(TODAY) == "card or Pro Santé Connect, or as attested to 2026-01-01 (R)"


@pytest.mark.parametrize(
    ("name", "wants", "found", "of_nobody"),
    [
        ("upgrade", "no upgrade of the connection", "asks for one", "asks for none"),
        ("sign-in", "someone signed in", "ACCOUNT-1", "nobody"),
        ("account", "X-1 or X-2", "ACCOUNT-1", "nobody"),
        ("profession", "nurse or physician", "nurse", "none"),
        ("means", "card or Pro Santé Connect", "pwd + otp", "nothing proved"),
        ("assurance", "mfa or stronger", "mfa", "none"),
        ("freshness", "mfa proved at most 4h ago", "mfa proved 5m ago", "nothing proved"),
    ],
)
def test_both_sides_are_told(name: str, wants: str, found: str, of_nobody: str) -> None:
    rule = Rule(
        "a", "A", (), level=Level.MFA, fresh_for=timedelta(hours=4),
        professions=frozenset({"physician", "nurse"}), accounts=frozenset({"X-2", "X-1"}),
    )  # fmt: skip
    criterion = BY_NAME[name]
    somebody = ask(person(*MFA, ago=timedelta(minutes=5)), upgrade=True)
    assert (criterion.wants(rule), criterion.found(somebody)) == (wants, found)
    assert criterion.found(ask(ANONYMOUS)) == of_nobody
