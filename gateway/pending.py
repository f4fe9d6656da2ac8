# SPDX-License-Identifier: EUPL-1.2
"""A value that is not there yet, and the driver that walks a coroutine over such values.

The hallway reads as straight `await` lines, yet costs no asyncio task: `start` runs a coroutine at once and, where it
awaits a `Pending`, goes on from inside `resolve`, without another turn of the event loop. Only `Pending` may be awaited
in such a coroutine. From ordinary asyncio code use `await pending.wait()`.

Nothing here is thread-safe: a writer thread hands its results over with `loop.call_soon_threadsafe`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

T = TypeVar("T")


class Pending(Generic[T]):
    """Resolved or failed once; one waiter at most."""

    __slots__ = ("_callback", "_error", "_value", "done")

    def __init__(self) -> None:
        self.done = False
        self._value: T | None = None
        self._error: BaseException | None = None
        self._callback: Callable[[], None] | None = None

    def resolve(self, value: T) -> None:
        """Give the value. A second outcome is ignored: the first one stands."""
        if not self.done:
            self.done = True
            self._value = value
            if self._callback is not None:
                self._callback()

    def fail(self, error: BaseException) -> None:
        """Give an exception that the waiter will see raised."""
        if not self.done:
            self.done = True
            self._error = error
            if self._callback is not None:
                self._callback()

    def on_done(self, callback: Callable[[], None]) -> None:
        """Call back once there is an outcome (at once if there is one)."""
        if self.done:
            callback()
        else:
            self._callback = callback

    def result(self) -> T:
        """The value, or the exception raised; only after `done`."""
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # done and no error: the value is there

    def __await__(self) -> Generator[Pending[Any], None, T]:
        if not self.done:
            yield self
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # as in `result`

    async def wait(self) -> T:
        """For asyncio code: wait in the running loop."""
        if not self.done:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

            def wake() -> None:
                if not future.done():
                    future.set_result(None)

            self.on_done(wake)
            await future
        return self.result()


def start(walk: Coroutine[Pending[Any], None, T], ended: Callable[[BaseException | None], None]) -> None:
    """Walk a coroutine to its end, now or from inside the `Pending`s it awaits; then `ended(error or None)`."""
    _Walker(walk, ended).step()


class _Walker:
    """Steps one coroutine. An object: a closure that names itself is garbage that only the collector finds."""

    __slots__ = ("_ended", "_walk")

    def __init__(self, walk: Coroutine[Pending[Any], None, Any], ended: Callable[[BaseException | None], None]) -> None:
        self._walk = walk
        self._ended = ended

    def step(self) -> None:
        try:
            awaited = self._walk.send(None)
        except StopIteration:
            self._ended(None)
        except BaseException as error:  # noqa: BLE001  # the one place where a walk's failure is handed over
            self._ended(error)
        else:
            awaited._callback = self.step  # noqa: SLF001  # only what has no outcome yet is ever awaited
