# SPDX-License-Identifier: EUPL-1.2
"""decoys: what may be one, what never may, and that they are met in every spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ConfigurationError, Refused
from gateway.metering.decoys import load_decoys
from gateway.metering.patient import nir_key, parse_patient_number
from gateway.metering.pseudonym import Pseudonymizer

pseudonym = Pseudonymizer(bytes(range(32)))
WRONG_KEY = "185057800608437"  # the key is 91
ORDER_000 = "1850578006000"
COMMUNE_000 = "1850578000084"
OVERSEAS_00 = "1901297100012"
LIVING = ("185057800608491", "1850578006084", "190129710501239", "7112312345678", "185052A00408495")


def touched(decoys, text: str) -> bool:
    try:
        return decoys.touched(pseudonym(parse_patient_number(text)))
    except Refused:
        return decoys.touched_by(text)


def test_a_decoy_is_met_in_every_spelling():
    decoys = load_decoys(
        f"# planted 2026-11\n{WRONG_KEY}\n\n{ORDER_000}  # in the list of June\n1 85 05 78 000 084\n{OVERSEAS_00}\n",
        "decoys.txt",
        pseudonym,
    )
    assert len(decoys) == 4
    keyed = f"{ORDER_000}{nir_key(ORDER_000):02d}"
    for text in (WRONG_KEY, "1 85 05 78 006 084 37", ORDER_000, keyed, COMMUNE_000, OVERSEAS_00):
        assert touched(decoys, text), text
    for text in (*LIVING, "185057800608438", "", "1"):
        assert not touched(decoys, text), text


def test_no_decoys_cost_no_hash_and_meet_nobody():
    decoys = load_decoys("", "", pseudonym)
    assert len(decoys) == 0
    assert not decoys.touched_by(WRONG_KEY)


@pytest.mark.parametrize("number", [*LIVING, "1850578006", "abc", "18505780060849", "9850578006000"])
def test_what_could_be_a_living_persons_is_refused_and_not_printed(number: str):
    with pytest.raises(ConfigurationError) as refused:
        load_decoys(f"{WRONG_KEY}\n{number}\n", "decoys.txt", pseudonym)
    told = str(refused.value)
    assert "decoys.txt:2" in told
    assert "living person" in told
    assert number not in told
    assert len(refused.value.faults) == 1


@given(st.from_regex(r"[12][0-9]{2}(?:0[1-9]|1[0-2])(?:[0-8][0-9]|9[0-57-9]|2[AB])[0-9]{6}", fullmatch=True))
def test_whatever_passes_is_a_number_that_is_never_given(canonical: str):
    key = f"{nir_key(canonical):02d}"
    reserved = canonical[10:] == "000" or (
        canonical[8:10] == "00" if canonical[5:7] in {"97", "98"} else canonical[7:10] == "000"
    )
    for written in (canonical, canonical + key):
        try:
            load_decoys(written, "f", pseudonym)
        except ConfigurationError:
            assert not reserved
        else:
            assert reserved
