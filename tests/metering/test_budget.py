# SPDX-License-Identifier: EUPL-1.2
"""budget: who is let in, who is not, and for how long, case by case (against a reference: test_budget_reference)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.metering.budget import Asking, Outcome, give_back, hit, missed, room, settle
from gateway.metering.seen import Seen
from gateway.metering.tally import microseconds
from gateway.model import Assurance, Budget, Counts, Effect, Level, Method, Past, Proof, Risk, Scope

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
CHALLENGE, DENY, PERMIT = Effect.CHALLENGE, Effect.DENY, Effect.PERMIT


def person(number: int) -> bytes:
    return number.to_bytes(16)


def after(**passed: float) -> datetime:
    return NOON + timedelta(**passed)


MINUTE = timedelta(minutes=1)


def hits(sites, people, at: datetime, *, known_for: timedelta | None = DAY, nobody: bool | None = False, **words):
    """Ask for each of these, and settle what was permitted (`nobody` None leaves it under way)."""
    outcomes = [hit(sites, known_for, person(one), Asking(microseconds(at), **words)) for one in people]
    for outcome in outcomes:
        if outcome.reserved is not None and nobody is not None:
            settle(outcome.reserved, missed=nobody)
    return outcomes


def told(sites, people, at: datetime, **words) -> list[Effect]:
    return [outcome.effect for outcome in hits(sites, people, at, **words)]


def test_new_people_count_apart_from_those_whom_the_account_knows():
    sites = ((Seen(), (Budget(2, 10 * MINUTE, Past.CHALLENGE, counts=Counts.NEW),)),)
    assert told(sites, [0, 1], NOON) == [PERMIT] * 2
    assert told(sites, [2, 3], after(minutes=20)) == [PERMIT] * 2
    assert told(sites, [0, 1, 2, 3, 4], after(minutes=25)) == [PERMIT] * 4 + [CHALLENGE]
    assert [one.new for one in hits(sites, [4, 0], after(minutes=30))] == [True, False]
    assert told(sites, [5, 6, 0], after(minutes=31)) == [PERMIT, CHALLENGE, PERMIT], "4 is new since minute 30"
    later = after(hours=24, minutes=25)
    assert told(sites, [1, 2, 3], later) == [PERMIT, PERMIT, CHALLENGE], "a day after their latest look all are new"
    assert not any(one.new for one in hits(sites, [9], NOON, known_for=None))


def test_who_is_new_again_counts_as_new_from_then_on():
    sites = ((Seen(), (Budget(1, 3 * DAY, Past.DENY, counts=Counts.NEW),)),)
    assert told(sites, [0], NOON) == [PERMIT]
    assert told(sites, [0], NOON + 2 * DAY) == [PERMIT]
    assert told(sites, [1], NOON + 4 * DAY) == [DENY]
    assert told(sites, [1], NOON + 5 * DAY) == [PERMIT]


def test_how_long_somebody_is_known_is_the_accounts_alone_and_may_change():
    account, holder = Seen(), Seen()
    sites = ((account, ()), (holder, (Budget(9, HOUR, Past.DENY),)))
    assert [one.new for one in hits(sites, [0, 0], NOON)] == [True, False]
    assert [one.new for one in hits(sites, [0], after(hours=1), known_for=HOUR)] == [True]
    assert [*holder.people.windows] == [HOUR]


def test_nobodys_number_gives_its_places_back_and_counts_as_missed():
    account, network = Seen(), Seen()
    misses = Budget(2, HOUR, Past.DENY, counts=Counts.MISSED)
    sites = ((account, (Budget(1, HOUR, Past.CHALLENGE), misses)), (network, (Budget(1, HOUR, Past.DENY),)))
    assert told(sites, [0], NOON, nobody=True) == [PERMIT]
    assert told(sites, [1], NOON) == [PERMIT]
    assert told(sites, [1], NOON, nobody=True) == [PERMIT], "he was seen: his place stays"
    assert told(sites, [2, 1], NOON) == [DENY, DENY], "two misses are enough"
    assert [len(one.people.windows[HOUR]) for one in (account, network)] == [1, 1]


def test_J1_who_was_looked_at_again_meanwhile_stays():
    sites = ((Seen(), (Budget(1, HOUR, Past.DENY),)),)
    for last in (False, True):
        first, second = hits(sites, [0, 0], NOON, nobody=None)
        settle(second.reserved, missed=last)
        settle(first.reserved, missed=True)
        assert told(sites, [1], NOON) == [DENY], "shown, or in doubt"
    assert told(sites, [1], after(hours=1), nobody=True) == [PERMIT]
    assert not sites[0][0].in_flight


def test_numbers_that_are_none_are_misses_until_their_budget_is_full():
    misses = Budget(2, HOUR, Past.CHALLENGE, counts=Counts.MISSED)
    alert = Budget(1, HOUR, Past.ALERT, counts=Counts.MISSED)
    observed = Budget(1, HOUR, Past.DENY, counts=Counts.MISSED, observe=True)
    slow = Budget(1, HOUR, Past.DELAY, counts=Counts.MISSED, delay=timedelta(seconds=5))
    people = Budget(1, HOUR, Past.DENY)
    sites = ((Seen(), (people, misses, alert, observed, slow)),)

    def tried(number: int, proved: datetime | None = None) -> Outcome:
        asking = Asking(microseconds(NOON), None if proved is None else microseconds(proved))
        return missed(sites, None, person(number), asking)

    assert tried(1) == Outcome(PERMIT, None, (), None)
    second = tried(2)
    assert (second.effect, second.alerts, second.observed, second.delay_seconds) == (PERMIT, (alert,), (observed,), 5)
    third = tried(3)
    assert (third.effect, third.budget, third.retry_after_seconds) == (CHALLENGE, misses, 3600)
    assert (third.alerts, third.observed, third.delay_seconds) == ((), (observed,), 0)
    assert [quota.budget for quota in third.quotas] == [people]
    assert told(sites, [0], NOON) == [CHALLENGE]
    assert tried(4, after(seconds=1)).effect is PERMIT, "a fresh proof opens the next stretch"


def test_under_and_risk_say_of_whom_a_budget_is_asked_and_everybody_is_counted():
    by_password, at_risk = Budget(1, HOUR, Past.DENY, under=Level.CARD), Budget(2, HOUR, Past.DENY, risk=Risk.ELEVATED)
    sites = ((Seen(), (by_password, at_risk)),)
    assert told(sites, [0, 1, 2], NOON, level=Level.CARD) == [PERMIT] * 3
    assert told(sites, [3], NOON, level=Level.MFA) == [DENY]
    assert [one.budget for one in hits(sites, [3], NOON, level=Level.CARD, risk=Risk.HIGH)] == [at_risk]
    assert [one.effect for one in hits(sites, [3], NOON, level=Level.CARD)] == [PERMIT]


def test_alerts_are_told_once_a_window_and_nobody_is_stopped_by_them():
    alert, other = Budget(1, HOUR, Past.ALERT), Budget(2, DAY, Past.ALERT)
    sites = ((Seen(), (alert, other, Budget(3, DAY, Past.DENY))),)
    assert [one.alerts for one in hits(sites, [0, 1, 2], NOON)] == [(), (alert,), (other,)]
    outcomes = hits(sites, [3], after(minutes=59)) + hits(sites, [4], after(minutes=60))
    assert [(one.effect, one.alerts) for one in outcomes] == [(DENY, ()), (DENY, ())], "0 to 2 have left the hour"
    assert [one.alerts for one in hits(sites, [0, 1, 2, 5], after(hours=2))] == [(), (alert,), (), ()]
    assert [one.alerts for one in hits(sites, [0, 5], after(hours=4))] == [(), (alert,)], "beside a refusal, too"


def test_of_several_delays_the_longest_is_waited():
    delays = tuple(Budget(1, HOUR, Past.DELAY, delay=timedelta(seconds=one)) for one in (1, 5, 2))
    sites = ((Seen(), delays),)
    assert [one.delay_seconds for one in hits(sites, [0, 1, 0], NOON)] == [0, 5, 0]


def test_what_is_observed_is_told_and_stops_nobody():
    trial = Budget(1, HOUR, Past.DENY, observe=True)
    sites = ((Seen(), (trial,)),)
    outcomes = hits(sites, [0, 1, 2], NOON)
    assert [(one.effect, one.observed, one.quotas) for one in outcomes] == [
        (PERMIT, (), ()),
        (PERMIT, (trial,), ()),
        (PERMIT, (trial,), ()),
    ]


def test_a_denial_that_lasts_goes_on_after_places_have_come_back():
    lasting = Budget(1, MINUTE, Past.DENY, lasts=HOUR, under=Level.CARD)
    sites = ((Seen(), (lasting, Budget(9, DAY, Past.DENY))),)
    assert told(sites, [0], NOON) == [PERMIT]
    assert [one.retry_after_seconds for one in hits(sites, [1], NOON)] == [3600]
    refused = hits(sites, [1, 0], after(minutes=30, milliseconds=1))
    assert [(one.effect, one.budget, one.retry_after_seconds) for one in refused] == [(DENY, lasting, 1800)] * 2
    late = after(minutes=59, seconds=30)
    assert told(sites, [0], late, level=Level.CARD) == [PERMIT], "as the budget itself: not with a card"
    assert told(sites, [0], after(hours=1, microseconds=-1)) == [DENY]
    assert told(sites, [0, 1], after(hours=1)) == [PERMIT, DENY]
    longer = Budget(1, DAY, Past.DENY, lasts=MINUTE)
    sites = ((Seen(), (longer,)),)
    hits(sites, [0], NOON)
    assert hits(sites, [1], NOON)[0].retry_after_seconds == DAY.total_seconds()


def test_a_challenge_that_names_its_methods_counts_since_one_of_them():
    sites = ((Seen(), (Budget(1, HOUR, Past.CHALLENGE, methods=(Method.SMART_CARD,)),)),)

    def by(*proofs: tuple[Method, datetime]) -> dict[str, object]:
        assurance = Assurance(tuple(Proof(method, at) for method, at in proofs))
        return {"proved": microseconds(NOON), "assurance": assurance}

    assert told(sites, [0], NOON, **by()) == [PERMIT]
    otp, card = (Method.TOTP, after(minutes=1)), (Method.SMART_CARD, after(minutes=1))
    assert told(sites, [1], after(minutes=2), **by(otp)) == [CHALLENGE]
    assert told(sites, [1, 2], after(minutes=2), **by(otp, card)) == [PERMIT, CHALLENGE]
    ahead = (Method.SMART_CARD, after(minutes=30))
    assert told(sites, [2], after(minutes=2), **by(ahead)) == [CHALLENGE], "a proof that is still to come opens nothing"


def test_J4_a_place_that_is_shared_keeps_the_latest_time_of_all():
    one, other, shared = Seen(), Seen(), Seen()
    budget = (Budget(1, HOUR, Past.DENY, per=Scope.NETWORK),)
    assert told(((one, ()), (shared, budget)), [0], after(minutes=30)) == [PERMIT]
    assert told(((other, ()), (shared, budget)), [1], NOON) == [DENY]
    assert other.latest == microseconds(after(minutes=30))


def test_a_session_that_moved_proves_itself_before_it_sees_somebody_new():
    sites = ((Seen(), (Budget(2, HOUR, Past.DENY),)),)
    assert told(sites, [0], NOON) == [PERMIT]
    moved, known = hits(sites, [1, 0], NOON, proof_before_new=True)
    assert (moved.effect, moved.budget, moved.retry_after_seconds, moved.reserved) == (CHALLENGE, None, None, None)
    assert [quota.left for quota in moved.quotas] == [1], "and he takes no place"
    assert known.effect is PERMIT
    assert told(sites, [1, 2], NOON) == [PERMIT, DENY]
    assert [one.budget for one in hits(sites, [2], NOON, proof_before_new=True)] == [sites[0][1][0]]


def names(count: int) -> list[bytes]:
    return [bytes([255, number]) * 8 for number in range(count)]


def test_J1_room_for_several_is_made_at_all_sites_or_at_none():
    account, network = Seen(), Seen()
    sites = (
        (account, (Budget(5, HOUR, Past.CHALLENGE, counts=Counts.NEW), Budget(9, HOUR, Past.ALERT))),
        (network, (Budget(6, HOUR, Past.DENY, lasts=DAY), Budget(1, HOUR, Past.DENY, observe=True))),
    )
    asking = Asking(microseconds(NOON))
    assert told(sites, [0, 1], NOON) == [PERMIT] * 2
    first = room(sites, DAY, names(3), asking)
    assert (first.effect, first.new, len(first.reserved), first.alerts, first.observed) == (PERMIT, True, 3, (), ())
    refused = room(sites, DAY, names(2), asking)
    assert (refused.effect, refused.budget.past, refused.reserved) == (DENY, Past.DENY, None)
    assert (network.blocks, account.blocks) == ([], []), "no denial begins: nobody was looked up"
    assert told(sites, [0, 1, 2], NOON) == [PERMIT, PERMIT, CHALLENGE], "the places of three bear no name"
    give_back(first.reserved.pop())
    assert told(sites, [2, 3], NOON) == [PERMIT, CHALLENGE]
    for one in first.reserved:
        give_back(one)
    assert told(sites, [3, 4], NOON) == [PERMIT] * 2
    assert not account.in_flight


def test_room_is_there_again_when_so_many_have_left():
    sites = ((Seen(), (Budget(4, HOUR, Past.DENY),)),)
    for minute in range(4):
        told(sites, [minute], after(minutes=minute))
    refused = room(sites, None, names(2), Asking(microseconds(after(minutes=10))))
    assert (refused.effect, refused.retry_after_seconds) == (DENY, 51 * 60), "the second one leaves then"
    assert room(sites, None, names(2), Asking(microseconds(after(minutes=61)))).effect is PERMIT


def test_room_waits_where_delays_are_due_and_is_not_asked_of_new_people_where_nobody_is_new():
    sites = ((Seen(), (Budget(1, HOUR, Past.DELAY, delay=timedelta(seconds=3)),)),)
    assert room(sites, None, names(1), Asking(microseconds(NOON))).delay_seconds == 0
    assert room(sites, None, names(1), Asking(microseconds(NOON))).delay_seconds == 3
    sites = ((Seen(), (Budget(1, HOUR, Past.DENY, counts=Counts.NEW),)),)
    assert [room(sites, None, names(1), Asking(microseconds(NOON))).effect for _ in range(2)] == [PERMIT] * 2


def test_room_is_asked_of_the_budgets_that_a_look_up_would_be_asked_of():
    sites = ((Seen(), (Budget(1, HOUR, Past.DENY, under=Level.CARD), Budget(2, HOUR, Past.DENY, risk=Risk.HIGH))),)
    asking = Asking(microseconds(NOON), level=Level.CARD)
    assert room(sites, None, names(3), asking).effect is PERMIT
    assert room(sites, None, names(1), asking._replace(level=Level.MFA)).budget is sites[0][1][0]
    assert room(sites, None, names(1), asking._replace(risk=Risk.HIGH)).budget is sites[0][1][1]


def test_room_is_refused_where_misses_are_too_many_or_a_moved_session_sees_somebody_new():
    sites = ((Seen(), (Budget(1, HOUR, Past.DENY, counts=Counts.MISSED),)),)
    asking = Asking(microseconds(NOON))
    assert room(sites, DAY, names(5), asking).effect is PERMIT
    missed(sites, DAY, person(1), asking)
    assert room(sites, DAY, names(5), asking).effect is DENY
    moved = room(((Seen(), ()),), DAY, names(1), asking._replace(proof_before_new=True))
    assert (moved.effect, moved.budget, moved.new, moved.reserved) == (CHALLENGE, None, True, None)
