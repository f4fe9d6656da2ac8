# SPDX-License-Identifier: EUPL-1.2
"""Templates: what they hold, how literals compare, when two of them share a path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.template import Template, fold, overlap, parse_template, split


@pytest.mark.parametrize(
    ("text", "segments", "variables", "tail"),
    [
        ("/", ("",), (), None),
        ("/Accueil", ("", "accueil"), (), None),
        ("/infopatient/{nir}", ("", "infopatient", None), (("nir", 2),), None),
        ("/{a}/x/{b_2}", ("", None, "x", None), (("a", 1), ("b_2", 3)), None),
        ("/static/{rest...}", ("", "static"), (), "rest"),
        ("/{rest...}", ("",), (), "rest"),
        ("/dépôt", ("", "dépôt"), (), None),
        ("/a b", ("", "a b"), (), None),
    ],
)
def test_templates_are_read(text: str, segments: tuple[str | None, ...], variables: object, tail: str | None) -> None:
    template = parse_template(text)
    assert (template.segments, template.variables, template.tail) == (segments, variables, tail)
    assert template.names == (*(name for name, _ in template.variables), *([tail] if tail else []))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "starts with `/`"),
        ("x", "starts with `/`"),
        ("/x/", "no `/` at its end"),
        ("//x", "no `//`"),
        ("/x//y", "no `//`"),
        ("/{rest...}/x", "`{rest...}` as the last segment"),
        ("/{a}/{a}", "not `{a}` twice"),
        ("/{a}/{a...}", "not `{a}` twice"),
        ("/x{a}", "a whole segment"),
        ("/{A}", "a whole segment"),
        ("/{}", "a whole segment"),
        ("/{a.*}", "a whole segment"),
        ("/..", "a dot at the end"),
        ("/a;b", "without `;`"),
        ("/a%20b", "`%`"),
        ("/a?b", "`?`"),
        ("/a#b", "`#`"),
        ("/a\\b", "`\\`"),
        ("/a\nb", "controls"),
        ("/straße", "segments as"),
        ("/.herse/account", "the gateway's own"),
        ("/.HERSE", "the gateway's own"),
    ],
)
def test_what_is_no_template_says_what_is_expected(text: str, expected: str) -> None:
    with pytest.raises(ValueError) as error:
        parse_template(text)
    assert expected in str(error.value)


def test_A8_literals_compare_without_case_and_composition() -> None:
    assert fold("AccueiL") == "accueil"
    assert fold("ÉCRAN") == fold("écran") == fold("e\u0301cran") == "écran"
    assert fold("\u03b1\u0345\u0301") == fold("\u03b1\u0301\u0345")  # equal texts, whose marks change places


def test_a_slash_at_the_end_counts_for_nothing() -> None:
    assert split("/") == [""]
    assert split("/A/b/") == split("/A/b") == ["", "A", "b"]


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("/a", "/A", True),
        ("/a", "/b", False),
        ("/a", "/{x}", True),
        ("/{x}", "/{y}", True),
        ("/a/{x}", "/{y}/b", True),
        ("/a/{x}/c", "/{y}/b/d", False),
        ("/a", "/a/b", False),
        ("/a", "/a/{x...}", True),
        ("/a/b/c", "/a/{x...}", True),
        ("/a/b/c", "/b/{x...}", False),
        ("/{x...}", "/", True),
        ("/{x...}", "/a/{y...}", True),
        ("/a/b/{x...}", "/a", False),
        ("/a/b/{x...}", "/{y}/{z}/{t}", True),
    ],
)
def test_overlap(one: str, other: str, shared: bool) -> None:
    assert overlap(parse_template(one), parse_template(other)) is shared
    assert overlap(parse_template(other), parse_template(one)) is shared


def fits(template: Template, segments: tuple[str, ...]) -> bool:
    length = len(template.segments)
    if len(segments) < length or (template.tail is None and len(segments) > length):
        return False
    return all(want in (None, found) for want, found in zip(template.segments, segments, strict=False))


segment = st.sampled_from(["a", "b", "{x}", "{y}"])
texts = st.tuples(st.lists(segment, max_size=3, unique=True), st.booleans()).map(
    lambda parts: "/" + "/".join([*parts[0], *(["{z...}"] if parts[1] else [])])
)


@given(texts, texts)
def test_two_templates_overlap_if_and_only_if_a_path_fits_both(one: str, other: str) -> None:
    left, right = parse_template(one), parse_template(other)
    letters = ("a", "b", "c")
    paths: list[tuple[str, ...]] = [("",)]
    for path in paths:
        if len(path) < 5:
            paths += [(*path, letter) for letter in letters]
    assert overlap(left, right) == any(fits(left, path) and fits(right, path) for path in paths)
