# SPDX-License-Identifier: EUPL-1.2
"""The servers that are measured, all running side by side before one upstream, each on its own port."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.machine import cores, is_pinned, pinned
from support.nginx import proxy, upstream
from support.raw import Answer, exchange
from support.servers import Process, accepts, free_port

if TYPE_CHECKING:
    from contextlib import ExitStack

    from bench.world import World

PAGE_BYTES = 300
LARGE_BYTES = 65_536
DOWNLOAD_BYTES = 50 * 1024 * 1024

# What nginx needs so as not to be held back by its 8 buffers of 8 KiB on larger answers.
_TUNED = "proxy_buffer_size 64k; proxy_buffers 8 64k; proxy_busy_buffers_size 128k;"


@dataclass(frozen=True, slots=True)
class Server:
    """One server under test. `headers`: what a request to it needs (the session of the one who is signed in)."""

    name: str
    process: Process
    port: int
    headers: dict[str, str] = field(default_factory=lambda: {"Host": "bench"})

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """One request on a connection of its own."""
        fields = [f"{name}: {value}" for name, value in (self.headers if headers is None else headers).items()]
        request = "\r\n".join([f"GET {path} HTTP/1.1", *fields, "Connection: close", "", ""])
        return exchange(self.port, request.encode()).answers()[0]


def start_origin(stack: ExitStack, folder: Path) -> int:
    """The upstream, pinned beside the load; gives its port."""
    origin, port = upstream(folder / "origin", _origin_locations(), before=pinned(cores()[1]))
    site = folder / "origin" / "www"
    (site / "s64").write_bytes(b"x" * LARGE_BYTES)
    with (site / "download").open("wb") as file:
        file.truncate(DOWNLOAD_BYTES)
    stack.enter_context(origin)
    return port


def start_nginx(stack: ExitStack, folder: Path, origin: int, name: str) -> Server:
    """`nginx` as Debian ships it, or `nginx-tuned` with larger buffers."""
    extra = _TUNED if name == "nginx-tuned" else ""
    process, port = proxy(folder / name, origin, extra=extra, before=pinned(cores()[0]))
    return Server(name, stack.enter_context(process), port)


def check_pinned(servers: list[Server]) -> None:
    """A server that shares the core of the load would be measured slower, or cheaper, than it is."""
    for server in servers:
        if not is_pinned(server.process.pid, cores()[0]):
            raise RuntimeError(f"{server.name} is not held to core {cores()[0]}")


def start_herse(stack: ExitStack, folder: Path, origin: int) -> tuple[Server, World]:
    """`herse serve` on plain HTTP, with somebody signed in."""
    from bench.world import HOST, make_world  # noqa: PLC0415  # nginx alone can be measured without a gateway

    world = make_world(folder / "herse", free_port(), origin)
    herse = Path(sys.executable).with_name("herse")
    command: list[str | Path] = [*pinned(cores()[0]), herse, "serve", "--config", world.settings]
    process = stack.enter_context(Process(command, world.folder, ready=accepts(world.port), name="herse"))
    server = Server("herse", process, world.port, world.headers)
    _prove(server, {"Host": HOST})
    return server, world


def _prove(server: Server, stranger: dict[str, str]) -> None:
    """Signed in it serves the upstream's page, anonymous it does not: otherwise there is nothing to measure."""
    served, refused = server.get("/s"), server.get("/s", stranger)
    if served.status != 200 or len(served.body) != PAGE_BYTES:
        raise RuntimeError(f"signed in, {server.name} answered {served}\n{server.process.output()}")
    if refused.status == 200 or served.body in refused.body:
        raise RuntimeError(f"to a stranger, {server.name} answered {refused}")


def _origin_locations() -> str:
    text = '{"page":"' + "a" * (PAGE_BYTES - len('{"page":""}')) + '"}'
    answer = f"default_type application/json; return 200 '{text}';"
    files = "sendfile on; open_file_cache max=10;"
    return f"location = /s {{ {answer} }} location /infopatient/ {{ {answer} }} location / {{ {files} }}"
