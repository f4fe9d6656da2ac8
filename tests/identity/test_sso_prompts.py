# SPDX-License-Identifier: EUPL-1.2
"""Prompts between the page that waits and the provider that asks: once per person, for one browser, whoever he is."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from gateway.errors import Refused
from gateway.identity.sso_ciba import Ciba
from gateway.identity.sso_pending import new_value
from gateway.identity.sso_prompts import Prompts
from gateway.identity.throttle import Throttle
from gateway.model import Reason
from support.provider import CIBA, NATIONAL_ID, SUBJECT, TOKEN, StandInProvider
from support.provider_server import Answer
from support.signing_on import now, signing_on

SECOND = timedelta(seconds=1)
HERE, THERE = "192.0.2.1", "198.51.100.7"
ANOTHER = "810101010105"


@pytest.fixture
def provider():
    with StandInProvider() as provider:
        yield provider


@asynccontextmanager
async def prompting(provider, **more):
    async with signing_on(provider) as sso:
        yield Prompts(Ciba(sso), **more)


async def reason_of(walk):
    try:
        await walk
    except Refused as refused:
        return refused.reason
    return None


@pytest.mark.parametrize("typed", ["99700427885", "9970 042 7885", NATIONAL_ID, " 899700427885 "])
def test_a_number_is_known_in_each_spelling(typed):
    assert Prompts(None).person(typed) == NATIONAL_ID


@pytest.mark.parametrize(
    "typed", ["", "99700427884", "750012346", "\uff19\uff19700427885", "me@example.org", "ANS20231122132732"]
)
def test_what_is_no_number_asks_nobody(typed):
    with pytest.raises(Refused) as refusal:
        Prompts(None).person(typed)
    assert refusal.value.reason is Reason.RPPS_MALFORMED


def test_the_sandbox_knows_its_own_people():
    assert Prompts(None, sandbox=True).person("ans20231122132732") == "ANS20231122132732"


def test_the_same_browser_finds_its_prompt_again_and_another_one_waits(provider):
    async def walk():
        async with prompting(provider) as prompts:
            at = now()
            reference, prompt = await prompts.ask(NATIONAL_ID, "to", None, HERE, at)
            mine = prompt.asked.browser
            again = await prompts.ask(NATIONAL_ID, "else", mine, HERE, at + SECOND)
            for other in (None, new_value(), "é"):
                assert await reason_of(prompts.ask(NATIONAL_ID, "to", other, THERE, at)) is Reason.THROTTLED
            assert prompts.find(reference, mine, at) is prompt
            return again == (reference, prompt), prompt

    same, prompt = asyncio.run(walk())
    assert same
    assert provider.count(CIBA) == 1
    assert prompt.asked.browser not in repr(prompt)


def test_twenty_at_once_are_one_prompt(provider):
    async def walk():
        async with prompting(provider) as prompts:
            at = now()
            asking = (reason_of(prompts.ask(NATIONAL_ID, "", None, HERE, at)) for _ in range(20))
            return await asyncio.gather(*asking)

    found = asyncio.run(walk())
    assert (found.count(None), found.count(Reason.THROTTLED)) == (1, 19)
    assert provider.count(CIBA) == 1


def test_a_yes_is_an_identity_once(provider):
    async def walk():
        async with prompting(provider) as prompts:
            at = now()
            reference, prompt = await prompts.ask(NATIONAL_ID, "", None, HERE, at)
            mine = prompt.asked.browser
            assert await prompts.poll(reference, mine, at + 5 * SECOND) is None
            provider.ciba_says = "yes"
            stranger = await reason_of(prompts.poll(reference, new_value(), at + 10 * SECOND))
            identity = await prompts.poll(reference, mine, at + 10 * SECOND)
            assert await reason_of(prompts.ask(NATIONAL_ID, "", None, HERE, at + 11 * SECOND)) is None
            return stranger, identity.subject, await reason_of(prompts.poll(reference, mine, at + 15 * SECOND))

    assert asyncio.run(walk()) == (Reason.SSO_STATE_WRONG, SUBJECT, Reason.SSO_STATE_WRONG)


@pytest.mark.parametrize(
    ("says", "reason", "seconds"),
    [("access_denied", Reason.SSO_REFUSED, 300), ("expired_token", Reason.SSO_STATE_WRONG, 60)],
)
def test_what_ends_without_a_yes_makes_the_next_one_wait(provider, says, reason, seconds):
    async def walk():
        async with prompting(provider) as prompts:
            at = now()
            reference, prompt = await prompts.ask(NATIONAL_ID, "", None, HERE, at)
            mine, provider.ciba_says = prompt.asked.browser, says
            ended = await reason_of(prompts.poll(reference, mine, at + 5 * SECOND))
            with pytest.raises(Refused) as refusal:
                await prompts.ask(NATIONAL_ID, "", mine, HERE, at + 5 * SECOND)
            later = at + (5 + seconds) * SECOND
            assert await reason_of(prompts.ask(NATIONAL_ID, "", mine, HERE, later)) is None
            return ended, refusal.value.retry_after_seconds

    assert asyncio.run(walk()) == (reason, seconds)


def test_a_provider_that_is_down_ends_nothing_and_costs_nobody_his_turn(provider):
    async def walk():
        async with prompting(provider) as prompts:
            at = now()
            provider.answers[CIBA] = Answer(503)
            for _ in range(6):
                assert await reason_of(prompts.ask(NATIONAL_ID, "", None, HERE, at)) is Reason.SSO_UNREACHABLE
            del provider.answers[CIBA]
            reference, prompt = await prompts.ask(NATIONAL_ID, "", None, HERE, at)
            mine, provider.answers[TOKEN] = prompt.asked.browser, Answer(503)
            assert await reason_of(prompts.poll(reference, mine, at + 5 * SECOND)) is Reason.SSO_UNREACHABLE
            del provider.answers[TOKEN]
            provider.ciba_says = "yes"
            return await prompts.poll(reference, mine, at + 10 * SECOND)

    assert asyncio.run(walk()).subject == SUBJECT


def test_somebody_whom_the_provider_does_not_know_is_not_asked_for_again_and_again(provider):
    provider.answers[CIBA] = Answer(400, b'{"error":"unknown_user_id"}')

    async def walk():
        async with prompting(provider) as prompts:
            at = now()
            return [await reason_of(prompts.ask(ANOTHER, "", None, HERE, at)) for _ in range(3)]

    assert asyncio.run(walk()) == [Reason.SSO_REFUSED, Reason.THROTTLED, Reason.THROTTLED]
    assert provider.count(CIBA) == 1


def test_a_prompt_whose_time_is_over_is_no_open_one(provider):
    async def walk():
        async with prompting(provider) as prompts:
            at = now()
            reference, prompt = await prompts.ask(NATIONAL_ID, "", None, HERE, at)
            mine, over = prompt.asked.browser, at + 181 * SECOND
            fresh, _ = await prompts.ask(NATIONAL_ID, "", mine, HERE, over)
            late = await reason_of(prompts.poll(reference, mine, over))
            return fresh != reference, late, prompts.find(fresh, mine, over).person

    assert asyncio.run(walk()) == (True, Reason.SSO_STATE_WRONG, NATIONAL_ID)
    assert provider.count(CIBA) == 2


def test_one_network_and_all_together_have_their_own_limits(provider):
    people = [f"8{10_000_000_000 + number}" for number in range(400)]
    right = [one for one in people if _luhn(one[1:])][:5]

    async def walk():
        async with prompting(provider, throttle=Throttle(100, 2, 3)) as prompts:
            at, networks = now(), [HERE, HERE, HERE, THERE, THERE]
            pairs = zip(right, networks, strict=True)
            return [await reason_of(prompts.ask(one, "", None, network, at)) for one, network in pairs]

    assert asyncio.run(walk()) == [None, None, Reason.THROTTLED, None, Reason.THROTTLED]
    assert provider.count(CIBA) == 3


def _luhn(digits):
    doubled = [int(one) * (1 + place % 2) for place, one in enumerate(reversed(digits))]
    return sum(one - 9 * (one > 9) for one in doubled) % 10 == 0
