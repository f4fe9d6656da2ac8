# SPDX-License-Identifier: EUPL-1.2
"""verify_proof: what the gateway proves is taken with the public key alone, and nothing that differs from it."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest

from gateway.ledger.checkpoint import Checkpoint, parse_checkpoint, sign_checkpoint
from gateway.ledger.note import good_signature
from gateway.ledger.proof import Signed, make_consistency, make_inclusion
from gateway.ledger.verify_proof import PROOF_CHARACTERS_AT_MOST, Consistent, Included, check_proof
from gateway.ledger.verify_tree import NOTHING
from gateway.ledger.wrong import Finding, Wrong
from support.small_ledger import BEGUN, FOREIGN, KEY, ORIGIN, SmallLedger


def signed(note):
    told = parse_checkpoint(note)
    return Signed(note, told.size, told.root)


LEDGER = SmallLedger()
EMPTY = signed(LEDGER.seal())
LEDGER.append(300)
OLDER = signed(LEDGER.seal(BEGUN + timedelta(seconds=1)))
LEDGER.append(223)
NEWER = signed(LEDGER.seal(BEGUN + timedelta(seconds=2)))
LINES = LEDGER.lines()
INCLUSION = make_inclusion(260, LINES[260], NEWER, LEDGER.read)
CONSISTENCY = make_consistency(OLDER, NEWER, LEDGER.read)


def check(text, **told):
    told.setdefault("origin", ORIGIN)
    return check_proof(text, told.pop("keys", [KEY.verifier().text()]), good_signature, **told)


def finding(text, **told):
    with pytest.raises(Wrong) as found:
        check(text, **told)
    return found.value.finding


def changed(text, **members):
    return json.dumps({name: value for name, value in (json.loads(text) | members).items() if value is not None})


@pytest.mark.parametrize("number", [0, 1, 255, 256, 299, 300, 522])
def test_an_event_is_in_the_ledger(number):
    proved = check(make_inclusion(number, LINES[number], NEWER, LEDGER.read))
    assert isinstance(proved, Included)
    assert (proved.number, proved.sequence, proved.line) == (number, LEDGER.rows[number][0], LINES[number])
    assert (proved.checkpoint.size, proved.checkpoint.root) == (523, LEDGER.frontier.root())


def test_a_newer_ledger_begins_with_the_older_one():
    proved = check(CONSISTENCY)
    assert isinstance(proved, Consistent)
    assert (proved.older.size, proved.checkpoint.size) == (300, 523)
    assert check(make_consistency(NEWER, NEWER, LEDGER.read)) == Consistent(proved.checkpoint, proved.checkpoint)
    assert check(make_consistency(EMPTY, NEWER, LEDGER.read)).older.size == 0


@pytest.mark.parametrize("text", [INCLUSION, CONSISTENCY])
def test_any_character_changed_is_refused_or_says_the_same(text):
    """JSON has several spellings of one value; what is proved is what was read."""
    proved, refused = check(text), 0
    for place in range(0, len(text), 3):
        try:
            other = check(text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :])
        except Wrong:
            refused += 1
        else:
            assert other == proved
    assert refused > 0.95 * len(range(0, len(text), 3))


def test_a_proof_is_of_one_line_at_one_place():
    assert finding(changed(INCLUSION, number=261)) is Finding.PROOF
    assert finding(changed(INCLUSION, number=-1)) is Finding.PROOF
    assert finding(changed(INCLUSION, number=10**30)) is Finding.PROOF
    assert finding(changed(INCLUSION, line=LINES[261].decode())) is Finding.PROOF
    assert finding(changed(INCLUSION, line="[1]")) is Finding.UNKNOWN_VERSION
    assert finding(changed(INCLUSION, line=f'["herse-gone/1",260,"{"ab" * 32}",300]')) is Finding.PROOF
    assert finding(changed(INCLUSION, line="\ud800")) is Finding.MALFORMED
    assert finding(changed(INCLUSION, path=json.loads(INCLUSION)["path"][:-1])) is Finding.PROOF
    path, nothing = json.loads(INCLUSION)["path"], base64.b64encode(bytes(32)).decode()
    for wrong in ([*path, nothing], [nothing, *path[1:]], [nothing] * 10, [nothing] * 129, []):
        assert finding(changed(INCLUSION, path=wrong)) is Finding.PROOF


def test_a_proof_is_under_one_signed_checkpoint():
    assert finding(changed(INCLUSION, checkpoint=OLDER.note)) is Finding.PROOF
    forged = sign_checkpoint(Checkpoint(ORIGIN, 523, LEDGER.frontier.root(), BEGUN), FOREIGN)
    assert finding(changed(INCLUSION, checkpoint=forged)) is Finding.FOREIGN_KEY
    assert finding(INCLUSION, origin="other.example") is Finding.OTHER_ORIGIN
    assert finding(INCLUSION, keys=["not a key"]) is Finding.MALFORMED
    assert finding(changed(CONSISTENCY, older=forged)) is Finding.FOREIGN_KEY


def test_a_ledger_that_was_rewritten_is_not_consistent():
    other = SmallLedger()
    other.append(300, salt=1)
    rewritten = other.seal()
    assert finding(changed(CONSISTENCY, older=rewritten)) is Finding.PROOF
    assert finding(changed(CONSISTENCY, older=NEWER.note, checkpoint=OLDER.note)) is Finding.PROOF
    assert finding(changed(CONSISTENCY, older=EMPTY.note)) is Finding.PROOF
    nothing = sign_checkpoint(Checkpoint(ORIGIN, 0, bytes(32), BEGUN), KEY)
    assert OLDER.root != NOTHING == EMPTY.root
    assert finding(changed(CONSISTENCY, older=nothing, path=[])) is Finding.PROOF


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        "[" * 100_000,
        INCLUSION + "x",
        INCLUSION + INCLUSION,
        INCLUSION.replace('"number": 260', '"number": 260, "number": 260'),
        changed(INCLUSION, number=True),
        changed(INCLUSION, number="260"),
        changed(INCLUSION, number=None),
        changed(INCLUSION, more=1),
        changed(INCLUSION, path="x"),
        changed(INCLUSION, path=["x"]),
        changed(INCLUSION, path=[1]),
        changed(INCLUSION, path=["A" * 43 + "=\n"]),
        changed(INCLUSION, format="herse-inclusion/2"),
        changed(INCLUSION, format="herse-consistency/1"),
        changed(INCLUSION, format=["herse-inclusion/1"]),
        changed(INCLUSION, checkpoint=""),
        " " * PROOF_CHARACTERS_AT_MOST + INCLUSION,
    ],
)
def test_what_is_no_proof_is_refused(text):
    assert finding(text) is Finding.MALFORMED
