# SPDX-License-Identifier: EUPL-1.2
"""Values that are not there yet, and the walk over them without a task."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from gateway.pending import Pending, start


def walked(walk) -> list[object]:
    ended: list[object] = []
    start(walk, ended.append)
    return ended


async def adding(*pendings, seen):
    for one in pendings:
        seen.append(await one)
    return seen


def test_what_is_there_is_walked_at_once():
    one, seen = Pending(), []
    one.resolve(1)
    assert walked(adding(one, one, seen=seen)) == [None]
    assert seen == [1, 1]


def test_what_is_not_there_goes_on_from_inside_resolve():
    first, second, seen = Pending(), Pending(), []
    ended = walked(adding(first, second, seen=seen))
    assert (ended, seen) == ([], [])
    second.resolve(2)
    assert (ended, seen) == ([], [])
    first.resolve(1)
    assert (ended, seen) == ([None], [1, 2])


def test_a_failure_is_raised_in_the_walk_and_handed_over_if_nobody_catches_it():
    async def catching(one):
        try:
            await one
        except KeyError:
            raise ValueError("other") from None

    for walk, error in ((catching, ValueError), (lambda one: adding(one, seen=[]), KeyError)):
        one = Pending()
        ended = walked(walk(one))
        one.fail(KeyError("gone"))
        assert [type(found) for found in ended] == [error]


def test_the_first_outcome_stands():
    one = Pending()
    one.resolve(1)
    one.resolve(2)
    one.fail(KeyError())
    assert one.result() == 1
    other = Pending()
    other.fail(KeyError())
    other.resolve(1)
    with pytest.raises(KeyError):
        other.result()


def test_on_done_calls_once():
    one, calls = Pending(), []
    one.on_done(lambda: calls.append(1))
    one.resolve(0)
    one.resolve(0)
    assert calls == [1]
    one.on_done(lambda: calls.append(2))
    assert calls == [1, 2]


def test_even_what_is_no_exception_ends_the_walk():
    async def leaves():
        raise KeyboardInterrupt

    assert [type(error) for error in walked(leaves())] == [KeyboardInterrupt]


def test_asyncio_code_can_wait_for_it():
    async def whole():
        now, later, failing = Pending(), Pending(), Pending()
        now.resolve(1)
        loop = asyncio.get_running_loop()
        loop.call_soon(later.resolve, 2)
        loop.call_soon(failing.fail, KeyError())
        with pytest.raises(KeyError):
            await failing.wait()
        return await now.wait() + await later.wait()

    assert asyncio.run(whole()) == 3


def test_a_waiter_that_was_cancelled_is_not_woken():
    async def whole():
        one = Pending()
        task = asyncio.create_task(one.wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        one.resolve(1)
        return await one.wait()

    assert asyncio.run(whole()) == 1


def test_a_finished_walk_leaves_nothing_for_the_collector():
    class Thing:
        pass

    async def holds(thing, one):
        await one

    gc.disable()
    try:
        thing, one = Thing(), Pending()
        gone = weakref.ref(thing)
        start(holds(thing, one), lambda error: None)
        del thing
        one.resolve(None)
        del one
        assert gone() is None
    finally:
        gc.enable()
