# SPDX-License-Identifier: EUPL-1.2
"""The hallway's third and fifth step for an answer that shows many people: each is metered as a look-up of his own.

In the order in which they stand there, until one is not permitted. Those before him are put on record in one act, and
only then they leave. Whoever the request asked for and the answer does not show was missed. Part of the hallway, in a
file of its own; which answers are read, and how, is told in the policy.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from gateway.counting import counted, decoy_touched, look_at, settle, told, watched
from gateway.errors import LedgerError, Refused
from gateway.metering.scan_json import JsonRecords
from gateway.metering.scan_text import TextRecords
from gateway.model import AlertReason, Decision, Effect, EventKind, Reason
from gateway.model.answers import Answers, TextAnswers
from gateway.pending import Pending, start
from gateway.upstream.scanned import ScannedAnswer
from gateway.upstream.scanned_gate import Ending
from gateway.upstream.scanned_kind import says_json, unread_kind
from gateway.visit import event_of, lookup_of

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from typing import Any

    from gateway.metering.look import Look, Outcome
    from gateway.model import Event
    from gateway.model.unread import Unread
    from gateway.upstream.answer import Answer, WholeAnswer
    from gateway.upstream.scanned_gate import Records
    from gateway.visit import HallwayDoors, Visit

T = TypeVar("T")

_PERMIT: Final = Effect.PERMIT  # by its own name: looking a member up in its class is slow, and every person does
_SOUND: Final = range(200, 300)  # of another status it is a page of the portal's own that explains
_PORTAL_FAULT: Final = 500  # from this on nobody can tell whether somebody was missed
_PLAIN: Final = TextAnswers()
_NOTHING: Final = Answers()


async def make_room(visit: Visit, doors: HallwayDoors) -> None:
    """Hold places for as many people as the answer may show; may turn PERMIT into less."""
    answers = visit.decision.answers
    if visit.decision.effect is not _PERMIT or answers is None or answers.people_at_most is None:
        return
    outcome = doors.meter.room(look_at(visit, doors, None, listed=True), answers.people_at_most)
    if isinstance(outcome, Pending):
        outcome = await outcome
    if outcome.effect is not _PERMIT:
        counted(visit, outcome)
        return
    visit.room = outcome
    if outcome.delay_seconds:
        await doors.wait(outcome.delay_seconds)
        _check_still_signed_in(visit)


async def disclosed(visit: Visit, doors: HallwayDoors, answer: Answer | WholeAnswer) -> ScannedAnswer:
    """The answer, once something of it may leave; or the visit's decision is changed, and nothing may."""
    if visit.decision.observed:
        await doors.ledger.append([*told(visit)])
        visit.decision = replace(visit.decision, observed=())
    gate = Disclosing(visit, doors, status=answer.status)
    scanned = _scanned(answer, gate)
    if not await scanned.begin(visit.client):
        visit.decision = gate.refused or _denied(visit.decision, Reason.PORTAL_ANSWER_INVALID)
    elif scanned.goes_on:
        _end_with_session(visit, doors, scanned)
    return scanned


