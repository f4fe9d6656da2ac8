# SPDX-License-Identifier: EUPL-1.2
"""What the hallway's third step counts, and what it makes of the answer: from a visit to a Look, from an Outcome to a
Decision and to the events that tell of it. Part of the hallway, in a file of its own; no step is taken here.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from gateway.errors import Refused
from gateway.identity.binding import binding
from gateway.metering.look import Look
from gateway.metering.patient import departement, neighbours, parse_patient_number, patient_text, text_in_path
from gateway.metering.tally import microseconds
from gateway.model import AlertReason, Challenge, Effect, EventKind, Level, Past, Reason, Risk, Spent
from gateway.model.assurance import COUNTS_FOR
from gateway.pages.budget_words import near, past_budget
from gateway.pages.device import clean_device
from gateway.pages.signal_words import sentence
from gateway.pending import Pending
from gateway.policy.checks import budget_text
from gateway.policy.template import split
from gateway.visit import event_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.identity.slips import Slips
    from gateway.metering.look import Outcome
    from gateway.metering.watching import Raised
    from gateway.model import Budget, Event, Meter, PatientLocator, Subject
    from gateway.pages.explanation import Explanation
    from gateway.policy.rules import Policy
    from gateway.upstream.exchange import Request
    from gateway.visit import HallwayDoors, Visit

STRANGERS_ELSEWHERE: Final = 3
"""A person who has changed his line in the middle of his work is not stopped for the few patients who are new: at one,
who changes it daily was asked twice a month. Whoever carried a session off sees no more than these either."""
UNANSWERED_AT_MOST: Final = 10
"""A person who is asked for a proof gives it, or goes away: whoever asks on and on is a program, or a thief."""
_WEIGHT_ELSEWHERE: Final = 4  # of a session that has moved, the third time is one too many
_PERMIT, _CHALLENGE = Effect.PERMIT, Effect.CHALLENGE


def text_of(visit: Visit, body: bytes) -> str:
    """What stands for the patient's number in a metered request; Refused if nothing does, or two things may."""
    request, decision = visit.request, visit.decision
    if decision.segment and not request.query and not body:
        return text_in_path(request.path, decision.segment)
    locator = cast("PatientLocator", cast("Meter", decision.meter).patient)
    captures = [(locator.name, split(request.path)[decision.segment])] if decision.segment else []
    return patient_text(locator, captures, request.query, request.header(b"content-type"), body)


def bound_to(request: Request) -> tuple[str, str]:
    """Where the request comes from, as sessions are bound; worked out once for all requests with these fields."""
    fields = request.fields
    if fields.binding is None:
        fields.binding = binding(request.peer, clean_device(b" ".join(fields.every(b"user-agent"))))
    return fields.binding


def ask(visit: Visit, doors: HallwayDoors, text: str) -> tuple[str | None, Outcome | Pending[Outcome]]:
    """Ask the budgets: the canonical number, None of what is no number, and what they say.

    Refused(SEARCH_REFUSED) if nobody has this number.
    """
    try:
        number = parse_patient_number(text)
    except Refused:
        if doors.decoys.touched_by(text):
            raise decoy_touched(visit, doors) from None
        look = look_at(visit, doors, None)
        visit.pseudonym = look.pseudonym  # so that the ledger tells it after a restart, too
        watched(visit, doors, doors.watching.seen(look, new=False, missed=True))
        return None, doors.meter.missed(look)
    look = visit.look = look_at(visit, doors, number)
    visit.number, visit.pseudonym = number, look.pseudonym
    if doors.decoys.touched(look.pseudonym):
        raise decoy_touched(visit, doors)
    return number, doors.meter.hit(look)


def decoy_touched(visit: Visit, doors: HallwayDoors) -> Refused:
    """The refusal of a number that nobody has; from now on the account is at high risk."""
    doors.watching.alarm(visit.subject.account or "", visit.at)
    return Refused(Reason.SEARCH_REFUSED)


def settle(visit: Visit, doors: HallwayDoors, *, missed: bool | None = None) -> None:
    """Tell, once, how a permitted look-up ended; None: nobody knows, for no answer came."""
    look, outcome = visit.look, visit.outcome
    if look is not None and outcome is not None and outcome.reserved is not None:
        visit.look = None
        doors.meter.settle(look, outcome, missed=missed is True)
        if missed is not None:
            watched(visit, doors, doors.watching.seen(look, new=outcome.new, missed=missed))
    if visit.room is not None:
        doors.meter.leave(visit.room, None)
        visit.room = None


def look_at(visit: Visit, doors: HallwayDoors, number: str | None, *, listed: bool = False) -> Look:
    """The look-up of this visit, without a number the try that it was.

    `listed`: of one in an answer that may show many. Its order is the portal's, and tells nothing of who asks; and
    nobody elsewhere sees a list without a proof.
    """
    network, client = bound_to(visit.request)
    moved = visit.moved and (listed or (number is not None and _another_stranger(visit)))
    subject, pseudonym, at = visit.subject, doors.pseudonym, microseconds(visit.at)
    account, proved = subject.account or "", subject.assurance.stepped_up_at
    resting = doors.watching.resting(account, at)
    return Look(
        subject=subject,
        teleservice=visit.decision.rule or "",
        meter=cast("Meter", visit.decision.meter),
        pseudonym=visit.request.id if number is None else pseudonym(number),
        at=visit.at,
        network=network,
        client=client,
        moved=moved,
        neighbours=() if number is None or listed or resting else tuple(pseudonym(one) for one in neighbours(number)),
        departement=None if number is None else departement(number),
        risk=doors.watching.risk(account, at, None if proved is None else microseconds(proved)),
    )


