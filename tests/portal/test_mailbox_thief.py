# SPDX-License-Identifier: EUPL-1.2
"""The attack of 2022: password and mailbox, on an account with and one without any factor, in any order of requests.

Whatever the thief does, no session of the account gets stronger than a password, and nothing that protects the account
changes; and the holder with his card is back in one step-up (fault I6).
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from portal.card_door import INES, card_is_read, open_card_door, sets_out
from portal.mailbox import NEW, PHARMACY, RECOVERY, RESET_NEW, STEP_UP, USE, ask, give_mail, held, tickets
from portal.world import World

from gateway.identity.accounts import Holder
from gateway.identity.otp import new_secret
from gateway.model import Level
from support.authenticator import Authenticator
from support.passkey_pages import ORIGIN, options_of

PASSWORD = "cinq mots pour ouvrir la porte"
FACTORS, PASSKEYS = "/.herse/account/factors", "/.herse/account/passkeys"


class Thief:
    """Knows the password and reads the mailbox; has no phone, no card, no sheet of paper."""

    def __init__(self, world, account):
        self.world, self.account = world, account
        self.browser = world.browser("203.0.113.9")
        self.password = PASSWORD

    def waits(self):
        self.world.later(minutes=6)

    def asks(self):
        ask(self.world, self.browser, self.account)

    def opens_the_newest_link(self):
        for ticket in tickets(self.world)[-1:]:
            self.browser.get(f"{RESET_NEW}?ticket={ticket}")

    def sets_a_password(self):
        for ticket in tickets(self.world)[-1:]:
            chosen = f"{NEW} {len(tickets(self.world))}"
            if self.browser.post(RESET_NEW, {"ticket": ticket, "password": chosen}).status_code == 303:
                self.password = chosen

    def tries_an_old_link(self):
        for ticket in tickets(self.world)[:1]:
            self.browser.post(RESET_NEW, {"ticket": ticket, "password": f"{NEW} encore"})

    def signs_in(self):
        self.browser.sign_in(self.account, self.password)

    def signs_in_with_the_old_password(self):
        self.browser.sign_in(self.account, PASSWORD)

    def signs_out(self):
        self.browser.post("/.herse/sign-out")

    def guesses_a_code(self):
        self.browser.step_up("123456")
        self.browser.step_up("")

    def guesses_a_recovery_code(self):
        self.browser.post(USE, {"code": "0000-0000-0000-0000"})

    def wants_recovery_codes(self):
        self.browser.post(RECOVERY)

    def links_an_application(self):
        self.browser.post(FACTORS)
        self.browser.get(FACTORS)
        self.browser.post(FACTORS, {"code": "123456"})

    def adds_a_passkey(self):
        try:
            options = options_of(self.browser.get(PASSKEYS))
            credential = Authenticator(ORIGIN).create(options)
        except LookupError:
            credential = "{}"
        self.browser.post(PASSKEYS, {"name": "x", "credential": credential})

    def uses_an_activation_code(self):
        fields = {"identifier": self.account, "code": "ABCD-EFGH", "password": f"{NEW} deux"}
        self.browser.post("/.herse/enrol", fields)

    def changes_the_address(self):
        self.browser.post("/.herse/account/mail", {"mail": "thief@example.org", "address": "thief@example.org"})

    def changes_the_password(self):
        chosen = f"{NEW} volé"
        answer = self.browser.post("/.herse/account/password", {"old": self.password, "password": chosen})
        if answer.status_code == 303 and "events" in answer.headers["location"]:
            self.password = chosen

    def goes_to_step_up(self):
        self.browser.get(STEP_UP)
        self.browser.get(f"{STEP_UP}?reason=second-factor-required")

    def gives_himself_a_delegation(self):
        fields = {"name": "Voleur", "identifier": "THIEF-1", "give-infopatient": "1", "until": "2027-01-01"}
        self.browser.post("/.herse/account/delegates", fields)


ACTS = sorted(name for name in vars(Thief) if not name.startswith("_"))


@contextmanager
def house(account):
    with TemporaryDirectory() as folder, asyncio.Runner() as runner:
        world = World(Path(folder), runner)
        try:
            holders = [Holder("Inès Rivière", INES)]
            world.accounts.create(account, "Pharmacie du Port", "pharmacist", None, holders, world.now)
            world.accounts.set_password(account, runner.run(world.hasher.hash(PASSWORD)), world.now)
            give_mail(world, account)
            open_card_door(world)
            yield world
        finally:
            world.close()


def strongest(world, account):
    levels = [session.subject.assurance.level for session in world.sessions.of_account(account)]
    return max(levels, default=Level.NONE)


@pytest.mark.parametrize("with_factors", [True, False])
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(acts=st.lists(st.sampled_from(ACTS), min_size=1, max_size=14))
def test_I6_password_and_mailbox_get_nothing_sensitive_in_any_order(with_factors, acts):
    with house(PHARMACY) as world:
        if with_factors:
            world.secrets[PHARMACY] = new_secret()
            world.factors.add_totp(PHARMACY, world.secrets[PHARMACY], world.now)
            world.ways_back.recovery.make(PHARMACY)
        kept, thief = held(world), Thief(world, PHARMACY)
        for act in ("asks", "sets_a_password", "signs_in", *acts):
            getattr(thief, act)()
            assert strongest(world, PHARMACY) <= Level.PASSWORD, act
            now = held(world)
            assert now == kept, act
        assert world.accounts.find(PHARMACY).quarantined_at is not None

        holder = world.browser()
        answer = holder.get(card_is_read(world, sets_out(holder), INES))
        if answer.headers["location"] == "/.herse/card/back":  # he holds two accounts: he chooses
            holder.post("/.herse/card/back", {"identifier": PHARMACY})
        assert world.accounts.find(PHARMACY).quarantined_at is None
        assert strongest(world, PHARMACY) is Level.CARD
