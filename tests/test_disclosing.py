# SPDX-License-Identifier: EUPL-1.2
"""disclosing: people of an answer, one by one, before doors that wait, fail, or let nobody through."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from upstream.disclosing import DAY, DENY, PERSON, Doors, Later, Walk, kinds, looked_up
from upstream.scanning import PAGE, PEOPLE, ROWS

from gateway.disclosing import make_room
from gateway.errors import LedgerError, Refused
from gateway.metering.decoys import Decoys
from gateway.model import Budget, EventKind, Meter, Past, Reason
from gateway.model.answers import Answers
from gateway.pending import start


def test_nothing_leaves_before_everybody_in_it_is_durable():
    doors = Doors()
    doors.ledger.hold()
    walk = Walk(doors)
    assert (walk.ended, walk.taker.head) == (False, None)
    doors.ledger.release()
    assert (walk.ended, walk.taker.body, walk.taker.over) == (True, PAGE, "finished")
    assert looked_up(doors) == [PERSON(number) for number in PEOPLE]


def test_a_meter_that_answers_later_is_asked_for_one_after_the_other():
    doors = Doors(meter=Later())
    walk = Walk(doors, Budget(3, DAY, Past.DENY))
    for asked in range(3):
        assert (len(doors.meter.waiting), walk.ended, len(looked_up(doors))) == (1, False, 0), asked
        doors.meter.go()
    doors.meter.go()
    assert (walk.seen, walk.taker.over, len(looked_up(doors))) == (3, "aborted", 3)
    assert kinds(doors)[-1] is EventKind.REFUSED


def test_room_that_is_made_later_is_given_back_when_the_answer_ends():
    doors = Doors(meter=Later())
    walk = Walk(doors, Budget(9, DAY, Past.DENY), people_at_most=8)
    doors.meter.go(6)
    assert (walk.seen, walk.taker.over) == (5, "finished")
    assert [quota.left for quota in walk.visit.quotas] == [4], "what was held for others is left"
    more = Walk(doors, Budget(9, DAY, Past.DENY), people_at_most=9)
    doors.meter.go()
    assert more.visit.decision.reason is Reason.BUDGET_EXHAUSTED
    again = Walk(doors, Budget(9, DAY, Past.DENY), people_at_most=4)
    doors.meter.go(6)
    assert again.seen == 5, "five who are known, and room for four that was not used"


def test_a_delay_holds_the_answer_back_once_and_the_room_for_it_too():
    slow = Budget(3, DAY, Past.DELAY, delay=timedelta(seconds=5))
    doors = Doors()
    walk = Walk(doors, slow)
    assert ([seconds for seconds, _ in doors.waits], walk.taker.head, kinds(doors)) == ([5], None, [])
    doors.waits[0][1].resolve(None)
    assert (walk.seen, len(looked_up(doors))) == (5, 5)
    walk = Walk(doors, slow, people_at_most=3)
    assert [seconds for seconds, _ in doors.waits] == [5, 5], "known people wait for nothing, room does"
    assert walk.visit.session is not None
    walk.visit.session.ended = True
    doors.waits[1][1].resolve(None)
    assert isinstance(walk.error, Refused)


@pytest.mark.parametrize("ends", ["session", "client"])
def test_whoever_is_gone_before_the_delay_is_over_is_not_on_record(ends):
    doors = Doors()
    walk = Walk(doors, Budget(3, DAY, Past.DELAY, delay=timedelta(seconds=5)))
    if ends == "session":
        assert walk.visit.session is not None
        walk.visit.session.ended = True
    else:
        walk.taker.flow.cancel()
    doors.waits[0][1].resolve(None)
    assert (kinds(doors), walk.taker.head) == ([], None)
    if ends == "session":
        assert walk.visit.decision.reason is Reason.SIGN_IN_REQUIRED


def test_a_session_that_ends_cuts_an_answer_in_pieces_and_nobody_more_is_asked_for():
    doors = Doors()
    walk = Walk(doors, pieces=True)
    walk.answer.take([b"".join(ROWS[:2]) + b"<tr>"])
    assert (walk.seen, len(looked_up(doors)), len(doors.sessions.watched)) == (2, 2, 1)
    doors.sessions.watched[0]()
    assert (walk.taker.over, walk.source.dropped) == ("aborted", True)
    walk.answer.take([ROWS[2]])
    assert len(looked_up(doors)) == 2
    whole = Walk(doors)
    assert whole.taker.over == "finished"
    assert len(doors.sessions.watched) == 1, "what is whole at once is not watched"


def test_what_is_watched_is_let_go_when_the_exchange_is_over():
    doors, told = Doors(), []
    walk = Walk(doors, pieces=True)
    walk.taker.ended = lambda: told.append(1)
    walk.answer.take([ROWS[0] + b"<tr>"])
    walk.taker.ended()
    assert (doors.sessions.watched, told) == ([], [1])


def test_a_ledger_that_fails_lets_nobody_out_and_in_mid_answer_nobody_more():
    doors = Doors()
    doors.ledger.fail()
    walk = Walk(doors)
    assert isinstance(walk.error, LedgerError)
    assert walk.taker.head is None
    doors = Doors()
    walk = Walk(doors, pieces=True)
    walk.answer.take([ROWS[0] + b"<tr>"])
    doors.ledger.fail()
    walk.answer.take([ROWS[1] + b"<tr>"])
    assert (walk.seen, walk.taker.over, walk.source.dropped) == (1, "aborted", True)


def test_a_decoy_among_them_stops_all_of_them():
    doors = Doors(decoys=Decoys(frozenset({PERSON(PEOPLE[3])}), PERSON))
    walk = Walk(doors)
    assert (walk.visit.decision.reason, walk.visit.pseudonym) == (Reason.SEARCH_REFUSED, PERSON(PEOPLE[3]))
    assert (kinds(doors), walk.taker.head) == ([], None), "the hallway tells it, with its page"
    walk = Walk(doors, pieces=True)
    walk.answer.take([b"".join(ROWS[:2]) + b"<tr>"])
    walk.answer.take([b"".join(ROWS[2:])])
    assert (walk.seen, walk.taker.over) == (2, "aborted")
    assert kinds(doors) == [EventKind.LOOKUP, EventKind.LOOKUP, EventKind.REFUSED, EventKind.ALERTED]
    assert doors.ledger.stored[-2].event.reason == "search-refused"


def test_what_is_on_trial_is_told_once_and_alerts_once():
    doors = Doors()
    alert = Budget(2, DAY, Past.ALERT)
    walk = Walk(doors, DENY, alert, observed=(Reason.CARD_REQUIRED,))
    assert walk.seen == 5
    assert kinds(doors).count(EventKind.OBSERVED) == 1
    assert kinds(doors)[0] is EventKind.OBSERVED
    assert kinds(doors).count(EventKind.ALERTED) == 1


def test_a_moved_session_proves_itself_before_a_list_is_asked_for():
    visit = Walk(Doors(), pieces=True).visit
    visit.moved = True
    moved = Meter(None, (DENY,), DAY, moved_new=True)
    visit.decision = replace(visit.decision, meter=moved, answers=Answers(people_at_most=5))
    start(make_room(visit, Doors()), lambda _: None)
    assert visit.decision.reason is Reason.SESSION_MOVED


def test_each_answer_is_one_look_up_to_the_watch_and_the_same_one_again_is_none():
    doors = Doors()
    for _ in range(3):
        assert Walk(doors).seen == 5
    (use,) = doors.watching.kept()
    assert use.days[0][1:3] == (5, 5), "people and new ones of the day"


def test_what_cannot_be_read_in_mid_answer_cuts_it_and_both_are_on_record():
    doors = Doors()
    walk = Walk(doors, pieces=True)
    walk.answer.take([ROWS[0] + b"<tr>"])
    walk.answer.take([b"\x00" + ROWS[1]])
    assert (walk.seen, walk.taker.over) == (1, "aborted")
    told = [(one.event.kind, one.event.reason) for one in doors.ledger.stored[1:]]
    assert told == [(EventKind.ALERTED, "unreadable"), (EventKind.REFUSED, "portal-answer-invalid")]
    walk = Walk(doors, pieces=True, passes=True)
    walk.answer.take([ROWS[0] + b"<tr>"])
    walk.answer.take([b"\x00" + ROWS[1]])
    assert (walk.seen, walk.taker.over) == (2, "")
