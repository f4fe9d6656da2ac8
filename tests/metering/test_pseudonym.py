# SPDX-License-Identifier: EUPL-1.2
"""pseudonym: joins, and tells nothing."""

from __future__ import annotations

import pytest

from gateway.metering.pseudonym import Pseudonymizer

KEY = bytes(range(32))


def test_equal_numbers_join_under_one_key_only():
    hide = Pseudonymizer(KEY)
    assert hide("1850578006084") == hide("1850578006084") == Pseudonymizer(KEY)("1850578006084")
    assert len(hide("1850578006084")) == 16
    assert hide("1850578006084") != hide("1850578006085")
    assert hide("1850578006084") != Pseudonymizer(KEY[::-1])("1850578006084")


@pytest.mark.parametrize("size", [0, 16, 31, 65])
def test_a_key_that_could_be_guessed_is_refused(size: int):
    with pytest.raises(ValueError, match=f"has {size} bytes"):
        Pseudonymizer(bytes(size))


def test_K2_the_key_does_not_show():
    assert "pseudonym" in repr(Pseudonymizer(KEY)).lower()
    assert KEY.hex() not in repr(Pseudonymizer(KEY))
