# SPDX-License-Identifier: EUPL-1.2
"""What is said of a teleservice's answers is refused where in doubt, and holds little."""

from __future__ import annotations

from gateway.model.answers import Answers, JsonAnswers, TextAnswers


def test_without_a_word_what_cannot_be_read_is_refused_and_one_record_is_the_whole():
    assert Answers() == Answers(None, None, None, 1 << 20, passes=False)
    assert TextAnswers() == TextAnswers(None, provisional=False)
    assert JsonAnswers("/people", ("/nir",)).numbers == ("/nir",)