def _another_stranger(visit: Visit) -> bool:
    """Whether a moved session has used up what it may see of people new to the account. Taken before it is asked, so
    that of many requests at once no more than that many pass; `counted` gives it back.
    """
    session = visit.session
    if session is None:
        return True
    session.strangers += 1
    return session.strangers > STRANGERS_ELSEWHERE


def counted(visit: Visit, outcome: Outcome) -> None:
    """Make the decision what the budgets say."""
    visit.outcome, visit.quotas = outcome, outcome.quotas
    if visit.moved and visit.session is not None and visit.look is not None:
        visit.session.strangers -= 0 if outcome.new and outcome.effect is _PERMIT else 1
    if outcome.effect is _PERMIT:
        return
    challenged, moved = outcome.effect is _CHALLENGE, outcome.budget is None
    if moved and visit.session is not None:
        visit.session.suspected = True  # nothing more without a proof, not even whom the account knows
    reason = Reason.BUDGET_PROOF_REQUIRED if challenged else Reason.BUDGET_EXHAUSTED
    visit.decision = replace(
        visit.decision,
        quotas=outcome.quotas,
        effect=outcome.effect,
        reasons=(Reason.SESSION_MOVED if moved else reason,),
        challenge=_asked(visit.subject, outcome.budget) if challenged else None,
        retry_after_seconds=None if challenged else outcome.retry_after_seconds,
        spent=_spent(visit.subject, outcome),
    )


def proof_anew(subject: Subject) -> Challenge:
    """As strong a proof as was given before, a second factor at least, given now."""
    return Challenge(max(subject.assurance.level, Level.MFA), timedelta(0))


def watched(visit: Visit, doors: HallwayDoors, raised: Raised | Pending[Raised | None] | None) -> None:
    """Keep what the watch found for `told`; what it finds only later is put on record by itself."""
    if isinstance(raised, Pending):
        visit.raised = None
        raised.on_done(lambda: _raised_late(visit, doors, raised.result()))
    else:
        visit.raised = raised


def _raised_late(visit: Visit, doors: HallwayDoors, raised: Raised | None) -> None:
    if raised is not None:
        doors.ledger.append([_risen(visit, raised)])


def told(visit: Visit) -> Iterator[Event]:
    """The events that an outcome tells beside its own: alerts, and what would have been refused but for `observe`."""
    outcome = visit.outcome
    if visit.decision.reason is Reason.SEARCH_REFUSED:
        yield _alert(visit, AlertReason.DECOY, "asked for a decoy, a number that nobody has")
    session = visit.session
    if session is not None and visit.decision.effect is _CHALLENGE:
        before = session.unanswered
        session.unanswered += _WEIGHT_ELSEWHERE if visit.decision.reason is Reason.SESSION_MOVED else 1
        if before < UNANSWERED_AT_MOST <= session.unanswered:
            yield _alert(visit, AlertReason.UNANSWERED, "asked on and on without the proof that is due")
    for reason in visit.decision.observed:
        yield event_of(visit, EventKind.OBSERVED)._replace(details=f"would not have permitted: {reason}")
    if visit.raised is not None:
        yield _risen(visit, visit.raised)
    if outcome is not None:
        for budget in outcome.alerts:
            yield _alert(visit, AlertReason.BUDGET, f"past {budget_text(budget)}")
        for budget in outcome.observed:
            word = "challenged" if budget.past is Past.CHALLENGE else "denied"
            told_as = word if budget.past in {Past.CHALLENGE, Past.DENY} else f"met {budget.past}"
            yield event_of(visit, EventKind.OBSERVED)._replace(details=f"would have {told_as}: {budget_text(budget)}")


def _risen(visit: Visit, raised: Raised) -> Event:
    sentences = " ".join(sentence(one)[1] for one in raised.findings)
    why = AlertReason.RISK_HIGH if raised.risk is Risk.HIGH else AlertReason.RISK_ELEVATED
    return _alert(visit, why, f"{raised.risk.name.lower()} risk: {sentences}")


def _alert(visit: Visit, reason: AlertReason, details: str) -> Event:
    return event_of(visit, EventKind.ALERTED)._replace(reason=str(reason), details=details)


def in_words(visit: Visit, policy: Policy) -> Explanation | None:
    """What is told of the budget that refuses, if one does."""
    spent = visit.decision.spent
    if spent is None:
        return None
    closed = [rule.title for rule in policy.rules if rule.name in spent.budget.closes]
    return past_budget(spent, visit.at, named=visit.subject.holder is not None, closed=closed)


def slip(visit: Visit, slips: Slips | None) -> str:
    """What the page of the proof is told of that budget, as it goes in the address; empty for nothing."""
    spent, session = visit.decision.spent, visit.session
    if spent is None or session is None or slips is None:
        return ""
    return slips.write(spent, session.reference, visit.at)


def _spent(subject: Subject, outcome: Outcome) -> Spent | None:
    """The budget that refuses. Who has proved himself by a card opens a new stretch by a card alone."""
    budget = outcome.budget
    if budget is None:
        return None
    by_card = subject.assurance.level is Level.CARD and outcome.effect is _CHALLENGE
    methods = budget.methods or (tuple(sorted(COUNTS_FOR[Level.CARD])) if by_card else ())
    return Spent(budget, outcome.retry_after_seconds or 0, methods, near(budget, outcome.quotas))


def _asked(subject: Subject, budget: Budget | None) -> Challenge:
    asked = proof_anew(subject)
    return asked if budget is None or not budget.methods else replace(asked, methods=budget.methods)
