# SPDX-License-Identifier: EUPL-1.2
"""The values a policy file becomes."""

from datetime import UTC, date, datetime, timedelta

from gateway.model import Budget, Effect, Meter, Past, PatientLocator, Place
from gateway.model.answers import Answers
from gateway.policy.rules import Attestation, Policy, Route, Rule
from gateway.policy.template import parse_template


def test_a_route_reads_as_it_is_written() -> None:
    assert str(Route(("GET", "POST"), parse_template("/X/{y}"))) == "GET,POST /X/{y}"


def test_a_rule_is_metered_by_one_route() -> None:
    plain = Route(("GET",), parse_template("/a"))
    counted = Route(("GET",), parse_template("/a/{nir}"), PatientLocator(Place.PATH, "nir"))
    assert not Rule("a", "A", (plain,)).metered
    assert Rule("a", "A", (plain, counted)).metered


def test_a_rule_is_metered_by_its_answers() -> None:
    budget = Budget(5, timedelta(hours=1), Past.DENY)
    rule = Rule("a", "A", (), answers=Answers(), budgets=(budget,), known_for=timedelta(days=9), moved_new=True)
    assert rule.metered
    assert rule.meter(None) == Meter(None, (budget,), timedelta(days=9), moved_new=True)


def test_an_attestation_holds_to_the_end_of_its_last_day() -> None:
    assert Attestation("R", date(2027, 12, 31)).ends_at == datetime(2028, 1, 1, tzinfo=UTC)


def test_what_discloses_is_sensitive() -> None:
    assert Rule("a", "A", (), categories=("identity",)).sensitive
    assert not Rule("a", "A", ()).sensitive


def test_policies_compare_by_what_they_say() -> None:
    rule = Rule("a", "A", (Route(("GET",), parse_template("/a")),))
    one, other = (Policy("p", "P", Effect.DENY, (rule,), "d") for _ in range(2))
    assert one == other
    assert one.claims is not other.claims
    assert "claims" not in repr(one)
