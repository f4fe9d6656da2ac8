# SPDX-License-Identifier: EUPL-1.2
"""budget: what a budget is unless it says otherwise, and a meter's budgets by scope."""

from datetime import timedelta

from gateway.model import Budget, Counts, Meter, Past, PatientLocator, Place, Risk, Scope

HOUR = timedelta(hours=1)
NIR = PatientLocator(Place.PATH, "nir")


def test_a_budget_counts_people_for_the_account_and_is_asked_of_everybody() -> None:
    plain = Budget(5, HOUR, Past.DENY)
    assert (plain.counts, plain.per, plain.under, plain.risk) == (Counts.PEOPLE, Scope.ACCOUNT, None, Risk.CALM)
    assert (plain.delay, plain.lasts, plain.closes, plain.methods) == (timedelta(0), None, (), ())
    assert not plain.observe


def test_a_meter_sorts_its_budgets_by_scope_in_the_order_of_the_file() -> None:
    every = [Budget(people, HOUR, Past.DENY, per=scope) for people in (2, 1) for scope in Scope]
    meter = Meter(NIR, tuple(every))
    sorted_out = (meter.of_account, meter.of_holder, meter.of_network, meter.of_service)
    assert sorted_out == tuple((every[place], every[place + 4]) for place in range(4))
    assert meter == Meter(NIR, tuple(every))
    assert Meter(NIR, ()).of_account == ()


def test_risk_has_an_order() -> None:
    assert Risk.CALM < Risk.ELEVATED < Risk.HIGH
