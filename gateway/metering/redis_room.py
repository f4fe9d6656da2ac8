# SPDX-License-Identifier: EUPL-1.2
"""Places in Redis for people who are not known yet: look-ups of names that nobody has, all permitted or none.

They are asked all at once, so the way to Redis is gone once. Each place is a hit like any other: exact over all
workers, and handed in again if Redis loses it. Unlike in the process, a denial that lasts begins where so many do not
fit, and between a place that is left and the person who takes it another worker may come: he is refused then, so this
errs on the strict side.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from gateway.model import Effect
from gateway.pending import Pending, start

if TYPE_CHECKING:
    from gateway.metering.look import Look, Outcome
    from gateway.metering.redis import RedisMeter

_NAME_BYTES: Final = 16


def room(meter: RedisMeter, look: Look, people: int) -> Pending[Outcome]:
    """See MeterDoor; `reserved` is a list of the permitted hits."""
    answer: Pending[Outcome] = Pending()

    def ended(error: BaseException | None) -> None:
        if error is not None:
            answer.fail(error)

    start(_walk(meter, look, people, answer), ended)
    return answer


async def _walk(meter: RedisMeter, look: Look, people: int, answer: Pending[Outcome]) -> None:
    asked = [meter.hit(look._replace(pseudonym=secrets.token_bytes(_NAME_BYTES))) for _ in range(people)]
    held: list[Outcome] = []
    refused: Outcome | None = None
    failed: Exception | None = None
    for pending in asked:
        try:
            outcome = await pending
        except Exception as error:  # noqa: BLE001  # those that were permitted are given back first
            failed = error
            continue
        if outcome.effect is Effect.PERMIT:
            held.append(outcome)
        else:
            refused = outcome
    if failed is None and refused is None:
        answer.resolve(held[-1]._replace(reserved=held, quotas=(), alerts=(), observed=()))
        return
    for outcome in held:
        meter.give_back(outcome)
    if failed is not None:
        raise failed
    if refused is not None:
        answer.resolve(refused)


def leave(meter: RedisMeter, room: Outcome, places: int | None) -> None:
    """See MeterDoor."""
    held = room.reserved
    if isinstance(held, list):
        for _ in range(len(held) if places is None else min(places, len(held))):
            meter.give_back(held.pop())
