# SPDX-License-Identifier: EUPL-1.2
"""What tests of `herse incident` have in common: the accounts, the interval, the officer's password, a list as read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

OTHER = "130005671"
SPAN = ("--from", "2026-11-20T12:00Z", "--to", "2026-11-21T12:00Z")
PASSWORD = "a password of the officer"


def numbers(path: Path) -> list[str]:
    """Of a list as JSON Lines."""
    return [json.loads(line)["nir"] for line in path.read_text(encoding="utf-8").splitlines()]
