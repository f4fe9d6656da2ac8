# SPDX-License-Identifier: EUPL-1.2
"""The portal's answer where it may show many people: read as it comes, released record by record.

Nothing behind the last complete record leaves, and no record before its people were let go by the gate (metered, and
durably on record). One question at a time: meanwhile the portal is held back, so that at most one read is waiting. An
answer without records is held whole, up to a limit. What cannot be let go ends in a cut that looks like one: the length
the portal announced stays, the rest never comes.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, TypeVar

from gateway.errors import Refused, UnreadableError
from gateway.model import Reason
from gateway.model.unread import Unread
from gateway.pending import Pending
from gateway.upstream.answer import Answer
from gateway.upstream.exchange import DisconnectedError
from gateway.upstream.scanned_gate import Ending

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.upstream.answer import WholeAnswer
    from gateway.upstream.exchange import Client, Flow
    from gateway.upstream.scanned_gate import Gate, Read, Records

T = TypeVar("T")


class ScannedAnswer:
    """Stands for the portal's answer before the hallway, and for the client before the portal's answer.

    First `begin`, then, if that gives True, `relay`; or `discard`.
    """

    upgraded = False

    def __init__(
        self, answer: Answer | WholeAnswer, records: Records, gate: Gate, hold_bytes: int, unread: Unread | None = None
    ) -> None:
        self.status = answer.status
        self.lines = answer.lines
        self.flow: Flow | None = None  # the answer sets it; it is driven by name here
        self.ended: Callable[[], None] | None = None
        self._answer = answer
        self._records = records
        self._gate = gate
        self._hold_bytes = hold_bytes
        self._unread = Unread.KIND if unread is None and answer.upgraded else unread
        self._begun: Pending[bool] = Pending()
        self._client: Client | None = None
        self._length: int | None = None
        self._held = bytearray()  # what came and may not leave yet
        self._passed = 0  # how much of the stream stood before it
        self._ready = bytearray()  # what may leave, but has nowhere to go before `relay`
        self._queue: list[Read] = []
        self._found: dict[str, None] = {}
        self._asking = self._turning = self._slow = self._paused = False
        self._whole = self._broken = self._read_to_end = False  # what is known of the portal's side
        self._started = self._passing = False  # `_passing`: nothing is read any more
        self._ending: Ending | None = None

    @property
    def goes_on(self) -> bool:
        """Whether it has not ended yet, one way or another."""
        return self._ending is None

    # the hallway's side

    def begin(self, client: Client) -> Pending[bool]:
        """Read until something may leave; False if nothing may.

        Fails with PORTAL_ANSWER_INVALID if the answer broke, with DisconnectedError if the client left, or as the gate.
        """
        client.flow = self
        if self._unread is None or not isinstance(self._answer, Answer):
            self._read_answer()
        self._turn()
        return self._begun

    def relay(self, client: Client, lines: bytes) -> None:
        """Let go what may leave, with these lines, and then the rest as it may."""
        if self._ending is Ending.BROKEN or not self._begun.done:
            raise Refused(Reason.PORTAL_ANSWER_INVALID)
        if self._ending is Ending.LEFT:
            return
        self._client = client
        client.flow = self
        ready, self._ready = bytes(self._ready), bytearray()
        done = self._ending is Ending.WHOLE
        length = self._length
        if length is None and self._whole and not done:
            length = self._passed + len(self._held)  # all of it is here, so a part of it can be told from the whole
        client.start(self.status, lines, length, ready, done)
        if self._ending is Ending.CUT:
            client.abort()
        self._turn()

    def discard(self) -> None:
        """Never let it go."""
        self._end(Ending.LEFT)

    # what the client says while it takes the answer

    def pause(self) -> None:
        """Hold the portal back: the client is slow."""
        self._slow = True
        self._regulate()

    def resume(self) -> None:
        """Let the portal go on."""
        self._slow = False
        self._regulate()

    def cancel(self) -> None:
        """Drop the rest: the client went away."""
        self._end(Ending.LEFT, DisconnectedError())

    # the portal's side: what an answer asks of its client

    def start(self, status: int, lines: bytes, length: int | None, first: bytes, complete: bool) -> None:  # noqa: ARG002
        """Hear how long the answer is, and its first piece."""
        self._length = length
        self._whole = complete
        self._take(first)

    def send(self, data: bytes) -> None:
        """Take the next piece."""
        self._take(data)
        self._turn()

    def finish(self) -> None:
        """Hear that the answer is whole."""
        self._whole = True
        self._turn()

    def abort(self) -> None:
        """Hear that the rest will never come: what is complete by now may still leave, and then a cut."""
        self._broken = True
        self._turn()

    def switch(self, lines: bytes, receiver: Callable[[bytes], None]) -> None:  # noqa: ARG002  # a tunnel is not read
        """Never."""
        raise Refused(Reason.PORTAL_ANSWER_INVALID)

    def hold(self, yes: bool) -> None:
        """Nothing: there is no tunnel."""

    # reading and asking

    def _read_answer(self) -> None:
        self._started = True
        try:
            self._answer.relay(self, b"")
        except Refused:
            self._broken = True
        self._paused = False  # the answer let the portal go on

    def _take(self, data: bytes) -> None:
        self._held += data
        if self._unread is None:
            self._known(self._records.feed, data)

    def _known(self, read: Callable[..., Sequence[Read]], *piece: bytes) -> None:
        try:
            self._queue += read(*piece)
        except UnreadableError as error:
            self._unread = error.why

    def _turn(self) -> None:
        """Go on as far as it goes; what is answered at once goes round here, never deeper."""
        if self._turning:
            return
        self._turning = True
        while self._ending is None and not self._asking and self._step():
            pass
        self._turning = False
        self._regulate()

    def _step(self) -> bool:
        """One step; False if there is nothing to do before more comes."""
        if self._passing:
            return self._pass_on()
        if self._queue and not self._early():
            self._ask_release()
        elif self._whole and not (self._held or self._passed):  # nothing to read, whatever it says to be
            self._end(Ending.WHOLE)
        elif self._unread is not None:
            self._ask(self._gate.unread(self._unread), self._judged)
        elif self._broken:
            self._end(Ending.BROKEN, Refused(Reason.PORTAL_ANSWER_INVALID))
        elif self._whole and self._read_to_end:
            self._end(Ending.WHOLE)
        elif self._whole:
            self._read_to_end = True
            self._known(self._records.finish)
        elif len(self._held) > self._hold_bytes:
            self._unread = Unread.TOO_LARGE
        else:
            return False
        return True

    def _early(self) -> bool:
        """Whether nobody is shown yet: what stands before the first waits for him, since a page may come instead."""
        nobody = self._client is None and not self._passed and not any(people for people, _ in self._queue)
        return nobody and not (self._whole or self._broken or self._unread) and len(self._held) <= self._hold_bytes

    def _ask_release(self) -> None:
        queue, self._queue = self._queue, []
        fresh = list(dict.fromkeys(one for people, _ in queue for one in people if one not in self._found))
        self._found.update(dict.fromkeys(fresh))
        if not fresh:
            self._emit(queue[-1][1])
            return
        self._ask(self._gate.release(fresh), lambda granted: self._released(queue, fresh, granted))

    def _released(self, queue: list[Read], fresh: list[str], granted: int) -> None:
        if granted >= len(fresh):
            self._emit(queue[-1][1])
            return
        if granted or self._passed:
            refused = frozenset(fresh[granted:])
            leaving = takewhile(lambda one: refused.isdisjoint(one[0]), queue)
            self._emit(max((behind for _, behind in leaving), default=self._passed))
        self._end(Ending.CUT)

    def _judged(self, passes: bool) -> None:
        if not passes:
            self._end(Ending.CUT)
            return
        self._passing = True
        if not self._started:
            self._read_answer()

    def _ask(self, asked: Pending[T], then: Callable[[T], None]) -> None:
        self._asking = True

        def answered() -> None:
            if self._ending is None:
                try:
                    then(asked.result())
                except Exception as error:  # noqa: BLE001  # a gate that fails, however it fails, is shut
                    self._end(Ending.CUT, error)
            self._asking = False  # not before: letting go calls the hallway, and that `relay`
            self._turn()

        asked.on_done(answered)

    def _pass_on(self) -> bool:
        if self._held:
            self._emit(self._passed + len(self._held))
        elif self._whole or self._broken:
            self._end(Ending.WHOLE if self._whole else Ending.BROKEN)
        else:
            return False
        return True

    # letting go

    def _emit(self, end: int) -> None:
        """Let go of the stream up to `end`."""
        part = self._held[: end - self._passed]
        if not part:
            return
        del self._held[: len(part)]
        self._passed = end
        if self._client is None:
            self._ready += part
            self._begun.resolve(True)
        else:
            self._client.send(bytes(part))

    def _end(self, ending: Ending, error: Exception | None = None) -> None:
        if self._ending is not None:
            return
        self._ending = ending
        if ending is not Ending.WHOLE:
            self._answer.discard()
        self._gate.ended(frozenset(self._found), ending, left=self._passed > 0)
        if self._client is not None and ending is not Ending.LEFT:
            (self._client.finish if ending is Ending.WHOLE else self._client.abort)()
        if error is not None:
            self._begun.fail(error)
        self._begun.resolve(ending is Ending.WHOLE)

    def _regulate(self) -> None:
        """Hold the portal back while the client is slow, the gate is asked, or nothing may go anywhere yet."""
        answer = self._answer
        pause = self._slow or self._asking or (self._client is None and self._begun.done)
        if pause != self._paused and isinstance(answer, Answer):
            self._paused = pause
            if pause:
                answer.pause()
            elif self._ending is None:
                answer.resume()
