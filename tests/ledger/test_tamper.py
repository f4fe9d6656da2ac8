# SPDX-License-Identifier: EUPL-1.2
"""A sample of `make tamper`: falsified ledgers are found, all of them, and the bench would say so if one were not."""

from __future__ import annotations

from functools import partial

import pytest

from bench.falsify import KINDS, Attempt, flips, honest_of, values_instead
from bench.tamper import attempt_all, main, missed
from gateway.ledger.wrong import Finding
from support.small_ledger import sealed_ledger

EVENTS = 24
STEP = 11


@pytest.mark.parametrize("number", range(EVENTS))
def test_every_eleventh_falsification_of_a_small_ledger_is_found(number):
    count = attempt_all((EVENTS, number, STEP))
    assert count.unseen == ()
    assert count.tried > 20


@pytest.mark.parametrize("number", [0, 255, 256, 511, 518])
def test_some_falsifications_of_a_ledger_with_full_tiles_are_found(number):
    count = attempt_all((519, number, 29))
    assert count.unseen == ()
    assert count.tried > 3


def test_each_kind_has_its_falsifications():
    assert [kind.__name__ for kind in KINDS if not list(kind(honest_of(3), 0))] == []


def test_one_that_is_not_found_or_not_named_is_told():
    honest = honest_of(EVENTS)
    assert missed(Attempt(honest.ledger.checked)) == "not found"
    cut = partial(honest.ledger.checked, rows=honest.rows[:20])
    assert missed(Attempt(cut, 20, frozenset({Finding.TAIL_CUT}))) is None
    assert missed(Attempt(cut, 19)).startswith("found, but told as: leaf 20: the tail is cut")
    assert missed(Attempt(cut, 20, frozenset({Finding.CHANGED}))).startswith("found, but told as")


def test_flips_change_each_byte_and_nothing_else():
    made = list(flips(b"abc"))
    assert made == [b"`bc", b"a`c", b"abg"]
    assert all(value not in values_instead(value) for value in (None, 0, 5, "é", b"\0"))
    assert len(list(values_instead("é"))) == 3
    assert len(list(values_instead(7))) == 9


def test_the_command_ends_well_for_an_honest_reader(capsys):
    assert main(["--events", "3", "--step", "40"]) == 0
    assert "falsifications of 3 events" in capsys.readouterr().out
    assert sealed_ledger(3).checked().size == 3
