# SPDX-License-Identifier: EUPL-1.2
"""verify_batch: many leaves are taken with the public key alone, and not with one byte of them changed."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.batch_proof import batch_hashes
from gateway.ledger.note import good_signature
from gateway.ledger.verify_batch import check_batch
from gateway.ledger.wrong import Finding, Wrong
from support.small_ledger import FOREIGN, KEY, ORIGIN, SmallLedger

SIZE = 300
LEDGER = SmallLedger()
LEDGER.append(SIZE)
NOTE = LEDGER.seal()
LINES = LEDGER.lines()
CHOSEN = (3, 4, 255, 299)


def leaves_of(numbers) -> bytes:
    return b"".join(b"%d %b\n" % (number, LINES[number]) for number in numbers)


def hashes_of(numbers) -> bytes:
    return b"".join(b"%b\n" % one.hex().encode() for one in batch_hashes(sorted(numbers), SIZE, LEDGER.read))


LEAVES, HASHES = leaves_of(CHOSEN), hashes_of(CHOSEN)


def check(leaves=LEAVES, hashes=HASHES, note=NOTE, *, key=KEY, origin=ORIGIN):
    keys = [key.verifier().text()]
    return check_batch(BytesIO(leaves), BytesIO(hashes), note, keys, good_signature, origin=origin)


def finding(*given, **named):
    with pytest.raises(Wrong) as found:
        check(*given, **named)
    return found.value.finding


@given(st.sets(st.integers(0, SIZE - 1), min_size=1))
def test_any_choice_of_leaves_is_proved(numbers):
    found = check(leaves_of(sorted(numbers)), hashes_of(numbers))
    assert (found.events, found.first, found.last) == (
        len(numbers),
        LEDGER.rows[min(numbers)][0],
        LEDGER.rows[max(numbers)][0],
    )
    assert (found.checkpoint.size, found.checkpoint.root) == (SIZE, LEDGER.frontier.root())


def test_every_single_byte_that_is_changed_shows():
    accepted = []
    for name, whole in (("leaves", LEAVES), ("hashes", HASHES), ("note", NOTE.encode())):
        for place in range(len(whole)):
            changed = whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :]
            try:
                check(**{name: changed.decode("utf-8", "surrogateescape") if name == "note" else changed})
            except Wrong:
                continue
            accepted.append((name, place))
    assert accepted == []


def test_what_was_left_out_added_doubled_or_moved_is_told():
    lines, rows = LEAVES.splitlines(keepends=True), HASHES.splitlines(keepends=True)
    for leaves in (lines[1:], lines[:-1], [*lines[:1], *lines[2:]]):
        assert finding(b"".join(leaves)) in {Finding.PROOF, Finding.TRAILING_BYTES}
    assert finding(LEAVES + b"300 " + LINES[0] + b"\n") is Finding.PROOF
    assert finding(lines[0] + LEAVES) is Finding.REORDERED
    assert finding(b"".join([lines[1], lines[0], *lines[2:]])) is Finding.REORDERED
    assert finding(hashes=b"".join(rows[:-1])) is Finding.PROOF
    assert finding(hashes=b"".join(rows[1:])) is Finding.PROOF
    assert finding(hashes=HASHES + rows[0]) is Finding.TRAILING_BYTES
    assert finding(hashes=b"".join([rows[1], rows[0], *rows[2:]])) is Finding.PROOF
    assert finding(leaves_of([7]), hashes_of([8])) is Finding.PROOF
    assert finding(b"", hashes_of([])) is Finding.PROOF


@pytest.mark.parametrize("leaves", [b"x", b"7", b"07 []\n", LEAVES[:-1], b"-1 []\n", b"1" * 20 + b" []\n"])
def test_what_is_no_leaf_is_told(leaves):
    assert finding(leaves) is Finding.MALFORMED


def test_a_deleted_row_proves_no_event():
    line = b'["herse-gone/1",3,"' + b"0" * 64 + b'",40]'
    assert finding(b"3 " + line + b"\n") is Finding.PROOF
    assert finding(b"3 []\n") is Finding.UNKNOWN_VERSION


def test_another_key_and_another_ledger_are_told():
    assert finding(key=FOREIGN) is Finding.FOREIGN_KEY
    assert finding(origin="other.example/ledger") is Finding.OTHER_ORIGIN


def test_progress_is_told():
    heard: list[int] = []
    big = SmallLedger()
    big.append(4_100)
    note = big.seal()
    lines = b"".join(b"%d %b\n" % (number, line) for number, line in enumerate(big.lines()))
    keys = [KEY.verifier().text()]
    check_batch(BytesIO(lines), BytesIO(b""), note, keys, good_signature, origin=ORIGIN, told=heard.append)
    assert heard == [4_096]
