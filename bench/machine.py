# SPDX-License-Identifier: EUPL-1.2
"""What the kernel says: which cores there are, what a process and its descendants have used, what machine this is."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
# Fields of /proc/PID/stat after the name (proc(5)): parent, and user and system time with that of reaped children.
_PARENT, _TIMES = 1, slice(11, 15)


@cache
def cores() -> tuple[int, int]:
    """(one for the server under test, one for load and upstream): the same core twice on a machine that has one.

    Asked once: after this process has pinned itself, it would see its own core alone.
    """
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


def pinned(core: int) -> tuple[str, ...]:
    """What to put before a command."""
    return ("taskset", "--cpu-list", str(core))


def is_pinned(pid: int, core: int) -> bool:
    """Whether a process and all its descendants may run on this core alone."""
    return all(os.sched_getaffinity(one) == {core} for one in _family(pid))


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and all its descendants, the reaped ones too. Steal is not in it."""
    ticks = 0
    for one in _family(pid):
        fields = _stat(one)
        ticks += sum(map(int, fields[_TIMES])) if fields else 0
    return ticks / _TICKS_PER_SECOND


def rss_mib(pid: int) -> float:
    """Resident memory of a process and all its descendants. Pages they share count for each."""
    kib = 0
    for one in _family(pid):
        for line in _lines(Path(f"/proc/{one}/status")):
            if line.startswith("VmRSS:"):
                kib += int(line.split()[1])
    return kib / 1024


def describe(nginx: str) -> dict[str, str | int]:
    """What a reader must know to compare figures with those of another machine."""
    models = [line.partition(":")[2].strip() for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name")]
    asked = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=True)
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": os.cpu_count() or 1,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "nginx": asked.stderr.strip().rpartition("/")[2],
        **{name: version(name) for name in ("uvloop", "httptools", "uvicorn")},
    }


def _family(pid: int) -> list[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            parents[int(entry.name)] = int(fields[_PARENT])
    family = [pid]
    for member in family:  # it grows while it is walked
        family += [child for child, parent in parents.items() if parent == member]
    return family


def _stat(pid: int) -> list[str]:
    lines = _lines(Path(f"/proc/{pid}/stat"))
    return lines[0].rpartition(")")[2].split() if lines else []


def _lines(path: Path) -> list[str]:
    """Empty if the process is gone meanwhile."""
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
