# SPDX-License-Identifier: EUPL-1.2
"""watching: a robot raises the risk of its account, once, for hours; hands do not; a start does not blind the watch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.metering.look import Look
from gateway.metering.risks import KEPT
from gateway.metering.tally import microseconds
from gateway.metering.watching import WATCHED_FOR, Past, Use, Watching
from gateway.metering.watching_file import read_uses, resume, write_uses
from gateway.model import Assurance, Meter, PastLook, PatientLocator, Place, Risk, Signal, Subject

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
METER = Meter(PatientLocator(Place.PATH, "nir"), ())
SECOND = timedelta(seconds=1)
USES = '{"version": 1, "at": "2026-11-23T12:00:00+00:00", "uses": [{"account": "P", %s}], "risks": []}'
RISKS = '{"version": 1, "at": "2026-11-23T12:00:00+00:00", "uses": [], "risks": [%s]}'


def pseudonym(number: int) -> bytes:
    return 2 * number.to_bytes(8)


def look(number: int, at: datetime, account: str = "P1", network: str = "192.0.2.0-24", **more) -> Look:
    subject = Subject(account, assurance=Assurance(), session=f"session of {account}")
    return Look(subject, "infopatient", METER, pseudonym(number), at, network, **more)


def robot(watching: Watching, at: datetime, *, people: int = 6, every: timedelta = SECOND, first: int = 0, **more):
    """What each of its look-ups raised."""
    return [watching.seen(look(first + one, at + one * every, **more), new=True, missed=False) for one in range(people)]


def risk(watching: Watching, at: datetime, account: str = "P1") -> Risk:
    return watching.risk(account, microseconds(at))


def test_a_robot_is_told_once_and_its_risk_stays_for_hours():
    watching = Watching()
    raised = [one for one in robot(watching, NOON) if one is not None]
    assert [one.risk for one in raised] == [Risk.HIGH]
    assert raised[0].findings[0].signal is Signal.PACE
    assert risk(watching, NOON + timedelta(minutes=1)) is Risk.HIGH
    again = robot(watching, NOON + timedelta(hours=1), first=100)
    assert again == [None] * 6, "as long as it stays, it is not told again"
    assert risk(watching, NOON + timedelta(hours=1, minutes=-1) + KEPT[Risk.HIGH]) is Risk.HIGH, (
        "found again, kept anew"
    )
    end = NOON + timedelta(hours=2) + KEPT[Risk.HIGH]
    assert risk(watching, end) is Risk.CALM
    assert any(robot(watching, end, first=200)), "and told again when it comes back later"


def test_a_proof_given_since_answers_the_risk():
    watching = Watching()
    robot(watching, NOON)
    at = microseconds(NOON + timedelta(minutes=10))
    assert watching.risk("P1", at, microseconds(NOON - timedelta(hours=1))) is Risk.HIGH
    assert watching.risk("P1", at, microseconds(NOON + timedelta(minutes=5))) is Risk.CALM


def test_lists_are_one_look_up_each_and_a_robot_that_leafs_through_them_raises_the_risk():
    watching = Watching()
    pages = [
        watching.showed([(look(50 * page + one, NOON + page * SECOND), True) for one in range(50)]) for page in range(6)
    ]
    raised = [one for one in pages if one is not None]
    assert [one.risk for one in raised] == [Risk.HIGH]
    assert raised[0].findings[0].signal is Signal.PACE
    hands = Watching()
    for page in range(2):
        people = [(look(one, NOON + page * SECOND), True) for one in range(50)]
        assert hands.showed(people) is None
    (use,) = hands.kept()
    assert use.days[0][1:3] == (50, 50), "read again, it is the same page"


def test_a_flood_is_noted_every_twentieth_of_a_second_and_found_all_the_same():
    watching = Watching()
    raised = robot(watching, NOON, people=3000, every=timedelta(milliseconds=1))
    assert [one.risk for one in raised if one is not None] == [Risk.HIGH]
    [use] = watching.kept()
    assert use.days[0][1] == 60, "people of that day"
    assert not watching.resting("P2", microseconds(NOON))


def test_hands_raise_nothing_and_another_account_is_not_touched():
    watching = Watching()
    assert not any(robot(watching, NOON, every=75 * SECOND))
    robot(watching, NOON + timedelta(hours=1), account="P2")
    assert risk(watching, NOON + timedelta(hours=1)) is Risk.CALM
    assert risk(watching, NOON + timedelta(hours=1), "P2") is Risk.HIGH


def test_one_network_that_drives_many_accounts_raises_them():
    watching, found = Watching(), []
    for place in range(14):
        raised = watching.seen(look(place, NOON + 30 * place * SECOND, f"P{place}"), new=True, missed=False)
        found += [] if raised is None else [raised]
    assert {one.signal for raised in found for one in raised.findings} == {Signal.MANY_ACCOUNTS}
    assert risk(watching, NOON + timedelta(minutes=10), "P13") is Risk.ELEVATED
    assert risk(watching, NOON + timedelta(minutes=10), "P0") is Risk.CALM, "who came before it was many"


def test_misses_raise_too():
    watching = Watching()
    tries = [watching.seen(look(one, NOON + 20 * one * SECOND), new=False, missed=True) for one in range(20)]
    assert any(raised and raised.findings[0].signal is Signal.MISSES for raised in tries)


def past(days: int, people: int) -> list[PastLook]:
    """Some people a day, of whom one is new."""
    looks = []
    for day in range(-days, 0):
        for place in range(people):
            number = day + 1000 if place == 0 else 10_000 + place
            at = NOON + timedelta(days=day, minutes=place)
            where = "75" if place % 5 else "13"
            looks.append(
                PastLook("P1", "infopatient", None, None, pseudonym(number), at, missed=False, departement=where)
            )
        looks.append(PastLook("P1", "infopatient", None, None, bytes(16), NOON + timedelta(days=day), missed=True))
    return looks


def test_the_days_before_a_start_come_from_the_ledger():
    gathered = Past(NOON - WATCHED_FOR)
    assert len(list(gathered.passing(past(100, 12)))) == 1300
    watching = Watching()
    watching.rebuild(gathered, NOON)
    [use] = watching.kept()
    days = {day: counts for day, *counts in use.days}
    assert set(map(tuple, days.values())) == {(12, 1, 1, 1, 0)}, "known people are known from before: one new a day"
    assert len(days) == WATCHED_FOR.days - 1 or len(days) == WATCHED_FOR.days
    assert use.places["75"] > use.places["13"] > 0


def test_what_was_written_down_goes_on_after_a_start(tmp_path):
    gathered, before, after = Past(NOON - WATCHED_FOR), Watching(), Watching()
    for one in past(60, 12):
        gathered.add(one)
    before.rebuild(gathered, NOON)
    file = tmp_path / "uses.json"
    before.alarm("P2", NOON)
    write_uses(file, before.kept(), before.risks.all(), NOON)
    write_uses(file, before.kept(), before.risks.all(), NOON)
    assert file.stat().st_mode & 0o777 == 0o600

    asked = []
    resume(file, after, lambda since: asked.append(since) or [], NOON)
    assert not asked, "the ledger is not asked where the file tells"
    assert list(after.kept()) == list(before.kept())
    assert risk(after, NOON, "P2") is Risk.HIGH, "a robot does not come back with a clean slate"
    assert read_uses(file)[0] == NOON


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version": 2, "at": "2026-11-23T12:00:00+00:00", "uses": []}',
        '{"version": 1, "at": "yesterday", "uses": []}',
        USES % '"days": [[1, 2]], "places": {}',
        USES % '"days": [], "places": {"75": -1}',
        USES % '"days": [], "places": []',
        RISKS % '["P", 3]',
        RISKS % '["P", 9, 0, 1]',
        RISKS % '["P", 1, "0", 1]',
    ],
)
def test_a_damaged_file_is_set_aside_for_the_ledger(tmp_path, text):
    file, watching = tmp_path / "uses.json", Watching()
    file.write_text(text)
    resume(file, watching, lambda _since: past(10, 3), NOON)
    assert len(watching) == 1


def test_what_no_signal_asks_about_is_forgotten():
    watching = Watching()
    robot(watching, NOON)
    watching.restore([Use("P9", [(microseconds(NOON) // 86_400_000_000, 3, 1, 0, 0, 0)], {"75": 3})])
    watching.sweep(NOON + timedelta(hours=1))
    assert (len(watching), risk(watching, NOON + timedelta(hours=1))) == (2, Risk.HIGH)
    watching.sweep(NOON + timedelta(days=60))
    assert len(watching) == 0
    assert risk(watching, NOON + timedelta(days=60)) is Risk.CALM


def test_an_alarm_is_high_at_once_and_a_proof_before_it_answers_nothing():
    watching = Watching()
    watching.alarm("P1", NOON)
    assert watching.risk("P1", microseconds(NOON), microseconds(NOON)) is Risk.HIGH
    assert risk(watching, NOON + KEPT[Risk.HIGH]) is Risk.CALM
