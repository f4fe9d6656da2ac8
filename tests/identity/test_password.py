# SPDX-License-Identifier: EUPL-1.2
"""argon2id in a bounded pool; nobody's password costs the same as somebody's (fault I10)."""

from __future__ import annotations

import asyncio
import time
import unicodedata
from statistics import median

import argon2
import pytest

from gateway.errors import Refused
from gateway.identity.password import PasswordHasher, TooWeak, check_strength
from gateway.identity.strength import Weakness
from gateway.model import Reason

PASSWORD = "correct horse 47 battery"


@pytest.fixture
def hasher():
    hasher = PasswordHasher(2, 2, test_cost=True)
    yield hasher
    hasher.close()


def test_only_the_password_itself_is_right(hasher):
    async def walk():
        encoded = await hasher.hash(PASSWORD)
        assert await hasher.verify(encoded, PASSWORD)
        for wrong in ("", PASSWORD[:-1], PASSWORD + " ", PASSWORD.upper(), "x" * 100_000):
            assert not await hasher.verify(encoded, wrong)
        assert encoded != await hasher.hash(PASSWORD)

    asyncio.run(walk())


def test_no_account_is_never_right(hasher):
    assert not asyncio.run(hasher.verify(None, ""))
    assert not asyncio.run(hasher.verify(None, PASSWORD))


def test_the_same_characters_of_another_keyboard_are_the_same_password(hasher):
    text = "été à la forêt 12"

    async def walk():
        encoded = await hasher.hash(unicodedata.normalize("NFC", text))
        assert await hasher.verify(encoded, unicodedata.normalize("NFD", text))
        assert not await hasher.verify(encoded, text.replace("é", "e"))
        assert await hasher.verify(await hasher.hash("\ud800" * 20), "\ud800" * 20)

    asyncio.run(walk())


def test_a_password_past_the_longest_is_never_right(hasher):
    async def walk():
        encoded = await hasher.hash("")
        assert not await hasher.verify(encoded, "x" * 129)

    asyncio.run(walk())


def test_a_damaged_hash_is_an_error_and_not_a_no(hasher):
    with pytest.raises(argon2.exceptions.InvalidHashError):
        asyncio.run(hasher.verify("damaged", PASSWORD))


def test_the_pool_is_bounded_and_recovers():
    hasher = PasswordHasher(1, 1)  # production cost: none is done before all have asked

    async def walk():
        outcomes = await asyncio.gather(*(hasher.verify(None, PASSWORD) for _ in range(10)), return_exceptions=True)
        busy = [one for one in outcomes if isinstance(one, Refused)]
        assert len(busy) == 8
        assert {(one.reason, one.retry_after_seconds) for one in busy} == {(Reason.BUSY, 2)}
        assert await hasher.verify(None, PASSWORD) is False

    asyncio.run(walk())
    hasher.close()


def test_a_caller_who_leaves_keeps_his_place_until_the_work_is_done():
    hasher = PasswordHasher(1, 0)  # production cost: long enough to be met at work

    async def walk():
        task = asyncio.create_task(hasher.verify(None, PASSWORD))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(Refused):
            await hasher.verify(None, PASSWORD)

    asyncio.run(walk())
    hasher.close()


def test_I10_nobody_costs_what_somebody_costs():
    hasher = PasswordHasher(1, 0)

    async def spent(encoded):
        began = time.thread_time(), time.perf_counter()
        assert not await hasher.verify(encoded, "wrong password 12")
        return time.perf_counter() - began[1]

    async def walk():
        encoded = await hasher.hash(PASSWORD)
        assert "$argon2id$v=19$m=65536,t=3,p=1$" in encoded
        pairs = [(await spent(encoded), await spent(None)) for _ in range(7)]
        known, unknown = (median(times) for times in zip(*pairs, strict=True))
        assert 0.5 < known / unknown < 2
        assert unknown > 0.01

    asyncio.run(walk())
    hasher.close()


def test_a_weak_password_is_refused_with_what_is_wrong():
    check_strength(PASSWORD, "750012346")
    with pytest.raises(TooWeak) as refused:
        check_strength("Pharmacie du Port 13", "750012346", ["Pharmacie du Port"])
    assert refused.value.reason is Reason.PASSWORD_TOO_WEAK
    assert refused.value.weaknesses == (Weakness.OWN_NAME,)
    assert "Port" not in str(refused.value)
