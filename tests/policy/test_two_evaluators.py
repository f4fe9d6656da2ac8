# SPDX-License-Identifier: EUPL-1.2
"""Properties of decide over random policies and requests: a second, plain evaluator must agree (faults A1, A8, A12)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.errors import ConfigurationError
from gateway.model import ANONYMOUS, AccessRequest, Assurance, Delegation, Effect, Level, Method, Proof, Reason, Subject
from gateway.policy.evaluate import decide, evaluate
from gateway.policy.load import load_policy
from gateway.policy.rules import Policy, Rule
from gateway.policy.target import canonical, spelled

AT = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = ("a", "B", "ça")
segments = st.lists(st.sampled_from([*WORDS, "{x}", "{y}"]), max_size=3, unique=True)
templates = st.tuples(segments, st.booleans()).map(
    lambda parts: "/" + "/".join([*parts[0], *(["{z...}"] if parts[1] else [])])
)


@st.composite
def rules(draw: st.DrawFn, number: int) -> str:
    """A teleservice as a file has it."""
    method = draw(st.sampled_from(["GET", "POST", "GET,POST", "DELETE"]))
    lines = [f"  r{number}:", f"    title: R{number}", f"    order: {draw(st.integers(0, 5))}"]
    paths = draw(st.lists(templates, min_size=1, max_size=2))
    lines.append(f"    routes: [{', '.join(repr(f'{method} {path}') for path in paths)}]")
    if draw(st.integers(0, 3)) == 0:
        return "\n".join([*lines, "    anonymous: true"])
    assurance = draw(st.sampled_from(["password", "mfa", "card"]))
    lines.append(f"    assurance: {assurance}")
    if draw(st.integers(0, 2)) == 0:
        words = st.sampled_from(["pwd", "otp", "hwk", "sc", "psc", "psc-sc"])
        lines.append(f"    methods: [{', '.join(draw(st.lists(words, min_size=1, max_size=3, unique=True)))}]")
    if draw(st.booleans()):
        lines.append(f"    fresh_for: {draw(st.sampled_from(['5m', '1h']))}")
    if draw(st.booleans()):
        lines.append("    professions: [nurse, pharmacist]")
    if draw(st.integers(0, 3)) == 0:
        lines.append("    accounts: [SHOP-1]")
    if assurance != "password" and draw(st.booleans()):
        lines.append("    discloses: [identity]\n    uncounted: a list")
        if assurance == "mfa" and draw(st.integers(0, 3)):
            until = draw(st.sampled_from(["2025-12-31", "2026-01-01", "2026-01-02"]))
            lines.append(f"    attestation: {{reference: R, until: {until}}}")
    if draw(st.integers(0, 3)) == 0 and "GET" in method:
        lines.append("    upgrade: websocket")
    return "\n".join(lines)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    body = "\n".join(draw(rules(number)) for number in range(draw(st.integers(1, 4))))
    default = draw(st.sampled_from(["deny", "permit"]))
    try:
        return load_policy(f"version: 1\nportal: p\ntitle: P\ndefault: {default}\nteleservices:\n{body}\n", "p.yaml")
    except ConfigurationError as error:
        assume("order" not in str(error) and "one route for" not in str(error) and "among them" not in str(error))
        raise


proofs = st.lists(
    st.builds(
        Proof, st.sampled_from(Method), st.sampled_from([0, 5, 6, 60, 61]).map(lambda m: AT - timedelta(minutes=m))
    ),
    max_size=3,
    unique_by=lambda proof: proof.method,
).map(tuple)
subjects = st.one_of(
    st.just(ANONYMOUS),
    st.builds(
        Subject,
        account=st.sampled_from(["SHOP-1", "SHOP-2"]),
        profession=st.sampled_from([None, "nurse", "physician"]),
        assurance=st.builds(Assurance, proofs),
        delegation=st.one_of(
            st.none(),
            st.builds(
                Delegation,
                st.just("d-1"),
                st.just("Lou Martin"),
                st.frozensets(st.sampled_from(["r0", "r1", "r2"])),
                st.sampled_from([-1, 0, 1, 300]).map(lambda seconds: AT + timedelta(seconds=seconds)),
            ),
        ),
    ),
)
requests = st.builds(
    AccessRequest,
    subjects,
    st.sampled_from(["GET", "HEAD", "POST", "DELETE", "get", "OPTIONS"]),
    st.tuples(st.lists(st.sampled_from(["a", "A", "b", "ça", "Ça", "c\u0327a", "q"]), max_size=4), st.booleans()).map(
        lambda parts: "/" + "/".join(parts[0]) + ("/" if parts[0] and parts[1] else "")
    ),
    st.just(AT),
    st.booleans(),
)


def reference(policy: Policy, request: AccessRequest) -> tuple[Effect, Reason, str | None]:  # noqa: PLR0911, PLR0912  # as plain as a list
    """The whole decision again, as plainly as can be: no tree, nothing prepared, no shared function of the room."""
    method = {"HEAD": "GET"}.get(request.method, request.method)
    flat = {"ç": "C", "c\u0327": "C"}
    path = request.path.upper()
    for accented, plain in flat.items():
        path = path.replace(accented.upper(), plain + "_")
    asked = [part for part in path.split("/") if part]

    def fits(text: str) -> bool:
        wanted = [part for part in text.split("/") if part]
        for place, want in enumerate(wanted):
            if want.endswith("...}"):
                return True
            if place >= len(asked) or (want[0] != "{" and want.upper().replace("Ç", "C_") != asked[place]):
                return False
        return len(wanted) == len(asked)

    claims = [
        (rule.order, rule) for rule in policy.rules for route in rule.routes
        if fits(route.template.text) and method in route.methods
    ]  # fmt: skip
    signed_in, delegation = request.subject.account is not None, request.subject.delegation
    if not claims:
        if request.upgrade:
            return Effect.DENY, Reason.UPGRADE_NOT_ALLOWED, None
        if not signed_in:
            return Effect.CHALLENGE, Reason.SIGN_IN_REQUIRED, None
        if delegation and delegation.until <= request.at:
            return Effect.DENY, Reason.DELEGATION_ENDED, None
        path_known = any(fits(route.template.text) for rule in policy.rules for route in rule.routes)
        if policy.default is Effect.PERMIT and not path_known:
            return Effect.PERMIT, Reason.PERMITTED, None
        return Effect.DENY, Reason.NO_TELESERVICE, None
    rule = min(claims, key=lambda claim: claim[0])[1]
    if request.upgrade and not rule.upgrade:
        return Effect.DENY, Reason.UPGRADE_NOT_ALLOWED, rule.name
    if rule.anonymous:
        return Effect.PERMIT, Reason.PERMITTED, rule.name
    if not signed_in:
        return Effect.CHALLENGE, Reason.SIGN_IN_REQUIRED, rule.name
    if delegation and delegation.until <= request.at:
        return Effect.DENY, Reason.DELEGATION_ENDED, rule.name
    if delegation and rule.name not in delegation.teleservices:
        return Effect.DENY, Reason.NOT_DELEGATED, rule.name
    if rule.accounts is not None and request.subject.account not in rule.accounts:
        return Effect.DENY, Reason.ACCOUNT_NOT_ALLOWED, rule.name
    if rule.professions is not None and request.subject.profession not in rule.professions:
        return Effect.DENY, Reason.PROFESSION_NOT_ALLOWED, rule.name
    return *reference_proof(
        rule, {proof.method.value: proof.at for proof in request.subject.assurance.proofs}
    ), rule.name


def reference_proof(rule: Rule, given_: dict[str, datetime]) -> tuple[Effect, Reason]:  # as above
    """Levels from the methods themselves; data of patients is for cards and Pro Santé Connect, or as attested.

    A recovery code was attested by nobody: for data of patients it is as if it were not there.
    """
    if rule.categories:
        given_ = {method: at for method, at in given_.items() if method != "rc"}
    cards, others = {"sc", "psc-sc"} & given_.keys(), {"hwk", "psc"} & given_.keys()
    both = "pwd" in given_ and {"otp", "rc"} & given_.keys()
    strongest = 3 if cards else 2 if others or both else 1 if "pwd" in given_ else 0
    asked = {method.value for method in rule.methods}
    by_card = asked <= {"sc", "psc-sc"}
    named = Reason.CARD_REQUIRED if by_card else Reason.METHOD_REQUIRED
    named = Reason.SECOND_FACTOR_REQUIRED if asked == {"otp"} else named
    if asked and not asked & given_.keys():
        return Effect.CHALLENGE, named
    if rule.categories and not cards and "psc" not in given_:
        attested = rule.attestation is not None and rule.attestation.until.isoformat() >= AT.date().isoformat()
        if not attested:
            return Effect.CHALLENGE, Reason.CARD_REQUIRED
    missing = {1: Reason.SIGN_IN_REQUIRED, 2: Reason.SECOND_FACTOR_REQUIRED, 3: Reason.CARD_REQUIRED}
    if strongest < rule.level:
        return Effect.CHALLENGE, missing[rule.level]
    strong = ("sc", "psc-sc", "psc", "hwk", "otp", "rc")
    counting = {1: ("pwd", *strong), 2: strong, 3: ("sc", "psc-sc")}[rule.level]
    latest = max(at for method, at in given_.items() if method in counting)
    if asked:
        latest = min(latest, max(at for method, at in given_.items() if method in asked))
    if rule.fresh_for is not None and AT - latest > rule.fresh_for:
        if asked:
            return Effect.CHALLENGE, named
        return Effect.CHALLENGE, Reason.SECOND_FACTOR_STALE if rule.level is Level.MFA else missing[rule.level]
    return Effect.PERMIT, Reason.PERMITTED


@settings(max_examples=300)
@given(policies(), requests)
def test_A12_two_evaluators_agree(policy: Policy, request: AccessRequest) -> None:
    decision = evaluate(policy, request)
    assert (decision.effect, decision.reason, decision.rule) == reference(policy, request)


@given(policies(), requests, st.sampled_from(Method))
def test_promise_5_proving_more_never_takes_a_permit_away(
    policy: Policy, request: AccessRequest, method: Method
) -> None:
    more = replace(request.subject, assurance=request.subject.assurance.with_proof(Proof(method, AT)))
    if evaluate(policy, request).effect is Effect.PERMIT:
        assert evaluate(policy, request._replace(subject=more)).effect is Effect.PERMIT


@given(policies(), requests)
def test_A8_case_and_a_slash_at_the_end_never_change_a_decision(policy: Policy, request: AccessRequest) -> None:
    plain = evaluate(policy, request)
    for path in (request.path.upper(), request.path.lower(), request.path.swapcase(), request.path.rstrip("/") or "/"):
        assert evaluate(policy, request._replace(path=path)) == plain


@given(policies(), requests, st.text("abc/?=&.%;", max_size=12))
def test_A1_the_query_never_changes_a_decision(policy: Policy, request: AccessRequest, query: str) -> None:
    path, _ = canonical(spelled(request.path) + b"?" + query.encode())
    assert evaluate(policy, request._replace(path=path)) == evaluate(policy, request)


moments = st.sampled_from([-3600, -300, 0, 1, 240, 300, 3599, 3600, 3601]).map(
    lambda seconds: AT + timedelta(seconds=seconds)
)


@settings(max_examples=200)
@given(policies(), policies(), requests, st.lists(st.tuples(moments, st.booleans(), st.booleans()), max_size=8))
def test_A8_what_a_subject_was_found_to_meet_never_changes_a_decision(
    one: Policy, other: Policy, request: AccessRequest, turns: list[tuple[datetime, bool, bool]]
) -> None:
    """The same subject, again and again, in two policies: as if it had never come before."""
    for at, upgrade, first in turns:
        policy, again = one if first else other, request._replace(at=at, upgrade=upgrade)
        stranger = again._replace(subject=replace(request.subject))
        assert stranger.subject.met == {}
        assert decide(policy, *again) == evaluate(policy, stranger)
