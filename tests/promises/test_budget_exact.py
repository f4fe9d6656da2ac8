# SPDX-License-Identifier: EUPL-1.2
"""Promise 4, through the whole gateway: a budget of N people never lets person N+1 out, however they are asked for."""

from __future__ import annotations

import time
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from support.link import Link
from support.lookups import Demo, api_request, form_request, lookup_policy, page_request, people
from support.servers import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.system

DENY_50 = "{people: 50, window: 24h, past: deny}"


def all_at_once(demo: Demo, cookies: Iterable[str], requests: Iterable[bytes]) -> list[int]:
    """Each request on a connection of its own, all of them sent before the first answer is read; gives the statuses."""
    links = [Link(demo.house.port, cookie, seconds=30) for cookie in cookies]
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


def one_by_one(demo: Demo, cookie: str, requests: Iterable[bytes]) -> list[int]:
    with Link(demo.house.port, cookie) as link:
        return [link.ask(request).status for request in requests]


def test_J1_200_at_once_against_a_budget_of_50_let_out_exactly_50_also_after_a_restart(tmp_path):
    demo = Demo(tmp_path, lookup_policy(DENY_50))
    cookies = [demo.house.sign_in(), demo.house.sign_in()] * 100  # two sessions of one account share one budget
    first, second = list(islice(people(1), 200)), list(islice(people(2), 200))
    with demo.portal:
        with demo.house.serve():
            statuses = all_at_once(demo, cookies, map(api_request, first))
            assert sorted(set(statuses)) == [200, 429]
            assert statuses.count(200) == 50
            shown = [number for number, status in zip(first, statuses, strict=True) if status == 200]
            assert all_at_once(demo, cookies, map(api_request, second)).count(200) == 0
            assert set(one_by_one(demo, cookies[0], map(api_request, shown))) == {200}, "seen again, it costs nothing"
        with demo.house.serve() as gateway:
            assert all_at_once(demo, cookies, map(api_request, second)).count(200) == 0
            assert set(one_by_one(demo, cookies[1], map(page_request, shown))) == {200}
            gateway.kill()
        with demo.house.serve():
            assert all_at_once(demo, cookies, map(form_request, second)).count(200) == 0
    assert len({pseudonym for _, pseudonym in demo.served()}) == 50
    assert len(demo.shown_on_record()) == 50


def test_J1_a_budget_that_asks_for_a_proof_lets_out_exactly_so_many_until_one_is_given(tmp_path):
    demo = Demo(tmp_path, lookup_policy("{people: 50, window: 24h, past: challenge}"))
    old = demo.house.sign_in(proved_ago=timedelta(minutes=5))
    numbers = list(islice(people(3), 200))
    with demo.portal:
        with demo.house.serve():
            statuses = all_at_once(demo, [old] * 200, map(api_request, numbers))
            assert statuses.count(200) == 50
            assert statuses.count(401) == 150
        fresh = demo.house.sign_in()  # signs in again, with a code: the next stretch, for whom it was proved
        with demo.house.serve():
            assert all_at_once(demo, [old] * 200, map(api_request, people(4))).count(200) == 0
            assert all_at_once(demo, [fresh] * 200, map(api_request, people(5))).count(200) == 50
            assert all_at_once(demo, [fresh] * 200, map(api_request, people(6))).count(200) == 0


def test_J1_each_account_has_a_budget_of_its_own(tmp_path):
    demo = Demo(tmp_path, lookup_policy(DENY_50))
    one, other = demo.house.sign_in("750012346"), demo.house.sign_in("750012353")
    with demo.portal, demo.house.serve():
        assert all_at_once(demo, [one, other] * 100, map(api_request, people(7))).count(200) == 100


def spellings(number: str) -> list[bytes]:
    """One person, asked for in every way the policy or the portal could tell apart."""
    spaced = f"{number[0]} {number[1:3]} {number[3:5]} {number[5:7]} {number[7:10]} {number[10:]}"
    path, typed = spaced.replace(" ", "%20"), spaced.replace(" ", "+")
    paths = [f"/infopatient/{number}", f"/infopatient/{number}/", f"/INFOPATIENT/{number}", f"/Infopatient/{number}"]
    paths += [
        f"/api/infopatient/{number}",
        f"/Api/InfoPatient/{number}/",
        f"/infopatient/{path}",
        f"/infopatient/{number}?x=1",
    ]
    gets = [f"{method} {one} HTTP/1.1\r\n".encode("ascii") for one in paths for method in ("GET", "HEAD")]
    return [*gets, form_request(number), form_request(typed), page_request(number), api_request(number)]


def test_J2_one_person_counts_once_and_no_spelling_opens_a_second_budget(tmp_path):
    """Method, case, slash, spaces, query, form, page, API: all fill one budget of two people."""
    demo = Demo(tmp_path, lookup_policy("{people: 2, window: 24h, past: deny}"))
    cookie = demo.house.sign_in()
    one, other, third = islice(people(8), 3)
    with demo.portal, demo.house.serve(), Link(demo.house.port, cookie) as link:
        for request in spellings(one):
            answer = link.ask(request)
            assert answer.status in {200, 404}, request  # some spellings mean nothing to the portal, yet they count
            assert b";r=1;" in answer.get(b"ratelimit"), request
        assert link.ask(api_request(other)).status == 200
        assert {link.ask(request).status for request in spellings(third)} == {429}
        assert {link.ask(request).status for request in spellings(one)} <= {200, 404}
    shown = {pseudonym for _, pseudonym in demo.served()}
    assert shown == {demo.pseudonym(one), demo.pseudonym(other)}


def test_J1_a_changed_policy_with_a_longer_window_still_knows_who_was_seen_before(tmp_path):
    """A hot swap is no restart, and must not forget more than one: the longer window is filled from the ledger."""
    demo = Demo(
        tmp_path, lookup_policy("{people: 5, window: 1s, past: deny}"), settings={"policy": {"watch_seconds": 0.1}}
    )
    cookie = demo.house.sign_in()
    numbers = people(9)
    with demo.portal, demo.house.serve() as gateway:
        assert one_by_one(demo, cookie, map(api_request, islice(numbers, 5))) == [200] * 5
        time.sleep(1.1)
        assert one_by_one(demo, cookie, map(api_request, islice(numbers, 5))) == [200] * 5
        demo.house.policy_file.write_text(lookup_policy("{people: 10, window: 24h, past: deny}"), encoding="utf-8")
        wait_until("the new policy in force", lambda: "policy-in-force" in gateway.output())
        assert one_by_one(demo, cookie, map(api_request, islice(numbers, 5))) == [429] * 5
    assert len({pseudonym for _, pseudonym in demo.served()}) == 10
