# SPDX-License-Identifier: EUPL-1.2
"""For the tests of the ways back in: an account with an address, and whoever reads the mailbox. No tests."""

from __future__ import annotations

import asyncio
import re

import sqlalchemy as sa

from gateway.identity import schema
from gateway.identity.database import reading, writing

PHARMACY = "750012346"
MAIL = "pharmacie@example.org"
NEW = "grand cheval bleu mange lentement"
RESET, RESET_NEW = "/.herse/reset", "/.herse/reset/new"
STEP_UP, RECOVERY, USE = "/.herse/step-up", "/.herse/account/recovery", "/.herse/step-up/recovery"


def give_mail(world, account=PHARMACY, mail=MAIL):
    change = schema.account.update().where(schema.account.c.identifier == account)
    with writing(world.engine) as connection:
        connection.execute(change.values(mail=mail))


def settle(world):
    """Let what was put off be done."""

    async def rest():
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        await asyncio.wait(others) if others else None

    world.run(rest())


def ask(world, browser, identifier=PHARMACY):
    answer = browser.post(RESET, {"identifier": identifier})
    settle(world)
    return answer


def tickets(world, mail=MAIL):
    """Every ticket that was sent there, oldest first."""
    found = (re.search(r"/\.herse/reset/new\?ticket=([\w-]{43})\n", one.text) for one in world.outbox.to(mail))
    return [one[1] for one in found if one]


def take_over(world, browser=None, password=NEW, account=PHARMACY):
    """Ask, read the letter, set a password: what whoever reads the mailbox can do."""
    browser = browser or world.browser("203.0.113.9")
    world.later(minutes=6)
    ask(world, browser, account)
    answer = browser.post(RESET_NEW, {"ticket": tickets(world)[-1], "password": password})
    if answer.status_code != 303:
        raise LookupError(f"the password was not set ({answer.status_code})")
    return browser


def quarantined(world, account=PHARMACY):
    return world.accounts.find(account).quarantined_at is not None


def held(world, account=PHARMACY):
    """What a thief must not be able to add to: factors, keys, codes, invitations, address."""
    tables = (schema.factor, schema.passkey, schema.recovery_code, schema.invitation, schema.sso_link)
    with reading(world.engine) as connection:
        rows = [connection.execute(sa.select(one).where(one.c.account == account)).all() for one in tables]
    return rows, world.accounts.find(account).mail
