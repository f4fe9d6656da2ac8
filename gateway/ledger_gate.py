# SPDX-License-Identifier: EUPL-1.2
"""Builds what one process has of the ledger: append, read, and numbers sealed. The process with the pages also seals
the tree, twice a second, and sends checkpoints where the settings say; the others only watch that it does. A write
that failed in any of them stops all (`ledger.fault`).

Part of the builder (`app`, `worker`), in a file of its own. A ledger that is not what was signed stops the start.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from gateway.errors import HerseError, LedgerError, StartError
from gateway.ledger.fault import Fault
from gateway.ledger.kept import NotGoingOn, demand_going_on, newest_kept, signer_of
from gateway.ledger.officer_key import OfficerKeyError, load_public
from gateway.ledger.publishing import NotSent, ToFile, ToMail, ToNewest, destination
from gateway.ledger.read import LedgerReader
from gateway.ledger.seal import SealedLedger, Seals
from gateway.ledger.sealer import Sealer
from gateway.ledger.store import open_ledger_at, prepare_days
from gateway.ledger.tail import Tail
from gateway.ledger.tree_rows import open_tree_store
from gateway.ledger_key import signing_key
from gateway.mail.letter import Letter
from gateway.rounds import repeat
from gateway.state_files import NEWEST_FILE, OFFICER_FILE

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack
    from datetime import datetime
    from pathlib import Path

    from gateway.ledger.publishing import Destination
    from gateway.ledger.taken_up import TakenUp
    from gateway.ledger.tree_rows import TreeRows
    from gateway.ledger.tree_store import Head, TreeStore
    from gateway.mail.outbox import Outbox
    from gateway.settings import Settings

log = logging.getLogger(__name__)

_SEAL_SECONDS: Final = 0.5
_WATCH_SECONDS: Final = 1.0
_TELL_SECONDS: Final = 60.0
_DAYS_SECONDS: Final = 3600.0
_NEWEST_SECONDS: Final = 10.0
_LETTER_SECONDS: Final = 86_400.0
_SEALED_SECONDS: Final = 60.0
_HEARTBEATS: Final = 4
"""So many times is a ledger signed, with nothing new in it, within the time after which disclosure stops."""
_UNSIGNED: Final = (
    "nobody has signed the ledger for longer than ledger.unsealed_seconds; nothing is disclosed until somebody does: "
    "look at the process that seals it, and whether another Herse is at this ledger"
)
_SUBJECT: Final = "Herse : point de contrôle du registre"
_TEXT: Final = "Ce point de contrôle signé est à garder hors de portée du serveur.\nKeep this signed checkpoint.\n\n"


def kept_files(settings: Settings) -> list[Path]:
    """Where checkpoints of this ledger may be kept that this machine can read."""
    sent = (destination(text, lambda _to, _note: None) for text in settings.ledger.checkpoints)
    return [settings.state.folder / NEWEST_FILE, *(one.path for one in sent if isinstance(one, ToFile))]


def _seals_of(settings: Settings) -> Seals:
    """What patient numbers are sealed with; StartError without the data-protection officer's public key."""
    path = settings.keys.folder / OFFICER_FILE
    try:
        return Seals(load_public(path.read_text(encoding="ascii")))
    except (OSError, UnicodeDecodeError, OfficerKeyError) as error:
        found = error.strerror if isinstance(error, OSError) else error
        raise StartError(
            f"the public key of the data-protection officer {path} cannot be read ({found}); expected the file "
            "officer.pub that the officer made with `herse ledger keygen`"
        ) from None


def demand_not_older(settings: Settings, store: TreeStore) -> None:
    """StartError if the ledger does not go on from the newest checkpoint that was kept of it."""
    files = [path for path in kept_files(settings) if path.exists()]
    try:
        if files:
            demand_going_on(store, newest_kept(files, signer_of(store, signing_key(settings))))
    except NotGoingOn as error:
        raise StartError(f"the ledger cannot be sealed, nor written to: {error}") from error
    except OSError as error:
        raise StartError(
            f"{error.filename} cannot be read ({error.strerror}); expected the checkpoints that were kept there, or no "
            "file: mend its rights, then start again"
        ) from error


