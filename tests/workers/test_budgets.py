# SPDX-License-Identifier: EUPL-1.2
"""Promise 4 over several processes and a Redis: a budget of N people never lets person N+1 out (J1 to J4)."""

from __future__ import annotations

import time
from itertools import islice

import pytest

from support.link import Link
from support.lookups import Load, api_request, lookup_policy, people
from support.servers import wait_until

pytestmark = pytest.mark.system

DENY_50 = "{people: 50, window: 24h, past: deny}"


def all_at_once(port, cookies, requests):
    """Each on a connection of its own, all sent before the first answer is read."""
    links = [Link(port, cookie, seconds=30) for cookie in cookies]
    asked = list(zip(links, requests, strict=False))
    for link in links:
        link.connect()
    for link, request in asked:
        link.send(link.complete(request))
    answers = [link.receive() for link, _ in asked]
    for link in links:
        link.close()
    assert all(answer.whole for answer in answers)
    return [answer.status for answer in answers]


def refused_only_for_now(answers):
    return {answer.status for answer in answers} == {503}


def test_J1_200_at_once_over_four_workers_against_a_budget_of_50_let_out_exactly_50(gather, serve):
    demo = gather(lookup_policy(DENY_50))
    cookies = [demo.house.sign_in(), demo.house.sign_in()] * 100
    crew = serve(demo)
    port = demo.house.port
    first, second = list(islice(people(1), 200)), list(islice(people(2), 200))
    statuses = all_at_once(port, cookies, map(api_request, first))
    assert statuses.count(200) == 50
    assert sorted(set(statuses)) == [200, 429]
    assert all_at_once(port, cookies, map(api_request, second)).count(200) == 0
    shown = [number for number, status in zip(first, statuses, strict=True) if status == 200]
    with crew.links(cookies[0]) as links:
        again = [links[place % 4].ask(api_request(number)).status for place, number in enumerate(shown)]
    assert set(again) == {200}, "seen again, through whichever worker, it costs nothing"
    assert len({pseudonym for _, pseudonym in demo.served()}) == 50
    assert len(demo.shown_on_record()) == 50


def test_J1_the_window_slides_for_all_workers_at_once(gather, serve):
    demo = gather(lookup_policy("{people: 5, window: 4s, past: deny}"), workers=2)
    cookies = [demo.house.sign_in()] * 40
    serve(demo)
    shown = 0
    for seed in (1, 2, 3):
        shown += 5
        assert all_at_once(demo.house.port, cookies, map(api_request, people(seed))).count(200) == 5
        assert all_at_once(demo.house.port, cookies, map(api_request, people(10 + seed))).count(200) == 0
        time.sleep(4.2)
    assert len({pseudonym for _, pseudonym in demo.served()}) == shown


def test_J1_a_worker_killed_under_load_loses_nothing_and_comes_back(gather, serve):
    demo = gather(lookup_policy("{people: 120, window: 24h, past: deny}"))
    cookies = [("750012346", demo.house.sign_in()) for _ in range(8)]
    crew = serve(demo)
    before = crew.pids()
    load = Load(demo, cookies, people(3))
    load.start()
    wait_until("the load runs", lambda: len(demo.served()) > 20)
    crew.kill_worker(2)
    wait_until("it is back", lambda: len(crew.told("serving")) == 5)
    load.stop()
    after = Load(demo, cookies, people(4))
    after.start()
    wait_until("the budget is used up", lambda: after.statuses[429] > 20)
    after.stop()
    assert [one["number"] for one in crew.told("worker-ended")] == ["2"]
    assert {number for number, pid in crew.pids().items() if pid != before[number]} == {2}
    with crew.links(cookies[0][1]) as links:
        assert {links[number].ask(api_request(next(people(5)))).status for number in links} == {429}
    recorded = demo.shown_on_record()
    served = {pseudonym for _, pseudonym in demo.served()}
    assert load.received | after.received <= recorded
    on_record = {pseudonym for _, pseudonym in recorded} | {pseudonym for *_, pseudonym in demo.recorded("attempt")}
    assert len(recorded) <= 120
    assert len(served) <= 120
    assert {pseudonym for _, pseudonym in load.received} <= on_record
    numbers = sorted(one.sequence for one in (*demo.house.events(), *demo.house.events("")))  # and the data keys
    assert numbers == list(range(1, len(numbers) + 1)), "four processes number one ledger without a hole"


