# SPDX-License-Identifier: EUPL-1.2
"""Two processes that race for one secret, many threads each: how often each outcome came."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import gateway


def race(database: Path, *arguments: str) -> Counter[str]:
    """Run `racer.py` with these arguments twice at once; outcomes by their words."""
    racer = [sys.executable, str(Path(__file__).with_name("racer.py")), str(database)]
    environment = {**os.environ, "PYTHONPATH": str(Path(gateway.__file__).parents[1])}
    racers = [
        subprocess.Popen(
            [*racer, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        for _ in range(2)
    ]
    for one in racers:
        if one.stdout is None or one.stdout.readline() != "ready\n":
            raise RuntimeError("a racer is not ready")
    for one in racers:
        if one.stdin is not None:
            one.stdin.write("go\n")
            one.stdin.flush()
    return Counter(" ".join(one.communicate(timeout=60)[0] for one in racers).split())
