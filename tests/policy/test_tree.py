# SPDX-License-Identifier: EUPL-1.2
"""YAML to nodes: what could be read two ways is a fault (faults 0.10, M6)."""

import time
from collections.abc import Iterator

import pytest
import yaml

from gateway.errors import Fault
from gateway.policy.tree import MAX_BYTES, MAX_DEPTH, Node, _Builder, _line, read_tree


def read(text: str) -> tuple[Node | None, list[Fault]]:
    faults: list[Fault] = []
    return read_tree(text, "p.yaml", faults), faults


def test_a_node_knows_where_it_stands() -> None:
    tree, faults = read("a:\n  b: [x, 1]\n  'c':\n    no\n")
    assert not faults
    assert tree is not None
    assert isinstance(tree.content, dict)
    a = tree.content["a"]
    assert isinstance(a.content, dict)
    b, c = a.content["b"], a.content["c"]
    assert (b.path, b.line, b.kind) == ("a.b", 2, "seq")
    assert b.content == [Node("a.b[0]", 2, "str", "x"), Node("a.b[1]", 2, "int", "1")]
    assert c == Node("a.c", 3, "bool", "no")


@pytest.mark.parametrize(
    ("text", "kind"),
    [("no", "bool"), ("on", "bool"), ("22:30", "int"), ("012", "int"), ("1.5", "float"), ("~", "null"), ("", "null"),
     ("2001-01-01", "timestamp"), ("=", "value"), ("x", "str"), ("'no'", "str"), ('"1"', "str"), ("|\n no", "str"),
     ("4h", "str"), ("none", "str")],
)  # fmt: skip
def test_0_10_a_scalar_keeps_its_text_and_what_yaml_makes_of_it(text: str, kind: str) -> None:
    tree, faults = read(f"a: {text}")
    assert not faults
    assert tree is not None
    assert isinstance(tree.content, dict)
    assert tree.content["a"].kind == kind


@pytest.mark.parametrize(
    ("text", "line", "key", "found"),
    [
        ("", 1, "file", "nothing"),
        ("# only a comment\n", 1, "file", "nothing"),
        ("mfa: required\nmfa: none\n", 2, "mfa", "the key again, first on line 1"),
        ("a:\n  - {b: 1, b: 2}\n", 2, "a[0].b", "the key again, first on line 2"),
        ("a: 1\n'a': 2\n", 2, "a", "the key again"),
        ("a: &x 1\n", 1, "a", "the anchor &x"),
        ("a: &x [1]\n", 1, "a", "the anchor &x"),
        ("a: &x {b: 1}\n", 1, "a", "the anchor &x"),
        ("a: &x 1\nb: *x\n", 2, "b", "the alias *x"),
        ("a: &x {c: 1}\nb:\n  <<: *x\n", 3, "b", "the key `<<`, which YAML reads as merge"),
        ("&x a: 1\n*x : 2\n", 2, "file", "the alias *x"),
        ("a: !!str 1\n", 1, "a", "the tag tag:yaml.org,2002:str"),
        ("a: !!python/object:os.system x\n", 1, "a", "the tag"),
        ("a: !x [1]\n", 1, "a", "the tag !x"),
        ("on: 1\n", 1, "file", "the key `on`, which YAML reads as bool"),
        ("a:\n  1: x\n", 2, "a", "the key `1`, which YAML reads as int"),
        ("? [x]\n: 1\n", 1, "file", "the key `seq`"),
        ("%YAML 1.1\n---\na: 1\n", 1, "file", "a `%` directive"),
        ("%TAG ! tag:x,2000:\n---\na: 1\n", 1, "file", "a `%` directive"),
        ("a: 1\n---\na: 2\n", 2, "file", "a second document"),
        ("a: [1\nb: 2\n", 2, "file", "text that is not YAML"),
        ("a: 1\n\tb: 2\n", 2, "file", "text that is not YAML"),
        ("a: *nowhere\n", 1, "a", "the alias *nowhere"),
        ("a: 1\nb: x\x00y\n", 2, "file", "the character U+0000"),
        ("# hidden \u2028default: permit\n", 1, "file", "the character U+2028"),
        ("# \x85default: permit\n", 1, "file", "the character U+0085"),
        ("a: \u202ex\n", 1, "file", "the character U+202E"),
        ("\ufeffa: 1\n", 1, "file", "the character U+FEFF"),
        ("a: \ud800\n", 1, "file", "the character U+D800"),
    ],
)
def test_0_10_what_could_be_read_two_ways_is_a_fault(text: str, line: int, key: str, found: str) -> None:
    _, faults = read(text)
    assert (line, key) in [(fault.line, fault.key) for fault in faults if found in fault.found], faults


def test_all_faults_are_told_at_once() -> None:
    _, faults = read("a: 1\na: 2\nb: &x 1\nc: *x\non: 1\nd: !!str x\n")
    assert [fault.line for fault in faults] == [2, 3, 4, 5, 6]


def test_M6_depth_and_size_are_bounded() -> None:
    deepest = "a: " + "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert read(deepest)[1] == []
    begun = time.process_time()
    for deep in ("a: " + "[" * 500_000, "a: " + "{a: " * 250_000, "- " * 500_000):
        tree, faults = read(deep)
        assert tree is None
        assert [fault.found for fault in faults] == [f"more than {MAX_DEPTH} levels"]
    assert time.process_time() - begun < 3
    assert "bytes" in read("#" * (MAX_BYTES + 1))[1][0].found
    assert "bytes" in read("#" + "é" * (MAX_BYTES // 2))[1][0].found


def test_a_parser_that_yields_something_else_is_not_believed() -> None:
    def events() -> Iterator[yaml.Event]:
        yield yaml.StreamStartEvent()
        yield yaml.DocumentStartEvent()
        yield yaml.DocumentEndEvent()

    with pytest.raises(TypeError):
        _Builder("p.yaml", []).document(events())
    assert _line(yaml.StreamEndEvent()) == 1
