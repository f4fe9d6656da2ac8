# SPDX-License-Identifier: EUPL-1.2
"""npm's `oidc-provider` as a child: a certified provider that nobody here wrote. `npm ci` fills var/ once per lock."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.servers import LOOPBACK, Process, accepts
from support.sources import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).resolve().parent
FILES = ("package.json", "package-lock.json", ".npmrc", "provider.mjs")


def installed() -> Path:
    """A folder with the provider and everything it needs, by the lock; made if it is not there yet."""
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in FILES)).hexdigest()[:16]
    folder = ROOT / "var" / f"node-provider-{digest}"
    if not folder.exists():
        folder.parent.mkdir(exist_ok=True)
        making = Path(tempfile.mkdtemp(dir=folder.parent))
        for name in FILES:
            shutil.copy(HERE / name, making)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=making, check=True, capture_output=True, timeout=180)
        try:
            making.rename(folder)
        except OSError:  # another test process was faster
            shutil.rmtree(making)
    return folder


def node_provider(
    folder: Path,
    port: int,
    client: Mapping[str, Any],
    person: Mapping[str, str],
    environment: Mapping[str, str] | None = None,
) -> Process:
    """The provider on this port of loopback, with one client and one person."""
    configured = json.dumps({"client": client, "person": person})
    there = installed()
    # The node of the lock: the provider wants a newer one than Debian 12 has.
    command: list[str | Path] = [there / "node_modules/.bin/node", there / "provider.mjs", str(port), configured]
    return Process(command, folder, ready=accepts(port), environment=environment, name="node-provider", seconds=60)


def issuer(port: int) -> str:
    """What it calls itself."""
    return f"http://{LOOPBACK}:{port}"
