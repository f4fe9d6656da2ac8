# SPDX-License-Identifier: EUPL-1.2
"""The builder: settings -> doors -> hallway, pages, admin socket. It alone knows all rooms, and owns the clock.

What is built here is what serves: `herse serve`, the demo and the tests build the same house.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gateway.card_gate import CardGate
from gateway.console.account_operations import AccountOperations, account_handlers
from gateway.console.admin_socket import SOCKET_FILE, serve_admin
from gateway.enforcement import Enforcement
from gateway.errors import ConfigurationError, Fault, HerseError
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
from gateway.policy.cases import load_cases, run_cases
from gateway.policy.load import load_policy
from gateway.portal.app import build_portal
from gateway.portal.doors import Doors as PortalDoors
from gateway.settings import read_key
from gateway.upstream.assertion import Assertions, load_assertion_key
from gateway.upstream.client import Portal, PortalAddress
from gateway.visit import HallwayDoors

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

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
        watch = _PolicyWatch(self.settings.policy.file, self.hallway, self.meter, self._reader)
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


class _PolicyWatch:
    """Swaps a changed policy in whole once it is checked and tested; a bad one leaves the old in force and says so."""

    def __init__(self, file: Path, hallway: Enforcement, meter: MemoryMeter, reader: LedgerReader) -> None:
        self._file = file
        self._hallway = hallway
        self._meter = meter
        self._reader = reader
        self._seen = self._stamp()

    def _stamp(self) -> tuple[tuple[int, int] | None, ...]:
        found: list[tuple[int, int] | None] = []
        for path in (self._file, cases_file(self._file)):
            try:
                stat = path.stat()
            except OSError:
                found.append(None)
            else:
                found.append((stat.st_mtime_ns, stat.st_size))
        return tuple(found)

    async def look(self) -> None:
        """Look once. Files and ledger are read in a thread: a large one takes seconds."""
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        in_force = self._hallway.policy.digest
        try:
            policy = await asyncio.to_thread(load_tested_policy, self._file)
            # A longer window than before must know whom it would have counted, or the swap would open a new stretch.
            now = clock()
            rows = await asyncio.to_thread(lambda: list(self._reader.lookups_since(now - longest_window(policy))))
        except HerseError as error:
            log.error("policy-refused", extra={"in_force": in_force, "faults": str(error)})  # noqa: TRY400
            return
        self._meter.rebuild(rows, now)
        self._hallway.policy = policy
        log.info("policy-in-force", extra={"digest": policy.digest, "before": in_force})


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


def longest_window(policy: Policy) -> timedelta:
    """How far back the ledger must be read for the budgets of a policy."""
    return max((budget.window for rule in policy.rules for budget in rule.budgets), default=timedelta(0))


def cases_file(policy_file: Path) -> Path:
    """Where the cases of a policy file lie."""
    return policy_file.with_suffix(".cases.yaml")


def load_tested_policy(file: Path) -> Policy:
    """Load a policy whose cases all pass; ConfigurationError with every fault otherwise."""
    policy = load_policy(_text(file), str(file))
    beside = cases_file(file)
    report = run_cases(policy, load_cases(_text(beside), str(beside), policy))
    faults = [
        Fault(str(beside), None, result.case.name, result.detail, "a case that passes")
        for result in report.results
        if result.outcome.value in {"FAIL", "ERROR"}
    ]
    if faults:
        raise ConfigurationError(faults)
    return policy


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        found = error.strerror if isinstance(error, OSError) else "bytes that are not UTF-8"
        raise ConfigurationError([Fault(str(path), None, "(file)", str(found), "a readable YAML file")]) from None


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
