# SPDX-License-Identifier: EUPL-1.2
"""The closed lists keep their form: kebab-case words that files, pages and programs rely on."""

from __future__ import annotations

import re

from gateway.model import Effect, EventKind, Reason


def test_words_are_kebab_case_and_say_their_names():
    for word in [*Reason, *EventKind]:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", word.value)
        assert word.name == word.value.replace("-", "_").upper()


def test_there_are_three_effects():
    assert [effect.value for effect in Effect] == ["permit", "challenge", "deny"]
