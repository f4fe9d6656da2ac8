# SPDX-License-Identifier: EUPL-1.2
"""N1: one dependency away, each kind of person, each kind of client: the expected table, and no cell opens by error."""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from gateway.demo.people import find
from gateway.model import Level
from support.house import House
from support.link import Link
from support.lookups import CASES, Demo, api_request, form_request, lookup_policy, people
from support.servers import LOOPBACK, deaf_port, free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.raw import Answer
    from support.servers import Process

pytestmark = pytest.mark.system

ACCOUNT = "750012346"
NUMBERS = people(1)
NUMBER = next(NUMBERS)
SHORT = {"portal": {"connect_seconds": 1.0, "head_seconds": 0.5}}
FAULTS = {
    "portal down": (502, "portal-unreachable"),
    "portal deaf": (504, "portal-timeout"),
    "ledger failed": (503, "ledger-unavailable"),
}
CLIENTS = {"HTML": b"text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "JSON": b"application/json"}


def cookies(house: House) -> dict[str, str | None]:
    return {
        "anonymous": None,
        "password": house.sign_in(ACCOUNT, Level.PASSWORD),
        "mfa": house.sign_in(ACCOUNT, Level.MFA),
    }


@contextmanager
def without(fault: str, folder: Path) -> Iterator[tuple[House, dict[str, str | None], Process]]:
    """A running gateway without one of the things it stands on."""
    if fault == "ledger failed":
        demo = Demo(folder, settings=SHORT)
        people_of = cookies(demo.house)
        fiu, steer = shutil.which("fiu-run"), shutil.which("fiu-ctrl")
        if fiu is None or steer is None:
            pytest.fail("this test needs fiu-utils; `make test` installs what it needs, or names the packages")
        control = str(folder / "fiu")
        with demo.portal, demo.house.serve(prefix=(fiu, "-x", "-f", control)) as gateway:
            order = [steer, "-f", control, "-c", "enable name=posix/io/sync/fdatasync,failinfo=5", str(gateway.pid)]
            subprocess.run(order, check=True, timeout=20)
            with Link(demo.house.port, people_of["mfa"]) as link:
                assert link.ask(api_request(next(NUMBERS))).status == 503  # the look-up that finds the disk broken
            yield demo.house, people_of, gateway
        return
    with deaf_port() as deaf:
        port = deaf if fault == "portal deaf" else free_port()
        house = House(folder / "gateway", f"http://{LOOPBACK}:{port}", lookup_policy(), CASES, settings=SHORT)
        people_of = cookies(house)
        with house.serve() as gateway:
            yield house, people_of, gateway


def request(kind: str) -> bytes:
    return b"GET /infopatient/%b HTTP/1.1\r\naccept: %b\r\n" % (NUMBER.encode(), CLIENTS[kind])


def check_cell(who: str, kind: str, answer: Answer, status: int, reason: str) -> None:
    """What this person, with this client, is told of this fault."""
    where = answer.get(b"location") or b""
    if who == "mfa":
        assert answer.status == status
    elif kind == "JSON":
        assert answer.status == 401
    else:
        assert answer.status == 303
        assert where.startswith(b"/.herse/sign-in?" if who == "anonymous" else b"/.herse/step-up?")
    if kind == "JSON":
        told = json.loads(answer.body)
        expected = {"mfa": reason, "password": "second-factor-required", "anonymous": "sign-in-required"}[who]
        assert told["type"] == f"urn:herse:reason:{expected}"
        assert told["status"] == answer.status
        assert answer.get(b"content-type").startswith(b"application/problem+json")
    elif who == "mfa":
        assert answer.get(b"content-type").startswith(b"text/html")
    assert NUMBER.encode() not in answer.body
    assert answer.get(b"cache-control") == b"no-store"


@pytest.mark.parametrize("fault", FAULTS)
def test_N1_no_cell_of_the_table_opens_by_error(tmp_path, fault):
    status, reason = FAULTS[fault]
    with without(fault, tmp_path) as (house, people_of, gateway):
        before = len(house.events(ACCOUNT))
        for who, cookie in people_of.items():
            for kind in CLIENTS:
                with Link(house.port, cookie) as link:
                    check_cell(who, kind, link.ask(request(kind)), status, reason)
        with Link(house.port, people_of["mfa"]) as link:
            assert link.ask(form_request(NUMBER)).status == status
        home = 200 if fault == "ledger failed" else status
        for who, expected in (("anonymous", 401), ("password", home), ("mfa", home)):
            with Link(house.port, people_of[who]) as link:
                assert link.ask(b"GET /accueil HTTP/1.1\r\naccept: application/json\r\n").status == expected, who
                assert link.ask(b"GET /nowhere HTTP/1.1\r\n").status == (401 if who == "anonymous" else 403)
        expected = 0 if fault == "ledger failed" else 8
        wait_until(
            "the events on record", lambda: len(house.events(ACCOUNT)) >= before + expected
        )  # nobody waits for them
        events = house.events(ACCOUNT)[before:]
    check_events([(str(one.event.kind), one.event.reason) for one in events], fault, reason)
    check_log(gateway.output(), people_of, fault, reason)


def check_events(told: list[tuple[str, str | None]], fault: str, reason: str) -> None:
    """Each refusal and challenge of an account is on record; a failed ledger holds nothing more."""
    if fault == "ledger failed":
        assert told == []
        return
    assert told.count(("challenged", "second-factor-required")) == 2
    assert told.count(("refused", reason)) == 2 + 1 + 2, "two pages of a person, one form, twice the home page"
    assert told.count(("attempt", None)) == 1
    assert len(told) == 8


def check_log(log: str, people_of: dict[str, str | None], fault: str, reason: str) -> None:
    """K2: each fault has its line; no number, no name, no cookie is in any."""
    assert f'"event": "{reason}"' in log, log
    written = log.partition("\n")[2]
    assert all(line.startswith("{") and json.loads(line) for line in written.splitlines() if line)
    for secret in (NUMBER, find(NUMBER).name, *(cookie.partition("=")[2] for cookie in people_of.values() if cookie)):
        assert secret not in log, fault
