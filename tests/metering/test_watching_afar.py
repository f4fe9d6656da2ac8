# SPDX-License-Identifier: EUPL-1.2
"""watching_afar: what several processes look up is seen as one, and what that raised comes back to who asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.metering.look import Look
from gateway.metering.tally import microseconds
from gateway.metering.watching import Watching
from gateway.metering.watching_afar import WAITING_AT_MOST, WatchingAfar
from gateway.model import Assurance, Meter, PatientLocator, Place, Risk, Subject

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
METER = Meter(PatientLocator(Place.PATH, "nir"), ())


def look(number: int, seconds: float) -> Look:
    subject, at = Subject("P1", assurance=Assurance(), session="s"), NOON + timedelta(seconds=seconds)
    return Look(subject, "infopatient", METER, 2 * number.to_bytes(8), at, "192.0.2.0-24")


def exchange(desk: Watching, worker: WatchingAfar) -> None:
    """What one beat of the line does."""
    told = worker.take()
    if told:
        raised = [desk.take_in(one.notes, together=one.together) for one in told]
        worker.answered({place: one for place, one in enumerate(raised) if one is not None})


def test_a_robot_spread_over_processes_is_found_and_told_once_to_one_of_them():
    desk, workers = Watching(), [WatchingAfar() for _ in range(4)]
    desk.risks.told = lambda standing: [worker.risks.take(standing) for worker in workers] and None
    pendings = []
    for number in range(12):
        worker = workers[number % 4]
        pendings.append(worker.seen(look(number, number / 2), new=True, missed=False))
        exchange(desk, worker)
    raised = [one.result() for one in pendings if one is not None]
    assert [one.risk for one in raised if one is not None] == [Risk.HIGH]
    for worker in workers:
        assert worker.risk("P1", microseconds(NOON) + 60_000_000) is Risk.HIGH
        assert worker.risk("P1", microseconds(NOON) + 60_000_000, microseconds(NOON) + 30_000_000) is Risk.CALM


def test_a_list_is_one_look_up_afar_too():
    desk, worker = Watching(), WatchingAfar()
    pending = worker.showed([(look(number, 0), True) for number in range(50)])
    exchange(desk, worker)
    assert (pending.done, pending.result()) == (True, None)
    (use,) = desk.kept()
    assert use.days[0][1:3] == (50, 50)


def test_a_flood_is_told_every_twentieth_of_a_second():
    worker = WatchingAfar()
    assert worker.seen(look(1, 0), new=True, missed=False) is not None
    assert worker.resting("P1", microseconds(NOON) + 20_000)
    assert worker.seen(look(2, 0.02), new=True, missed=False) is None
    assert worker.seen(look(3, 0.06), new=True, missed=False) is not None
    assert len(worker.take()) == 2
    assert worker.take() == []


def test_an_alarm_holds_here_at_once():
    worker = WatchingAfar()
    worker.alarm("P1", NOON)
    assert worker.risk("P1", microseconds(NOON), microseconds(NOON)) is Risk.HIGH
    worker.sweep(NOON + timedelta(days=2))
    assert worker.risks.all() == []


def test_whom_nobody_answers_was_not_raised():
    worker = WatchingAfar()
    told = worker.seen(look(1, 0), new=True, missed=False)
    worker.take()
    waiting = worker.seen(look(2, 1), new=True, missed=False)
    worker.went()
    assert told is not None
    assert waiting is not None
    assert (told.done, told.result(), waiting.done) == (True, None, False)
    assert len(worker.take()) == 1, "what was not told yet is told to the next one"


def test_of_what_waits_too_long_the_oldest_is_lost():
    worker = WatchingAfar()
    told = [worker.seen(look(number, number), new=True, missed=False) for number in range(WAITING_AT_MOST + 1)]
    assert told[0] is not None
    assert told[1] is not None
    assert (told[0].done, told[0].result(), told[1].done) == (True, None, False)
    assert next(one.notes[0].person for one in worker.take()) == look(1, 0).pseudonym[:8]
