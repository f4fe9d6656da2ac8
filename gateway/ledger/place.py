# SPDX-License-Identifier: EUPL-1.2
"""Where a ledger is: a file, or a database of a PostgreSQL server. The address alone; nobody connects here.

A password never prints: it is left out of every text an address gives of itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """A database, and as whom we come. `host` is a name, an address, or the folder of a Unix socket."""

    host: str
    database: str
    port: int = 5432
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    authority: Path | None = None
    """PEM file of who signed the server's certificate; None: the system's authorities."""

    def __str__(self) -> str:
        return f"postgresql://{self.host}:{self.port}/{self.database}"


Place: TypeAlias = Path | PostgresAddress