class LedgerGate:
    """The ledger in one process. `keep` closes it: what waits is written, and sealed, before anything is given back."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], datetime],
        keep: ExitStack,
        *,
        beside: bool,
        seals: bool,
        synchronous: str = "FULL",
        fault: Fault | None = None,
    ) -> None:
        """`beside`: other processes append too, and share the `fault`; `seals`: this one has the tree.

        StartError: it cannot be relied on.
        """
        self._clock, limit = clock, settings.ledger.unsealed_seconds
        self._place = settings.ledger_place()
        self._heartbeat = timedelta(seconds=limit / _HEARTBEATS)
        self.tail = Tail(limit)
        self._fault = fault or Fault()
        self._tree = open_tree_store(self._place, fault=self._fault)
        keep.callback(self._tree.close)
        self._sealer = Sealer(self._tree, signing_key(settings)) if seals else None
        self._newest: Head | None = None
        self._elected = seals
        self._told: tuple[str, datetime] | None = None
        self._taken_up: TakenUp | None = None
        self._settings = settings
        self._kept = _Sending(self, ToNewest(settings.state.folder / NEWEST_FILE))
        if seals:
            keep.callback(self._last_seal)
        self.ledger = open_ledger_at(self._place, beside=beside, synchronous=synchronous, fault=self._fault)
        keep.callback(self.ledger.close)
        self.reader = LedgerReader(self._place)
        keep.callback(self.reader.close)
        self.seals = _seals_of(settings)
        self.door = SealedLedger(self.ledger, self.seals, self.tail)
        self._first_seal()

    def _first_seal(self) -> None:
        if self._sealer is None or self._fault.why is not None:  # started anew beside others, for all but look-ups
            return
        demand_not_older(self._settings, self._tree)
        try:
            self._sealed(self._sealer.seal(self._clock(), self._heartbeat))
            self.tail.signed()
        except HerseError as error:
            raise StartError(f"the ledger cannot be sealed: {error}") from error

    async def serve(self, stop: asyncio.Event, outbox: Outbox | None = None) -> None:
        """Seal and send, or watch, until `stop`."""
        async with asyncio.TaskGroup() as group:
            if self._sealer is None:
                group.create_task(repeat(_WATCH_SECONDS, partial(asyncio.to_thread, self._watch), stop))
                return
            group.create_task(repeat(_SEAL_SECONDS, partial(asyncio.to_thread, self._seal), stop))
            group.create_task(repeat(_DAYS_SECONDS, partial(asyncio.to_thread, self._prepare_days), stop))
            group.create_task(repeat(_NEWEST_SECONDS, partial(asyncio.to_thread, self._kept.send), stop))
            for text in self._settings.ledger.checkpoints:
                sending = _Sending(self, destination(text, _post(outbox, self._clock)))
                pace = _LETTER_SECONDS if isinstance(sending.to, ToMail) else self._settings.ledger.checkpoint_seconds
                group.create_task(repeat(pace, partial(asyncio.to_thread, sending.send), stop))

    @property
    def tree(self) -> TreeRows:
        """The stored tree: what fails there stops the sealing, and so all disclosure."""
        return self._tree

    async def sealed(self, sequence: int) -> Head | None:
        """The head once the event of this number is sealed; None: another process seals. LedgerError: it never is."""
        until = asyncio.get_running_loop().time() + _SEALED_SECONDS
        while asyncio.get_running_loop().time() < until:
            head = self._newest
            if not self._elected or (head is not None and head.last_sequence >= sequence):
                return head if self._elected else None
            await asyncio.sleep(_SEAL_SECONDS / 5)
        raise LedgerError(f"event {sequence} was not sealed within {_SEALED_SECONDS:g} s; look why in the log")

    def newest(self) -> Head | None:
        """The newest signed head that this process knows of."""
        return self._newest

    def _seal(self) -> None:
        sealer = self._sealer
        try:
            head = None if sealer is None else sealer.seal(self._clock(), self._heartbeat)
        except HerseError as error:
            self._tell(str(error))
            return
        self._elected = head is not None
        if head is None:  # another process seals: its signatures are watched
            self._watch()
        else:
            self._sealed(head)
            self._told = None
            self.tail.signed()

    def _sealed(self, head: Head | None) -> None:
        """A head is there, or another process seals. Tell once what the tree was taken up from."""
        self._newest = head
        found = None if head is None or self._sealer is None else self._sealer.taken_up
        if head is not None and found is not None and found is not self._taken_up:
            self._taken_up = found
            log.info("ledger-taken-up", extra={"found": found.told(head)})

    def _watch(self) -> None:
        try:
            head = self._tree.head()
        except HerseError as error:
            self._tell(str(error))
            return
        if head is not None and head != self._newest:  # not by its time: a clock may be set back
            self._newest, self._told = head, None
            self.tail.signed()
        elif self.tail.old:
            self._tell(_UNSIGNED)

    def _prepare_days(self) -> None:
        prepare_days(self._place, self._clock())

    def _tell(self, why: str) -> None:
        """Tell a fault at once, and once a minute while it lasts: by the sentence of the first, if writing is over."""
        at, why = self._clock(), self._fault.why or why
        if self._told is None or self._told[0] != why or at - self._told[1] > timedelta(seconds=_TELL_SECONDS):
            self._told = why, at
            log.error("ledger-failed" if self._fault.why else "ledger-not-sealed", extra={"error": why})

    def _last_seal(self) -> None:
        if self._sealer is None or self._newest is None or self._fault.why is not None:  # not begun, or over
            return
        try:
            self._newest = self._sealer.seal(self._clock(), self._heartbeat) or self._newest
            self._kept.send()
        except HerseError as error:
            log.error("ledger-not-sealed", extra={"error": str(error)})  # noqa: TRY400


class _Sending:
    """Checkpoints to one destination, each sent once."""

    def __init__(self, gate: LedgerGate, to: Destination) -> None:
        self._gate = gate
        self.to = to
        self._sent: str | None = None

    def send(self) -> None:
        head = self._gate.newest()
        if head is None or head.note == self._sent:
            return
        try:
            self.to.send(head.note)
        except NotSent as error:
            log.error("checkpoint-not-sent", extra={"error": str(error)})  # noqa: TRY400
        else:
            self._sent = head.note


def _post(outbox: Outbox | None, clock: Callable[[], datetime]) -> Callable[[str, str], None]:
    def post(to: str, note: str) -> None:
        if outbox is not None:
            outbox.put(Letter(to, _SUBJECT, f"{_TEXT}{note}"), clock())

    return post
