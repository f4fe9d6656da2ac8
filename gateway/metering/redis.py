# SPDX-License-Identifier: EUPL-1.2
"""Budgets counted in Redis, for several workers: one atomic script for a look-up, exact as in the process.

Whatever goes wrong with Redis (down, slow, full, read-only, failing over, emptied), nobody can tell how many people an
account has seen, so a metered look-up is refused (METER_UNAVAILABLE), and nothing is ever looser. A reservation whose
answer was lost stays taken. In a Cluster an account's budgets are one script still; those of a network and of a whole
teleservice are asked after it, elsewhere, and what they refuse is given back to it.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.errors import Refused
from gateway.metering.redis_plan import Plan, base_of, keys_of, name_of, pack, plan
from gateway.metering.redis_script import ASKS, CLOSE, HITS, MISSES, SETTLE, answer_of, outcome_of, refusing_budget
from gateway.metering.redis_wire import WireError
from gateway.metering.tally import microseconds
from gateway.model import Counts, Level, Reason, Scope
from gateway.pending import Pending, start

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gateway.metering.look import Look, Outcome
    from gateway.metering.redis_node import Node
    from gateway.metering.redis_nodes import Nodes
    from gateway.metering.redis_plan import Part
    from gateway.metering.redis_script import Answer
    from gateway.metering.redis_wire import Line, Word
    from gateway.model import Budget, Meter

_RECENT_SECONDS: Final = 5.0
"""For longer than it takes a worker to notice that its Redis is another one."""
_UNSETTLED_AT_MOST, _OWED_AT_MOST, _PLANS_AT_MOST = 20_000, 10_000, 4_000
_DAY_MILLISECONDS: Final = 86_400_000


class Took(NamedTuple):
    """What a hit took in one part: `taken` of each site, `drawn` in buckets."""

    part: Part
    keys: list[bytes]
    taken: Sequence[tuple[Word, Word, Word, Word]]
    drawn: Sequence[tuple[int, bytes, bytes]]


class Reserved(NamedTuple):
    """The places that one hit took, for `settle`, and to be handed in if Redis loses them."""

    number: int
    pseudonym: bytes
    took: list[Took]


class RedisMeter:
    """Budgets of different people, counted in Redis."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._together = not nodes.several
        nodes.meet = self._meet
        self._plans: dict[tuple[int, str, Level], Plan] = {}
        self._unsettled: dict[int, Reserved] = {}
        self._recent: deque[tuple[float, Reserved]] = deque()
        self._owed: deque[tuple[Took, bytes, bool]] = deque(maxlen=_OWED_AT_MOST)
        self._epochs: dict[bytes, bytes] = {}
        self._number = 0

    def hit(self, look: Look) -> Pending[Outcome]:
        """Ask and reserve in one act."""
        return self._begin(look, HITS)

    def missed(self, look: Look) -> Pending[Outcome]:
        """Count a number that is none."""
        return self._begin(look, MISSES)

    def settle(self, look: Look, outcome: Outcome, *, missed: bool) -> None:  # noqa: ARG002  # the door's
        """Tell how the portal answered what `hit` permitted; call it once the answer is on record."""
        reserved = outcome.reserved
        if not isinstance(reserved, Reserved) or self._unsettled.pop(reserved.number, None) is None:
            return
        if missed:
            for took in reserved.took:
                self._give_back(took, reserved.pseudonym, missed=True)
            return
        now = time.monotonic()
        self._recent.append((now, reserved))
        while self._recent[0][0] < now - _RECENT_SECONDS:
            self._recent.popleft()

    def give_back(self, outcome: Outcome) -> None:
        """Make a permitted hit undone: nobody was looked up, and nobody missed."""
        reserved = outcome.reserved
        if isinstance(reserved, Reserved) and self._unsettled.pop(reserved.number, None) is not None:
            for took in reserved.took:
                self._give_back(took, reserved.pseudonym, missed=False)

    def _begin(self, look: Look, mode: int) -> Pending[Outcome]:
        answer: Pending[Outcome] = Pending()

        def ended(error: BaseException | None) -> None:
            if isinstance(error, WireError):
                error = Refused(Reason.METER_UNAVAILABLE)
            if error is not None:
                answer.fail(error)

        start(self._walk(look, mode, answer), ended)
        return answer

    async def _walk(self, look: Look, mode: int, answer: Pending[Outcome]) -> None:
        planned = self._plan(look.meter, look.teleservice, look.subject.assurance.level)
        first = planned.parts[0]
        keys = self._keys(first, look)
        told = answer_of(await self._ask(look, planned.known, first, keys, mode=mode))
        answers, took = [(first, told)], [Took(first, keys, told.taken, told.drawn)]
        if len(planned.parts) > 1 and not (mode == MISSES and told.refuses):
            await self._elsewhere(look, planned, mode, answers, took)
        await self._close(look, answers)
        reserved = None
        if mode == HITS and all(one.verdict == 0 for _, one in answers):
            reserved = self._reserve(look.pseudonym, took)
        answer.resolve(outcome_of(answers, reserved))

    async def _elsewhere(
        self, look: Look, planned: Plan, mode: int, answers: list[tuple[Part, Answer]], took: list[Took]
    ) -> None:
        """Ask the network's and the teleservice's budgets; what one refuses, the others get back."""
        own = answers[0][1]
        reserves = mode == HITS and own.verdict == 0
        mode = mode if reserves or mode == MISSES else ASKS
        parts = [(part, self._keys(part, look)) for part in planned.parts[1:]]
        asked = [(part, keys, self._ask(look, -1, part, keys, mode=mode, own=own)) for part, keys in parts]
        failed: WireError | None = None
        for part, keys, pending in asked:
            try:
                told = answer_of(await pending)
            except WireError as error:
                failed = error
                continue
            answers.append((part, told))
            took.append(Took(part, keys, told.taken, told.drawn))
        if reserves and (failed is not None or any(one.refuses for _, one in answers)):
            for one in took:
                if one.taken:
                    self._give_back(one, look.pseudonym, missed=False)
        if failed is not None:
            raise failed

    def _ask(
        self, look: Look, known: int, part: Part, keys: list[bytes], *, mode: int, own: Answer | None = None
    ) -> Pending[object]:
        assurance = look.subject.assurance
        node = self._node(keys[0])
        words: tuple[Word, ...] = (
            node.epoch_key,
            node.epoch or b"",
            microseconds(look.at),
            _moment(assurance.stepped_up_at),
            int(assurance.level),
            look.pseudonym,
            known,
            int(look.moved and look.meter.moved_new),
            mode,
            int(look.risk),
            -1 if own is None else own.account_saw,
            0 if own is None else own.new,
            *(_moment(assurance.proved_by(methods)) for methods in part.proofs),
        )
        return node.wire.run(part.script, keys, words)

    async def _close(self, look: Look, answers: list[tuple[Part, Answer]]) -> None:
        """A denial that lasts begins: tell it to the other teleservices that it closes for this account."""
        for part, told in answers:
            budget = refusing_budget(part, told)
            if told.closed and budget is not None and budget.closes:
                account = look.subject.account or ""
                keys = [base_of(Scope.ACCOUNT, account, one, None, "") + b":s" for one in budget.closes]
                node = self._node(keys[0])
                words = (node.epoch_key, node.epoch or b"", *_closing(budget, look.teleservice, told))
                await node.wire.run(CLOSE, keys, words)

    def _give_back(self, took: Took, pseudonym: bytes, *, missed: bool) -> None:
        try:
            node = self._node(took.keys[0])
        except WireError:
            self._owed.append((took, pseudonym, missed))
            return
        pending = node.wire.run(SETTLE, took.keys, _settling(node, took, pseudonym, missed=missed))

        def told() -> None:
            try:
                pending.result()
            except WireError:
                self._owed.append((took, pseudonym, missed))

        pending.on_done(told)

    def _reserve(self, pseudonym: bytes, took: list[Took]) -> Reserved:
        self._number += 1
        reserved = self._unsettled[self._number] = Reserved(self._number, pseudonym, took)
        if len(self._unsettled) > _UNSETTLED_AT_MOST:
            del self._unsettled[next(iter(self._unsettled))]
        return reserved

    def _plan(self, meter: Meter, teleservice: str, level: Level) -> Plan:
        found = self._plans.get((id(meter), teleservice, level))
        if found is None or found.meter is not meter:
            if len(self._plans) >= _PLANS_AT_MOST:
                self._plans.clear()
            found = plan(meter, teleservice, level, together=self._together)
            self._plans[id(meter), teleservice, level] = found
        return found

    def _keys(self, part: Part, look: Look) -> list[bytes]:
        subject = look.subject
        return keys_of(part.sites, subject.account or "", look.teleservice, subject.holder, look.network)

    def _node(self, key: bytes) -> Node:
        """The server that keeps this key; WireError if it must not be asked."""
        node = self._nodes.of(key)
        if node is None or node.epoch is None:
            raise WireError("counts may be missing")
        return node

    async def _meet(self, node: Node, line: Line, epoch: bytes) -> None:
        """On each new connection: under the same epoch what could not be told; under another, what was let out."""
        before, self._epochs[node.epoch_key] = self._epochs.get(node.epoch_key), epoch
        if before == epoch:
            owed, self._owed = self._owed, deque(maxlen=_OWED_AT_MOST)
            for took, pseudonym, missed in owed:
                if self._nodes.of(took.keys[0]) is not node:
                    self._owed.append((took, pseudonym, missed))
                    continue
                words = _settling(node, took, pseudonym, missed=missed, epoch=b"ready " + epoch)
                await line.run(SETTLE, took.keys, words).wait()
            return
        self._owed.clear()
        for reserved in [*self._unsettled.values(), *(one for _, one in self._recent)]:
            for took in reserved.took:
                if self._nodes.of(took.keys[0]) is node:
                    await _hand_in(line, took, reserved.pseudonym)


