# SPDX-License-Identifier: EUPL-1.2
"""What the scanner finds where nobody is: no more than chance explains, in every kind of text a portal writes."""

from __future__ import annotations

import random

import pytest

from bench.scan import KINDS, main, scan


@pytest.mark.parametrize("kind", KINDS)
def test_no_more_is_found_than_chance_lets_through(kind):
    count = scan(kind, 100_000 if kind == "figures" else 700_000, random.Random(4))
    assert count.found <= count.worst
    assert kind not in {"csv", "figures"} or count.candidates, "a text that could hold no false one shows nothing"


def test_the_command_says_so(capsys):
    assert main(["--gigabytes", "0.001"]) == 0
    assert capsys.readouterr().out.count("MB/s") == len(KINDS)