class Disclosing:
    """The gate of one answer (see upstream.scanned_gate)."""

    def __init__(self, visit: Visit, doors: HallwayDoors, *, status: int) -> None:
        """Takes over from the visit whom it asked for, and the room that was made."""
        self.refused: Decision | None = None
        """Why not all of the answer may leave."""
        self._visit = visit
        self._doors = doors
        self._status = status
        self.answers: Answers = visit.decision.answers or _NOTHING
        self._room, visit.room = visit.room, None
        self._places = 0 if self._room is None else self.answers.people_at_most or 0
        self._asked = None if visit.look is None or visit.outcome is None else (visit.look, visit.outcome)
        visit.look = None
        self._shown: list[tuple[Look, bool]] = []
        self._over = False

    def release(self, people: Sequence[str]) -> Pending[int]:
        """Meter and record these people, as far as they are permitted."""
        return _walked(self._release(people))

    def unread(self, why: Unread) -> Pending[bool]:
        """Put on record that what follows is not read, and whether it leaves."""
        return _walked(self._unread(why))

    def ended(self, found: frozenset[str], ending: Ending, *, left: bool) -> None:  # noqa: ARG002  # the Gate's
        """Give back what was not used, and tell what is known only now."""
        visit, events, self._over = self._visit, [], True
        visit.at = self._doors.clock()
        if self._room is not None:
            self._doors.meter.leave(self._room, None)
        if self.refused is not None and left:  # else there is a page, and the hallway tells it
            permit, visit.decision = visit.decision, self.refused
            challenged = self.refused.effect is Effect.CHALLENGE
            events.append(event_of(visit, EventKind.CHALLENGED if challenged else EventKind.REFUSED))
            events += told(visit)
            visit.decision = permit
        if self._asked is not None:
            events += self._not_shown(*self._asked, missed=ending is Ending.WHOLE and self._status < _PORTAL_FAULT)
        if self._shown:
            visit.outcome = None
            watched(visit, self._doors, self._doors.watching.showed(self._shown))
            events += told(visit)
            visit.raised = None
        if events:
            with suppress(LedgerError):  # whom it showed is on record; a ledger that fails now stops the next one
                self._doors.ledger.append(events)

    def _not_shown(self, look: Look, outcome: Outcome, *, missed: bool) -> list[Event]:
        """Whom the request asked for, and the answer did not show: nobody, unless the answer was cut before."""
        visit = self._visit
        visit.look, visit.outcome, visit.pseudonym = look, outcome, look.pseudonym
        if not missed:
            settle(visit, self._doors)
            return []
        settle(visit, self._doors, missed=True)
        events = [event_of(visit, EventKind.LOOKUP_MISSED, status=self._status), *told(visit)]
        visit.raised = None
        return events

    async def _release(self, people: Sequence[str]) -> int:
        visit = self._visit
        visit.at = self._doors.clock()
        hits: list[tuple[Look, Outcome]] = []
        try:
            events = await self._metered(people, hits)
            if events:
                await self._doors.ledger.append(events)
                self._shown += [(look, outcome.new) for look, outcome in hits]
        except Refused as refused:
            self.refused = _denied(visit.decision, refused.reason)
            return 0
        finally:
            for look, outcome in hits:
                self._doors.meter.settle(look, outcome, missed=False)
        return len(hits)

    async def _metered(self, people: Sequence[str], hits: list[tuple[Look, Outcome]]) -> list[Event]:
        """Ask for one after the other; the events of those who may leave. Adds to `hits`, and may set `refused`."""
        visit, doors, events, delay = self._visit, self._doors, [], 0.0
        _check_still_signed_in(visit)
        looks = [look_at(visit, doors, number, listed=True) for number in people]
        for look in looks:
            if doors.decoys.touched(look.pseudonym):
                visit.pseudonym = look.pseudonym
                raise decoy_touched(visit, doors)
        for number, look in zip(people, looks, strict=True):
            outcome = await self._hit(look, hits)
            if self.refused is not None:
                break
            visit.number = number
            events.append(lookup_of(visit, doors, self._status))
            if outcome.alerts or outcome.observed:
                events += told(visit)
            delay = max(delay, outcome.delay_seconds)
        if delay:
            await doors.wait(delay)
        _check_still_signed_in(visit)
        if self._over:  # the client has gone meanwhile: whom nobody saw is not on record
            return []
        if self._places:  # those that are held for others are left, too
            visit.quotas = tuple(quota._replace(left=quota.left + self._places) for quota in visit.quotas)
        return events

    async def _hit(self, look: Look, hits: list[tuple[Look, Outcome]]) -> Outcome:
        """Ask for one person; adds to `hits`, or sets `refused`. Whom the request named was asked for already."""
        visit, meter = self._visit, self._doors.meter
        visit.pseudonym = look.pseudonym
        if self._asked is not None and self._asked[0].pseudonym == look.pseudonym:
            (look, outcome), self._asked = self._asked, None
        else:
            if self._places and self._room is not None:
                meter.leave(self._room, 1)
                self._places -= 1
            asked = meter.hit(look)
            outcome = await asked if isinstance(asked, Pending) else asked
        permit = visit.decision
        counted(visit, outcome)
        if visit.decision is permit:
            hits.append((look, outcome))
        else:
            self.refused, visit.decision = visit.decision, permit
        return outcome

    async def _unread(self, why: Unread) -> bool:
        visit = self._visit
        visit.at, visit.pseudonym = self._doors.clock(), None
        alert = event_of(visit, EventKind.ALERTED, status=self._status)
        details = f"an answer that cannot be read: {why}"
        await self._doors.ledger.append([alert._replace(reason=str(AlertReason.UNREADABLE), details=details)])
        if not self.answers.passes:
            self.refused = _denied(visit.decision, Reason.PORTAL_ANSWER_INVALID)
        return self.answers.passes


def _scanned(answer: Answer | WholeAnswer, gate: Disclosing) -> ScannedAnswer:
    """The answer behind its gate, with the reader that fits it."""
    answers, sound = gate.answers, answer.status in _SOUND
    as_json = answers.json is not None and sound and (answers.text is None or says_json(answer.lines))
    records: Records
    if as_json and answers.json is not None:
        records = JsonRecords(answers.json.people, answers.json.numbers, answers.hold_bytes)
    else:
        text = answers.text or _PLAIN
        records = TextRecords(text.border, provisional=text.provisional)
    why = unread_kind(answer.lines, as_json=as_json)
    return ScannedAnswer(answer, records, gate, answers.hold_bytes, why)


def _denied(decision: Decision, reason: Reason) -> Decision:
    return replace(decision, effect=Effect.DENY, reasons=(reason,), challenge=None, retry_after_seconds=None)


def _check_still_signed_in(visit: Visit) -> None:
    """Refuse whom a sign-out or a lock has ended meanwhile."""
    if visit.session is not None and visit.session.ended:
        raise Refused(Reason.SIGN_IN_REQUIRED)


def _end_with_session(visit: Visit, doors: HallwayDoors, scanned: ScannedAnswer) -> None:
    """Cut the rest when the session ends, and ask for nobody more: whom nobody sees is not on record."""
    session, client, before = visit.session, visit.client, visit.client.ended
    if session is None:
        return

    def cut() -> None:
        scanned.cancel()
        client.abort()

    def ended() -> None:
        doors.sessions.unwatch(session, cut)
        if before is not None:
            before()

    client.ended = ended
    doors.sessions.watch(session, cut)


def _walked(walk: Coroutine[Pending[Any], None, T]) -> Pending[T]:
    """What a walk gives in the end."""
    pending: Pending[T] = Pending()

    async def whole() -> None:
        pending.resolve(await walk)

    start(whole(), lambda error: None if error is None else pending.fail(error))
    return pending
