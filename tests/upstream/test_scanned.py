# SPDX-License-Identifier: EUPL-1.2
"""scanned: what leaves of an answer, when, and how it ends."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upstream.scanning import HEAD, LINES, NIRS, PAGE, PEOPLE, ROWS, Gate, Source, Taker, Talk, whole

from gateway.errors import LedgerError, Refused
from gateway.metering.scan_text import TextRecords
from gateway.model import Reason
from gateway.model.unread import Unread
from gateway.upstream.answer import Answer
from gateway.upstream.exchange import DisconnectedError
from gateway.upstream.scanned import ScannedAnswer
from gateway.upstream.scanned_gate import Ending


def test_a_whole_answer_leaves_whole_once_its_people_may():
    scanned, gate, taker, begun = whole(PAGE)
    assert begun.result() is True
    assert gate.asked == [list(PEOPLE)]
    assert taker.head is None, "nothing before relay"
    scanned.relay(taker, LINES)
    assert (taker.head, taker.body, taker.over) == ((200, LINES, None), PAGE, "finished")
    assert gate.endings == [(frozenset(PEOPLE), Ending.WHOLE)]


@pytest.mark.parametrize("budget", range(6))
def test_a_budget_that_runs_out_cuts_behind_the_last_one_it_held(budget):
    scanned, gate, taker, begun = whole(PAGE, gate=Gate(budget))
    expected = HEAD + b"".join(ROWS[:budget]) if budget else b""
    assert begun.result() is bool(budget)
    if budget:
        scanned.relay(taker, LINES)
        assert taker.body == (PAGE if budget == 5 else expected)
        assert taker.over == ("finished" if budget == 5 else "aborted")
        assert taker.head[2] == (None if budget == 5 else len(PAGE)), "a part must not look whole"
    assert gate.endings == [(frozenset(PEOPLE), Ending.WHOLE if budget == 5 else Ending.CUT)]


@pytest.mark.parametrize("length", [len(PAGE), None])
@pytest.mark.parametrize("size", [1, 3, 17, 64, 1_000])
def test_in_pieces_nothing_leaves_before_its_people_may(length, size):
    talk = Talk(length=length, gate=Gate(waits=True))
    allowed = 0
    released: list[str] = []
    for at in range(0, len(PAGE), size):
        talk.says(PAGE[at : at + size])
        while talk.gate.waiting:
            assert len(talk.taker.body) <= allowed
            assert talk.source.held, "the portal waits while the gate is asked"
            released += talk.gate.asked[-1]
            last = ROWS[PEOPLE.index(released[-1])]
            allowed = PAGE.index(last) + len(last)
            talk.gate.go()
        if talk.begun.done and talk.taker.head is None:
            talk.relay()
        assert len(talk.taker.body) <= allowed
    talk.answer.end()
    if talk.taker.head is None:
        talk.relay()
    assert released == list(PEOPLE)
    assert (talk.taker.body, talk.taker.over) == (PAGE, "finished")
    assert talk.taker.head == (200, LINES + b"\r\nx: y", length)
    assert talk.gate.endings == [(frozenset(PEOPLE), Ending.WHOLE)]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(1, 80), max_size=12), st.integers(0, 5), st.booleans(), st.booleans())
def test_whatever_the_pieces_the_budget_holds(sizes, budget, waits, stalls):
    talk = Talk(length=len(PAGE), gate=Gate(budget, waits=waits), stalls=stalls)
    at = 0
    for size in [*sizes, len(PAGE)]:
        talk.says(PAGE[at : at + size])
        at += size
        while talk.gate.waiting:
            talk.gate.go()
        if talk.begun.done and talk.taker.head is None and talk.begun.result():
            talk.relay()
    if talk.gate.endings == []:
        talk.answer.end()
    shown = sum(nir.encode() in talk.taker.body for nir in NIRS)
    assert shown == budget
    assert all(row in talk.taker.body for row in ROWS[:budget])
    assert b"nom%d" % budget not in talk.taker.body, "a name stands before its number"
    if budget < 5:
        assert talk.taker.over == ("aborted" if budget else "")
        assert talk.source.dropped
    assert len(talk.gate.endings) == 1


def test_the_same_person_is_asked_for_once():
    page = ROWS[0] + ROWS[1] + ROWS[0]
    talk = Talk()
    talk.says(page, page, ROWS[2] + ROWS[0])
    assert talk.gate.asked == [[PEOPLE[0], PEOPLE[1]], [PEOPLE[2]]]


def test_without_a_border_all_is_held_up_to_the_limit():
    talk = Talk(border=None)
    talk.says(PAGE[:100], PAGE[100:])
    assert not talk.begun.done
    talk.answer.end()
    assert talk.begun.result() is True
    assert talk.gate.asked == [list(PEOPLE)]
    assert talk.relay() == PAGE
    for budget in range(5):
        talk = Talk(border=None, gate=Gate(budget))
        talk.says(PAGE)
        talk.answer.end()
        assert talk.begun.result() is False, "one record: all of it, or nothing"


@pytest.mark.parametrize("border", [None, b"</tr>"])
def test_more_than_may_be_held_is_refused(border):
    talk = Talk(border=border, hold=300)
    talk.says(b"x" * 300)
    assert not talk.begun.done
    talk.says(b"x")
    assert talk.begun.result() is False
    assert talk.gate.why == [Unread.TOO_LARGE]
    assert talk.source.dropped
    assert talk.gate.endings == [(frozenset(), Ending.CUT)]


def test_a_client_that_is_slow_slows_the_portal():
    talk = Talk(stalls=True)
    talk.says(ROWS[0])
    assert talk.source.held, "before relay nothing more is taken"
    talk.relay()
    assert not talk.source.held
    talk.says(ROWS[1])
    assert talk.source.held
    talk.scanned.resume()
    assert not talk.source.held


def test_a_portal_held_by_a_question_is_not_let_go_by_a_client():
    talk = Talk(gate=Gate(waits=True))
    talk.says(ROWS[0])
    talk.gate.go()
    talk.relay()
    talk.says(ROWS[1])
    assert talk.source.held
    talk.scanned.pause()
    talk.scanned.resume()
    assert talk.source.held
    talk.gate.go()
    assert not talk.source.held


def test_an_answer_that_breaks_before_anything_left_is_told():
    talk = Talk(length=len(PAGE))
    talk.says(PAGE[:20])
    talk.answer.break_off()
    with pytest.raises(Refused) as refused:
        talk.begun.result()
    assert refused.value.reason is Reason.PORTAL_ANSWER_INVALID
    assert talk.gate.endings == [(frozenset(), Ending.BROKEN)]


def test_an_answer_that_was_broken_before_it_was_read_is_told():
    answer = Answer(200, LINES, 5, Source(), [])
    answer.break_off()
    gate = Gate()
    begun = ScannedAnswer(answer, TextRecords(None), gate, 100).begin(Taker())
    with pytest.raises(Refused):
        begun.result()


def test_an_answer_that_breaks_between_begin_and_relay_is_told():
    talk = Talk()
    talk.says(ROWS[0])
    talk.answer.break_off()
    with pytest.raises(Refused):
        talk.relay()
    assert talk.taker.head is None


def test_relay_before_anything_may_leave_is_refused():
    talk = Talk(gate=Gate(waits=True))
    talk.says(ROWS[0])
    with pytest.raises(Refused):
        talk.relay()


def test_what_was_complete_when_the_portal_broke_still_leaves_and_then_a_cut():
    talk = Talk(gate=Gate(waits=True))
    talk.says(ROWS[0])
    talk.gate.go()
    talk.relay()
    talk.says(ROWS[1] + b"<tr>")
    talk.answer.break_off()
    assert talk.taker.body == ROWS[0]
    talk.gate.go()
    assert (talk.taker.body, talk.taker.over) == (ROWS[0] + ROWS[1], "aborted")


def test_a_client_that_goes_away_is_asked_for_no_longer():
    talk = Talk(gate=Gate(waits=True))
    talk.says(ROWS[0])
    talk.taker.flow.cancel()
    with pytest.raises(DisconnectedError):
        talk.begun.result()
    assert talk.source.dropped
    talk.gate.go()
    assert talk.gate.endings == [(frozenset(PEOPLE[:1]), Ending.LEFT)]
    talk.scanned.relay(talk.taker, LINES)
    talk.scanned.discard()
    assert talk.taker.head is None
    assert len(talk.gate.endings) == 1


@pytest.mark.parametrize("relayed", [True, False])
def test_a_gate_that_fails_is_shut(relayed):
    talk = Talk(gate=Gate(waits=True))
    talk.says(ROWS[0])
    if relayed:
        talk.gate.go()
        talk.relay()
        talk.says(ROWS[1])
    talk.gate.waiting.pop(0)[0].fail(LedgerError("full"))
    if relayed:
        assert (talk.taker.body, talk.taker.over) == (ROWS[0], "aborted")
    else:
        with pytest.raises(LedgerError):
            talk.begun.result()
    assert talk.gate.endings[0][1] is Ending.CUT
    assert talk.source.dropped


def test_a_budget_that_runs_out_later_cuts_what_was_begun():
    talk = Talk(gate=Gate(2), length=len(PAGE))
    talk.says(HEAD + ROWS[0])
    talk.relay()
    talk.says(ROWS[1] + ROWS[2], *ROWS[3:])
    assert (talk.taker.body, talk.taker.over) == (HEAD + ROWS[0] + ROWS[1], "aborted")
    assert talk.taker.head[2] == len(PAGE), "the length the portal told stays, so a part is seen to be one"
    assert talk.source.dropped
