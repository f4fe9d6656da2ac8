# SPDX-License-Identifier: EUPL-1.2
"""For the tests of this room: worlds whose ledger is real or breaks, and people who got as far as most tests begin."""

from __future__ import annotations

import asyncio

import pytest
from portal.card_door import open_card_door
from portal.mailbox import give_mail
from portal.sso_door import PRACTICE, links_and_leaves, open_sso_door
from portal.world import DOCTOR, PHARMACY, World

from gateway.ledger.memory import MemoryLedger
from support.passkey_pages import new_key
from support.provider import StandInProvider


@pytest.fixture
def runner():
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def world(tmp_path, runner):
    world = World(tmp_path, runner)
    world.add(PHARMACY)
    world.add(DOCTOR)
    yield world
    world.close()


@pytest.fixture
def failing(tmp_path, runner):
    """The same world over the twin of the ledger, which a test breaks by `world.ledger.fail()`."""
    world = World(tmp_path, runner, MemoryLedger())
    world.add(PHARMACY)
    yield world
    world.close()


@pytest.fixture
def browser(world):
    return world.browser()


@pytest.fixture
def signed_in(world):
    browser = world.browser()
    browser.sign_in()
    return browser


@pytest.fixture
def strong(world, signed_in):
    """Signed in, and a code given just now."""
    assert signed_in.step_up(world.code()).status_code == 303
    return signed_in


@pytest.fixture
def key(strong):
    """The passkey of whoever is signed in so."""
    return new_key(strong, counter=0)


@pytest.fixture
def mailed(world):
    """The world where the pharmacy has an address."""
    give_mail(world)
    return world


@pytest.fixture
def cards(world):
    """The world with a card listener."""
    return open_card_door(world)


@pytest.fixture
def provider():
    """A provider that proves Kit by his phone, and that finds no fault with its client."""
    with StandInProvider(claims={"authMode": "MOBILE"}) as provider:
        yield provider
        assert provider.faults == []


@pytest.fixture
def opened(provider):
    """Give a world this provider, and settings of its own."""
    made = []

    def make(world, **changes):
        made.append(open_sso_door(world, provider, **changes))
        return world

    yield make
    for world in made:
        world.run(world.doors.sso.sso.close())


@pytest.fixture
def door(world, opened):
    """The world with this provider."""
    return opened(world)


@pytest.fixture
def linked(door, provider):
    """Kit's identity opens his practice; nobody is signed in."""
    return links_and_leaves(door, provider)


@pytest.fixture
def at_home(door):
    """Kit, signed in to his practice with password and code."""
    browser = door.browser()
    browser.sign_in(PRACTICE)
    browser.step_up(door.code(PRACTICE))
    return browser
