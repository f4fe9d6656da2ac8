# SPDX-License-Identifier: EUPL-1.2
"""The scripts that Redis runs, one atomic act each, and what their answers mean as an Outcome."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from gateway.metering.look import Outcome
from gateway.metering.redis_plan import unpack
from gateway.metering.redis_wire import Script
from gateway.model import Effect, Quota

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.metering.redis_plan import Part
    from gateway.metering.redis_wire import Word
    from gateway.model import Budget


def _script(name: str) -> Script:
    return Script((Path(__file__).parent / name).read_text(encoding="ascii"))


SETTLE: Final = _script("redis_settle.lua")
CLOSE: Final = _script("redis_close.lua")
EPOCH: Final = _script("redis_epoch.lua")
SCRIPTS: Final = (SETTLE, CLOSE, EPOCH)

ASKS, HITS, MISSES = 0, 1, 2
"""The modes of a hit: nothing is counted, a look-up is, a number that is none is."""

_EFFECTS: Final = (Effect.PERMIT, Effect.CHALLENGE, Effect.DENY, Effect.CHALLENGE)


class Answer(NamedTuple):
    """What a hit says of one part; see the end of redis_hit.lua. `taken` and `drawn` are for SETTLE."""

    verdict: int
    place: int
    packed: bytes
    wait: int
    now: int
    new: int
    account_saw: bytes
    closed: int
    quotas: Sequence[Sequence[int]]
    alerts: Sequence[int]
    observed: Sequence[int]
    delays: Sequence[int]
    taken: Sequence[tuple[Word, Word, Word, Word]]
    drawn: Sequence[tuple[int, bytes, bytes]]

    @property
    def refuses(self) -> bool:
        """Whether a budget refuses; a session that has moved is another matter."""
        return self.verdict in {1, 2}


def answer_of(reply: object) -> Answer:
    """Redis's reply, named."""
    return Answer(*cast("list[int]", reply))  # type: ignore[arg-type]  # fourteen of them, as the script returns


def refusing_budget(part: Part, answer: Answer) -> Budget | None:
    """The budget that refuses: of this part, or one of another teleservice that closed this one."""
    if not answer.refuses:
        return None
    return part.budgets[answer.place - 1] if answer.place else unpack(answer.packed)


def outcome_of(answers: Sequence[tuple[Part, Answer]], reserved: object) -> Outcome:
    """All parts together. Of several that refuse, a DENY wins, then the longest wait, then the first."""
    first = answers[0][1]
    part, told = max(answers, key=lambda one: (one[1].refuses, one[1].verdict == 2, one[1].wait))  # noqa: PLR2004
    refuses = told.refuses
    quotas = tuple(
        Quota(part.budgets[index - 1], part.budgets[index - 1].people - count, reset)
        for part, answer in answers
        for index, count, reset in answer.quotas
    )
    permits = not refuses and first.verdict == 0
    return Outcome(
        _EFFECTS[told.verdict if refuses else first.verdict],
        refusing_budget(part, told),
        quotas,
        told.wait if refuses else None,
        max((one.delay.total_seconds() for one in _named(answers, "delays")), default=0.0) if permits else 0.0,
        _named(answers, "alerts"),
        _named(answers, "observed"),
        new=bool(first.new),
        reserved=reserved if permits else None,
    )


def _named(answers: Sequence[tuple[Part, Answer]], what: str) -> tuple[Budget, ...]:
    return tuple(part.budgets[index - 1] for part, answer in answers for index in getattr(answer, what))