async def _hand_in(line: Line, took: Took, pseudonym: bytes) -> None:
    """Count once more what was let out: the latest time stands."""
    for number, (site, (people, _, new, _)) in enumerate(zip(took.part.sites, took.taken, strict=True)):
        for key, moment, kept in ((0, people, site.people), (1, new, site.new)):
            if moment:
                name = took.keys[4 * number + key]
                await line.call(b"ZADD", name, b"GT", moment, pseudonym).wait()
                await line.call(b"PEXPIRE", name, kept // 1000 + _DAY_MILLISECONDS).wait()


def _settling(node: Node, took: Took, pseudonym: bytes, *, missed: bool, epoch: bytes | None = None) -> list[Word]:
    part = took.part
    words: list[Word] = [node.epoch_key, epoch or node.epoch or b"", pseudonym, int(missed)]
    words.append(len(part.sites))
    for site, taken in zip(part.sites, took.taken, strict=True):
        words += [int(site.bucketed), site.missed, *taken]
    draws = [
        word
        for number, site in enumerate(part.sites, 1)
        for kind, length in site.draws
        if kind is Counts.MISSED
        for word in (number, length)
    ]
    words += [len(draws) // 2, *draws]
    words.append(len(took.drawn))
    for key, name, stretch in took.drawn:
        words += [key, name, stretch]
    return words


def _closing(budget: Budget, teleservice: str, told: Answer) -> tuple[Word, ...]:
    under = len(Level) if budget.under is None else int(budget.under)
    act = 4 if told.verdict == 2 else 3  # noqa: PLR2004  # as in redis_hit.lua
    value = b"%d %d %d %b" % (told.closed, under, act, pack(budget))
    return b"b" + name_of(budget, teleservice), value, (told.closed - told.now) // 1000 + _DAY_MILLISECONDS


def _moment(at: datetime | None) -> int:
    return 0 if at is None else microseconds(at)
