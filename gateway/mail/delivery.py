# SPDX-License-Identifier: EUPL-1.2
"""From the outbox to the courier, in the background: one letter at a time, with growing waits, for a day at most.

It looks as soon as a letter is put, and now and then for those whose wait is over. A letter that cannot be sent never
holds up the others for longer than one try takes. What happens is logged by counts and codes; never an address, never a
text.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from gateway.errors import HerseError
from gateway.mail.courier import NotSent, message_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from email.message import EmailMessage

    from gateway.mail.courier import Courier
    from gateway.mail.outbox import Outbox, Waiting

log = logging.getLogger(__name__)

FIRST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(hours=1)
GIVEN_UP_AFTER: Final = timedelta(hours=24)
LOOK_SECONDS: Final = 15.0
"""Between two looks while nothing is put: a wait that is over ends no later than that."""
SEND_SECONDS: Final = 60.0
"""For one whole try; a server that answers byte by byte is left then."""


class Delivery:
    """Sends what is in the outbox as `sender`; `clock` is the one clock of the gateway."""

    def __init__(
        self,
        outbox: Outbox,
        courier: Courier,
        sender: str,
        clock: Callable[[], datetime],
        *,
        send_seconds: float = SEND_SECONDS,
    ) -> None:
        self._outbox = outbox
        self._courier = courier
        self._sender = sender
        self._clock = clock
        self._send_seconds = send_seconds

    async def run(self, stop: asyncio.Event, look_seconds: float = LOOK_SECONDS) -> None:
        """Send what is due, until `stop`. A letter at work then is left: it stays in the outbox."""
        loop, put = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(put.set)

        self._outbox.on_put(wake)
        while not stop.is_set():
            put.clear()
            try:
                more = await self.send_one(stop)
            except sqlite3.Error as error:
                log.error("outbox-unreadable", extra={"error": type(error).__name__})  # noqa: TRY400  # values stay out
                more = False
            if not more:
                await _either(stop, put, look_seconds)

    async def send_one(self, stop: asyncio.Event) -> bool:
        """Try the letter whose turn it is; False if none is due."""
        waiting = self._outbox.due(self._clock())
        if waiting is None:
            return False
        try:
            letter = self._outbox.open(waiting)
            await self._hand_over(message_of(letter, self._sender, waiting.reference, waiting.put_at), stop)
        except NotSent as error:
            if not stop.is_set():
                self._not_sent(waiting, error.why, final=error.final)
        except HerseError as error:  # it does not open, or is none any more: perhaps under another key
            self._not_sent(waiting, type(error).__name__, final=False)
        else:
            self._outbox.remove(waiting)
            log.info("letter-sent", extra={"tries": waiting.tries + 1})
        return True

    async def _hand_over(self, message: EmailMessage, stop: asyncio.Event) -> None:
        """Run the courier in a thread; when its time is over, or at `stop`, hang up and wait for its end."""
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # A thread that nobody waits for at the end of the process: a name server that hangs must not hold up a stop.
        threading.Thread(target=_work, args=(self._courier, message, ended), daemon=True).start()
        stopping: asyncio.Future[Any] = asyncio.ensure_future(stop.wait())
        try:
            both: set[asyncio.Future[Any]] = {ended, stopping}
            await asyncio.wait(both, timeout=self._send_seconds, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                self._courier.hang_up()
                await asyncio.wait({ended}, timeout=1.0)
        finally:
            stopping.cancel()
        if not ended.done():
            raise NotSent("too slow")
        ended.result()

    def _not_sent(self, waiting: Waiting, why: str, *, final: bool) -> None:
        now, tries = self._clock(), waiting.tries + 1
        told = {"tries": tries, "why": why}
        if final or now - waiting.put_at >= GIVEN_UP_AFTER:
            log.error("letter-given-up", extra=told)
            self._outbox.remove(waiting)
            return
        wait = min(FIRST_WAIT * 2 ** min(waiting.tries, 10), LONGEST_WAIT)
        log.warning("letter-not-sent", extra={**told, "again_in_seconds": int(wait.total_seconds())})
        self._outbox.put_off(waiting, now + wait)


def _work(courier: Courier, message: EmailMessage, ended: asyncio.Future[None]) -> None:
    loop = ended.get_loop()
    try:
        courier.send(message)
    except NotSent as error:
        fault: Exception | None = error
    except Exception as error:  # noqa: BLE001  # whatever it is, the letter waits on
        fault = NotSent(type(error).__name__)
    else:
        fault = None
    try:
        loop.call_soon_threadsafe(_end, ended, fault)
    except RuntimeError:  # the loop is closed: nobody waits any more
        return


def _end(ended: asyncio.Future[None], fault: Exception | None) -> None:
    if ended.cancelled():
        return
    if fault is None:
        ended.set_result(None)
    else:
        ended.set_exception(fault)
        ended.exception()  # it may come after everybody has left


async def _either(one: asyncio.Event, other: asyncio.Event, seconds: float) -> None:
    """Until one of both is set, for so long at most."""
    waits = [asyncio.ensure_future(event.wait()) for event in (one, other)]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
