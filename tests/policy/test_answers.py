# SPDX-License-Identifier: EUPL-1.2
"""The key `answers`: what it becomes, and each fault it can have."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.metering.scan_json import JsonRecords
from gateway.metering.scan_text import TextRecords
from gateway.model import Budget, Counts, Past
from gateway.model.answers import Answers, JsonAnswers, TextAnswers
from gateway.policy.answers import read_answers
from gateway.policy.fields import Fields

HOUR = timedelta(hours=1)
JSON = "json: {people: /people, number: /nir}"


def read(text: str, *budgets: Budget) -> tuple[Answers, list[str]]:
    """What `a: {...}` becomes, and its faults as `key: found; expected`."""
    fields = Fields("p.yaml")
    node = fields.document(f"version: 1\na: {{{text}}}\n", required=("a",))["a"]
    answers = read_answers(fields, node, budgets)
    return answers, [f"{fault.key}: {fault.found}; {fault.expected}" for fault in fields.faults]


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        (JSON, Answers(JsonAnswers("/people", ("/nir",)))),
        ('json: {people: "", number: ["", /a~1b/0]}', Answers(JsonAnswers("", ("", "/a~1b/0")))),
        ("text: {}", Answers(text=TextAnswers())),
        ('text: {records: "</tr>", provisional: true}', Answers(text=TextAnswers(b"</tr>", provisional=True))),
        ('text: {records: "\\n"}', Answers(text=TextAnswers(b"\n"))),
        (f"{JSON}, text: {{}}, hold: 4KiB", Answers(JsonAnswers("/people", ("/nir",)), TextAnswers(), hold_bytes=4096)),
        ("text: {}, hold: 16MiB, unreadable: pass", Answers(text=TextAnswers(), hold_bytes=16 << 20, passes=True)),
        ("text: {}, unreadable: refuse, people_at_most: 50", Answers(text=TextAnswers(), people_at_most=50)),
    ],
)
def test_what_is_declared(text, answers):
    assert read(text) == (answers, [])


def test_what_is_declared_is_what_the_readers_take():
    for border in ("</tr>", "\n", "}", "</li><hr>", "|", "\r\n"):
        text = read('text: {records: "' + border.replace("\r", "\\r").replace("\n", "\\n") + '"}')[0].text
        assert text is not None
        assert TextRecords(text.border).feed(b"1 85 05 78 006 084 91" + border.encode() + b".")[0][0] == (
            "1850578006084",
        )
    for pointer in ("", "/a/b~0~1", "/"):
        assert JsonRecords(pointer, [pointer], 99).feed(b" ") == []


POINTER = 'a JSON pointer (RFC 6901) such as /people, or "" for the whole'
SIZE = "a size from 4KiB to 16MiB"


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("hold: 1MiB", ["a: neither; `json: {people: …, number: …}`, `text: {…}`, or both"]),
        ("json: {people: /p}", ["a.json: no such key; the key `number`"]),
        ("json: x", ["a.json: `x`; a mapping with people, number"]),
        ("json: {people: p, number: /n}", [f"a.json.people: `p`; {POINTER}"]),
        ("json: {people: /p, number: /n~2}", [f"a.json.number: `/n~2`; {POINTER}"]),
        ("json: {people: /p, number: 7}", [f"a.json.number: `7`, which YAML reads as int; {POINTER}"]),
        ("json: {people: /p, number: [/n, /n]}", ["a.json.number[1]: `/n` again; each item once"]),
        ("json: {people: /p, number: [{}]}", [f"a.json.number[0]: a mapping with nothing in it; {POINTER}"]),
        ("text: {border: x}", ["a.text.border: "]),
        ("text: {provisional: false}", ["a.text.provisional: "]),
        (
            "text: {}, people_at_most: 0",
            ["a.people_at_most: `0`, which YAML reads as int; a whole number from 1 to 10000"],
        ),
        ("text: {}, hold: 1MB", [f"a.hold: `1MB`; {SIZE}"]),
        ("text: {}, hold: 3KiB", [f"a.hold: `3KiB`; {SIZE}"]),
        ("text: {}, hold: 17MiB", [f"a.hold: `17MiB`; {SIZE}"]),
        ("text: {}, hold: 7", [f"a.hold: `7`, which YAML reads as int; {SIZE}"]),
        ("text: {}, unreadable: maybe", ["a.unreadable: `maybe`; one of refuse, pass"]),
    ],
)
def test_faults(text, faults):
    found = read(text)[1]
    assert len(found) == len(faults)
    for one, expected in zip(found, faults, strict=True):
        assert one.startswith(expected)


@pytest.mark.parametrize("border", ["", "tr", " ", "a-b", "1", "</é>", "<" * 65, "[]"])
def test_a_border_that_a_number_could_stand_over_is_none(border):
    written = f'"{border}"' if border != "[]" else "[]"
    (fault,) = read(f"text: {{records: {written}}}")[1]
    assert fault.startswith("a.text.records: ")
    assert "so that no number can stand over it" in fault


def test_a_budget_must_have_room_for_an_answer():
    text = "text: {}, people_at_most: 50"
    small = Budget(49, HOUR, Past.DENY)
    (fault,) = read(text, small)[1]
    assert fault == (
        "a.people_at_most: `50`, which YAML reads as int; no more than 49, since `49 people per 1h, then deny` stops "
        "every larger answer"
    )
    assert len(read(text, Budget(49, HOUR, Past.CHALLENGE, counts=Counts.NEW))[1]) == 1
    fine = (
        Budget(50, HOUR, Past.DENY),
        Budget(49, HOUR, Past.ALERT),
        Budget(49, HOUR, Past.DELAY, delay=timedelta(seconds=5)),
        Budget(49, HOUR, Past.DENY, observe=True),
        Budget(49, HOUR, Past.DENY, counts=Counts.MISSED),
    )
    assert read(text, *fine)[1] == []
    assert read("text: {}", small)[1] == []
