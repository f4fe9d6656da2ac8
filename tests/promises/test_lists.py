# SPDX-License-Identifier: EUPL-1.2
"""Promises 1, 2 and 4 where one answer shows many people: each is counted and on record before he leaves."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from gateway.demo.number import written
from gateway.model import EventKind, Level
from support.lists import BOTH, CASES, HTML, JSON, list_policy, page_of, read_list, shown_in
from support.lookups import Demo
from support.servers import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.system

ACCOUNT = "750012346"
DAY = "window: 24h"
ROOM = f"{BOTH}, people_at_most: 50"


def make(folder: Path, *budgets: str, answers: str = BOTH, **settings) -> Demo:
    return Demo(
        folder, list_policy(*(budgets or (f"people: 100000, {DAY}, past: deny",)), answers=answers), CASES, settings
    )


def pseudonyms(demo: Demo, numbers: list[str]) -> list[bytes]:
    return [demo.pseudonym(number) for number in numbers]


def recorded(demo: Demo) -> list[bytes]:
    return [pseudonym for _, _, pseudonym in demo.recorded()]


def told(demo: Demo) -> list[tuple[EventKind, str | None]]:
    events = [one.event for one in demo.house.events()]
    return [(one.kind, one.reason) for one in events if one.kind not in {EventKind.LOOKUP, EventKind.SIGN_IN}]


@pytest.mark.parametrize("accept", [HTML, JSON])
def test_everybody_on_a_page_is_counted_and_on_record_and_nobody_else(tmp_path, accept):
    demo = make(tmp_path, f"people: 100, {DAY}, past: deny")
    cookie = demo.house.sign_in()
    with demo.portal, demo.house.serve():
        answers = [read_list(demo, cookie, page, accept) for page in (1, 2, 1, 3)]
        assert [(one.status, one.whole) for one in answers] == [(200, True)] * 3 + [(429, True)]
        assert [shown_in(one.body) for one in answers] == [page_of(1), page_of(2), page_of(1), []]
        assert b";r=50;" in (answers[0].get(b"ratelimit") or b"")
    assert recorded(demo) == pseudonyms(demo, page_of(1) + page_of(2) + page_of(1))
    assert len({request for _, request, _ in demo.recorded()}) == 3, "under the id of the request"
    assert told(demo) == [(EventKind.REFUSED, "budget-exhausted")]
    assert Counter(demo.served()) >= Counter((request, found) for _, request, found in demo.recorded())


def test_a_page_that_does_not_fit_is_challenged_before_the_portal_is_asked(tmp_path):
    demo = make(tmp_path, f"people: 70, {DAY}, past: challenge", answers=ROOM)
    cookie = demo.house.sign_in()
    with demo.portal, demo.house.serve():
        assert read_list(demo, cookie, 1, JSON).status == 200
        refused = read_list(demo, cookie, 2, JSON)
        assert (refused.status, b"budget-proof-required" in refused.body) == (401, True)
        page = read_list(demo, cookie, 2, HTML)
        assert (page.status, (page.get(b"location") or b"").startswith(b"/.herse/step-up")) == (303, True)
    assert len(demo.served()) == 50, "the portal was asked once"
    assert recorded(demo) == pseudonyms(demo, page_of(1))
    assert told(demo) == [(EventKind.CHALLENGED, "budget-proof-required")] * 2


def test_room_that_was_not_used_is_given_back(tmp_path):
    demo = make(tmp_path, f"people: 60, {DAY}, past: deny", answers=ROOM)
    cookie = demo.house.sign_in()
    with demo.portal, demo.house.serve():
        assert [read_list(demo, cookie, page).status for page in (10_999, 10_998, 10_997)] == [404] * 3
        assert read_list(demo, cookie, 1, method="HEAD").status == 200
        assert [read_list(demo, cookie, page).status for page in (1, 2)] == [200, 429]
    assert recorded(demo) == pseudonyms(demo, page_of(1))


def test_a_portal_that_is_not_there_takes_no_room(tmp_path):
    demo = make(tmp_path, f"people: 60, {DAY}, past: deny", answers=ROOM)
    cookie = demo.house.sign_in()
    with demo.house.serve():
        assert [read_list(demo, cookie).status for _ in range(3)] == [502] * 3
        with demo.portal:
            assert read_list(demo, cookie).status == 200


@pytest.mark.parametrize("accept", [HTML, JSON])
@pytest.mark.parametrize("past", ["challenge", "deny"])
def test_a_budget_that_runs_out_cuts_the_page_behind_the_last_who_may_be_seen(tmp_path, accept, past):
    demo = make(tmp_path, f"people: 20, {DAY}, past: {past}")
    cookie = demo.house.sign_in()
    with demo.portal, demo.house.serve():
        cut = read_list(demo, cookie, 1, accept)
        assert (cut.status, cut.whole) == (200, False)
        assert shown_in(cut.body) == page_of(1)[:20]
        assert written(page_of(1)[20]).encode() not in cut.body
        page = read_list(demo, cookie, 2, JSON)
        assert page.status == (401 if past == "challenge" else 429), "nothing has left, so there is a page"
    assert recorded(demo) == pseudonyms(demo, page_of(1)[:20])
    kind = EventKind.CHALLENGED if past == "challenge" else EventKind.REFUSED
    assert [one for one, _ in told(demo)] == [kind] * 2


def test_J1_two_lists_at_once_where_one_fits_are_one_list(tmp_path):
    demo = make(tmp_path, f"people: 60, {DAY}, past: deny", answers=ROOM)
    cookies = [demo.house.sign_in() for _ in range(6)]
    found = []
    with demo.portal, demo.house.serve():
        threads = [
            threading.Thread(target=lambda page=page, cookie=cookie: found.append(read_list(demo, cookie, page)))
            for page, cookie in enumerate(cookies, 1)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert sorted(one.status for one in found) == [200, 429, 429, 429, 429, 429]
    assert all(one.whole for one in found), "none is cut"
    assert len(set(recorded(demo))) == 50
    assert len(demo.served()) == 50


def test_J1_without_room_asked_no_more_people_leave_than_fit(tmp_path):
    demo = make(tmp_path, f"people: 60, {DAY}, past: deny")
    cookies = [demo.house.sign_in() for _ in range(6)]
    found = []
    with demo.portal, demo.house.serve():
        threads = [
            threading.Thread(target=lambda page=page, cookie=cookie: found.append(read_list(demo, cookie, page)))
            for page, cookie in enumerate(cookies, 1)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    shown = [number for one in found for number in shown_in(one.body)]
    assert len(shown) == len(set(shown)) == 60
    assert set(pseudonyms(demo, shown)) == set(recorded(demo))


def test_L4_whoever_was_shown_in_a_list_is_on_record_when_the_gateway_is_killed_at_any_moment(tmp_path):
    demo = make(tmp_path)
    cookies = [(account, demo.house.sign_in(account, Level.MFA)) for account in (ACCOUNT, "750012353")]
    received: set[tuple[str, bytes]] = set()
    cut = 0
    for turn in range(4):
        stop, answers = threading.Event(), []

        def reads(account, cookie, first, stop=stop, answers=answers):
            page = first
            while not stop.is_set():
                try:
                    one = read_list(demo, cookie, page, HTML if page % 2 else JSON)
                except OSError:
                    return
                answers.append((account, one))
                page += 2

        with demo.house.serve() as gateway, demo.portal:
            threads = [
                threading.Thread(target=reads, args=(account, cookie, 1 + 500 * turn + place))
                for place, (account, cookie) in enumerate(cookies)
            ]
            for thread in threads:
                thread.start()
            wait_until("the first pages", lambda: len(answers) > 5)  # noqa: B023  # used at once
            time.sleep(0.037 * turn)
            gateway.kill()
            stop.set()
            for thread in threads:
                thread.join(20)
        for account, one in answers:
            received |= {(account, demo.pseudonym(number)) for number in shown_in(one.body)}
            cut += not one.whole
        assert received - demo.shown_on_record() == set(), "shown, and not on record"
    assert cut > 0, "no page was under way at any of the kills"
    assert len(received) > 1000
    served = {found for _, found in demo.served()}
    assert {found for _, found in demo.shown_on_record()} <= served, "on record, and never shown by the portal"


def test_after_a_restart_the_people_of_a_list_are_counted_still(tmp_path):
    demo = make(tmp_path, f"people: 60, {DAY}, past: deny")
    cookie = demo.house.sign_in()
    with demo.portal:
        with demo.house.serve():
            assert read_list(demo, cookie, 1).whole
        with demo.house.serve():
            cut = read_list(demo, cookie, 2)
            assert (cut.whole, len(shown_in(cut.body))) == (False, 10)
