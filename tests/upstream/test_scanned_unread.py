# SPDX-License-Identifier: EUPL-1.2
"""scanned: what cannot be read is refused or passes, always told before; and what needs no reading."""

from __future__ import annotations

import gzip

import pytest
from upstream.scanning import LINES, NIRS, PEOPLE, ROWS, Gate, Source, Taker, Talk, whole

from gateway.errors import Refused
from gateway.metering.scan_json import JsonRecords
from gateway.metering.scan_text import TextRecords
from gateway.model.unread import Unread
from gateway.upstream.answer import Answer, WholeAnswer
from gateway.upstream.scanned import ScannedAnswer
from gateway.upstream.scanned_gate import Ending

BOMB = gzip.compress(b"185057800608491 " * 100_000)


@pytest.mark.parametrize("why", [Unread.CODED, Unread.KIND])
@pytest.mark.parametrize("passes", [True, False])
def test_what_cannot_be_read_by_its_head_is_refused_or_passes_untouched(why, passes):
    talk = Talk(unread=why, gate=Gate(passes=passes), length=len(BOMB), hold=100)
    assert talk.gate.why == [why]
    if passes:
        talk.says(BOMB[:50])
        assert talk.begun.result() is True
        talk.relay()
        talk.says(BOMB[50:])
        talk.answer.end()
        assert (talk.taker.body, talk.taker.over) == (BOMB, "finished")
    else:
        assert talk.begun.result() is False
        assert talk.source.dropped
    assert talk.gate.endings == [(frozenset(), Ending.WHOLE if passes else Ending.CUT)]
    assert talk.gate.asked == []


def test_what_cannot_be_read_waits_for_its_record():
    talk = Talk(unread=Unread.KIND, gate=Gate(waits=True, passes=True))
    talk.says(b"%PDF")
    assert not talk.begun.done
    assert talk.taker.head is None
    talk.gate.go()
    assert talk.begun.result() is True
    assert talk.relay() == b"%PDF"
    talk.answer.break_off()
    assert talk.taker.over == "aborted"


def test_an_unreadable_whole_answer_passes_too_where_it_may():
    scanned, gate, taker, begun = whole(BOMB, unread=Unread.CODED, gate=Gate(passes=True))
    assert begun.result() is True
    scanned.relay(taker, LINES)
    assert (taker.body, taker.over) == (BOMB, "finished")
    assert gate.endings == [(frozenset(), Ending.WHOLE)]


@pytest.mark.parametrize("passes", [True, False])
def test_what_turns_out_unreadable_in_its_middle_ends_there_or_passes(passes):
    body = ROWS[0] + b"\x00" + ROWS[1]
    talk = Talk(gate=Gate(passes=passes), length=len(body))
    talk.says(ROWS[0])
    talk.relay()
    talk.says(b"\x00", ROWS[1]) if passes else talk.says(b"\x00")
    assert talk.gate.why == [Unread.BINARY]
    if passes:
        talk.answer.end()
    assert (talk.taker.body, talk.taker.over) == ((body, "finished") if passes else (ROWS[0], "aborted"))
    assert talk.gate.asked == [[PEOPLE[0]]]


def test_a_tunnel_is_never_passed():
    source = Source()
    answer = Answer(101, b"", None, source, [], upgraded=True)
    gate = Gate(passes=True)
    begun = ScannedAnswer(answer, TextRecords(None), gate, 100).begin(Taker())
    assert begun.result() is False
    assert gate.why == [Unread.KIND]
    assert source.dropped


def test_an_answer_without_a_body_has_nobody_to_ask_for():
    """HEAD, 204, 304: the length is the portal's, and there is nothing to read."""
    for length in (None, 0, 1_234):
        gate, taker = Gate(), Taker()
        answer = Answer(200, LINES, length, None, [])
        scanned = ScannedAnswer(answer, JsonRecords("/p", ["/n"], 100), gate, 100)
        assert scanned.begin(taker).result() is True
        scanned.relay(taker, LINES)
        assert (taker.head, taker.body, taker.over) == ((200, LINES, length), b"", "finished")
        assert gate.endings == [(frozenset(), Ending.WHOLE)]


def test_json_is_released_element_by_element():
    document = b'{"p": [' + b", ".join(b'{"nom": "x", "nir": "%b"}' % nir.encode() for nir in NIRS) + b"]}"
    talk = Talk(records=JsonRecords("/p", ["/nir"], 200), gate=Gate(3), length=len(document))
    talk.says(document[:60])
    talk.relay()
    assert talk.taker.body == document[: document.index(b"}") + 1]
    talk.says(document[60:])
    assert talk.taker.body.count(b'"nir"') == 3
    assert talk.taker.body.endswith(b'"190129710501239"}')
    assert talk.taker.over == "aborted"


def test_json_that_is_cut_short_is_unreadable_and_not_whole():
    document = b'{"p": [{"nir": "%b"}' % NIRS[0].encode()
    scanned = ScannedAnswer(WholeAnswer(200, LINES, document), JsonRecords("/p", ["/nir"], 200), Gate(), 100)
    taker = Taker()
    assert scanned.begin(taker).result() is True
    scanned.relay(taker, LINES)
    assert taker.over == "aborted"


def test_the_client_it_plays_has_no_tunnel():
    talk = Talk()
    talk.scanned.hold(True)
    with pytest.raises(Refused):
        talk.scanned.switch(b"", lambda _: None)
