# SPDX-License-Identifier: EUPL-1.2
"""budget: windows and proofs, clocks and restarts, case by case; with the plain words alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.metering.budget import Asking, Outcome, hit
from gateway.metering.seen import Seen, arrange, remember
from gateway.metering.tally import microseconds
from gateway.model import Budget, Effect, Past

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
CHALLENGE, DENY, PERMIT = Effect.CHALLENGE, Effect.DENY, Effect.PERMIT


def person(number: int) -> bytes:
    return number.to_bytes(16)


def after(**passed: float) -> datetime:
    return NOON + timedelta(**passed)


def together(sites, who: bytes, at: datetime, proved_at: datetime | None) -> Outcome:
    return hit(sites, None, who, Asking(microseconds(at), None if proved_at is None else microseconds(proved_at)))


def ask(seen: Seen, budgets: tuple[Budget, ...], who: bytes, at: datetime, proved_at: datetime | None) -> Outcome:
    return together(((seen, budgets),), who, at, proved_at)


def effects(seen: Seen, budgets: tuple[Budget, ...], people, at: datetime, proved_at: datetime | None = None):
    return [ask(seen, budgets, person(one), at, proved_at).effect for one in people]


def recall(seen: Seen, who: bytes, at: datetime, now: datetime) -> None:
    """From the ledger, as memory tells it: a row from the future counts as now."""
    remember(seen, who, microseconds(min(at, now)), new=False, missed=False)


def test_exactly_so_many_people_and_not_one_more():
    seen, budgets = Seen(), (Budget(3, HOUR, Past.DENY),)
    assert effects(seen, budgets, range(5), NOON) == [PERMIT, PERMIT, PERMIT, DENY, DENY]
    assert effects(seen, budgets, [0, 1, 2, 2, 0], NOON) == [PERMIT] * 5, "reading again is free"


def test_a_person_leaves_when_the_window_has_passed_since_the_latest_look():
    seen, budgets = Seen(), (Budget(1, HOUR, Past.DENY),)
    assert effects(seen, budgets, [0], NOON) == [PERMIT]
    assert effects(seen, budgets, [0], after(minutes=30)) == [PERMIT]
    assert effects(seen, budgets, [1], after(minutes=90, microseconds=-1)) == [DENY]
    assert effects(seen, budgets, [1], after(minutes=90)) == [PERMIT]


def test_a_refused_look_counts_nowhere_and_renews_nothing():
    seen, budgets = Seen(), (Budget(1, HOUR, Past.DENY), Budget(5, DAY, Past.CHALLENGE))
    assert effects(seen, budgets, [0], NOON) == [PERMIT]
    refused = ask(seen, budgets, person(1), NOON, None)
    assert [quota.left for quota in refused.quotas] == [0, 4]
    assert effects(seen, budgets, [1], after(hours=1)) == [PERMIT]


def test_a_fresh_proof_opens_the_next_stretch_of_a_challenge_but_not_of_a_denial():
    seen, budgets = Seen(), (Budget(2, DAY, Past.CHALLENGE), Budget(5, DAY, Past.DENY))
    assert effects(seen, budgets, range(3), NOON) == [PERMIT, PERMIT, CHALLENGE]
    proof = after(minutes=1)
    assert effects(seen, budgets, [2, 3, 4], after(minutes=2), proof) == [PERMIT, PERMIT, CHALLENGE]
    assert effects(seen, budgets, [0], after(minutes=2), proof) == [PERMIT], "known people stay free"
    proof = after(minutes=3)
    assert effects(seen, budgets, [4, 5], after(minutes=4), proof) == [PERMIT, DENY]
    assert effects(seen, budgets, [6], after(minutes=4), None) == [DENY], "a denial wins over a challenge"


def test_people_seen_at_the_moment_of_the_proof_count():
    seen, budgets = Seen(), (Budget(1, DAY, Past.CHALLENGE),)
    assert effects(seen, budgets, [0, 1], NOON, NOON) == [PERMIT, CHALLENGE]


def test_the_wait_is_until_a_place_comes_back():
    seen, budgets = Seen(), (Budget(2, HOUR, Past.DENY),)
    effects(seen, budgets, [0], NOON)
    effects(seen, budgets, [1], after(minutes=10))
    refused = ask(seen, budgets, person(2), after(minutes=20, milliseconds=1), None)
    assert (refused.effect, refused.budget, refused.retry_after_seconds) == (DENY, budgets[0], 2400)
    assert effects(seen, budgets, [2], after(minutes=20, seconds=2400)) == [PERMIT]


def test_after_a_budget_was_lowered_the_wait_is_until_enough_have_left():
    seen = Seen()
    for minute in range(5):
        effects(seen, (Budget(9, HOUR, Past.DENY),), [minute], after(minutes=minute))
    refused = ask(seen, (Budget(2, HOUR, Past.DENY),), person(9), after(minutes=5), None)
    assert refused.retry_after_seconds == (60 + 3 - 5) * 60
    refused = ask(seen, (Budget(2, HOUR, Past.CHALLENGE),), person(9), after(minutes=5), after(minutes=1))
    assert refused.retry_after_seconds == (60 + 3 - 5) * 60


def test_the_refusing_budget_is_a_denial_or_else_the_longest_wait():
    budgets = (
        Budget(1, DAY, Past.CHALLENGE),
        Budget(1, HOUR, Past.DENY),
        Budget(1, 2 * HOUR, Past.DENY),
        Budget(1, DAY, Past.DENY),
    )
    for some, winner in ((budgets, 3), (budgets[:3], 2), (budgets[:2], 1), (budgets[:1], 0), (budgets[2:0:-1], 0)):
        seen = Seen()
        effects(seen, some, [0], NOON)
        refused = ask(seen, some, person(1), NOON, None)
        assert refused.budget is some[winner]
        assert refused.retry_after_seconds == some[winner].window.total_seconds()


def test_quotas_tell_what_is_left_and_when_a_place_comes_back():
    seen, budgets = Seen(), (Budget(3, HOUR, Past.CHALLENGE), Budget(9, DAY, Past.DENY))
    effects(seen, budgets, [0, 1], NOON)
    outcome = ask(seen, budgets, person(2), after(minutes=10), after(minutes=5))
    assert [(quota.left, quota.reset_seconds) for quota in outcome.quotas] == [(2, 3600), (6, 85800)]
    assert outcome.budget is outcome.retry_after_seconds is None


def test_a_budget_for_nobody_lets_nobody_in():
    budget = Budget(0, HOUR, Past.DENY)
    outcome = ask(Seen(), (budget, Budget(0, HOUR, Past.CHALLENGE)), person(0), NOON, None)
    assert (outcome.effect, outcome.budget, outcome.retry_after_seconds) == (DENY, budget, 3600)
    assert [(quota.left, quota.reset_seconds) for quota in outcome.quotas] == [(0, 0), (0, 0)]


def test_a_proof_after_which_nobody_was_seen_leaves_the_budget_whole():
    seen, budgets = Seen(), (Budget(2, HOUR, Past.CHALLENGE), Budget(2, HOUR, Past.DENY))
    effects(seen, budgets, [0, 1], NOON)
    outcome = ask(seen, budgets, person(2), after(minutes=2), after(minutes=1))
    assert [(quota.left, quota.reset_seconds) for quota in outcome.quotas] == [(2, 0), (0, 3480)]


def test_J4_a_clock_that_steps_back_loosens_nothing():
    seen, budgets = Seen(), (Budget(2, HOUR, Past.DENY),)
    assert effects(seen, budgets, [0, 1], NOON) == [PERMIT, PERMIT]
    assert effects(seen, budgets, [2], after(days=-3)) == [DENY]
    assert effects(seen, budgets, [0], after(days=-3)) == [PERMIT]
    assert effects(seen, budgets, [2], after(minutes=59)) == [DENY]
    assert effects(seen, budgets, [2], after(hours=1)) == [PERMIT]


def test_J4_a_proof_from_before_the_step_back_does_not_hide_who_came_after_it():
    seen, budgets = Seen(), (Budget(2, HOUR, Past.CHALLENGE),)
    assert effects(seen, budgets, [0, 1, 2], after(minutes=-30), proved_at=NOON) == [PERMIT, PERMIT, CHALLENGE]


def test_two_rules_with_other_windows_do_not_make_each_other_forget():
    seen, short, long = Seen(), (Budget(5, HOUR, Past.DENY),), (Budget(2, DAY, Past.DENY),)
    assert effects(seen, long, [0, 1], NOON) == [PERMIT, PERMIT]
    assert effects(seen, short, [2], after(hours=2)) == [PERMIT]
    assert effects(seen, long, [3], after(hours=2)) == [DENY]


def test_people_of_the_ledger_count_from_their_latest_time_whatever_the_order():
    seen, budgets = Seen(), (Budget(2, HOUR, Past.DENY),)
    effects(seen, budgets, [0], after(minutes=-10))
    for one, minutes in ((0, -50), (1, -20), (1, -40), (2, -70), (2, -90)):
        recall(seen, person(one), after(minutes=minutes), NOON)
    assert effects(seen, budgets, [3, 0, 1], NOON) == [DENY, PERMIT, PERMIT]
    assert effects(seen, budgets, [3], after(minutes=60)) == [PERMIT]


def test_J4_a_ledger_written_under_a_clock_ahead_counts_from_now():
    seen, budgets = Seen(), (Budget(1, HOUR, Past.DENY),)
    recall(seen, person(0), after(days=400), NOON)
    assert effects(seen, budgets, [1], after(minutes=-5)) == [DENY], "nor does a later step back move it out of order"
    assert effects(seen, budgets, [1], after(minutes=59)) == [DENY]
    assert effects(seen, budgets, [1], after(minutes=60)) == [PERMIT]


def test_J4_a_ledger_written_under_a_clock_ahead_hides_nobody_from_a_later_proof():
    seen, budgets = Seen(), (Budget(2, HOUR, Past.CHALLENGE),)
    recall(seen, person(9), after(minutes=-10), NOON)
    recall(seen, person(0), after(days=400), NOON)
    assert effects(seen, budgets, [1], after(minutes=-5), proved_at=after(minutes=-8)) == [PERMIT]
    assert effects(seen, budgets, [2], after(minutes=-2), proved_at=after(minutes=-3)) == [CHALLENGE]


def test_memory_is_given_back_when_people_leave():
    seen, budgets = Seen(), (Budget(10_000, HOUR, Past.DENY), Budget(10_000, DAY, Past.DENY))
    effects(seen, budgets, range(500), NOON)
    arrange(seen, budgets, None, microseconds(after(hours=1)))
    assert [len(window) for window in seen.people.windows.values()] == [0, 500]


def test_people_leave_on_time_also_when_the_windows_were_looked_through_ahead_of_time():
    seen, budgets = Seen(), (Budget(1, HOUR, Past.DENY),)
    assert effects(seen, budgets, [0], NOON) == [PERMIT]
    arrange(seen, budgets, None, microseconds(after(hours=5)))
    assert effects(seen, budgets, [1], after(minutes=1)) == [PERMIT], "the sweep has let go of the first"
    assert effects(seen, budgets, [2], after(minutes=61, microseconds=-1)) == [DENY]
    assert effects(seen, budgets, [2], after(minutes=61)) == [PERMIT]


def test_of_several_windows_the_first_to_be_left_is_left_on_time():
    seen, budgets = Seen(), (Budget(9, DAY, Past.DENY), Budget(1, HOUR, Past.DENY))
    assert effects(seen, budgets, [0], NOON) == [PERMIT]
    assert effects(seen, budgets, [0], after(minutes=30)) == [PERMIT]
    assert effects(seen, budgets, [1], after(minutes=89)) == [DENY]
    assert effects(seen, budgets, [1, 0], after(minutes=90)) == [PERMIT, DENY]


def test_each_look_up_is_counted_from_the_proof_it_came_with():
    seen, budgets = Seen(), (Budget(1, HOUR, Past.CHALLENGE),)
    early, late = after(minutes=-9), after(minutes=5)
    assert effects(seen, budgets, [0], NOON, early) == [PERMIT]
    assert effects(seen, budgets, [1], after(minutes=6), early) == [CHALLENGE]
    assert effects(seen, budgets, [1], after(minutes=6), late) == [PERMIT]
    assert effects(seen, budgets, [2], after(minutes=7), late) == [CHALLENGE]
    assert effects(seen, budgets, [2], after(minutes=7), None) == [CHALLENGE]
    assert effects(seen, budgets, [2], after(minutes=8), after(minutes=8)) == [PERMIT]


def test_whom_one_place_refuses_is_counted_in_none():
    shared, own, budgets = Seen(), Seen(), (Budget(9, HOUR, Past.DENY),)
    parts = ((shared, budgets), (own, (Budget(1, HOUR, Past.CHALLENGE),)))
    assert together(parts, person(1), NOON, None).effect is PERMIT
    refused = together(parts, person(2), NOON, None)
    assert (refused.effect, refused.retry_after_seconds) == (CHALLENGE, 3600)
    assert [quota.left for quota in refused.quotas] == [8, 0]
    assert together(parts, person(2), NOON, NOON).effect is CHALLENGE, "seen at the moment of the proof counts"
    assert together(parts, person(2), after(minutes=1), after(seconds=30)).effect is PERMIT
    assert together(parts, person(1), after(minutes=1), None).effect is PERMIT, "known people stay free"
