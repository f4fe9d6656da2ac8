# SPDX-License-Identifier: EUPL-1.2
"""Sealed values open for their row only, and every other outcome is one error."""

from __future__ import annotations

import pytest

from gateway.errors import StartError
from gateway.identity.at_rest import AtRest, SealError


def test_a_sealed_value_opens_for_its_row(at_rest):
    sealed = at_rest.seal(b"secret", "factor/A/1")
    assert at_rest.open(sealed, "factor/A/1") == b"secret"
    assert b"secret" not in sealed
    assert at_rest.seal(b"secret", "factor/A/1") != sealed


def test_no_flip_cut_or_move_opens(at_rest):
    sealed = at_rest.seal(b"s", "factor/A/1")
    wrong = [sealed[:cut] for cut in range(len(sealed))] + [sealed + b"\x00"]
    wrong += [
        sealed[:place] + bytes([sealed[place] ^ 1 << bit]) + sealed[place + 1 :]
        for place in range(len(sealed))
        for bit in range(8)
    ]
    messages = set()
    for value, row in [(value, "factor/A/1") for value in wrong] + [(sealed, "factor/B/1")]:
        with pytest.raises(SealError) as error:
            at_rest.open(value, row)
        messages.add(str(error.value))
    with pytest.raises(SealError):
        AtRest(bytes(32)).open(sealed, "factor/A/1")
    assert len(messages) == 1


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(length):
    with pytest.raises(StartError, match="expected 32"):
        AtRest(bytes(length))
