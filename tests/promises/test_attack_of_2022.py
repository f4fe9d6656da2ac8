# SPDX-License-Identifier: EUPL-1.2
"""Promise 5 and I6, the attack of 2022: an account's password and its mailbox, in any order of requests, get nobody.

With a code application on the account, and without one. The portal's own log
says whom it gave away, the database what was ever proved. The holder comes back with his card, in one step.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count, islice

import pyotp
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from gateway.cli.card_certs import make_dev_cards
from gateway.identity.accounts import Accounts
from gateway.identity.at_rest import AtRest
from gateway.identity.database import open_database
from gateway.identity.failures import Failures
from gateway.identity.otp import Factors, new_secret
from gateway.identity.password import PasswordHasher
from gateway.identity.recovery import RecoveryCodes
from gateway.identity.throttle import Throttle
from gateway.settings import read_key
from gateway.state_files import AT_REST_KEY_FILE
from support.attacker import CardHolder, Client, Mailbox, Robot, told, unlocked
from support.lookups import Demo, people
from support.servers import accepts, free_port, wait_until
from support.settings_file import card_section

pytestmark = pytest.mark.system

PASSWORD = "La phrase qui a fui en mars 2022"
RPPS = "10000000009"
CARD = f"8{RPPS}"
LIVES = 12
"""Accounts of each kind; each example of the machine uses one."""
STRONG = {"otp", "hwk", "sc", "psc", "psc-sc", "rc", "invite"}
CODES = ("/.herse/step-up", "/.herse/step-up/recovery", "/.herse/enrol", "/.herse/account/factors")
PRESSED = (
    ("/.herse/account/passkeys", {"name": "clé", "credential": "{}"}),
    ("/.herse/account/passkeys/remove", {"passkey": "x"}),
    ("/.herse/account/delegates", {"name": "R. Obot", "identifier": "759999999", "until": "2027-01-01"}),
    ("/.herse/account/sessions", {"others": "1"}),
    ("/.herse/act-for", {"delegation": "x"}),
    ("/.herse/card/back", {"identifier": "750000000"}),
    ("/.herse/sso", {}),
    ("/.herse/account/sso", {"link": "x"}),
    ("/.herse/continue", {"send": "1"}),
    ("/.herse/sign-out", {}),
)


class World:
    """One gateway, the stand-in portal behind it, and accounts to steal."""

    def __init__(self, folder):
        self.folder = folder
        dev = make_dev_cards(folder / "cards", datetime.now(UTC))
        port = free_port()
        card = card_section(dev, port)
        limits = {"per_network": 10**9, "per_minute_in_all": 10**9, "per_account": 100}
        self.demo = Demo(folder, settings={"card": card, "sign_in": limits}, tls=True)
        self.house, self.card_port = self.demo.house, port
        self.certificate = unlocked(dev.cards[CARD], folder / "card.pem")
        self.numbers = people(22)
        self.places = count()
        self.secrets, self.paper = {}, {}
        self.furnish()

    def furnish(self):
        """Accounts with mail and password; every second one with a code application, and codes on paper."""
        at = datetime.now(UTC)
        engine = open_database(self.house.accounts_file)
        sealing = AtRest(read_key(self.house.folder / "keys" / AT_REST_KEY_FILE))
        accounts, factors = Accounts(engine, sealing), Factors(engine, sealing)
        recovery = RecoveryCodes(engine, Throttle(), Failures(engine))
        hasher = PasswordHasher(1, 1, test_cost=True)
        encoded = hasher._argon2.hash(PASSWORD)
        for place in range(2 * LIVES):
            name = f"75{place:07d}"
            accounts.create(name, "Officine", "pharmacist", RPPS, (), at, f"p{place}@example.org")
            accounts.set_password(name, encoded, at)
            if place % 2:
                secret = new_secret()
                before = at - timedelta(minutes=2)  # a code of this very moment would be used already
                factors.enrol_totp(name, secret, pyotp.TOTP(secret).at(before), before)
                self.secrets[name], self.paper[name] = secret, recovery.make(name)[0]
        hasher.close()
        engine.dispose()

    def client(self):
        return Client(self.house.port, self.house.origin, self.house.authority)

    def proofs(self, identifier):
        """The methods that living sessions of an account stand on."""
        with closing(sqlite3.connect(f"file:{self.house.accounts_file}?mode=ro", uri=True)) as connection:
            rows = connection.execute("select proofs from session where account = ?", [identifier])
            return {method for (text,) in rows for method, _ in json.loads(text)}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    built = World(tmp_path_factory.mktemp("attack"))
    with built.demo.portal, built.house.serve_cheaply():
        wait_until("the card host", accepts(built.card_port))
        yield built


class Attack(RuleBasedStateMachine):
    """What the robot does next. `world` is given by the test."""

    world: World

    @initialize()
    def steal(self):
        place = next(self.world.places) % (2 * LIVES - 4)
        self.name, mailbox = account(self.world, place)
        self.robot = Robot(self.world.client(), mailbox, self.name, PASSWORD)
        self.served = len(self.world.demo.served())
        self.address = f"robot{place}@example.org"

    @rule(choice=st.integers(0, 3))
    def sign_in(self, choice):
        self.robot.sign_in(choice)

    @rule(choice=st.integers(0, 9))
    def go_back(self, choice):
        self.robot.change_jar(choice)

    @rule()
    def ask_reset(self):
        self.robot.ask_reset()

    @rule(choice=st.integers(0, 9))
    def use_letter(self, choice):
        self.robot.use_letter(choice)

    @rule(path=st.sampled_from(CODES), code=st.sampled_from(["000000", "", "123456", "AAAA-BBBB-CCCC-DDDD"]))
    def guess(self, path, code):
        self.robot.guess_code(path, code)

    @rule()
    def link_own_application(self):
        self.robot.link_own_application()

    @rule()
    def make_recovery_codes(self):
        self.robot.make_recovery_codes()

    @rule()
    def change_mail(self):
        self.robot.change_mail(self.address)

    @rule()
    def change_password(self):
        self.robot.change_password()

    @rule(pressed=st.sampled_from(PRESSED))
    def press(self, pressed):
        path, fields = pressed
        self.robot.press(path, **fields)

    @rule(method=st.sampled_from(["GET", "POST", "PUT", "HEAD"]), way=st.sampled_from(["api", "page", "form"]))
    def look_up(self, method, way):
        number = next(self.world.numbers)
        path = {"api": f"/api/infopatient/{number}", "page": f"/infopatient/{number}", "form": "/infopatient"}[way]
        self.robot.client.ask(method, path, {"nir": number} if way == "form" else None)

    @invariant()
    def nobody_was_shown(self):
        if hasattr(self, "served"):
            assert len(self.world.demo.served()) == self.served
            assert not self.world.proofs(self.name) & STRONG

    def teardown(self):
        if hasattr(self, "robot"):
            self.robot.client.close()
            holder = CardHolder(self.world.client(), self.world.house.authority, self.world.certificate)
            entered = holder.enter(self.name)
            assert entered.status_code == 200, told(entered)
            (number,) = islice(self.world.numbers, 1)
            shown = holder.client.ask("GET", f"/api/infopatient/{number}")
            assert shown.status_code == 200, told(shown)
            holder.client.post("/.herse/sign-out")
            holder.client.close()


def test_I6_password_and_mailbox_get_nobody_in_any_order(world):
    machine = type("AttackOnThis", (Attack,), {"world": world})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=2 * LIVES - 4,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )


def account(world, place):
    """The identifier of one of the accounts, and its mailbox."""
    letters = world.house.folder / "state" / "letters"
    return f"75{place:07d}", Mailbox(letters, f"p{place}@example.org")


@pytest.fixture
def thief(world):
    """A robot that has been through the mailbox, and is signed in by the password it set."""
    clients = []

    def make(mailbox, name):
        robot = Robot(world.client(), mailbox, name, PASSWORD)
        clients.append(robot.client)
        robot.ask_reset()
        robot.use_letter(-1)
        robot.sign_in(-1)
        return robot

    yield make
    for client in clients:
        client.close()


def test_the_application_that_was_there_before_ends_the_quarantine(world, thief):
    """The holder without his card: the code he always had, and he is back, under the password the robot set."""
    name, mailbox = account(world, 2 * LIVES - 1)
    robot = thief(mailbox, name)
    assert robot.client.get("/.herse/account").json()["assurance"] == "password"
    assert world.proofs(name) == {"pwd"}
    robot.guess_code("/.herse/step-up", pyotp.TOTP(world.secrets[name]).now())
    assert world.proofs(name) == {"pwd", "otp"}
    kinds = [one.event.kind for one in world.house.events(name)]
    assert kinds.index("quarantine-begun") < kinds.index("quarantine-ended")


def test_a_paper_code_does_not_count_in_quarantine(world, thief):
    """Nor is it used up: once the holder is proved, it is good again."""
    name, mailbox = account(world, 2 * LIVES - 3)
    robot = thief(mailbox, name)
    refused = robot.client.post("/.herse/step-up/recovery", code=world.paper[name])
    assert refused.json()["type"] == "urn:herse:reason:account-quarantined"
    assert world.proofs(name) == {"pwd"}
    robot.guess_code("/.herse/step-up", pyotp.TOTP(world.secrets[name]).now())
    assert robot.client.post("/.herse/step-up/recovery", code=world.paper[name]).status_code == 200
