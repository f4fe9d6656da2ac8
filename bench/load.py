# SPDX-License-Identifier: EUPL-1.2
"""Full load by wrk: as many requests as the server answers on kept connections. A closed loop: its latency is that of
a saturated server, not what one person meets (see steady.py for that).
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from support.servers import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECTIONS = 32
_SCRIPT = Path(__file__).with_name("wrk.lua")


class LoadError(RuntimeError):
    """The server did not answer as it should have: a figure would mean nothing."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What wrk saw."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float


def full_load(
    port: int,
    path: str,
    headers: Mapping[str, str],
    seconds: float,
    *,
    least_bytes: int,
    people_from: int | None = None,
    before: tuple[str, ...] = (),
) -> Answered:
    """Load one server. LoadError on a refusal, a broken connection, or answers shorter than `least_bytes` on average.

    `people_from`: look up another person with each request, counted on from there; `path` is then not used.
    """
    command = [
        *before,
        "wrk",
        "--threads",
        "1",
        "--connections",
        str(CONNECTIONS),
        "--latency",
        "--script",
        str(_SCRIPT),
    ]
    command += ["--duration", f"{seconds:.0f}s", "--timeout", "10s"]
    for name, value in headers.items():
        command += ["--header", f"{name}: {value}"]
    command += [f"http://{LOOPBACK}:{port}{path}", "--"]
    command += ["page"] if people_from is None else ["lookup", str(people_from)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    result = next((line for line in run.stdout.splitlines() if line.startswith("RESULT ")), None)
    if run.returncode != 0 or result is None:
        raise LoadError(f"wrk failed\n{run.stdout}{run.stderr}")
    requests, microseconds, size, refused, broken, p50, p99 = map(float, result.split()[1:])
    if refused or broken or not requests or size / requests < least_bytes:
        raise LoadError(
            f"port {port} {path}: {requests:.0f} answers of {size / max(requests, 1):.0f} bytes on average, "
            f"{refused:.0f} refused, {broken:.0f} broken; expected all of {least_bytes} bytes or more\n{run.stdout}"
        )
    return Answered(int(requests), microseconds / 1e6, p50 / 1000, p99 / 1000)
