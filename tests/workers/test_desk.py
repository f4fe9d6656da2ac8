# SPDX-License-Identifier: EUPL-1.2
"""Pages, sessions and revocations over several processes: one has the pages, all know who is signed in (promise 6)."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from gateway.console.admin_socket import SOCKET_FILE, call
from gateway.desk.frames import DESK_SOCKET
from gateway.identity.database import open_database
from gateway.identity.session import Sessions
from gateway.model import Level
from support.link import Link
from support.lookups import api_request, page_request, people
from support.servers import LOOPBACK, wait_until
from support.signing_in import NAME, PASSWORD, cookie_of, form, with_password

pytestmark = pytest.mark.system

HOME = b"GET /accueil HTTP/1.1\r\naccept: application/json\r\n"
WITHIN_SECONDS = 1.0


def lock(house):
    socket_file = house.ledger_file.parent / SOCKET_FILE
    wait_until("the admin socket", socket_file.exists)
    return call(socket_file, "account.lock", {"identifier": NAME, "reason": "vol de mot de passe"})


def test_somebody_signs_in_through_one_worker_and_is_known_to_all_until_he_signs_out_through_another(gather, serve):
    demo = gather()
    totp = with_password(demo.house)
    crew = serve(demo)
    origin, numbers = demo.house.origin, people(1)
    with crew.links() as links:
        sent = links[3].ask(page_request(next(numbers)))
        assert sent.status == 303
        where = sent.get(b"location")
        page = links[2].ask(b"GET %b HTTP/1.1\r\naccept: text/html\r\n" % where)
        assert page.status == 200
        to = dict(part.split("=") for part in where.decode().partition("?")[2].split("&"))["to"]
        first = links[1].ask(form("/.herse/sign-in", origin, identifier=NAME, password=PASSWORD, to=to))
        assert first.status == 303, first.body
        weak = cookie_of(first)
    with crew.links(weak) as links:
        assert {links[number].ask(HOME).status for number in links} == {200}
        assert {links[number].ask(api_request(next(numbers))).status for number in links} == {401}
        second = links[2].ask(form("/.herse/step-up", origin, code=totp.now(), to=to))
        assert second.status == 303, second.body
        strong = cookie_of(second)
        back = second.get(b"location")
        assert b"/infopatient/" in back or b"continue" in back, "where he was going is known, whoever had kept it"
        assert {links[number].ask(HOME).status for number in links} == {401}, "the token before is dead everywhere"
    with crew.links(strong) as links:
        assert {links[number].ask(api_request(next(numbers))).status for number in links} == {200}
        assert links[1].ask(form("/.herse/sign-out", origin)).status in {200, 303}
        since = time.monotonic()
        assert {links[number].ask(api_request(next(numbers))).status for number in links} == {401}
        assert time.monotonic() - since < WITHIN_SECONDS
    networks = {one.event.network for one in demo.house.events(NAME) if one.event.kind == "sign-in"}
    assert networks <= {LOOPBACK}


def test_what_ends_while_the_desk_stands_still_is_noticed_by_asking_the_database(gather, serve):
    """As if the word of it were lost on its way: a worker that does not hear the desk believes nothing it kept."""
    demo = gather()
    cookie = demo.house.sign_in()
    crew = serve(demo)
    with crew.links(cookie) as links:
        assert {links[number].ask(HOME).status for number in links} == {200}
        with crew.paused(0):
            time.sleep(0.8)
            assert {links[number].ask(HOME).status for number in (1, 2, 3)} == {200}
            with closing(sqlite3.connect(demo.house.accounts_file)) as database:
                database.execute("delete from session")
                database.commit()
            assert {links[number].ask(HOME).status for number in (1, 2, 3)} == {401}


def test_without_its_desk_a_gateway_looks_up_and_has_no_pages_and_its_locks_hold_again_with_it(gather, serve):
    demo = gather()
    cookie = demo.house.sign_in()
    crew = serve(demo)
    numbers = people(2)
    with crew.links(cookie) as links:
        assert {links[number].ask(api_request(next(numbers))).status for number in links} == {200}
        crew.kill_worker(0)
        pages = [links[number].ask(b"GET /.herse/account HTTP/1.1\r\n") for number in (1, 2, 3)]
        assert {page.status for page in pages} == {503}
        assert {links[number].ask(api_request(next(numbers))).status for number in (1, 2, 3)} == {200}
        wait_until("the desk is back", lambda: len(crew.told("serving")) == 5 and crew.linked())
        assert {links[number].ask(b"GET /.herse/account HTTP/1.1\r\n").status for number in (1, 2, 3)} == {200}
        assert lock(demo.house)["sessions_ended"] == 1
        since = time.monotonic()
        assert {links[number].ask(api_request(next(numbers))).status for number in (1, 2, 3)} == {401}
        assert time.monotonic() - since < WITHIN_SECONDS


def test_a_session_is_idle_when_no_worker_has_seen_it(gather, serve):
    demo = gather(session={"idle_minutes": 1})
    used, unused = demo.house.sign_in(), demo.house.sign_in()
    before = (datetime.now(UTC) - timedelta(seconds=30)).timestamp()
    shift(demo.house, 30)
    crew = serve(demo)
    with crew.links(used) as links:
        assert time.time() - before < 59, "the crew took too long to start for this test to tell anything"
        assert links[3].ask(HOME).status == 200
    time.sleep(max(0.0, before + 62 - time.time()))
    with crew.links(used) as links:
        assert links[1].ask(HOME).status == 200, "seen by another worker meanwhile"
        assert links[0].ask(HOME).status == 200
    with crew.links(unused) as links:
        assert {links[number].ask(HOME).status for number in links} == {401}


def shift(house, seconds):
    """As if everybody had last been seen so long ago."""
    engine = open_database(house.accounts_file)
    sessions = Sessions(engine, timedelta(minutes=30), timedelta(hours=4))
    for session in sessions.of_account(NAME):
        session.seen_at -= timedelta(seconds=seconds)
    sessions.sweep(datetime.now(UTC))
    engine.dispose()


def test_only_the_owner_of_the_folder_reaches_the_desk(gather, serve):
    demo = gather(workers=2)
    crew = serve(demo)
    path = demo.house.ledger_file.parent / DESK_SOCKET
    assert path.stat().st_mode & 0o777 == 0o600
    with Link(demo.house.port, demo.house.sign_in(level=Level.PASSWORD)) as link:
        told = json.loads(link.ask(b"GET /.herse/jwks.json HTTP/1.1\r\n").body)
    assert told["keys"], "opened in the database behind the desk's back: a page that needs nobody"
    assert crew.returncode is None
