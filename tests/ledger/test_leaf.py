# SPDX-License-Identifier: EUPL-1.2
"""leaf: the canonical line, to the byte; two rows never share one; what is no row is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.event import COLUMNS, row
from gateway.ledger.leaf import LeafError, gone_data, leaf_data
from gateway.model import Event, EventKind

NOON = datetime(2026, 11, 22, 12, 0, 0, 123457, tzinfo=UTC)
FULL = Event(
    kind=EventKind.LOOKUP,
    account="pharmacie-des-lilas",
    at=NOON,
    session="s1",
    network="2001:db8::1",
    device='Firefox "é" \\ 🏥',
    method="otp",
    teleservice="infopatient",
    request=bytes(range(16)),
    reason="permitted",
    pseudonym=bytes(range(240, 256)),
    status=200,
    categories=("identity", "rights"),
    holder="Lou Martin",
    delegate="d-1",
    details="past 5 new people per 10m, then alert",
    sealed=b"\x00\xff",
)
TEXTS = [2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15]
BYTES = [0, 10, 16]
SPARSE = row(Event(EventKind.SIGN_OUT, "a", NOON))

texts = st.text(st.characters(exclude_categories=["Cs"]))
rows = st.tuples(
    st.none() | st.binary(max_size=20),
    st.integers(-(2**63), 2**63 - 1),
    texts,
    texts,
    *[st.none() | texts] * 6,
    st.none() | st.binary(max_size=20),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    *[st.none() | texts] * 4,
    st.none() | st.binary(max_size=20),
)


def test_the_line_of_a_row_to_the_byte():
    assert leaf_data(42, row(FULL)).decode() == (
        '["herse-event/1",42,"000102030405060708090a0b0c0d0e0f",1795348800123457,"lookup","pharmacie-des-lilas",'
        '"s1","2001:db8::1","Firefox \\"é\\" \\\\ 🏥","otp","infopatient","permitted",'
        '"f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",200,'
        '"[\\"identity\\", \\"rights\\"]","Lou Martin","d-1","past 5 new people per 10m, then alert","00ff"]'
    )
    nothing = ",null" * 6
    assert leaf_data(1, SPARSE) == (
        f'["herse-event/1",1,null,1795348800123457,"sign-out","a"{nothing},null,null,null,null,null,null,null]'.encode()
    )


@given(rows)
def test_a_line_stays_one_line(made):
    assert b"\n" not in leaf_data(7, made)
    assert b"\r" not in leaf_data(7, made)


@given(rows, rows, st.integers(0, 3), st.integers(0, 3))
def test_two_rows_never_share_a_line(one, other, first, second):
    assert (leaf_data(first, one) == leaf_data(second, other)) == ((first, one) == (second, other))


@given(rows, st.integers(0, len(COLUMNS) - 1), rows)
def test_one_column_changed_changes_the_line(made, column, other):
    changed = (*made[:column], other[column], *made[column + 1 :])
    assert (leaf_data(7, made) == leaf_data(7, changed)) == (made == changed)


def test_bytes_are_never_taken_for_their_hex():
    for column in BYTES:
        with pytest.raises(LeafError, match=f"sequence 9 cannot be sealed.*{COLUMNS[column]} holds str"):
            leaf_data(9, (*SPARSE[:column], "00ff", *SPARSE[column + 1 :]))
    for column in TEXTS:
        with pytest.raises(LeafError, match=f"{COLUMNS[column]} holds bytes; expected str"):
            leaf_data(9, (*SPARSE[:column], b"\x00\xff", *SPARSE[column + 1 :]))


@pytest.mark.parametrize("column", ["at", "kind", "account"])
def test_what_every_event_has_is_needed(column):
    place = COLUMNS.index(column)
    with pytest.raises(LeafError, match=f"{column} holds NoneType"):
        leaf_data(9, (*SPARSE[:place], None, *SPARSE[place + 1 :]))


@pytest.mark.parametrize("wrong", [1.0, True, "1"])
def test_whole_numbers_are_nothing_else(wrong):
    with pytest.raises(LeafError, match="at holds"):
        leaf_data(9, (None, wrong, *SPARSE[2:]))
    with pytest.raises(LeafError, match="after a whole number"):
        leaf_data(wrong, SPARSE)


def test_another_number_of_columns_is_no_row():
    with pytest.raises(LeafError, match="16 columns; expected 17"):
        leaf_data(9, SPARSE[:-1])
    with pytest.raises(LeafError, match="18 columns; expected 17"):
        leaf_data(9, (*SPARSE, None))


def test_half_a_surrogate_is_no_text():
    with pytest.raises(LeafError, match="sequence 9 cannot be sealed"):
        leaf_data(9, (*SPARSE[:3], "\ud800", *SPARSE[4:]))


def test_a_row_that_is_gone_is_told_by_hash_and_event():
    line = gone_data(3, b"\xab" * 32, 40)
    assert line == f'["herse-gone/1",3,"{"ab" * 32}",40]'.encode()
