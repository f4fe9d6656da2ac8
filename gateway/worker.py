# SPDX-License-Identifier: EUPL-1.2
"""Builds a process that walks requests beside the desk: the same hallway from the same settings, and no pages.

It opens, ends and writes no session, sends no letter, listens to no card and to no command: it asks the desk.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from gateway.building import clock, hallway_doors, limits_of
from gateway.desk.frames import DESK_SOCKET
from gateway.desk.link import DeskLink
from gateway.desk.pages import DeskPages
from gateway.enforcement import Enforcement
from gateway.identity.at_rest import AtRest
from gateway.identity.database import DATABASE_FILE, open_database
from gateway.identity.kept_work import KeptWork
from gateway.identity.session_worker import WorkerSessions
from gateway.ledger_gate import LedgerGate
from gateway.meter_gate import meter_gate
from gateway.metering.watching_afar import WatchingAfar
from gateway.policy_in_force import PolicyWatch, load_tested_policy
from gateway.rounds import repeat
from gateway.settings import read_key
from gateway.state_files import AT_REST_KEY_FILE
from gateway.switches import LOOK_SECONDS, SWITCHES_FILE, Switchboard

if TYPE_CHECKING:
    from gateway.ledger.fault import Fault
    from gateway.listener.strict import Limits
    from gateway.settings import Settings

_SWEEP_SECONDS: Final = 10.0


class Worker:
    """One of the processes beside the desk, ready to serve. `close` gives everything back in the reverse order."""

    def __init__(self, settings: Settings, fault: Fault | None = None) -> None:
        """`fault`: of the ledger, shared with the processes beside it."""
        self.settings = settings
        self._fault = fault
        self._stack = ExitStack()
        try:
            self._build(settings)
        except BaseException:
            self._stack.close()
            raise

    def _build(self, settings: Settings) -> None:
        policy, folder, keep = load_tested_policy(settings.policy.file), settings.state.folder, self._stack
        engine = open_database(folder / DATABASE_FILE)
        keep.callback(engine.dispose)
        kept = KeptWork(engine, AtRest(read_key(settings.keys.folder / AT_REST_KEY_FILE)))
        self._gate = LedgerGate(settings, clock, keep, beside=True, seals=False, fault=self._fault)
        reader = self._gate.reader
        self._counts = meter_gate(settings, reader, clock)
        self._counts.begin(policy)
        self._sessions = WorkerSessions(engine, settings.session.idle, settings.session.absolute)
        keep.callback(self._sessions.close)
        self._switches = Switchboard(folder / SWITCHES_FILE)
        self._watching = WatchingAfar()
        self._link = DeskLink(folder / DESK_SOCKET, self._sessions, self._watching)
        doors = hallway_doors(
            settings,
            policy,
            keep,
            kept,
            sessions=self._sessions,
            returns=self._link,
            meter=self._counts.meter,
            watching=self._watching,
            ledger=self._gate.door,
            reader=reader,
            switches=self._switches,
        )
        self.hallway = Enforcement(doors)
        self.pages = DeskPages(folder / DESK_SOCKET)

    def limits(self) -> Limits:
        """What the public listener lets in."""
        return limits_of(self.settings)

    async def start(self) -> None:
        """What is asked of others before anybody is served."""
        await self._counts.start()

    async def run_beside(self, stop: asyncio.Event) -> None:
        """Listen to the desk, watch the policy file and forget what is past its time, until `stop`."""
        watch = PolicyWatch(self.settings.policy.file, self.hallway, self._counts.know)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._link.serve(stop))
            group.create_task(self._counts.serve(stop))
            group.create_task(self._gate.serve(stop))
            group.create_task(repeat(_SWEEP_SECONDS, self._sweep, stop))
            group.create_task(repeat(LOOK_SECONDS, self._switches.look, stop))
            group.create_task(repeat(self.settings.policy.watch_seconds, watch.look, stop))

    async def _sweep(self) -> None:
        at = clock()
        self._sessions.sweep(at)
        self._counts.sweep(at)
        self._watching.sweep(at)
        self._gate.seals.forget(at)

    def close(self) -> None:
        """Give everything back."""
        self._stack.close()
