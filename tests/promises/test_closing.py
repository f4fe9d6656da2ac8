# SPDX-License-Identifier: EUPL-1.2
"""Promise 6 for what operators switch: closed on every worker within a second, that alone, also over a restart.

What is asked of the portal is counted there: nothing of what is closed reaches it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from gateway.console.admin_socket import SOCKET_FILE, call
from gateway.model import EventKind, Level
from support.crew import together
from support.kept_desk import CONTINUE, answers
from support.link import Link
from support.lookups import Demo, api_request, lookup_policy, page_request, people
from support.servers import wait_until

pytestmark = pytest.mark.system

WITHIN_SECONDS = 1.0
LEAVING = "751234567"
HOME = b"GET /accueil HTTP/1.1\r\naccept: application/json\r\n"
OWN = ("/.herse/account", "/.herse/account/events", "/.herse/sign-in", "/.herse/jwks.json")
NUMBERS = people(63)


def page(path):
    return f"GET {path} HTTP/1.1\r\naccept: text/html\r\n".encode()


def look():
    return api_request(next(NUMBERS))


def do(house, command, **arguments):
    """A command to the running server, as `herse` sends it."""
    socket_file = house.ledger_file.parent / SOCKET_FILE
    wait_until("the admin socket", socket_file.exists)
    return call(socket_file, command, {"reason": "vol de données", **arguments})


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
    until = datetime.now(UTC) + timedelta(seconds=2)
    with gate.links() as links:
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


@pytest.fixture
def demo(tmp_path):
    demo = Demo(tmp_path)
    with demo.portal:
        yield demo


def test_everybody_is_signed_out(demo):
    house = demo.house
    cookies = [house.sign_in(), house.sign_in(), house.sign_in(LEAVING)]
    with house.serve():
        assert do(house, "account.sign-out", all=True) == {"accounts": 2, "sessions_ended": 3, "unknown": []}
        for cookie in cookies:
            with Link(house.port, cookie) as link:
                assert link.ask(HOME).status == 401


def test_a_restart_keeps_a_closed_teleservice_closed(demo):
    cookie, house = demo.house.sign_in(), demo.house
    with house.serve() as gateway, Link(house.port, cookie) as link:
        do(house, "teleservice.close", teleservice="infopatient")
        assert link.ask(look()).status == 503
        gateway.kill()
    with house.serve() as gateway, Link(house.port, cookie) as link:
        assert link.ask(look()).status == 503
        assert gateway.stop() == 0
    command = [sys.executable, "-m", "gateway.cli", "teleservice", "open", "infopatient", "--reason", "fini"]
    off_line = subprocess.run(
        [*command, "--config", str(house.settings_file)], capture_output=True, text=True, check=False
    )
    assert off_line.returncode == 0, off_line.stderr
    with house.serve(), Link(house.port, cookie) as link:
        assert link.ask(look()).status == 200


def test_a_file_of_switches_that_is_damaged_stops_the_start(demo):
    (demo.house.folder / "state" / "switches.json").write_text("{")
    code, told = demo.house.fails_to_start()
    assert code == 2
    assert "switches.json does not tell what is closed" in told


def test_what_professionals_and_programs_are_told(demo):
    house = demo.house
    cookie, weak = house.sign_in(), house.sign_in("751234567", Level.PASSWORD)
    until = (datetime.now(UTC) + timedelta(hours=2)).replace(microsecond=0)
    with house.serve(), Link(house.port, cookie) as link, Link(house.port, weak) as other, Link(house.port) as stranger:
        do(house, "teleservice.close", teleservice="infopatient", until=until.isoformat())
        told = link.ask(look())
        assert told.status == 503
        assert 7_100 < int(told.get(b"retry-after")) <= 7_200
        body = json.loads(told.body)
        assert (body["type"], body["teleservice"]) == ("urn:herse:reason:teleservice-closed", "infopatient")
        assert body["closed_until"] == until.isoformat().replace("+00:00", "Z")
        assert body["closed_since"] < body["closed_until"]
        shown = link.ask(page_request(next(NUMBERS)) + b"accept-language: fr\r\n").body.decode()
        words = shown.replace("\u00a0", " ").replace("\u2019", "'")
        assert "Infopatient : téléservice fermé" in words
        assert "Le téléservice « Infopatient » est fermé depuis le " in words
        assert "Réouverture prévue : " in words
        assert "36 08" in words
        assert "Attente" not in words, "until when is said, not for how long"
        assert "vol de données" not in words, "the operator's reason is his own"
        assert json.loads(other.ask(look()).body)["type"].endswith("teleservice-closed"), (
            "no proof is asked for in vain"
        )
        assert json.loads(stranger.ask(look()).body)["type"].endswith("sign-in-required")
    refused = [one.event for one in house.events() if one.event.kind is EventKind.REFUSED]
    assert {(one.teleservice, one.reason) for one in refused} == {("infopatient", "teleservice-closed")}
    assert demo.recorded() == []


def test_a_form_that_is_still_coming_and_a_look_up_that_is_delayed_reach_nothing_closed(tmp_path):
    demo = Demo(
        tmp_path,
        lookup_policy("{new: 1, window: 24h, past: delay, delay: 2s}", "{people: 99, window: 24h, past: deny}"),
    )
    cookie, house, number = demo.house.sign_in(), demo.house, next(NUMBERS)
    body = f"nir={number}".encode()
    head = (
        b"POST /infopatient HTTP/1.1\r\naccept: application/json\r\ncontent-type: application/x-www-form-urlencoded\r\n"
    )
    with demo.portal, house.serve(), Link(house.port, cookie) as form, Link(house.port, cookie) as delayed:
        assert delayed.ask(look()).status == 200
        form.send(form.complete(head + b"content-length: %d\r\n\r\n" % len(body)))
        delayed.send(delayed.complete(look()))
        time.sleep(0.5)
        do(house, "teleservice.close", teleservice="infopatient")
        form.send(body)
        assert form.receive().status == 503
        assert delayed.receive().status == 503
    assert len(demo.served()) == 1
    assert len(demo.recorded()) == 1


def test_what_was_kept_for_a_proof_waits_while_its_teleservice_is_closed(running, portal):
    portal.on(b"/letters/new", answers())
    person = running.person()
    to = person.work()
    following = person.prove(running.code(), to)
    do(running.house, "teleservice.close", teleservice="letters")
    refused = person.confirm(to)
    assert refused.status_code == 503
    assert "Courriers" in refused.text
    assert (portal.seen, running.states()) == ([], ["waiting"])
    do(running.house, "teleservice.open", teleservice="letters")
    assert following == f"{CONTINUE}?to={to}"
    assert person.confirm(to).status_code == 200
    assert len(portal.seen) == 1


def test_a_form_for_what_is_closed_is_not_kept_and_no_proof_is_asked_for(running, portal):
    do(running.house, "teleservice.close", teleservice="letters")
    refused = running.person().post("/letters/new")
    assert refused.status_code == 503
    assert (portal.seen, running.states()) == ([], [])


def test_closing_while_everybody_looks_people_up_lets_nothing_through_after_it(demo):
    """The promise under load: what is asked a second after the command is never served."""
    cookie, house = demo.house.sign_in(), demo.house
    with house.serve():
        stop, after, closed = threading.Event(), [], []

        def client():
            with Link(house.port, cookie) as link:
                while not stop.is_set():
                    asked = time.monotonic()
                    status = link.ask(look()).status
                    if closed and asked > closed[0]:
                        after.append(status)

        clients = [threading.Thread(target=client) for _ in range(4)]
        for one in clients:
            one.start()
        time.sleep(0.5)
        do(house, "teleservice.close", teleservice="infopatient")
        closed.append(time.monotonic())
        time.sleep(0.5)
        stop.set()
        for one in clients:
            one.join(20)
        assert len(after) > 10
        assert set(after) == {503}, "one process closes at once"
