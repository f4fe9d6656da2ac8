# SPDX-License-Identifier: EUPL-1.2
"""The entries of `budgets`: what each key becomes, and each fault it can have."""

from datetime import date, timedelta

import pytest

from gateway.model import Budget, Counts, Level, Method, Past, Risk, Scope
from gateway.policy.budgets import read_budgets
from gateway.policy.fields import Fields

HOUR = timedelta(hours=1)


def read(*budgets: str) -> tuple[tuple[Budget, ...], list[str]]:
    """The budgets of these lines, and the faults as `key: found; expected`."""
    fields = Fields("p.yaml")
    text = "".join(f"  - {{{one}}}\n" for one in budgets)
    node = fields.document(f"version: 1\nb:\n{text}", required=("b",))["b"]
    found = read_budgets(fields, node)
    return found, [f"{fault.key}: {fault.found}; {fault.expected}" for fault in fields.faults]


PLAIN = "people: 5, window: 1h, past: deny"


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        (PLAIN, Budget(5, HOUR, Past.DENY)),
        ("new: 5, window: 1h, past: challenge", Budget(5, HOUR, Past.CHALLENGE, counts=Counts.NEW)),
        ("missed: 5, window: 1h, past: alert", Budget(5, HOUR, Past.ALERT, counts=Counts.MISSED)),
        ("people: 5, window: 1h, past: delay, delay: 5s", Budget(5, HOUR, Past.DELAY, delay=timedelta(seconds=5))),
        (PLAIN + ", per: account", Budget(5, HOUR, Past.DENY)),
        (PLAIN + ", per: holder", Budget(5, HOUR, Past.DENY, per=Scope.HOLDER)),
        (PLAIN + ", per: network", Budget(5, HOUR, Past.DENY, per=Scope.NETWORK)),
        (PLAIN + ", per: service", Budget(5, HOUR, Past.DENY, per=Scope.SERVICE)),
        (PLAIN + ", under: mfa", Budget(5, HOUR, Past.DENY, under=Level.MFA)),
        (PLAIN + ", under: card", Budget(5, HOUR, Past.DENY, under=Level.CARD)),
        (PLAIN + ", risk: elevated", Budget(5, HOUR, Past.DENY, risk=Risk.ELEVATED)),
        (PLAIN + ", risk: high", Budget(5, HOUR, Past.DENY, risk=Risk.HIGH)),
        (PLAIN + ", for: 24h", Budget(5, HOUR, Past.DENY, lasts=24 * HOUR)),
        (PLAIN + ", for: 24h, closes: [u, v]", Budget(5, HOUR, Past.DENY, lasts=24 * HOUR, closes=("u", "v"))),
        (PLAIN + ", observe: true", Budget(5, HOUR, Past.DENY, observe=True)),
        (
            PLAIN + ", observe: 2026-11-01",
            Budget(5, HOUR, Past.DENY, observe=True, observed_since=date(2026, 11, 1)),
        ),
        (
            "people: 5, window: 1h, past: challenge, by: [sc, psc]",
            Budget(5, HOUR, Past.CHALLENGE, methods=(Method.SMART_CARD, Method.SSO)),
        ),
    ],
)
def test_every_word_of_a_budget_is_read(text: str, budget: Budget) -> None:
    assert read(text) == ((budget,), [])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("window: 1h, past: deny", "b[0]: neither; one of people, new, missed, with how many"),
        (PLAIN + ", new: 3", "b[0]: people and new; one of people, new, missed, with how many"),
        ("new: 0, window: 1h, past: deny", "b[0].new: `0`, which YAML reads as int; a whole number from 1 to 1000000"),
        ("missed: 1000001, window: 1h, past: deny", "b[0].missed: `1000001`, which YAML reads as int; a whole number"),
        ("people: 5, past: deny", "b[0]: no such key; the key `window`"),
        ("people: 5, window: 1h", "b[0]: no such key; the key `past`"),
        ("people: 5, window: 90d, past: deny", "b[0].window: `90d`; a duration such as 30s, 15m, 4h or 7d, from 1s"),
        ("people: 5, window: 1h, past: warn", "b[0].past: `warn`; one of alert, delay, challenge, deny"),
        (PLAIN + ", per: person", "b[0].per: `person`; one of account, holder, network, service"),
        (PLAIN + ", under: password", "b[0].under: `password`; one of mfa, card"),
        (PLAIN + ", risk: calm", "b[0].risk: `calm`; one of elevated, high"),
        ("people: 5, window: 1h, past: delay", "b[0]: no such key; the key `delay`, with how long"),
        ("people: 5, window: 1h, past: delay, delay: 31s", "b[0].delay: `31s`; a duration such as"),
        (PLAIN + ", delay: 5s", "b[0].delay: `delay` with `past: deny`; `past: delay` beside it"),
        ("people: 5, window: 1h, past: alert, for: 1h", "b[0].for: `for` with `past: alert`; `past: deny` beside it"),
        (PLAIN + ", for: 31d", "b[0].for: `31d`; a duration such as"),
        (PLAIN + ", closes: [u]", "b[0]: no such key; the key `for`, with how long they are closed"),
        (PLAIN + ", for: 1h, closes: []", "b[0].closes: a list with nothing in it; a list with at least one item"),
        (PLAIN + ", for: 1h, closes: [u, u]", "b[0].closes[1]: `u` again; each item once"),
        (PLAIN + ", for: 1h, closes: [U]", "b[0].closes[0]: `U`; a name of small letters"),
        (PLAIN + ", by: [sc]", "b[0].by: `by` with `past: deny`; `past: challenge` beside it"),
        ("people: 5, window: 1h, past: challenge, by: [mail]", "b[0].by[0]: `mail`; one of pwd, otp, hwk, sc, psc"),
        (
            "people: 5, window: 1h, past: challenge, by: [pwd, sc]",
            "b[0].by: `pwd`; second factors and cards alone, since a fresh proof is one of them",
        ),
        (PLAIN + ", observe: false", "b[0].observe: `false`, which YAML reads as bool; `true`, or no such key"),
        (PLAIN + ", limit: 3", "b[0].limit: the unknown key `limit`; one of window, past, per, under, risk, delay"),
    ],
)
def test_each_fault_is_one_fault_with_a_clear_sentence(text: str, fault: str) -> None:
    faults = read(text)[1]
    assert len(faults) == 1, faults
    assert fault in faults[0]


def test_what_is_no_list_and_no_mapping() -> None:
    fields = Fields("p.yaml")
    node = fields.document("version: 1\nb: [5, {}]\n", required=("b",))["b"]
    assert read_budgets(fields, node) == ()
    assert [(fault.key, fault.expected) for fault in fields.faults] == [
        ("b[0]", "a mapping with window, past"),
        ("b[1]", "the key `window`"),
        ("b[1]", "the key `past`"),
    ]


def test_a_budget_that_another_always_stops_before_it_is_a_fault() -> None:
    found, faults = read(
        PLAIN, PLAIN.replace("people", "new"), "people: 10, window: 2h, past: alert", "new: 6, " + PLAIN[11:]
    )
    assert [budget.people for budget in found] == [5, 5, 10, 6]
    told = (
        "b[3]: `6 new people per 1h, then deny`; a budget that can be reached: `5 new people per 1h, then deny` "
        "lets no more than 5 people through in 1h, so fewer than 5 people here, or no such budget"
    )
    assert faults == [told]
