# SPDX-License-Identifier: EUPL-1.2
"""Lists over several processes and a Redis: everybody on a page is counted for all of them, and room is made once."""

from __future__ import annotations

import threading

import pytest

from support.lists import BOTH, HTML, JSON, list_policy, page_of, read_list, shown_in

pytestmark = pytest.mark.system

ROOM = f"{BOTH}, people_at_most: 50"


def test_J1_lists_at_once_over_workers_never_show_more_than_fit_and_none_is_cut(gather, serve):
    demo = gather(list_policy("people: 60, window: 24h, past: deny", answers=ROOM), workers=2)
    cookies = [demo.house.sign_in() for _ in range(6)]
    serve(demo)
    found = []

    def reads(page, cookie):
        found.append(read_list(demo, cookie, page, HTML if page % 2 else JSON))

    threads = [threading.Thread(target=reads, args=one) for one in enumerate(cookies, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert {one.status for one in found} <= {200, 429}
    assert all(one.whole for one in found)
    shown = [number for one in found for number in shown_in(one.body)]
    if not shown:  # each had a part of the room, so none had all of it: it was given back
        shown = shown_in(read_list(demo, cookies[0], 1).body)
    assert len(shown) == len(set(shown)) == 50
    assert set(map(demo.pseudonym, shown)) == {found for _, _, found in demo.recorded()}
    assert read_list(demo, cookies[1], 9).status == 429


def test_a_budget_that_runs_out_in_redis_cuts_behind_the_last_who_may_be_seen(gather, serve):
    demo = gather(list_policy("people: 20, window: 24h, past: deny"), workers=2)
    cookie = demo.house.sign_in()
    serve(demo)
    cut = read_list(demo, cookie, 1)
    assert (cut.whole, shown_in(cut.body)) == (False, page_of(1)[:20])
    assert [found for _, _, found in demo.recorded()] == [demo.pseudonym(number) for number in page_of(1)[:20]]
