# SPDX-License-Identifier: EUPL-1.2
"""wrong: the message begins with the place, as far as it is known."""

from __future__ import annotations

import pytest

from gateway.ledger.wrong import Finding, Wrong


@pytest.mark.parametrize(
    ("number", "sequence", "message"),
    [
        (None, None, "it is changed"),
        (0, None, "leaf 0: it is changed"),
        (None, 0, "sequence 0: it is changed"),
        (12, 13, "leaf 12 (sequence 13): it is changed"),
    ],
)
def test_the_place_stands_first(number, sequence, message):
    wrong = Wrong(Finding.CHANGED, "it is changed", number=number, sequence=sequence)
    assert str(wrong) == message
    assert (wrong.finding, wrong.number, wrong.sequence) == (Finding.CHANGED, number, sequence)
