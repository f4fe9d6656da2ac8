# SPDX-License-Identifier: EUPL-1.2
"""scanned: what waits for the first person of an answer, and what leaves with him."""

from __future__ import annotations

import pytest
from upstream.scanning import HEAD, LINES, PAGE, PEOPLE, ROWS, Gate, Talk, whole

from gateway.model.unread import Unread
from gateway.upstream.scanned_gate import Ending


@pytest.mark.parametrize("budget", range(6))
def test_a_cut_is_a_cut_also_where_the_hallway_goes_on_as_soon_as_something_may_leave(budget):
    """It calls `relay` from within: between what may leave and the cut nothing else is let go."""
    talk = Talk(gate=Gate(budget, waits=True), length=len(PAGE))
    talk.begun.on_done(lambda: talk.begun.result() and talk.relay())
    talk.says(PAGE)
    talk.answer.end()
    talk.gate.go()
    if budget < 5:
        expected = HEAD + b"".join(ROWS[:budget]) if budget else b""
        assert (talk.taker.body, talk.gate.endings) == (expected, [(frozenset(PEOPLE), Ending.CUT)])
        assert talk.taker.over == ("aborted" if budget else "")
    else:
        assert (talk.taker.body, talk.taker.over) == (PAGE, "finished")


def test_what_shows_nobody_leaves_without_a_question():
    talk = Talk()
    talk.says(b"<table><tr><td>personne</td></tr><tr>")
    assert not talk.begun.done, "somebody may still come, and a page instead of him"
    talk.says(b"</table>")
    talk.answer.end()
    assert talk.begun.result() is True
    assert talk.relay() == b"<table><tr><td>personne</td></tr><tr></table>"
    assert talk.gate.asked == []


def test_what_stands_before_the_first_waits_for_him():
    talk = Talk()
    talk.says(HEAD + b"<tr><th>Nom</th></tr>")
    assert not talk.begun.done
    talk.says(ROWS[0] + b"<tr>")
    assert talk.begun.result() is True
    assert talk.relay() == HEAD + b"<tr><th>Nom</th></tr>" + ROWS[0]
    talk.says(b"<td>personne</td></tr><tr>")
    assert talk.taker.body.endswith(b"personne</td></tr>"), "once something left, the rest leaves as it comes"


def test_what_stands_before_the_first_does_not_leave_if_he_may_not():
    talk = Talk(gate=Gate(0))
    talk.says(HEAD + b"<tr><th>Nom</th></tr>", ROWS[0] + b"<tr>")
    assert talk.begun.result() is False
    assert talk.gate.endings == [(frozenset(PEOPLE[:1]), Ending.CUT)]


def test_what_stands_before_the_first_waits_no_longer_than_may_be_held():
    talk = Talk(hold=50)
    talk.says(b"<tr></tr>" * 6)
    assert talk.begun.result() is True
    talk.relay()
    assert talk.taker.body == b"<tr></tr>" * 6


@pytest.mark.parametrize("why", [Unread.KIND, Unread.CODED])
def test_an_answer_without_a_body_shows_nobody_whatever_it_says_to_be(why):
    scanned, gate, taker, begun = whole(b"", unread=why)
    assert begun.result() is True
    scanned.relay(taker, LINES)
    assert (taker.body, taker.over, gate.why) == (b"", "finished", [])
    assert not scanned.goes_on
