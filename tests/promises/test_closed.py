# SPDX-License-Identifier: EUPL-1.2
"""What is closed stays closed whatever comes: a restart, a form still coming, a delay, work kept for a proof; and what
everybody is told of it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from gateway.model import EventKind, Level
from support.kept_desk import CONTINUE, answers
from support.link import Link
from support.lookups import Demo, lookup_policy, page_request
from support.switching import HOME, NUMBERS, do, look

pytestmark = pytest.mark.system

LEAVING = "751234567"


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
