# SPDX-License-Identifier: EUPL-1.2
"""Every signal has a name and one sentence with its figures, in French and English."""

from __future__ import annotations

import pytest

from gateway.model import Finding, Risk, Signal
from gateway.pages.signal_words import NAMES, sentence

EXAMPLES = (
    (Signal.PACE, (("people", 4), ("seconds", 0.6)), "4 patients en 0,6 s,", "4 patients in 0.6 s,"),
    (
        Signal.PACE,
        (("people", 21), ("every_seconds", 60.0), ("varies_percent", 3)),
        "un toutes les 60,0 s à 3 % près",
        "one each 60.0 s, varying by 3 %",
    ),
    (Signal.NEW_PEOPLE, (("count", 16), ("of", 16), ("usual_percent", 41)), "16 nouveaux", "16 new patients"),
    (Signal.MISSES, (("count", 8), ("of", 16), ("usual_percent", 10)), "8 recherches", "8 searches"),
    (Signal.NO_PAUSES, (("people", 240), ("hours", 4.0)), "240 patients en 4,0 h", "240 patients in 4.0 h"),
    (Signal.IN_ORDER, (("count", 5), ("of", 16)), "5 numéros voisins parmi les 16", "5 neighbouring numbers among"),
    (Signal.FAR_AWAY, (("count", 9), ("of", 12), ("usual_percent", 35)), "9 des 12", "9 of the last 12"),
    (Signal.MANY_ACCOUNTS, (("accounts", 19), ("usual", 1)), "19 comptes", "19 accounts used within an hour"),
    (Signal.VOLUME, (("people", 900), ("usual", 30)), "900 patients aujourd\u2019hui, pour 30", "900 patients today"),
    (
        Signal.DRIFT,
        (("days", 3), ("new", 40), ("people", 90), ("usual_percent", 20), ("evidence", 11.2)),
        "40 nouveaux patients sur 90",
        "(evidence 11.2)",
    ),
    (
        Signal.DRIFT,
        (
            *(("days", 3), ("new", 40), ("people", 90), ("usual_percent", 20)),
            *(("far", 30), ("usual_far_percent", 15), ("evidence", 14.5)),
        ),
        "dont 30 de départements que ce compte voit peu, pour 15 %",
        "30 of them from départements",
    ),
    (
        Signal.ALIKE,
        (("accounts", 6), ("usual", 0.1), ("signal", "new-people")),
        "(part de nouveaux patients), 0,1 d\u2019habitude",
        "(share of new patients), usually 0.1",
    ),
)


@pytest.mark.parametrize(("signal", "figures", "french", "english"), EXAMPLES)
def test_a_sentence_says_its_figures(signal, figures, french, english):
    told = sentence(Finding(signal, Risk.CALM, figures))
    assert french in told[0]
    assert english in told[1]
    assert all(text.endswith(".") and "{" not in text for text in told)


def test_every_signal_has_a_name_and_an_example():
    assert set(NAMES) == set(Signal) == {signal for signal, *_ in EXAMPLES}
