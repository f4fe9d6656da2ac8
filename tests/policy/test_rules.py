# SPDX-License-Identifier: EUPL-1.2
"""The values a policy file becomes."""

from gateway.model import Effect, PatientLocator, Place
from gateway.policy.rules import Policy, Route, Rule
from gateway.policy.template import parse_template


def test_a_route_reads_as_it_is_written() -> None:
    assert str(Route(("GET", "POST"), parse_template("/X/{y}"))) == "GET,POST /X/{y}"


def test_a_rule_is_metered_by_one_route() -> None:
    plain = Route(("GET",), parse_template("/a"))
    counted = Route(("GET",), parse_template("/a/{nir}"), PatientLocator(Place.PATH, "nir"))
    assert not Rule("a", "A", (plain,)).metered
    assert Rule("a", "A", (plain, counted)).metered


def test_policies_compare_by_what_they_say() -> None:
    rule = Rule("a", "A", (Route(("GET",), parse_template("/a")),))
    one, other = (Policy("p", "P", Effect.DENY, (rule,), "d") for _ in range(2))
    assert one == other
    assert one.claims is not other.claims
    assert "claims" not in repr(one)
