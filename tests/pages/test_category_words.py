# SPDX-License-Identifier: EUPL-1.2
"""Categories of data in French, and the kinds that a notification asks about."""

from __future__ import annotations

from gateway.pages.category_words import KINDS, category_names, kinds_told, unknown_categories


def told(categories, people):
    return dict(zip(KINDS, kinds_told(categories, people), strict=True))


def test_known_categories_have_words_and_others_stand_as_they_are():
    assert category_names(["identity", "birth", "hobbies"]) == "nom et prénom, date de naissance, « hobbies »"
    assert category_names([]) == ""
    assert unknown_categories(["identity", "hobbies"]) == ["hobbies"]


def test_each_kind_is_told_with_at_most_how_many_people():
    found = told({"identity": 10, "bank": 4, "payments": 9, "hobbies": 3}, 10)
    assert {kind: one.people for kind, one in found.items()} == {
        "civil-status": 10,
        "birth": 0,
        "sex": 10,
        "nir": 10,
        "contact": 0,
        "health": 9,
        "financial": 10,  # 13 would be more than there are
        "documents": 0,
    }
    assert [kind for kind, one in found.items() if not one.disclosed] == ["birth", "contact", "documents"]


def test_of_nobody_nothing_was_disclosed():
    assert not any(one.disclosed for one in told({}, 0).values())
