# SPDX-License-Identifier: EUPL-1.2
"""The pages of the portal over real accounts and a real ledger, and browsers that keep cookies. No tests."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count

import httpx
import pyotp

from gateway.identity.accounts import Accounts, Holder
from gateway.identity.at_rest import AtRest
from gateway.identity.breached import Breached
from gateway.identity.database import create_database
from gateway.identity.delegates import Delegates
from gateway.identity.devices import Devices
from gateway.identity.failures import Failures
from gateway.identity.kept_work import KeptWork
from gateway.identity.mail_address import MailAddresses
from gateway.identity.otp import Factors
from gateway.identity.passkey import Passkeys
from gateway.identity.password import PasswordHasher
from gateway.identity.returns import Returns
from gateway.identity.session import Sessions
from gateway.identity.sign_in import SignIn
from gateway.identity.slips import Slips
from gateway.identity.throttle import Throttle
from gateway.identity.ways_back import WaysBack
from gateway.ledger.read import LedgerReader
from gateway.ledger.store import create_ledger, open_ledger
from gateway.mail.memory import MemoryOutbox
from gateway.model import Event, EventKind
from gateway.notices import Notices
from gateway.portal.app import Doors, build_portal

T0 = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ORIGIN = "https://localhost:8443"
PHARMACY = "750012346"
DOCTOR = "751234567"
PASSWORD = "cinq mots pour ouvrir la porte"
SESSION = "__Host-herse"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0"
JSON = {"accept": "application/json"}


class Browser:
    """Cookies, and the headers a browser sends with a form; each call is one request."""

    def __init__(self, world, network="192.0.2.14"):
        self._world = world
        transport = httpx.ASGITransport(app=world.app, client=(network, 40_000), raise_app_exceptions=True)
        self.client = httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"user-agent": FIREFOX})

    def get(self, path, **headers):
        return self._world.run(self.client.get(path, headers=_names(headers)))

    def post(self, path, fields=None, **headers):
        return self._world.run(self.post_soon(path, fields, **headers))

    async def post_soon(self, path, fields=None, **headers):
        return await self.client.post(path, data=fields or {}, headers={"origin": ORIGIN} | _names(headers))

    def json(self, path, fields):
        return self.post(path, fields, **JSON)

    @property
    def token(self):
        return self.client.cookies.get(SESSION)

    def plant(self, token, name=SESSION):
        self.client.cookies.clear()
        self.client.cookies.set(name, token)

    def sign_in(self, identifier=PHARMACY, password=PASSWORD, **fields):
        return self.post("/.herse/sign-in", {"identifier": identifier, "password": password, **fields})

    def step_up(self, code, **fields):
        return self.post("/.herse/step-up", {"code": code, **fields})


def _names(headers):
    return {name.replace("_", "-"): value for name, value in headers.items()}


class NoSender:
    """No hallway stands behind these pages: what is to be sent is noted, and `answer` says what comes of it."""

    def __init__(self):
        self.asked = []
        self.answer = None

    def sender(self, kept, owner, *, shows):
        self.asked.append((kept.reference, owner, shows))
        return self.answer


class World:
    """Two accounts, their secrets, a clock that only moves when told, and the pages over all of it."""

    def __init__(self, folder, runner, ledger_twin=None):
        self._runner = runner
        self.now = T0
        self.engine = create_database(folder / "accounts.db")
        at_rest = AtRest(bytes(range(32)))
        self.accounts = Accounts(self.engine, at_rest)
        self.delegates = Delegates(self.engine)
        self.factors = Factors(self.engine, at_rest)
        self.hasher = PasswordHasher(1, 100, test_cost=True)
        self.sessions = Sessions(self.engine, timedelta(minutes=30), timedelta(hours=4))
        self.returns = Returns()
        self.kept = KeptWork(self.engine, at_rest)
        self.sender = NoSender()
        self.slips = Slips(at_rest)
        create_ledger(folder / "ledger.db")
        self.ledger = ledger_twin or open_ledger(folder / "ledger.db")
        self.reader = LedgerReader(folder / "ledger.db")
        self.secrets = {}
        throttle = Throttle(per_account=1000, per_network=10_000)
        failures = Failures(self.engine)
        sign_in = SignIn(self.accounts, self.factors, self.hasher, throttle, failures)
        self.devices = Devices(self.engine)
        self.passkeys = Passkeys(self.engine, ORIGIN, throttle, failures)
        self.outbox = MemoryOutbox()
        self.ways_back = WaysBack.over(self.engine, self.accounts, self.hasher, throttle, failures, Breached())
        self.doors = Doors(
            origin=ORIGIN,
            cookie_name=SESSION,
            clock=lambda: self.now,
            accounts=self.accounts,
            delegates=self.delegates,
            factors=self.factors,
            passkeys=self.passkeys,
            devices=self.devices,
            sign_in=sign_in,
            sessions=self.sessions,
            returns=self.returns,
            kept=self.kept,
            work=self.sender,
            ledger=self.ledger,
            reader=self.reader,
            jwks=lambda: {"keys": [{"kty": "EC"}]},
            slips=self.slips,
            mail_addresses=MailAddresses(self.engine),
            outbox=self.outbox,
            notices=Notices(self.accounts, self.outbox, ORIGIN),
            ways_back=self.ways_back,
            teleservices=lambda _: ["infopatient", "aat"],
            titles={"infopatient": "Infopatient", "aat": "Arrêt de travail"}.__getitem__,
        )
        self.app = build_portal(self.doors)
        self._requests = count(1)

    def run(self, walk):
        return self._runner.run(walk)

    def later(self, **delta):
        self.now += timedelta(**delta)

    def add(self, identifier, *, totp=True):
        self.accounts.create(identifier, f"Cabinet {identifier}", "pharmacist", None, [Holder("Camille Durand")], T0)
        self.accounts.set_password(identifier, self.run(self.hasher.hash(PASSWORD)), T0)
        if totp:
            self.secrets[identifier] = pyotp.random_base32()
            self.factors.add_totp(identifier, self.secrets[identifier], T0)

    def meanwhile(self, request, act, seconds=0.5):
        """Let a request wait for the ledger, act, and let the ledger go on (unless it was broken): the answer."""

        async def walk():
            sent = asyncio.create_task(request)
            await asyncio.wait([sent], timeout=seconds)
            if sent.done():
                raise LookupError("it did not wait for the ledger")
            act()
            self.ledger.release()
            return await sent

        self.ledger.hold()
        return self.run(walk())

    def code(self, identifier=PHARMACY):
        return pyotp.TOTP(self.secrets[identifier]).at(self.now)

    def wrong_code(self, identifier=PHARMACY):
        totp = pyotp.TOTP(self.secrets[identifier])
        good = {totp.at(self.now + timedelta(seconds=30 * step)) for step in (-1, 0, 1)}
        return next(code for code in map(str, range(100_000, 100_010)) if code not in good)

    def browser(self, network="192.0.2.14"):
        return Browser(self, network)

    def note(self, kind, account=PHARMACY, **values):
        """An event that another room would have recorded."""

        async def append():
            await self.ledger.append([Event(kind, account, self.now, **values)]).wait()

        self.run(append())

    def look_up(self, person, account=PHARMACY, **values):
        values = {"teleservice": "infopatient", "session": "s1"} | values
        self.note(EventKind.LOOKUP, account, request=next(self._requests).to_bytes(16), pseudonym=person, **values)

    def events(self, account=PHARMACY):
        """What the ledger holds of an account, newest first, once everything appended so far is durable."""
        self.note(EventKind.ACCOUNT_CREATED, "SETTLED")
        return [stored.event for stored in self.reader.events(account, limit=1000)]

    def kinds(self, account=PHARMACY):
        return [event.kind for event in self.events(account)]

    def close(self):
        self.hasher.close()
        self.ledger.close()
        self.reader.close()
        self.engine.dispose()


def assurance(world, browser):
    """What the session of this browser stands on."""
    return world.sessions.find(browser.token.encode(), world.now).subject.assurance


def levels(world, account=PHARMACY):
    """The levels of an account's living sessions."""
    return [session.subject.assurance.level for session in world.sessions.of_account(account)]
