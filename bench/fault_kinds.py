# SPDX-License-Identifier: EUPL-1.2
"""What may end or fail under a gateway, each with its name: which database it is for, how it is done, what is due then.

Real things alone: signals, libfiu in the processes of the gateway, disks without room, a server that ends. Never here:
what is looked at afterwards (`faults`).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from support.servers import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.crew import Crew
    from support.lookups import Demo
    from support.postgres import PostgresServer
    from support.small_disk import SmallDisk

SQLITE, POSTGRESQL, BOTH = "sqlite", "postgresql", "both"
_APPENDER: Final = "select pid from pg_stat_activity where query like 'with held%'"
_MOVE_IN: Final = 'cp -a "$1/." "$2" && mount --bind "$2" "$1"'
_TRIES: Final = 100


class World:
    """What one gateway stands on."""

    def __init__(self, demo: Demo, disk: SmallDisk, server: PostgresServer | None) -> None:
        self.demo, self.disk = demo, disk
        self._server = server
        self._mend: Callable[[], object] = lambda: None
        self._moved = False
        self.crew: Crew

    @property
    def server(self) -> PostgresServer:
        """The one that there is."""
        if self._server is None:
            raise RuntimeError("this fault is one of PostgreSQL")
        return self._server

    @property
    def control(self) -> str:
        """Where libfiu listens in each process."""
        return str(self.demo.house.folder / "fiu")

    def mend(self) -> None:
        """Undo the fault, once."""
        act, self._mend = self._mend, lambda: None
        act()

    def until_mended(self, act: Callable[[], object]) -> None:
        """How this fault is undone."""
        self._mend = act

    def move_in(self) -> tuple[str, ...]:
        """Let the state folder lie on the small disk, for whoever is started by the prefix that this gives."""
        state = self.demo.house.ledger_file.parent
        words = [*self.disk.prefix, "sh", "-c", _MOVE_IN, "sh", str(state), str(self.disk.path)]
        subprocess.run(words, check=True, timeout=30)
        self._moved = True
        return self.disk.prefix

    def carry_out(self) -> None:
        """What was left on the small disk, to where there is room."""
        if self._moved:
            for left in self.disk.inside().glob("*.db*"):
                shutil.copy2(left, self.demo.house.ledger_file.parent / left.name)


@dataclass(frozen=True)
class Kind:
    """One fault. `stops`: nothing is disclosed any more until a start; `goes_on`: who ended is back in a moment.

    `small`: what of PostgreSQL lies on the small disk.
    """

    name: str
    database: str
    act: Callable[[World], object]
    stops: bool = False
    goes_on: bool = False
    workers: tuple[int, ...] = (1, 2)
    prefix: Callable[[World], tuple[str, ...]] = lambda _: ()
    small: str = ""


def _killed(number: int) -> Callable[[World], None]:
    return lambda world: world.crew.kill_worker(number)


def _supervisor(world: World) -> None:
    os.kill(world.crew.pid, signal.SIGKILL)
    world.crew.wait(30)


def _failing(point: str) -> Callable[[World], None]:
    """Fails from now on in the process that appends most likely: the last one."""

    def act(world: World) -> None:
        pid = str(max(world.crew.pids().items())[1])

        def steer(order: str) -> None:
            subprocess.run(["fiu-ctrl", "-f", world.control, "-c", order, pid], check=True, timeout=30)

        steer(f"enable name={point}")
        world.until_mended(lambda: steer(f"disable name={point.partition(',')[0]}"))

    return act


def _fiu(world: World) -> tuple[str, ...]:
    return "fiu-run", "-x", "-f", world.control


def _full(world: World) -> None:
    world.disk.fill()
    world.until_mended(world.disk.empty)


def _log_full(world: World) -> None:
    """The server gives up by itself."""
    world.disk.fill()

    def mend() -> None:
        world.disk.empty()
        world.server.kill()
        world.server.start()

    world.until_mended(mend)


def _ended(how: Callable[[PostgresServer], object]) -> Callable[[World], None]:
    def act(world: World) -> None:
        how(world.server)
        world.until_mended(world.server.start)

    return act


def _backend(world: World, ending: Callable[[int], object]) -> None:
    """End one process of the server's, in the middle of an append where it can be met."""
    for _ in range(_TRIES):
        if found := world.server.ask("postgres", _APPENDER):
            ending(int(found[0][0]))
            return
    raise RuntimeError("nobody appends")


def _backend_killed(world: World) -> None:
    """The server then throws everybody out, and recovers."""
    _backend(world, lambda pid: os.kill(pid, signal.SIGKILL))
    world.until_mended(lambda: wait_until("the server is back", world.server.answers, 60))


def _backend_terminated(world: World) -> None:
    _backend(world, lambda pid: world.server.ask("postgres", f"select pg_terminate_backend({pid})"))


def _both(name: str, act: Callable[[World], object], **words: bool | tuple[int, ...]) -> list[Kind]:
    return [Kind(f"{one} {name}", one, act, **words) for one in (SQLITE, POSTGRESQL)]  # type: ignore[arg-type]


FAULTS: Final = {
    kind.name: kind
    for kind in (
        *_both("all killed", lambda world: world.crew.kill()),
        *_both("supervisor killed", _supervisor, workers=(2,)),
        *_both("worker killed", _killed(1), workers=(2,), goes_on=True),
        *_both("desk killed", _killed(0), workers=(2,), goes_on=True),
        Kind("sqlite fsync EIO", SQLITE, _failing("posix/io/sync/fdatasync,failinfo=5"), stops=True, prefix=_fiu),
        Kind("sqlite write EIO", SQLITE, _failing("posix/io/rw/pwrite,failinfo=5"), stops=True, prefix=_fiu),
        Kind("sqlite write ENOSPC", SQLITE, _failing("posix/io/rw/pwrite,failinfo=28"), stops=True, prefix=_fiu),
        Kind("sqlite disk full", SQLITE, _full, stops=True, prefix=World.move_in),
        Kind("postgresql stopped", POSTGRESQL, _ended(lambda server: server.stop()), stops=True),
        Kind("postgresql ended at once", POSTGRESQL, _ended(lambda server: server.end_at_once()), stops=True),
        Kind("postgresql killed", POSTGRESQL, _ended(lambda server: server.crash()), stops=True),
        Kind("postgresql backend killed", POSTGRESQL, _backend_killed, stops=True),
        Kind("postgresql backend ended", POSTGRESQL, _backend_terminated, stops=True),
        Kind("postgresql tables full", POSTGRESQL, _full, stops=True, small="tables"),
        Kind("postgresql log full", POSTGRESQL, _log_full, stops=True, small="log"),
    )
}
"""By their names."""
