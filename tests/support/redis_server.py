# SPDX-License-Identifier: EUPL-1.2
"""Redis servers as children: one, one with a replica and Sentinels, a Cluster of six; own ports and folders."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import redis

from support.servers import LOOPBACK, Process, accepts, free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SENTINEL_NAME = "counts"


class RedisServer(Process):
    """One redis-server. `options` are those of redis.conf, as words of the command line."""

    def __init__(self, folder: Path, *options: str, port: int | None = None, password: str | None = None) -> None:
        self.port = free_port() if port is None else port
        self._password = password
        command = ["redis-server", "--bind", LOOPBACK, "--port", str(self.port), "--dir", str(folder), *_quiet(options)]
        super().__init__(command, folder, ready=self._answers, name=f"redis-{self.port}")

    @property
    def url(self) -> str:
        """Its address, as in the settings."""
        return f"redis://{LOOPBACK}:{self.port}"

    def ask(self, *words: str | bytes | float) -> Any:
        """One command, on a connection of its own."""
        with redis.Redis(LOOPBACK, self.port, password=self._password, socket_timeout=5) as client:
            return client.execute_command(*words)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """SIGSTOP for as long as the block lasts: it is there, and says nothing."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def restart(self) -> None:
        """kill -9, and a new process at the same port and folder."""
        self.kill()
        self.start()

    def _answers(self) -> bool:
        with suppress(redis.ConnectionError, redis.TimeoutError):
            with suppress(redis.AuthenticationError):
                return bool(self.ask("PING"))
            return True
        return False


class Guarded:
    """A master, a replica and three Sentinels that watch them."""

    def __init__(self, folder: Path) -> None:
        words = "--min-replicas-to-write 1 --min-replicas-max-lag 1 --repl-ping-replica-period 1"
        both = (*words.split(), "--repl-diskless-sync-delay", "0")
        self.master = RedisServer(folder / "master", *both)
        self.replica = RedisServer(folder / "replica", *both, "--replicaof", f"{LOOPBACK} {self.master.port}")
        self.sentinels = [_sentinel(folder / f"sentinel{number}", self.master.port) for number in range(3)]
        self.url = f"redis+sentinel://{','.join(f'{LOOPBACK}:{port}' for _, port in self.sentinels)}/{SENTINEL_NAME}"

    @contextmanager
    def running(self) -> Iterator[Guarded]:
        """All five, ready to fail over."""
        with ExitStack() as stack:
            for server in (self.master, self.replica):
                stack.enter_context(server)
            wait_until("the replica is linked", lambda: b"up" in _line(self.replica, b"master_link_status"))
            wait_until("the master knows its replica", lambda: b"1" in _line(self.master, b"min_slaves_good_slaves"))
            for sentinel, _ in self.sentinels:
                stack.enter_context(sentinel)
            wait_until("the Sentinels know each other", self._agreed)
            yield self

    def _agreed(self) -> bool:
        for _, port in self.sentinels:
            with redis.Redis(LOOPBACK, port, socket_timeout=5, decode_responses=True) as client:
                told: Any = client.sentinel_master(SENTINEL_NAME)
            if (told["num-other-sentinels"], told["num-slaves"]) != (2, 1):
                return False
        return True


@contextmanager
def cluster(folder: Path) -> Iterator[list[RedisServer]]:
    """Three masters with a replica each; the masters come first."""
    with ExitStack() as stack:
        servers = []
        for number in range(6):
            bus = str(free_port())
            words = f"--cluster-enabled yes --cluster-port {bus} --cluster-node-timeout 1000"
            options = (*words.split(), "--repl-diskless-sync-delay", "0")
            servers.append(stack.enter_context(RedisServer(folder / str(number), *options)))
        hosts = [f"{LOOPBACK}:{server.port}" for server in servers]
        _create(hosts)
        wait_until("the Cluster is up", lambda: all(_up(server) for server in servers))
        masters = [server for server in servers if b"master" in _line(server, b"role")]
        replicas = [server for server in servers if server not in masters]
        linked = b"master_link_status"
        wait_until("replicas are linked", lambda: all(b"up" in _line(server, linked) for server in replicas))
        yield [*masters, *replicas]


def _quiet(options: Sequence[str]) -> list[str]:
    saves = () if "--save" in options or "--appendonly" in options else ("--save", "")
    return [*saves, "--loglevel", "notice", *options]


def _sentinel(folder: Path, watched: int) -> tuple[Process, int]:
    folder.mkdir(parents=True)
    port, settings = free_port(), folder / "sentinel.conf"
    settings.write_text(
        f"bind {LOOPBACK}\nport {port}\ndir {folder}\n"
        f"sentinel monitor {SENTINEL_NAME} {LOOPBACK} {watched} 2\n"
        f"sentinel down-after-milliseconds {SENTINEL_NAME} 1500\n"
        f"sentinel failover-timeout {SENTINEL_NAME} 5000\n",
        encoding="ascii",
    )
    return Process(["redis-sentinel", settings], folder, ready=accepts(port), name=f"sentinel-{port}"), port


def _create(hosts: Sequence[str]) -> None:
    command = ["redis-cli", "--cluster", "create", *hosts, "--cluster-replicas", "1", "--cluster-yes"]
    made = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if made.returncode != 0:
        raise RuntimeError(f"no Cluster was made\n{made.stdout}{made.stderr}")


def _up(server: RedisServer) -> bool:
    info, nodes = str(server.ask("CLUSTER", "INFO")), str(server.ask("CLUSTER", "NODES"))
    return ("cluster_state:ok" in info or "'cluster_state': 'ok'" in info) and "fail" not in nodes


def _line(server: RedisServer, name: bytes) -> bytes:
    """One value of INFO."""
    return str(server.ask("INFO").get(name.decode(), "")).encode()
