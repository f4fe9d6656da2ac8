# SPDX-License-Identifier: EUPL-1.2
"""The version of a ledger's tables: which one is found, and the way from an older one to this one's.

Alembic is loaded only where there is a way to go: a start that finds the newest version does without.
"""

from __future__ import annotations

import logging
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gateway.errors import StartError

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

VERSIONS: Final = ("0001", "0002")
"""All there were, oldest first; held against the files of `migrations` by a test."""
NEWEST: Final = VERSIONS[-1]
NOTHING: Final = "none"
"""The version of a database in which no ledger was made yet."""

_BEFORE_ALEMBIC: Final = {"4": "0001"}
_FOLDER: Final = Path(__file__).parent / "migrations"


def found_version(connection: Connection, name: str) -> str:
    """The version of the tables that are there, or NOTHING; StartError if it is none that this Herse knows."""
    there = set(sa.inspect(connection).get_table_names())
    if "alembic_version" in there:
        found = ", ".join(connection.execute(sa.text("select version_num from alembic_version")).scalars()) or NOTHING
    elif "meta" in there:
        found = ", ".join(map(str, connection.execute(sa.text("select schema_version from meta")).scalars())) or NOTHING
        found = _BEFORE_ALEMBIC.get(found, found)
    elif "event" in there:
        found = "unnamed"
    else:
        return NOTHING
    if found not in VERSIONS:
        raise StartError(
            f"{name} has schema version {found}; this Herse knows versions {VERSIONS[0]} to {NEWEST}: start the "
            "version of Herse that wrote it, or a newer one"
        )
    return found


def demand_newest(found: str, name: str) -> None:
    """StartError for an older version, where it is not ours to change."""
    if found != NEWEST:
        raise StartError(
            f"{name} has schema version {found}; expected {NEWEST}, to which `herse serve` brings it when it starts: "
            "stop all that runs on it, then start anew"
        )


def migrate(connection: Connection, found: str) -> None:
    """Bring the tables from this version to the newest, in the transaction that is open; who began it commits it."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    command: Any = import_module("alembic.command")
    config: Any = import_module("alembic.config").Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    if found != NOTHING:
        command.stamp(config, found)
    command.upgrade(config, NEWEST)
