# SPDX-License-Identifier: EUPL-1.2
"""The hallway: identify -> decide -> meter -> forward -> record -> respond. Every request to the portal walks it.

The order is the promise. Nobody is counted who was not decided on, nothing is forwarded that was not counted, and no
byte of an answer leaves before its disclosure is durable. A step that fails becomes a DENY with its own reason, told
and recorded like any other. No special case belongs here: exceptions are written in the policy file.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.counting import ask, bound_to, counted, in_words, proof_anew, settle, slip, text_of, told
from gateway.disclosing import disclosed, make_room
from gateway.errors import LedgerError, Refused
from gateway.identity.cookie import read_cookie
from gateway.identity.token import session_key
from gateway.ledger.store import LedgerBusy
from gateway.model import Decision, Effect, EventKind, Reason
from gateway.pages.answers import rate_limit_lines, redirect, refusal, wants_page
from gateway.pending import Pending, start
from gateway.policy.evaluate import decide
from gateway.upstream.exchange import DisconnectedError
from gateway.upstream.headers import lines_of
from gateway.visit import UNDECIDED, HallwayDoors, Visit, event_of, lookup_of

if TYPE_CHECKING:
    from gateway.model import Receipt
    from gateway.upstream.answer import Answer, WholeAnswer
    from gateway.upstream.exchange import Client, Headers, Request
    from gateway.upstream.scanned import ScannedAnswer

log = logging.getLogger("gateway.enforcement")

_PERMIT = Effect.PERMIT  # by its own name: looking a member up in its class is slow, and every request does
_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
_DISCLOSED_BELOW = 400  # an answer of this status or more says that there is nothing to disclose
_PORTAL_FAULT = 500  # and from this on it does not say whether there was somebody: in doubt he counts
_HOUSE_FAULTS = frozenset(
    (
        Reason.PORTAL_UNREACHABLE,
        Reason.PORTAL_TIMEOUT,
        Reason.PORTAL_ANSWER_INVALID,
        Reason.LEDGER_UNAVAILABLE,
        Reason.METER_UNAVAILABLE,
    )
)


class Enforcement:
    """Walks requests through the hallway. One instance per process, on the loop's thread."""

    def __init__(self, doors: HallwayDoors) -> None:
        self._doors = doors
        self.policy = doors.policy  # replaced whole when a changed file has passed its cases

    def enter(self, request: Request, client: Client) -> None:
        """Walk one request; the answer goes to `client`."""
        start(self._walk(Visit(request, client, self._doors.clock())), _ended)

    def turn_away(self, reason: Reason, headers: Headers, client: Client) -> None:
        """Answer what the listener refused before it could be judged."""
        fields = {name.lower(): value for name, value in headers}
        accept, language = fields.get(b"accept", b""), fields.get(b"accept-language", b"")
        status, told, body = refusal(replace(UNDECIDED, reasons=(reason,)), accept, language, "-")
        client.start(status, lines_of(told), None, body, complete=True)

    async def _walk(self, visit: Visit) -> None:
        answer: Answer | WholeAnswer | ScannedAnswer | None = None
        try:
            self.identify(visit)
            self.decide(visit)
            if visit.decision.meter is not None:
                await self.meter(visit)
            if visit.decision.effect is _PERMIT:
                if visit.decision.record is not None and visit.request.method not in _SAFE:
                    await self.attempt(visit)
                answer = portals = await self.forward(visit)
                _check_still_signed_in(visit)
                if visit.decision.answers is not None:
                    answer = await disclosed(visit, self._doors, portals)
                elif visit.decision.record is not None or visit.decision.observed:
                    await self.record(visit, portals)
        except (Refused, LedgerError) as error:
            visit.decision = _denied(visit.decision, error)
        except DisconnectedError:
            return
        except Exception as error:  # noqa: BLE001  # the unforeseen is a refusal too, never an open door
            # Only the type: a message or a traceback could hold what a patient or a professional sent.
            log.error("internal-error", extra={"error": type(error).__name__, "request": visit.request.id.hex()})  # noqa: TRY400
            visit.decision = _denied(visit.decision, Refused(Reason.INTERNAL_ERROR))
        finally:
            settle(visit, self._doors)
        if answer is not None and visit.decision.effect is not _PERMIT:
            answer.discard()
            answer = None
        try:
            if answer is None or not self._relayed(visit, answer):
                await self.respond(visit)
        except Exception as error:  # noqa: BLE001  # no answer at all is better than half a one
            log.error("respond-failed", extra={"error": type(error).__name__, "request": visit.request.id.hex()})  # noqa: TRY400
            visit.client.abort()

    def identify(self, visit: Visit) -> None:
        """Who asks: the session of the one cookie that is ours, or nobody."""
        fields = visit.request.fields
        key = fields.session
        if key is False:
            token = read_cookie(fields.every(b"cookie"), self._doors.cookie_name)
            key = fields.session = None if token is None else session_key(token)
        if key is not None:
            session = visit.session = self._doors.sessions.living(key, visit.at)
            if session is not None:
                visit.subject = session.subject

    def decide(self, visit: Visit) -> None:
        """Whether the policy permits it, under which obligations."""
        request = visit.request
        visit.decision = decide(self.policy, visit.subject, request.method, request.path, visit.at, request.upgrade)
        if request.fields.worker:
            raise Refused(Reason.SERVICE_WORKER_NOT_ALLOWED)
        if request.upgrade or request.method not in _SAFE:
            self._check_origin(visit)
        session = visit.session
        if session is not None and visit.decision.record is not None and session.binding != bound_to(request):
            meter = visit.decision.meter
            if meter is not None and meter.moved_new and not session.suspected:
                visit.moved = not self._doors.homes.known(session, bound_to(request), visit.at)
            else:
                asked, reasons = proof_anew(visit.subject), (Reason.SESSION_MOVED,)
                visit.decision = replace(visit.decision, effect=Effect.CHALLENGE, reasons=reasons, challenge=asked)

    def _check_origin(self, visit: Visit) -> None:
        """Refuse what another site makes a signed-in browser send, and a socket that does not say where it is from."""
        origins = visit.request.header_all(b"origin")
        asked = visit.request.upgrade or (visit.session is not None and origins)
        if asked and origins != [self._doors.origin.encode("ascii")]:
            raise Refused(Reason.ORIGIN_NOT_ALLOWED)

    async def meter(self, visit: Visit) -> None:
        """Count the patient against the budgets, where the decision obliges; may turn PERMIT into less."""
        request, doors, body = visit.request, self._doors, b""
        if visit.decision.meter is not None and visit.decision.meter.patient is None:
            await make_room(visit, doors)
            return
        if request.header(b"content-encoding"):  # what the portal would unpack is not what was read here
            raise Refused(Reason.PATIENT_NUMBER_AMBIGUOUS)
        if request.body is not None:
            body = await request.body.hold(doors.form_bytes)
            # A body may take its time: what counts is who asks, and under which policy, when the request is whole.
            _check_still_signed_in(visit)
            visit.at = doors.clock()
            self.decide(visit)
        if visit.decision.meter is None or visit.decision.effect is not _PERMIT:
            return
        number, outcome = ask(visit, doors, text_of(visit, body))
        if isinstance(outcome, Pending):
            outcome = await outcome
        counted(visit, outcome)
        if outcome.delay_seconds:
            await doors.wait(outcome.delay_seconds)
            _check_still_signed_in(visit)
        if number is None and outcome.effect is _PERMIT:
            raise Refused(Reason.PATIENT_NUMBER_MALFORMED)
        await make_room(visit, doors)

    def attempt(self, visit: Visit) -> Pending[Receipt]:
        """Put on record, before it is forwarded, what changes something."""
        return self._doors.ledger.append([event_of(visit, EventKind.ATTEMPT)])

    def forward(self, visit: Visit) -> Pending[Answer | WholeAnswer]:
        """Ask the portal; what must be recorded is not even asked without a ledger."""
        decision, doors = visit.decision, self._doors
        if decision.record is not None and doors.ledger.failed:
            raise Refused(Reason.LEDGER_UNAVAILABLE)
        if visit.request.body is not None and not visit.request.body.ended:
            self._cut_with_session(visit)
        identity = None if decision.anonymous else doors.assertions.of(visit.subject, visit.at)
        return doors.portal.forward(
            visit.request, visit.client, identity, metered=decision.meter is not None, streams=decision.streams
        )

    def record(self, visit: Visit, answer: Answer | WholeAnswer) -> Pending[Receipt]:
        """Make the disclosure durable; only then may the answer leave."""
        doors, status = self._doors, answer.status
        missed = status >= _DISCLOSED_BELOW
        settle(visit, doors, missed=missed and status < _PORTAL_FAULT)
        events = [*told(visit)]
        if visit.decision.record is not None:
            missing = event_of(visit, EventKind.LOOKUP_MISSED, status=status) if missed else None
            events.insert(0, missing or lookup_of(visit, doors, status))
        return doors.ledger.append(events)

    async def respond(self, visit: Visit) -> None:
        """Say what happened and what to do, by what the client accepts. A permitted answer is relayed."""
        await self._note(visit)
        status, fields, body = await self._refusal(visit)
        visit.client.start(status, lines_of(fields), None, body, complete=True)

    def _relayed(self, visit: Visit, answer: Answer | WholeAnswer | ScannedAnswer) -> bool:
        """Let the answer go; or tell that it broke while it was kept back."""
        decision, client, lines = visit.decision, visit.client, answer.lines
        if visit.quotas and decision.meter is not None:
            lines += rate_limit_lines(decision.rule, visit.quotas, decision.meter.budgets)
        if decision.streams or answer.upgraded:
            self._cut_with_session(visit)
        try:
            answer.relay(client, lines)
        except Refused as refused:
            visit.decision = _denied(decision, refused)
            return False
        return True

    def _cut_with_session(self, visit: Visit) -> None:
        """Let what lives longer than a look, a stream or an upload, end with the session."""
        sessions, session, client = self._doors.sessions, visit.session, visit.client
        if session is not None:
            client.ended = lambda: sessions.unwatch(session, client.abort)
            sessions.watch(session, client.abort)

    async def _refusal(self, visit: Visit) -> tuple[int, Headers, bytes]:
        request, decision = visit.request, visit.decision
        accept, kept = request.header(b"accept"), None
        if decision.effect is Effect.CHALLENGE:
            kept = await self._doors.keeper.keep(visit)
            if wants_page(accept):
                return redirect(decision, kept or self._kept_target(visit), slip(visit, self._doors.slips))
        language, acting = request.header(b"accept-language"), visit.subject.delegation
        delegate, told = None if acting is None else acting.name, in_words(visit, self.policy)
        return refusal(decision, accept, language, request.id.hex(), visit.subject.title or None, delegate, kept, told)

    def _kept_target(self, visit: Visit) -> str:
        """Keep where the person was going; what was sent there is lost, and that is told."""
        request = visit.request
        lost = request.body is not None and request.method not in _SAFE
        signed_in = visit.session is not None
        return self._doors.returns.keep(request.target.decode("ascii"), visit.at, signed_in=signed_in, lost=lost)

    async def _note(self, visit: Visit) -> None:
        """Put a challenge or a refusal on record for its account; without a ledger it is told all the same."""
        decision, request = visit.decision, visit.request
        if decision.reason in _HOUSE_FAULTS:
            log.warning(decision.reason, extra={"request": request.id.hex(), "teleservice": decision.rule})
        if visit.session is not None and decision.rule is not None and decision.effect is not _PERMIT:
            kind = EventKind.CHALLENGED if decision.effect is Effect.CHALLENGE else EventKind.REFUSED
            events = [event_of(visit, kind), *told(visit)]
            with suppress(LedgerError):
                await self._doors.ledger.append(events)


def _check_still_signed_in(visit: Visit) -> None:
    """Refuse, after a wait, whom a sign-out or a lock has ended meanwhile."""
    if visit.session is not None and visit.session.ended:
        raise Refused(Reason.SIGN_IN_REQUIRED)


def _denied(decision: Decision, error: Refused | LedgerError) -> Decision:
    wait = None
    if isinstance(error, Refused):
        reason, wait = error.reason, error.retry_after_seconds
    else:
        reason = Reason.BUSY if isinstance(error, LedgerBusy) else Reason.LEDGER_UNAVAILABLE
    return replace(decision, effect=Effect.DENY, reasons=(reason,), challenge=None, retry_after_seconds=wait)


def _ended(error: BaseException | None) -> None:
    if error is not None:
        log.error("walk-failed", extra={"error": type(error).__name__})
