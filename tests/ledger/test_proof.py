# SPDX-License-Identifier: EUPL-1.2
"""proof: the text to the member, and nothing handed out that would not prove it."""

from __future__ import annotations

import base64
import json

import pytest

from gateway.ledger.checkpoint import parse_checkpoint
from gateway.ledger.proof import Signed, make_consistency, make_inclusion
from gateway.ledger.tree import TreeError
from gateway.ledger.tree_proof import ProofError
from support.slow_tree import slow_leaf, slow_path, slow_proof
from support.small_ledger import SmallLedger

LEDGER = SmallLedger()
LEDGER.append(3)
OLDER_NOTE = LEDGER.seal()
LEDGER.append(4)
NOTE = LEDGER.seal()
OLDER, NEWER = (Signed(note, parse_checkpoint(note).size, parse_checkpoint(note).root) for note in (OLDER_NOTE, NOTE))
LINES = LEDGER.lines()
HASHES = [slow_leaf(line) for line in LINES]


def told(path):
    return [base64.b64encode(one).decode() for one in path]


def test_an_inclusion_holds_all_that_is_needed():
    assert json.loads(make_inclusion(5, LINES[5], NEWER, LEDGER.read)) == {
        "format": "herse-inclusion/1",
        "number": 5,
        "line": LINES[5].decode(),
        "path": told(slow_path(5, HASHES)),
        "checkpoint": NOTE,
    }


def test_a_consistency_holds_all_that_is_needed():
    assert json.loads(make_consistency(OLDER, NEWER, LEDGER.read)) == {
        "format": "herse-consistency/1",
        "older": OLDER_NOTE,
        "path": told(slow_proof(3, HASHES)),
        "checkpoint": NOTE,
    }


def test_people_can_read_it():
    text = make_inclusion(5, LINES[5], NEWER, LEDGER.read)
    assert text.endswith("}\n")
    assert "« é »" in make_inclusion(4, LINES[4], NEWER, LEDGER.read)
    assert text.count("\n") > 6


def test_what_would_not_prove_it_is_not_handed_out():
    with pytest.raises(ProofError, match="leads from leaf 5"):
        make_inclusion(5, LINES[4], NEWER, LEDGER.read)
    with pytest.raises(ProofError, match="leaf 7 was asked for"):
        make_inclusion(7, LINES[6], NEWER, LEDGER.read)
    with pytest.raises(ProofError, match="an older tree of 7 leaves"):
        make_consistency(NEWER, OLDER, LEDGER.read)
    with pytest.raises(ProofError, match="the proof gives 3 leaves"):
        make_consistency(OLDER._replace(root=bytes(32)), NEWER, LEDGER.read)
    with pytest.raises(TreeError, match="tile 0 of level 0 has 0 hashes"):
        make_inclusion(5, LINES[5], NEWER, lambda *_: None)
