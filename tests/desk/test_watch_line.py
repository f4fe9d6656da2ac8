# SPDX-License-Identifier: EUPL-1.2
"""What workers look up is seen by the desk's one watch, and what it found comes back to all of them."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import UTC, datetime, timedelta

from gateway.desk.counter import Counter
from gateway.desk.frames import DESK_SOCKET
from gateway.desk.link import DeskLink
from gateway.desk.watch_words import found_of, found_text, looks_of, looks_text
from gateway.identity.database import create_database
from gateway.identity.returns import Returns
from gateway.identity.session_desk import DeskSessions
from gateway.identity.session_worker import WorkerSessions
from gateway.metering.look import Look
from gateway.metering.tally import microseconds
from gateway.metering.watching import Raised, Watching
from gateway.metering.watching_afar import WatchingAfar
from gateway.model import Assurance, Finding, Meter, PatientLocator, Place, Risk, Signal, Subject

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT = microseconds(NOON) + 60_000_000
IDLE, ABSOLUTE = timedelta(minutes=30), timedelta(hours=4)
METER = Meter(PatientLocator(Place.PATH, "nir"), ())


def look(number, seconds):
    subject, at = Subject("P1", assurance=Assurance(), session="s"), NOON + timedelta(seconds=seconds)
    near = (bytes(16), bytes(range(16)))
    return Look(subject, "t", METER, 2 * number.to_bytes(8), at, "192.0.2.0-24", "c", neighbours=near, departement="2A")


async def until(probe):
    for _ in range(500):
        if probe():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


@asynccontextmanager
async def desk(folder, engine, watching):
    sessions, stop = DeskSessions(engine, IDLE, ABSOLUTE), asyncio.Event()
    serving = asyncio.create_task(Counter(folder / DESK_SOCKET, None, sessions, Returns(), watching).serve(stop))
    try:
        yield
    finally:
        stop.set()
        await serving


@asynccontextmanager
async def linked(folder, engine):
    """The watch of one worker, and who keeps its line."""
    afar, stop = WatchingAfar(), asyncio.Event()
    with closing(WorkerSessions(engine, IDLE, ABSOLUTE)) as sessions:
        serving = asyncio.create_task(DeskLink(folder / DESK_SOCKET, sessions, afar).serve(stop))
        await until(lambda: sessions._heard_at is not None)
        try:
            yield afar
        finally:
            stop.set()
            await serving


def walk(folder, act):
    async def go():
        engine = create_database(folder / "accounts.db")
        try:
            await act(engine)
        finally:
            engine.dispose()

    asyncio.run(asyncio.wait_for(go(), 30))


def test_a_robot_that_goes_through_two_workers_is_found_and_both_know_of_it(tmp_path):
    async def act(engine):
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(desk(tmp_path, engine, watching := Watching()))
            workers = [await stack.enter_async_context(linked(tmp_path, engine)) for _ in range(2)]
            raised = []
            for number in range(10):
                told = workers[number % 2].seen(look(number, number / 2), new=True, missed=False)
                await until(lambda told=told: told.done)
                raised += [told.result()] if told.result() is not None else []
            assert [one.risk for one in raised] == [Risk.HIGH]
            assert raised[0].findings[0].signal is Signal.PACE
            await until(lambda: all(one.risk("P1", AT) is Risk.HIGH for one in (watching, *workers)))
            assert watching.risks.all() == workers[0].risks.all() == workers[1].risks.all()

    walk(tmp_path, act)


def test_an_alarm_of_one_worker_holds_in_all_and_is_known_to_a_desk_that_comes_back(tmp_path):
    async def act(engine):
        async with AsyncExitStack() as stack:
            async with desk(tmp_path, engine, Watching()):
                first, second = [await stack.enter_async_context(linked(tmp_path, engine)) for _ in range(2)]
                first.alarm("P1", NOON)
                await until(lambda: second.risk("P1", AT) is Risk.HIGH)
            lost = first.seen(look(1, 0), new=True, missed=False)
            async with desk(tmp_path, engine, anew := Watching()):
                await until(lambda: anew.risk("P1", AT) is Risk.HIGH)
                third = await stack.enter_async_context(linked(tmp_path, engine))
                assert third.risk("P1", AT) is Risk.HIGH, "told with the first word"
                await until(lambda: lost.done)
                assert len(anew) == 1, "what was looked up while it was away is seen"

    walk(tmp_path, act)


def test_what_goes_over_the_line_arrives_as_it_was():
    afar = WatchingAfar()
    afar.seen(look(7, 0), new=True, missed=False)
    afar.showed([(look(8, 1), False), (look(9, 1), True)])
    told = afar.take()
    assert looks_of(json.loads(json.dumps(looks_text(told)))) == told
    finding = Finding(Signal.PACE, Risk.HIGH, (("seconds", 1.5), ("people", 6), ("place", "2A")))
    found = {3: Raised(Risk.HIGH, (finding,))}
    assert (
        found_of([[place, int(risk), [[*one] for one in those]] for place, risk, those in found_text(found)]) == found
    )
