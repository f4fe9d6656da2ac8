# SPDX-License-Identifier: EUPL-1.2
"""Named methods: which words there are, what they come to, and which lists nobody could ever meet."""

import pytest

from gateway.model import Level, Method
from gateway.policy.asked_methods import hold_methods, level_of, read_methods
from gateway.policy.fields import Fields
from gateway.policy.rules import Rule


def read(text: str) -> tuple[tuple[Method, ...], list[str]]:
    fields = Fields("p.yaml")
    methods = read_methods(fields, fields.document(f"version: 1\nm: {text}\n", required=("m",))["m"])
    return methods, [f"{fault.found}; {fault.expected}" for fault in fields.faults]


def held(rule: Rule) -> list[str]:
    fields = Fields("p.yaml")
    hold_methods(fields, fields.document("version: 1\nm: [x]\n", required=("m",))["m"], rule)
    return [f"{fault.found}; {fault.expected}" for fault in fields.faults]


def test_methods_are_read_in_the_order_of_the_file() -> None:
    assert read("[psc, pwd]") == ((Method.SSO, Method.PASSWORD), [])


@pytest.mark.parametrize("word", ["mail", "invite", "rc", "sms", "mfa"])
def test_what_proves_no_holder_is_no_method(word: str) -> None:
    assert read(f"[{word}]") == ((), [f"`{word}`; one of pwd, otp, hwk, sc, psc, psc-sc"])


@pytest.mark.parametrize(
    ("methods", "level"),
    [
        ((), Level.PASSWORD),
        ((Method.PASSWORD, Method.SMART_CARD), Level.PASSWORD),
        ((Method.TOTP,), Level.MFA),
        ((Method.SSO, Method.SSO_CARD), Level.MFA),
        ((Method.SMART_CARD, Method.SSO_CARD), Level.CARD),
    ],
)
def test_the_level_is_what_each_of_them_reaches(methods: tuple[Method, ...], level: Level) -> None:
    assert level_of(methods) is level


def test_a_list_that_can_never_meet_its_rule_is_a_fault() -> None:
    card = Rule("a", "A", (), level=Level.CARD, methods=(Method.TOTP,))
    assert held(card) == ["`otp`; sc or psc-sc among them, since nothing else reaches `card`"]
    data = Rule("a", "A", (), level=Level.MFA, methods=(Method.TOTP, Method.PASSKEY), categories=("identity",))
    assert held(data) == [
        "`otp, hwk`; sc or psc or psc-sc among them, or an `attestation`: nothing else opens data of patients"
    ]
    assert held(Rule("a", "A", (), level=Level.CARD, methods=(Method.TOTP, Method.SMART_CARD))) == []
    assert held(Rule("a", "A", (), level=Level.CARD)) == []
