# SPDX-License-Identifier: EUPL-1.2
"""One sealed ledger that the tests of the second reader falsify, and how they hear what it says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from gateway.ledger.wrong import Wrong
from support.small_ledger import sealed_ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.ledger.leaf import Value
    from gateway.ledger.wrong import Finding

Entry: TypeAlias = "tuple[int | None, int, tuple[Value, ...] | None]"
LEDGER = sealed_ledger(600)
ROWS = list(LEDGER.entries())
LINES = LEDGER.lines()


def wrong_of(made: Callable[..., object], *arguments: Any, **told: Any) -> Wrong:
    with pytest.raises(Wrong) as found:
        made(*arguments, **told)
    return found.value


def finding(made: Callable[..., object], *arguments: Any, **told: Any) -> Finding:
    return wrong_of(made, *arguments, **told).finding


def with_row(number: int, row: tuple[Value, ...]) -> list[Entry]:
    return [*ROWS[:number], (number, ROWS[number][1], row), *ROWS[number + 1 :]]


def changed(number: int) -> tuple[Value, ...]:
    row = ROWS[number][2] or ()
    return (*row[:3], f"{row[3]!s}x", *row[4:])
