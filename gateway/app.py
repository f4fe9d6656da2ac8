# SPDX-License-Identifier: EUPL-1.2
"""The builder: settings -> doors -> hallway, pages, admin socket. It alone knows all rooms, and owns the clock.

What is built here is what serves: `herse serve`, the demo and the tests build the same house.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway.card_gate import CardGate
from gateway.console.account_operations import AccountOperations, account_handlers
from gateway.console.admin_socket import SOCKET_FILE, serve_admin
from gateway.console.agent_operations import AgentOperations, agent_handlers
from gateway.console.mail_operations import MailOperations, mail_handlers
from gateway.enforcement import Enforcement
from gateway.identity.accounts import Accounts
from gateway.identity.agents import Agents
from gateway.identity.at_rest import AtRest
from gateway.identity.breached import BREACHED_FILE, Breached
from gateway.identity.database import DATABASE_FILE, open_database
from gateway.identity.delegates import Delegates
from gateway.identity.devices import Devices
from gateway.identity.failures import Failures
from gateway.identity.kept_work import KeptWork
from gateway.identity.mail_address import MailAddresses
from gateway.identity.otp import Factors
from gateway.identity.passkey import Passkeys
from gateway.identity.password import PasswordHasher
from gateway.identity.release import Releases
from gateway.identity.returns import Returns
from gateway.identity.session import Sessions
from gateway.identity.sign_in import SignIn
from gateway.identity.throttle import Throttle
from gateway.identity.ways_back import WaysBack
from gateway.keeping import Keeper
from gateway.ledger.lock import hold
from gateway.ledger.read import LedgerReader
from gateway.ledger.store import open_ledger
from gateway.listener.strict import Limits
from gateway.metering.memory import MemoryMeter
from gateway.metering.pseudonym import Pseudonymizer
from gateway.policy_in_force import PolicyWatch, counted_by_holder, load_tested_policy, longest_window, open_to
from gateway.portal.app import build_portal
from gateway.portal.doors import Doors as PortalDoors
from gateway.post_office import PostOffice
from gateway.sending import WorkSender
from gateway.settings import read_key
from gateway.sso_gate import SsoGate
from gateway.upstream.assertion import Assertions, load_assertion_key
from gateway.upstream.client import Portal, PortalAddress
from gateway.visit import HallwayDoors

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.applications import Starlette

    from gateway.model import Event
    from gateway.policy.rules import Policy
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


def later(act: Callable[[], None]) -> None:
    """Act once the answer under way has left, at a moment that nobody can foresee: 20 to 220 ms from now."""
    asyncio.get_running_loop().call_later(0.02 + secrets.randbelow(200) / 1000, act)


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
        self._open_state(settings, ledger_synchronous)
        hasher = PasswordHasher(settings.sign_in.hashing_threads, settings.sign_in.hashing_waiting, test_cost=test_cost)
        self._stack.callback(hasher.close)
        now = clock()
        lookups = self._reader.lookups_since(now - longest_window(policy))
        self.meter.rebuild(lookups, now, counted_by_holder(policy))
        doors = self._hallway_doors(settings, policy)
        self.hallway = Enforcement(doors)
        self.pages: Starlette = build_portal(self._portal_doors(settings, doors, hasher))

    def _open_state(self, settings: Settings, ledger_synchronous: str) -> None:
        """What lies in the state folder, under the keys; whoever opened it first is closed last."""
        folder, keep = settings.state.folder, self._stack
        keep.callback(hold(folder).close)
        engine = self._engine = open_database(folder / DATABASE_FILE)
        keep.callback(engine.dispose)
        sealing = self._sealing = AtRest(read_key(settings.keys.folder / AT_REST_KEY_FILE))
        self.ledger = open_ledger(folder / LEDGER_FILE, synchronous=ledger_synchronous)
        keep.callback(self.ledger.close)
        self._reader = LedgerReader(folder / LEDGER_FILE)
        keep.callback(self._reader.close)
        self.sessions = Sessions(engine, settings.session.idle, settings.session.absolute)
        keep.callback(self._last_sweep)
        self._accounts = Accounts(engine, sealing)
        self._kept = KeptWork(engine, sealing)
        self._kept.recover(clock())
        self.post = PostOffice(settings, self._accounts, sealing, clock, keep)
        self.sso = SsoGate(settings, engine, sealing, clock)

    def _hallway_doors(self, settings: Settings, policy: Policy) -> HallwayDoors:
        keys, origin = settings.keys.folder, settings.public.origin
        keeper = Keeper(self._kept, origin, settings.limits.form_bytes)
        self._stack.callback(keeper.close)
        self.portal = Portal(_address(settings), COOKIE_NAME.encode("ascii"))
        self._stack.callback(self.portal.close)
        return HallwayDoors(
            policy=policy,
            sessions=self.sessions,
            returns=Returns(),
            meter=self.meter,
            pseudonym=Pseudonymizer(read_key(keys / PSEUDONYM_KEY_FILE)),
            portal=self.portal,
            keeper=keeper,
            assertions=Assertions(load_assertion_key(keys / ASSERTION_KEY_FILE), origin, settings.portal.url),
            ledger=self.ledger,
            clock=clock,
            origin=origin,
            cookie_name=COOKIE_NAME.encode("ascii"),
            form_bytes=settings.limits.form_bytes,
        )

    def _portal_doors(self, settings: Settings, hallway: HallwayDoors, hasher: PasswordHasher) -> PortalDoors:
        engine, accounts, limits = self._engine, self._accounts, settings.sign_in
        throttle = Throttle(limits.per_account, limits.per_network, limits.per_minute_in_all)
        failures, breached = Failures(engine), Breached(settings.state.folder / BREACHED_FILE)
        factors, append, notices = Factors(engine, self._sealing), self._append, self.post.notices
        agents, releases = Agents(engine, self._sealing, hasher, throttle, failures), Releases(engine, accounts)
        self._commands = (
            account_handlers(AccountOperations(accounts, self.sessions, append, notices), clock)
            | mail_handlers(MailOperations(MailAddresses(engine), append, notices), clock)
            | agent_handlers(AgentOperations(agents, releases, append, notices), clock)
        )
        return PortalDoors(
            origin=settings.public.origin,
            cookie_name=COOKIE_NAME,
            clock=clock,
            accounts=accounts,
            delegates=Delegates(engine),
            factors=factors,
            sign_in=SignIn(accounts, factors, hasher, throttle, failures, breached),
            ways_back=WaysBack.over(engine, accounts, hasher, throttle, failures, breached),
            passkeys=Passkeys(engine, settings.public.origin, throttle, failures),
            devices=Devices(engine),
            sessions=self.sessions,
            returns=hallway.returns,
            kept=self._kept,
            work=WorkSender(self.hallway, hallway, self._kept, self.limits()),
            ledger=self.ledger,
            reader=self._reader,
            jwks=hallway.assertions.jwks,
            mail_addresses=MailAddresses(engine),
            outbox=self.post.outbox,
            notices=notices,
            titles=self._title,
            teleservices=lambda subject: open_to(self.hallway.policy, subject),
            card=self.card.desk,
            sso=self.sso.desk,
            later=later,
        )

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

    async def start(self) -> None:
        """What is asked of others before anybody is served; StartError if it is not as the settings say."""
        await self.sso.start()

    async def run_beside(self, stop: asyncio.Event) -> None:
        """Serve commands, watch the policy file and end what is past its time, until `stop`."""
        admin = await serve_admin(self.settings.state.folder / SOCKET_FILE, self._commands)
        watch = PolicyWatch(self.settings.policy.file, self.hallway, self.meter, self._reader, clock)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.card.serve(stop))
                group.create_task(self.post.serve(stop))
                group.create_task(_repeat(_SWEEP_SECONDS, self._sweep, stop))
                group.create_task(_repeat(self.settings.policy.watch_seconds, watch.look, stop))
        finally:
            await admin.close()
            await self.sso.close()

    async def _sweep(self) -> None:
        at = clock()
        self.sessions.sweep(at)
        self.meter.sweep(at)
        self._kept.sweep(at)

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
