# SPDX-License-Identifier: EUPL-1.2
"""Several processes with one ledger in PostgreSQL, from outside: somebody signs in, looks up and reads his events; any
of them, or the server, ends under load; nobody was shown unrecorded, and each start says what it found.
"""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from gateway.ledger.postgres_engine import SEALING
from support.crew import Crew
from support.lookups import api_request
from support.postgres import PostgresServer
from support.servers import accepts, wait_until
from support.signing_in import NAME, PASSWORD, cookie_of, form, with_password
from support.worst_day import WorstDay, taken_up

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.system

EVENTS = b"GET /.herse/account/events HTTP/1.1\r\naccept: application/json\r\n"
SEALERS = f"select count(*) from pg_locks where locktype = 'advisory' and objid = {SEALING & 0xFFFFFFFF} and granted"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as made:
        yield made


@pytest.fixture
def kept(server, gather, tmp_path):
    """A house of two processes whose ledger is there, its portal, and what is known of it."""
    place = server.database()
    demo = gather(workers=2, ledger=server.section(place, tmp_path))
    with demo.portal:
        yield demo, lambda: server.shown(place), place


def signed_in(links, demo, totp) -> str:
    origin = demo.house.origin
    first = links[1].ask(form("/.herse/sign-in", origin, identifier=NAME, password=PASSWORD, code=totp.now()))
    assert first.status == 303, first.body
    return cookie_of(first)


def test_L4_two_processes_one_ledger_and_whatever_ends(server, kept):
    demo, on_record, place = kept
    totp = with_password(demo.house)
    day = WorstDay(demo, on_record, ["750012353", "751112343"] * 2)
    with Crew(demo.house, 2) as crew:
        assert taken_up(crew) == ["no tree was there: it begins with the 0 events that were"]
        with crew.links() as links:
            cookie = signed_in(links, demo, totp)
        with crew.links(cookie) as links:
            assert [links[one].ask(api_request(next(day.numbers))).status for one in links] == [200, 200]
            told = [json.loads(links[one].ask(EVENTS).body)["events"] for one in links]
        assert [sum(event["people"] for event in one if event["kind"] == "lookup") for one in told] == [2, 2]
        assert "sign-in" in {event["kind"] for event in told[0]}
        assert server.ask(place.database, SEALERS) == [(1,)]
        for number in (1, 0):
            served = len(crew.told("serving"))
            with day.load():
                crew.kill_worker(number)
            wait_until("it is back", lambda: len(crew.told("serving")) > served and crew.linked(), 60)  # noqa: B023
        assert "nothing that was signed is lost" in taken_up(crew)[1]
        with day.load():
            os.kill(crew.pid, signal.SIGKILL)
            wait_until("all have ended", lambda: not accepts(demo.house.port)())
    assert day.faults() == []
    assert day.cut > 0, "no look-up was under way at any of the kills"
    with Crew(demo.house, 2) as crew:
        assert "nothing that was signed is lost" in taken_up(crew)[0]
        with day.load() as load:
            server.crash()
            wait_until("refused", lambda: load.statuses[503] > 20, 60)
        assert day.refusing(crew) == []
        server.start()
        assert day.refusing(crew) == [], "that the server is back proves nothing"
        crew.kill_worker(1)
        wait_until("it is back", lambda: len(crew.told("serving")) == 3 and crew.linked(), 60)
        assert day.refusing(crew) == [], "who was started anew has not read the ledger through"
        assert "postgresql" in crew.tells("ledger-failed")[0]["error"]
        assert crew.stop(30) == 0
    assert day.faults() == []
    code, said = day.verified()
    assert code == 0, said
    assert "is what was signed" in said
