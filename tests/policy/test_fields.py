# SPDX-License-Identifier: EUPL-1.2
"""Typed reads: each gives a value, or notes what was found and what is expected."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from gateway.errors import ConfigurationError
from gateway.policy.fields import Fields
from gateway.policy.tree import REFUSED, Node


def read(text: str, use: Callable[[Fields, Node], object]) -> tuple[object, list[str]]:
    """What a read gives for `a: text`, and the faults as `found; expected`."""
    fields = Fields("p.yaml")
    node = fields.document(f"version: 1\na: {text}\n", required=("a",))["a"]
    value = use(fields, node)
    assert all((fault.file, fault.line) == ("p.yaml", 2) for fault in fields.faults)
    return value, [f"{fault.key}: {fault.found}; {fault.expected}" for fault in fields.faults]


@pytest.mark.parametrize(
    ("text", "use", "value"),
    [
        ("x y", Fields.text, "x y"),
        ("'no'", Fields.text, "no"),
        ("x-1", Fields.name, "x-1"),
        ("'750012346'", Fields.account, "750012346"),
        ("CABINET-2A", Fields.account, "CABINET-2A"),
        ("true", Fields.yes, True),
        ("true", Fields.trial, (True, None)),
        ("2026-11-01", Fields.trial, (True, date(2026, 11, 1))),
        ("4h", Fields.duration, timedelta(hours=4)),
        ("0s", lambda fields, node: fields.duration(node, shortest=timedelta(0)), timedelta(0)),
        ("2027-12-31", Fields.day, date(2027, 12, 31)),
        ("'2028-02-29'", Fields.day, date(2028, 2, 29)),
        ("7", lambda fields, node: fields.number(node, 1, 9), 7),
        ("-1", lambda fields, node: fields.number(node, -9, 9), -1),
        ("y1", lambda fields, node: fields.choice(node, {"x": 1, "y1": 2}), 2),
        ("[x, y]", lambda fields, node: fields.each(node, fields.name), ("x", "y")),
        ("[x, y]", lambda fields, node: len(fields.items(node)), 2),
        ("{x: 1, y-2: 2}", lambda fields, node: [*fields.named(node)], ["x", "y-2"]),
        ("{x: 1, y: 2}", lambda fields, node: [*fields.mapping(node, required=("x",), optional=("y",))], ["x", "y"]),
    ],
)
def test_values_are_read(text: str, use: Callable[[Fields, Node], object], value: object) -> None:
    assert read(text, use) == (value, [])


def number(fields: Fields, node: Node) -> object:
    return fields.number(node, 1, 90)


def choice(fields: Fields, node: Node) -> object:
    return fields.choice(node, {"deny": 1, "permit": 2})


def names(fields: Fields, node: Node) -> object:
    return fields.each(node, fields.name)


@pytest.mark.parametrize(
    ("text", "use", "fault"),
    [
        ("no", Fields.text, "a: `no`, which YAML reads as bool; text (in quotes"),
        ("on", Fields.name, "a: `on`, which YAML reads as bool; a name (in quotes"),
        ("22:30", Fields.duration, "a: `22:30`, which YAML reads as int; a duration such as"),
        ("750012346", Fields.account, "a: `750012346`, which YAML reads as int; an account (in quotes"),
        ("", Fields.text, "a: nothing; text"),
        ("[x]", Fields.text, "a: a list; text"),
        ("{x: 1}", Fields.text, "a: a mapping; text"),
        ("' '", Fields.text, "a: ` `; text of 1 to 300 characters"),
        ("x" * 301, Fields.text, f"a: `{'x' * 60}…`; text of 1 to 300 characters"),
        ("X", Fields.name, "a: `X`; a name of small letters"),
        ("a--b", Fields.name, "a: `a--b`; a name of small letters"),
        ("x" * 65, Fields.name, "a name of small letters"),
        ("cabinet", Fields.account, "a: `cabinet`; an account as it is kept"),
        ("yes", Fields.yes, "a: `yes`, which YAML reads as bool; `true`, or no such key"),
        ("false", Fields.yes, "`true`, or no such key"),
        ("'true'", Fields.yes, "a: `true`; `true`, or no such key"),
        ("maybe", choice, "a: `maybe`; one of deny, permit"),
        ("no", choice, "a: `no`, which YAML reads as bool; one of deny, permit"),
        ("31d", Fields.duration, "a: `31d`; a duration such as 30s, 15m, 4h or 7d, from 1s to 30d"),
        ("2027-02-29", Fields.day, "a: `2027-02-29`; a day such as 2027-12-31"),
        ("2027-1-1", Fields.day, "a: `2027-1-1`; a day such as"),
        ("2027-12-31 10:00:00", Fields.day, "a: `2027-12-31 10:00:00`; a day such as"),
        ("20271231", Fields.day, "a: `20271231`, which YAML reads as int; a day such as"),
        ("9999-12-31", Fields.day, "a: `9999-12-31`; a day such as"),
        ("[x]", Fields.day, "a: a list; a day such as"),
        ("0", number, "a: `0`, which YAML reads as int; a whole number from 1 to 90"),
        ("91", number, "a whole number from 1 to 90"),
        ("012", number, "a: `012`, which YAML reads as int; a whole number from 1 to 90"),
        ("0x1F", number, "a: `0x1F`"),
        ("1_0", number, "a: `1_0`"),
        ("1:30", number, "a: `1:30`"),
        ("+5", number, "a: `+5`"),
        ("5.0", number, "a: `5.0`, which YAML reads as float"),
        ("'5'", number, "a: `5`; a whole number"),
        ("[5]", number, "a: a list; a whole number"),
        ("[]", names, "a: a list with nothing in it; a list with at least one item"),
        ("x", names, "a: `x`; a list with at least one item"),
        ("[x, y, x]", names, "a[2]: `x` again; each item once"),
        ("[x, no]", names, "a[1]: `no`, which YAML reads as bool; a name"),
        ("{}", Fields.named, "a: a mapping with nothing in it; a mapping of names, at least one"),
        ("[x]", Fields.named, "a: a list; a mapping of names"),
        ("{X: 1}", Fields.named, "a.X: the name `X`; a name of small letters"),
        ("x", Fields.mapping, "a: `x`; a mapping with keys"),
        ("{x: 1}", lambda fields, node: fields.mapping(node, required=("x", "y")), "a: no such key; the key `y`"),
        ("{z: 1}", lambda fields, node: fields.mapping(node, optional=("x", "y")),
         "a.z: the unknown key `z`; one of x, y"),
    ],
)  # fmt: skip
def test_0_10_faults_tell_what_was_found_and_what_is_expected(
    text: str, use: Callable[[Fields, Node], object], fault: str
) -> None:
    value, faults = read(text, use)
    assert len(faults) == 1
    assert fault in faults[0]
    assert value in (None, False, (), {}, []) or isinstance(value, (dict, tuple))


def test_a_fault_that_is_told_is_not_told_again() -> None:
    fields = Fields("p.yaml")
    fields.fault(Node("a", 1, REFUSED, ""), "anything")
    assert fields.faults == []
    fields.finish()


def test_all_faults_come_at_once_in_the_order_of_the_file() -> None:
    fields = Fields("p.yaml")
    keys = fields.document("b: 1\nversion: 2\nb: 2\n", required=("a",))
    assert keys.keys() == {"version"}
    with pytest.raises(ConfigurationError) as error:
        fields.finish()
    assert [(fault.line, fault.key) for fault in error.value.faults] == [
        (1, "b"), (1, "file"), (2, "version"), (3, "b"),
    ]  # fmt: skip
    assert "expected 1" in str(error.value)


def test_a_text_without_a_document_has_no_keys() -> None:
    fields = Fields("p.yaml")
    assert fields.document("", required=("a",)) == {}
    assert len(fields.faults) == 1
    fields = Fields("p.yaml")
    assert fields.document("- a\n", required=("a",)) == {}
    assert fields.faults[0].expected == "a mapping with version, a"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("false", "a: `false`, which YAML reads as bool; `true`, or no such key"),
        ("2026-02-30", "a: `2026-02-30`; a day such as 2027-12-31"),
        ("soon", "a: `soon`; a day such as 2027-12-31"),
    ],
)
def test_what_is_no_trial(text: str, fault: str) -> None:
    value, faults = read(text, Fields.trial)
    assert value == (False, None)
    assert faults == [fault]
