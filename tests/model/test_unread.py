# SPDX-License-Identifier: EUPL-1.2
"""Why an answer could not be read is told in a few words that a ledger can keep for years."""

from __future__ import annotations

from gateway.model.unread import Unread


def test_the_words_are_few_and_stay():
    assert sorted(Unread) == [
        "binary",
        "broken",
        "charset",
        "coded",
        "elsewhere",
        "kind",
        "no-number",
        "too-large",
    ]
