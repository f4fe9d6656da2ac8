# SPDX-License-Identifier: EUPL-1.2
"""Promise 6 for what operators switch: closed on every worker within a second, and that alone.

What is asked of the portal is counted there: nothing of what is closed reaches it.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from gateway.model import EventKind
from support.crew import together
from support.link import Link
from support.lookups import Demo, page_request
from support.switching import HOME, NUMBERS, do, look, page

pytestmark = pytest.mark.system

WITHIN_SECONDS = 1.0
LEAVING = "751234567"
OWN = ("/.herse/account", "/.herse/account/events", "/.herse/sign-in", "/.herse/jwks.json")


class Gate:
    """A running gateway and a connection to each of its processes."""

    def __init__(self, demo, process, cookie, leaving):
        self.demo, self.house, self.process = demo, demo.house, process
        self.cookie, self.leaving = cookie, leaving

    def do(self, command, **arguments):
        return do(self.house, command, **arguments)

    @contextmanager
    def links(self, cookie=None):
        if self.house.workers > 1:
            with self.process.links(cookie or self.cookie) as links:
                yield list(links.values())
        else:
            with Link(self.house.port, cookie or self.cookie) as link:
                yield [link]

    def soon(self, links, make, status):
        """Every process answers so within a second, and goes on to."""
        since = time.monotonic()
        waiting = list(links)
        while waiting:
            waiting = [one for one in waiting if one.ask(make()).status != status]
            assert time.monotonic() - since < WITHIN_SECONDS, f"{len(waiting)} have not heard"
        assert {one.ask(make()).status for one in links} == {status}


@pytest.fixture(scope="module", params=[1, 4])
def gate(request, tmp_path_factory):
    """One process, and four that share the work."""
    folder = tmp_path_factory.mktemp("closing")
    with together(folder, request.param) as settings:
        demo = Demo(folder, settings=settings, workers=request.param)
        cookie, leaving = demo.house.sign_in(), demo.house.sign_in(LEAVING)
        with demo.portal, demo.house.serve() as process:
            yield Gate(demo, process, cookie, leaving)


def test_a_closed_teleservice_is_closed_by_every_worker_within_a_second_and_no_other(gate):
    with gate.links() as links:
        assert {one.ask(look()).status for one in links} == {200}
        gate.do("teleservice.close", teleservice="infopatient")
        gate.soon(links, look, 503)
        served = len(gate.demo.served())
        assert {one.ask(page_request(next(NUMBERS))).status for one in links} == {503}
        assert {one.ask(HOME).status for one in links} == {200}
        assert len(gate.demo.served()) == served
        gate.do("teleservice.open", teleservice="infopatient")
        gate.soon(links, look, 200)


def test_a_closed_portal_answers_nothing_but_the_own_pages(gate):
    with gate.links() as links, Link(gate.house.port) as stranger:
        gate.do("portal.close")
        gate.soon(links, lambda: HOME, 503)
        served = len(gate.demo.served())
        for one in links:
            assert {one.ask(request).status for request in (look(), HOME, page("/"), page("/nowhere"))} == {503}
            assert {one.ask(page(path)).status for path in OWN} == {200}
        assert {stranger.ask(page(path)).status for path in ("/", "/accueil", "/infopatient/1")} == {503}
        assert stranger.ask(page("/.herse/sign-in")).status == 200
        told = json.loads(stranger.ask(HOME).body)
        assert told["type"] == "urn:herse:reason:portal-closed"
        assert "teleservice" not in told, "whoever is not signed in does not learn what there is"
        assert len(gate.demo.served()) == served
        gate.do("portal.open")
        gate.soon(links, lambda: HOME, 200)


def test_a_closure_ends_by_itself_at_its_time_on_every_worker(gate):
    with gate.links() as links:
        until = datetime.now(UTC) + timedelta(seconds=3)
        gate.do("teleservice.close", teleservice="infopatient", until=until.isoformat())
        gate.soon(links, look, 503)
        assert datetime.now(UTC) < until, "too slow for this test to tell anything"
        time.sleep((until - datetime.now(UTC)).total_seconds())
        assert {one.ask(look()).status for one in links} == {200}


def test_a_list_is_signed_out_by_every_worker_within_a_second_and_nobody_else(gate):
    with gate.links() as links, gate.links(gate.leaving) as leaving:
        assert {one.ask(HOME).status for one in leaving} == {200}
        done = gate.do("account.sign-out", accounts=[LEAVING, "NOBODY"])
        assert done == {"accounts": 1, "sessions_ended": 1, "unknown": ["NOBODY"]}
        gate.soon(leaving, lambda: HOME, 401)
        assert {one.ask(HOME).status for one in links} == {200}
    (told,) = [one.event for one in gate.house.events(LEAVING) if one.event.kind is EventKind.SESSIONS_ENDED]
    assert told.reason == "vol de données"
    assert told.details.startswith("sessions: 1; asked by ")


def test_every_switch_is_on_record_with_who_asked(gate):
    before = len(gate.house.events(""))
    gate.do("teleservice.close", teleservice="home")
    gate.do("teleservice.open", teleservice="home")
    gate.do("portal.close")
    gate.do("portal.open")
    told = [one.event for one in gate.house.events("")[before:]]
    assert [(str(one.kind), one.teleservice) for one in told] == [
        ("teleservice-closed", "home"),
        ("teleservice-opened", "home"),
        ("portal-closed", None),
        ("portal-opened", None),
    ]
    assert {one.reason for one in told} == {"vol de données"}
    assert all("asked by " in (one.details or "") for one in told)
