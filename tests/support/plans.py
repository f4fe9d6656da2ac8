# SPDX-License-Identifier: EUPL-1.2
"""How a database would answer what was really asked of it: the statements of a block, each explained as it was sent."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.ledger.engine import Database


@contextmanager
def explained(database: Database) -> Iterator[list[str]]:
    """The plan of each query that this database is asked inside, there once the block is left."""
    asked: list[tuple[str, Any]] = []
    plans: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if statement.lower().startswith(("select", "with")):
            asked.append((statement, parameters))

    sa.event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield plans
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", note)
    explain = "explain query plan" if database.is_file else "explain"
    with database.reading() as connection:
        for statement, parameters in asked:
            found = connection.exec_driver_sql(f"{explain} {statement}", parameters)
            plans.append("\n".join(str(one[-1]) for one in found))