def test_J3_without_redis_metered_pages_are_refused_and_the_rest_goes_on(gather, serve, redis):
    demo = gather(lookup_policy("{people: 8, window: 24h, past: deny}"))
    cookie = demo.house.sign_in()
    crew = serve(demo)
    numbers = people(6)
    with crew.links(cookie) as links:
        assert [links[place % 4].ask(api_request(next(numbers))).status for place in range(4)] == [200] * 4
        redis.kill()
        refused = [links[number].ask(api_request(next(numbers))) for number in links]
        assert refused_only_for_now(refused)
        assert all(b"meter-unavailable" in answer.body for answer in refused)
        assert {links[number].ask(b"GET /accueil HTTP/1.1\r\n").status for number in links} == {200}
        assert {links[number].ask(b"GET /.herse/account HTTP/1.1\r\n").status for number in links} == {200}
        redis.start()  # empty: what it had counted is in the ledger
        for number in links:
            wait_until("look-ups are answered again", lambda number=number: ready(links[number], numbers))
        statuses = [links[place % 4].ask(api_request(next(numbers))).status for place in range(24)]
        assert statuses[-8:] == [429] * 8
    shown = {pseudonym for _, pseudonym in demo.served()}
    assert len(shown) == 8, "four before, and four after"
    assert len(crew.told("worker-ended")) == 0


def ready(link, numbers):
    return link.ask(api_request(next(numbers))).status != 503


def test_J1_a_policy_with_a_longer_window_still_knows_who_was_seen_before(gather, serve):
    policy = {"watch_seconds": 0.1}
    demo = gather(lookup_policy("{people: 5, window: 1s, past: deny}"), workers=2, policy=policy)
    cookie = demo.house.sign_in()
    crew = serve(demo)
    numbers = people(9)
    with crew.links(cookie) as links:
        assert [links[place % 2].ask(api_request(next(numbers))).status for place in range(5)] == [200] * 5
        time.sleep(1.1)
        assert [links[place % 2].ask(api_request(next(numbers))).status for place in range(5)] == [200] * 5
        demo.house.policy_file.write_text(lookup_policy("{people: 10, window: 24h, past: deny}"), encoding="utf-8")
        wait_until("the new policy in force", lambda: len(crew.told("policy-in-force")) == 2)
        wait_until("each has seen all counted anew", lambda: len(crew.told("budgets-ready")) >= 4)
        assert [links[place % 2].ask(api_request(next(numbers))).status for place in range(6)] == [429] * 6
    assert len({pseudonym for _, pseudonym in demo.served()}) == 10


def test_a_policy_that_is_refused_leaves_the_old_one_in_force_on_every_worker(gather, serve):
    demo = gather(workers=2, policy={"watch_seconds": 0.1})
    cookie = demo.house.sign_in()
    crew = serve(demo)
    demo.house.policy_file.write_text("version: 1\nportal: [", encoding="utf-8")
    wait_until("it is refused", lambda: {one["worker"] for one in crew.told("policy-refused")} == {0, 1})
    crew.kill_worker(1)
    wait_until("it cannot start", lambda: len(crew.told("worker-ended")) > 1)
    with Link(demo.house.port, cookie) as link:
        assert crew.taken_by(link) == 0
        assert link.ask(api_request(next(people(7)))).status == 200
    demo.house.policy_file.write_text(demo.house.policy, encoding="utf-8")
    wait_until("it starts again", lambda: len(crew.told("serving")) == 3)
    with crew.links(cookie) as links:
        assert {link.ask(api_request(next(people(7)))).status for link in links.values()} == {200}
