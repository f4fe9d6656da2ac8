# SPDX-License-Identifier: EUPL-1.2
"""The builder: settings -> doors -> hallway, pages, admin socket. It alone knows all rooms, and owns the clock.

What is built here is what serves: `herse serve`, the demo and the tests build the same house.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway.card_gate import CardGate
from gateway.console.account_operations import AccountOperations, account_handlers
from gateway.console.admin_socket import SOCKET_FILE, serve_admin
from gateway.enforcement import Enforcement
from gateway.identity import schema
from gateway.identity.accounts import Accounts
from gateway.identity.at_rest import AtRest
from gateway.identity.breached import BREACHED_FILE, Breached
from gateway.identity.failures import Failures
from gateway.identity.otp import Factors
from gateway.identity.passkey import Passkeys
from gateway.identity.password import PasswordHasher
from gateway.identity.returns import Returns
from gateway.identity.session import Sessions
from gateway.identity.sign_in import SignIn
from gateway.identity.throttle import Throttle
from gateway.ledger.lock import hold
from gateway.ledger.read import LedgerReader
from gateway.ledger.store import open_ledger
from gateway.listener.strict import Limits
from gateway.metering.memory import MemoryMeter
from gateway.metering.pseudonym import Pseudonymizer
from gateway.policy_in_force import PolicyWatch, load_tested_policy, longest_window
from gateway.portal.app import build_portal
from gateway.portal.doors import Doors as PortalDoors
from gateway.settings import read_key
from gateway.upstream.assertion import Assertions, load_assertion_key
from gateway.upstream.client import Portal, PortalAddress
from gateway.visit import HallwayDoors

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.applications import Starlette

    from gateway.model import Event
    from gateway.settings import Settings

log = logging.getLogger("gateway.app")

COOKIE_NAME = "__Host-herse"
LEDGER_FILE = "ledger.db"
ASSERTION_KEY_FILE = "assertion.pem"
AT_REST_KEY_FILE = "at-rest.key"
PSEUDONYM_KEY_FILE = "pseudonym.key"
_SWEEP_SECONDS = 10.0


def clock() -> datetime:
    """Give the time, aware UTC: the one clock that the rooms are told."""
    return datetime.now(UTC)


class Gateway:
    """One gateway, built and ready to serve. `close` gives everything back in the reverse order.

    `test_cost` and `ledger_synchronous` are no settings: tests make hashing cheap, and see a weakened ledger lose.
    """

    def __init__(self, settings: Settings, *, test_cost: bool = False, ledger_synchronous: str = "FULL") -> None:
        self.settings = settings
        self._stack = ExitStack()
        try:
            self.meter = MemoryMeter()
            self.card = CardGate(settings, clock, self._stack)
            self._build(settings, test_cost=test_cost, ledger_synchronous=ledger_synchronous)
        except BaseException:
            self._stack.close()
            raise

    def _build(self, settings: Settings, *, test_cost: bool, ledger_synchronous: str) -> None:
        policy = load_tested_policy(settings.policy.file)
        folder, keys, keep = settings.state.folder, settings.keys.folder, self._stack
        keep.callback(hold(folder).close)
        engine = schema.open_database(folder / schema.DATABASE_FILE)
        keep.callback(engine.dispose)
        sealing = AtRest(read_key(keys / AT_REST_KEY_FILE))
        self.ledger = open_ledger(folder / LEDGER_FILE, synchronous=ledger_synchronous)
        keep.callback(self.ledger.close)
        reader = self._reader = LedgerReader(folder / LEDGER_FILE)
        keep.callback(reader.close)
        hasher = PasswordHasher(settings.sign_in.hashing_threads, settings.sign_in.hashing_waiting, test_cost=test_cost)
        keep.callback(hasher.close)
        self.sessions = Sessions(engine, settings.session.idle, settings.session.absolute)
        keep.callback(self._last_sweep)
        accounts, factors, returns = Accounts(engine, sealing), Factors(engine, sealing), Returns()
        assertion_key = load_assertion_key(keys / ASSERTION_KEY_FILE)
        assertions = Assertions(assertion_key, settings.public.origin, settings.portal.url)
        now = clock()
        self.meter.rebuild(reader.lookups_since(now - longest_window(policy)), now)
        self.portal = Portal(_address(settings), COOKIE_NAME.encode("ascii"))
        keep.callback(self.portal.close)
        self.hallway = Enforcement(
            HallwayDoors(
                policy=policy,
                sessions=self.sessions,
                returns=returns,
                meter=self.meter,
                pseudonym=Pseudonymizer(read_key(keys / PSEUDONYM_KEY_FILE)),
                portal=self.portal,
                assertions=assertions,
                ledger=self.ledger,
                clock=clock,
                origin=settings.public.origin,
                cookie_name=COOKIE_NAME.encode("ascii"),
                form_bytes=settings.limits.form_bytes,
            )
        )
        limits = settings.sign_in
        throttle = Throttle(limits.per_account, limits.per_network, limits.per_minute_in_all)
        failures = Failures(engine)
        self.pages: Starlette = build_portal(
            PortalDoors(
                origin=settings.public.origin,
                cookie_name=COOKIE_NAME,
                clock=clock,
                accounts=accounts,
                factors=factors,
                sign_in=SignIn(accounts, factors, hasher, throttle, failures, Breached(folder / BREACHED_FILE)),
                passkeys=Passkeys(engine, settings.public.origin, throttle, failures),
                sessions=self.sessions,
                returns=returns,
                ledger=self.ledger,
                reader=reader,
                jwks=assertions.jwks,
                titles=self._title,
                card=self.card.desk,
            )
        )
        self._operations = AccountOperations(accounts, self.sessions, self._append)

    def _title(self, teleservice: str) -> str:
        for rule in self.hallway.policy.rules:
            if rule.name == teleservice:
                return rule.title
        return teleservice

    async def _append(self, event: Event) -> object:
        return await self.ledger.append([event]).wait()

    def limits(self) -> Limits:
        """What the public listener lets in."""
        limits = self.settings.limits
        return Limits(
            hosts=self.settings.public.hosts,
            head_bytes=limits.head_bytes,
            header_count=limits.header_count,
            url_bytes=limits.url_bytes,
            body_bytes=limits.body_bytes,
            head_seconds=limits.head_seconds,
            body_seconds=limits.body_seconds,
            idle_seconds=limits.idle_seconds,
            connections=limits.connections,
        )

    async def run_beside(self, stop: asyncio.Event) -> None:
        """Serve commands, watch the policy file and end what is past its time, until `stop`."""
        admin = await serve_admin(self.settings.state.folder / SOCKET_FILE, account_handlers(self._operations, clock))
        watch = PolicyWatch(self.settings.policy.file, self.hallway, self.meter, self._reader, clock)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.card.serve(stop))
                group.create_task(_repeat(_SWEEP_SECONDS, self._sweep, stop))
                group.create_task(_repeat(self.settings.policy.watch_seconds, watch.look, stop))
        finally:
            await admin.close()

    async def _sweep(self) -> None:
        at = clock()
        self.sessions.sweep(at)
        self.meter.sweep(at)

    def _last_sweep(self) -> None:
        try:
            self.sessions.sweep(clock())
        except Exception as error:  # noqa: BLE001  # a disk that fails must not keep the rest from closing
            log.error("round-failed", extra={"error": type(error).__name__})  # noqa: TRY400

    def close(self) -> None:
        """Give everything back."""
        self._stack.close()


async def _repeat(seconds: float, act: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await act()
        except Exception as error:  # noqa: BLE001  # a failed round is told, and the next one tries again
            log.error("round-failed", extra={"error": type(error).__name__})  # noqa: TRY400
        try:
            await asyncio.wait_for(stop.wait(), seconds)
        except TimeoutError:
            continue


def _address(settings: Settings) -> PortalAddress:
    portal = settings.portal
    return PortalAddress(
        url=portal.url,
        authority=portal.authority,
        connect_seconds=portal.connect_seconds,
        head_seconds=portal.head_seconds,
        idle_seconds=portal.idle_seconds,
        stream_idle_seconds=portal.stream_idle_seconds,
        keepalive_seconds=portal.keepalive_seconds,
        connections=portal.connections,
    )
