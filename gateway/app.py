# SPDX-License-Identifier: EUPL-1.2
"""The builder: settings -> doors -> hallway, pages, admin socket. It alone knows all rooms, and owns the clock.

What is built here is what serves: `herse serve`, the demo and the tests build the same house.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING

from gateway.building import clock, hallway_doors, later, limits_of
from gateway.card_gate import CardGate
from gateway.console.account_operations import AccountOperations, account_handlers
from gateway.console.admin_socket import SOCKET_FILE, serve_admin
from gateway.console.agent_operations import AgentOperations, agent_handlers
from gateway.console.incident_operations import IncidentOperations, incident_handlers
from gateway.console.mail_operations import MailOperations, mail_handlers
from gateway.console.reading_operations import ReadingOperations, reading_handlers
from gateway.console.retention_operations import RetentionOperations, retention_handlers
from gateway.console.sign_out_operations import SignOutOperations
from gateway.console.switch_commands import sign_out_handlers, switch_handlers
from gateway.console.switch_operations import SwitchOperations
from gateway.desk.counter import Counter
from gateway.desk.frames import DESK_SOCKET
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
from gateway.identity.session_desk import DeskSessions
from gateway.identity.sign_in import SignIn
from gateway.identity.throttle import Throttle
from gateway.identity.ways_back import WaysBack
from gateway.incident.kept import INCIDENTS_FOLDER, Incidents
from gateway.ledger.lock import hold
from gateway.ledger_gate import LedgerGate
from gateway.meter_gate import meter_gate
from gateway.metering.watching import Watching
from gateway.metering.watching_file import resume, write_uses
from gateway.notices import Alarms
from gateway.policy_in_force import PolicyWatch, load_tested_policy, open_to, titles_of
from gateway.portal.app import build_portal
from gateway.portal.cookies import SESSION_COOKIE
from gateway.portal.doors import Doors as PortalDoors
from gateway.post_office import PostOffice
from gateway.retention_gate import Retention, rules_of
from gateway.rounds import repeat
from gateway.sending import WorkSender
from gateway.settings import read_key
from gateway.sso_gate import SsoGate
from gateway.state_files import ASSERTION_KEY_FILE, AT_REST_KEY_FILE, LEDGER_FILE, PSEUDONYM_KEY_FILE
from gateway.switches import SWITCHES_FILE, Switchboard

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from gateway.ledger.fault import Fault
    from gateway.listener.strict import Limits
    from gateway.model import Event
    from gateway.settings import Settings
    from gateway.visit import HallwayDoors

log = logging.getLogger("gateway.app")

__all__ = ["ASSERTION_KEY_FILE", "AT_REST_KEY_FILE", "LEDGER_FILE", "PSEUDONYM_KEY_FILE", "Gateway"]

USES_FILE = "uses.json"
_SWEEP_SECONDS = 10.0
_USES_SECONDS = 3600.0
_ALARM_SECONDS = 5.0


class Gateway:
    """One gateway, built and ready to serve. `close` gives everything back in the reverse order.

    `test_cost` and `ledger_synchronous` are no settings: tests make hashing cheap, and see a weakened ledger lose.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        test_cost: bool = False,
        ledger_synchronous: str = "FULL",
        desk: bool = False,
        fault: Fault | None = None,
    ) -> None:
        """`desk`: others walk requests beside it (`worker`), and whoever started them has the folder's lock.

        `fault`: of the ledger, shared with them.
        """
        self.settings = settings
        self._counter: Counter | None = None
        self._is_desk, self._fault = desk, fault
        self._stack = ExitStack()
        try:
            self.watching = Watching()
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
        self.counts.begin(policy)
        resume(settings.state.folder / USES_FILE, self.watching, self._reader.lookups_since, now)
        self._stack.callback(self._write_uses)
        doors = hallway_doors(
            settings,
            policy,
            self._stack,
            self._kept,
            sessions=self.sessions,
            returns=self._returns,
            meter=self.counts.meter,
            watching=self.watching,
            ledger=self._gate.door,
            reader=self._reader,
            switches=self.switches,
        )
        self.hallway = Enforcement(doors)
        self.pages: Starlette = build_portal(self._portal_doors(settings, doors, hasher))
        if isinstance(self.sessions, DeskSessions):
            path = settings.state.folder / DESK_SOCKET
            self._counter = Counter(path, self.pages, self.sessions, self._returns, self.watching)

    def _open_state(self, settings: Settings, ledger_synchronous: str) -> None:
        """What lies in the state folder, under the keys; whoever opened it first is closed last."""
        folder, keep = settings.state.folder, self._stack
        if not self._is_desk:
            keep.callback(hold(folder).close)
        self.switches = Switchboard(folder / SWITCHES_FILE)
        engine = self._engine = open_database(folder / DATABASE_FILE)
        keep.callback(engine.dispose)
        sealing = self._sealing = AtRest(read_key(settings.keys.folder / AT_REST_KEY_FILE))
        self._gate = LedgerGate(
            settings,
            clock,
            keep,
            beside=self._is_desk,
            seals=True,
            synchronous=ledger_synchronous,
            fault=self._fault,
        )
        self.ledger, self._reader = self._gate.ledger, self._gate.reader
        self.counts = meter_gate(settings, self._reader, clock)
        kind = DeskSessions if self._is_desk else Sessions
        self.sessions = kind(engine, settings.session.idle, settings.session.absolute)
        self._returns = Returns()
        keep.callback(self._last_sweep)
        self._accounts = Accounts(engine, sealing)
        self._kept = KeptWork(engine, sealing)
        self._kept.recover(clock())
        self.post = PostOffice(settings, self._accounts, sealing, clock, keep)
        self._alarms = Alarms(self._reader, self.post.notices)
        self.sso = SsoGate(settings, engine, sealing, clock)

    def _portal_doors(self, settings: Settings, hallway: HallwayDoors, hasher: PasswordHasher) -> PortalDoors:
        engine, accounts, limits = self._engine, self._accounts, settings.sign_in
        throttle = Throttle(limits.per_account, limits.per_network, limits.per_minute_in_all)
        failures, breached = Failures(engine), Breached(settings.state.folder / BREACHED_FILE)
        factors, append, notices = Factors(engine, self._sealing), self._append, self.post.notices
        agents, releases = Agents(engine, self._sealing, hasher, throttle, failures), Releases(engine, accounts)
        operations = AccountOperations(accounts, self.sessions, append, notices)
        incidents = Incidents(settings.state.folder / INCIDENTS_FOLDER)
        rules = rules_of(settings.ledger.periods, incidents, lambda: self.hallway.policy)
        self._retention = Retention(self._gate.tree, self.ledger, rules, self._gate.sealed, clock)
        self._commands = (
            account_handlers(operations, clock)
            | incident_handlers(IncidentOperations(incidents, accounts, operations, append), clock)
            | mail_handlers(MailOperations(MailAddresses(engine), append, notices), clock)
            | agent_handlers(AgentOperations(agents, releases, append, notices), clock)
            | switch_handlers(SwitchOperations(self.switches, append, self._titles), clock)
            | sign_out_handlers(SignOutOperations(accounts, self.sessions, append), clock)
            | reading_handlers(ReadingOperations(accounts, append), clock)
            | retention_handlers(RetentionOperations(self._retention))
        )
        return PortalDoors(
            origin=settings.public.origin,
            cookie_name=SESSION_COOKIE,
            clock=clock,
            accounts=accounts,
            delegates=Delegates(engine),
            factors=factors,
            sign_in=SignIn(accounts, factors, hasher, throttle, failures, breached),
            ways_back=WaysBack.over(engine, accounts, hasher, throttle, failures, breached),
            passkeys=Passkeys(engine, settings.public.origin, throttle, failures),
            devices=Devices(engine),
            sessions=self.sessions,
            returns=self._returns,
            kept=self._kept,
            work=WorkSender(self.hallway, hallway, self._kept, limits_of(settings)),
            ledger=self.ledger,
            reader=self._reader,
            jwks=hallway.assertions.jwks,
            slips=hallway.slips,
            mail_addresses=MailAddresses(engine),
            outbox=self.post.outbox,
            notices=notices,
            titles=self._title,
            teleservices=lambda subject: open_to(self.hallway.policy, subject),
            announcements=lambda at: [one for one in self.switches.switches.announcements if one.shows(at)],
            card=self.card.desk,
            sso=self.sso.desk,
            later=later,
        )

    def _titles(self) -> dict[str, str]:
        return titles_of(self.hallway.policy)

    def _title(self, teleservice: str) -> str:
        return self._titles().get(teleservice, teleservice)

    async def _append(self, event: Event) -> object:
        return await self.ledger.append([event]).wait()

    def limits(self) -> Limits:
        """What the public listener lets in."""
        return limits_of(self.settings)

    async def start(self) -> None:
        """What is asked of others before anybody is served; StartError if it is not as the settings say."""
        await self.sso.start()
        await self.counts.start()

    async def run_beside(self, stop: asyncio.Event) -> None:
        """Serve commands, watch the policy file and end what is past its time, until `stop`."""
        admin = await serve_admin(self.settings.state.folder / SOCKET_FILE, self._commands)
        watch = PolicyWatch(self.settings.policy.file, self.hallway, self.counts.know)
        try:
            async with asyncio.TaskGroup() as group:
                if self._counter is not None:
                    group.create_task(self._counter.serve(stop))
                group.create_task(self.counts.serve(stop))
                group.create_task(self.card.serve(stop))
                group.create_task(self.post.serve(stop))
                group.create_task(repeat(_ALARM_SECONDS, self._alarms.look, stop))
                group.create_task(repeat(_SWEEP_SECONDS, self._sweep, stop))
                group.create_task(repeat(_USES_SECONDS, self._note_uses, stop))
                group.create_task(self._gate.serve(stop, self.post.outbox))
                group.create_task(self._retention.serve(stop))
                group.create_task(repeat(self.settings.policy.watch_seconds, watch.look, stop))
        finally:
            await admin.close()
            await self.sso.close()

    async def _sweep(self) -> None:
        at = clock()
        self.sessions.sweep(at)
        self.counts.sweep(at)
        self.watching.sweep(at)
        self._kept.sweep(at)
        self._gate.seals.forget(at)

    async def _note_uses(self) -> None:
        await asyncio.to_thread(self._write_uses)

    def _write_uses(self) -> None:
        try:
            write_uses(
                self.settings.state.folder / USES_FILE, list(self.watching.kept()), self.watching.risks.all(), clock()
            )
        except OSError as error:
            log.warning("uses-not-written", extra={"error": str(error)})

    def _last_sweep(self) -> None:
        try:
            self.sessions.sweep(clock())
        except Exception as error:  # noqa: BLE001  # a disk that fails must not keep the rest from closing
            log.error("round-failed", extra={"error": type(error).__name__})  # noqa: TRY400

    def close(self) -> None:
        """Give everything back."""
        self._stack.close()
