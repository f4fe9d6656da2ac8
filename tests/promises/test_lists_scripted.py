# SPDX-License-Identifier: EUPL-1.2
"""Answers that show many people, from a portal that says what the demo portal never would."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from gateway.demo.number import written
from gateway.metering.patient import nir_key
from gateway.metering.pseudonym import Pseudonymizer
from gateway.model import EventKind
from gateway.settings import read_key
from gateway.state_files import PSEUDONYM_KEY_FILE
from support.house import House
from support.lists import CASES, list_policy, page_of
from support.raw import exchange
from support.servers import LOOPBACK

if TYPE_CHECKING:
    from support.echo import Echo

pytestmark = pytest.mark.system

NUMBERS = page_of(1)
ROWS = [f"<tr><td>{written(number)}</td></tr>".encode() for number in NUMBERS]
DECOY = "1850578006000"  # the order 000 is never given
DECOY_ROW = f"<tr><td>{DECOY}{nir_key(DECOY):02d}</td></tr>".encode()
TEXT = 'text: {records: "</tr>", provisional: true}'
SEARCH = """\
  search:
    title: Recherche
    routes: ["GET /search"]
    assurance: mfa
    patient: {query: nir}
    answers: {text: {records: "</tr>", provisional: true}, people_at_most: 5}
    budgets: [{people: 9, window: 24h, past: deny}, {missed: 3, window: 24h, past: deny}]
    discloses: [identity]
    attestation: {reference: TEST-1, until: 2099-12-31}
"""


@pytest.fixture
def make(tmp_path, portal):
    def house(*budgets: str, answers: str = TEXT, decoys: str = "", more: str = "") -> House:
        policy = list_policy(*(budgets or ("people: 1000, window: 24h, past: deny",)), answers=answers) + more
        made = House(tmp_path / "gateway", portal.url, policy, CASES, settings={"policy": {"decoys": "decoys.txt"}})
        (made.folder / "decoys.txt").write_text(decoys, encoding="ascii")
        return made

    return house


def says(
    portal: Echo, *pieces: bytes, kind: str = "text/html", status: str = "200 OK", path: bytes = b"/patients"
) -> None:
    """The portal's answer to this path, whole."""
    body = b"".join(pieces)

    def script(talk, _seen):
        head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n"
        talk.send(head.encode() + body)

    portal.on(path, script)


def request(house: House, cookie: str, target: str = "/patients", method: str = "GET") -> bytes:
    fields = f"Host: {house.host}\r\nCookie: {cookie}\r\nAccept: application/json\r\nRange: bytes=5-\r\n"
    return f"{method} {target} HTTP/1.1\r\n{fields}Accept-Encoding: gzip\r\nConnection: close\r\n\r\n".encode()


def ask(house: House, cookie: str, target: str = "/patients"):
    (answer,) = exchange(house.port, request(house, cookie, target)).answers("GET")
    return answer


def pseudonyms(house: House, numbers: list[str]) -> list[bytes]:
    pseudonym = Pseudonymizer(read_key(house.folder / "keys" / PSEUDONYM_KEY_FILE))
    return [pseudonym(number) for number in numbers]


def told(house: House) -> list[tuple[EventKind, str | None]]:
    events = [one.event for one in house.events()]
    return [(one.kind, one.reason) for one in events if one.kind is not EventKind.LOOKUP]


def test_a_decoy_in_a_list_shows_nobody_and_alerts(make, portal):
    house = make(decoys=DECOY)
    cookie = house.sign_in()
    says(portal, *ROWS[:3], DECOY_ROW, *ROWS[3:])
    with house.serve():
        answer = ask(house, cookie)
    assert (answer.status, b"decoy" in answer.body, b"</tr>" in answer.body) == (403, False, False)
    assert house.disclosed() == []
    assert told(house) == [(EventKind.REFUSED, "search-refused"), (EventKind.ALERTED, "decoy")]


@pytest.mark.parametrize(
    ("kind", "body", "why"),
    [
        ("application/pdf", b"%PDF-1.4", "kind"),
        ("text/html; charset=utf-16", b"", "charset"),
        ("text/html", b"<tr>\0</tr>", "binary"),
        ("text/html", b"<tr>" + b"x" * 300_000, "too-large"),
    ],
)
def test_what_cannot_be_read_is_refused_or_passes_as_the_policy_says_and_is_told(make, portal, kind, body, why):
    answers = TEXT + ", hold: 4KiB"
    body = body or b"x"
    house = make(answers=answers)
    cookie = house.sign_in()
    says(portal, body, kind=kind)
    with house.serve():
        refused = ask(house, cookie)
        policy = house.policy_file.read_text("utf-8").replace(answers, answers + ", unreadable: pass")
        house.policy_file.write_text(policy, encoding="utf-8")
    with house.serve():
        passed = ask(house, cookie)
    assert (refused.status, b"portal-answer-invalid" in refused.body) == (502, True)
    assert (passed.status, passed.body) == (200, body)
    alert, refusal = (EventKind.ALERTED, "unreadable"), (EventKind.REFUSED, "portal-answer-invalid")
    assert told(house) == [alert, refusal, alert]
    assert {one.event.details for one in house.events() if one.event.details} == {
        f"an answer that cannot be read: {why}"
    }


def test_what_is_no_list_passes(make, portal):
    house = make(answers="json: {people: /people, number: /nir}")
    cookie = house.sign_in()
    with house.serve():
        for kind, body, status in (
            ("text/html", b"<p>Non</p>", "404 Not Found"),
            ("application/json", b'{"error": 1}', "500 Internal Server Error"),
            ("text/plain", b"", "302 Found"),
        ):
            says(portal, body, kind=kind, status=status)
            answer = ask(house, cookie)
            assert (answer.status, answer.body) == (int(status[:3]), body)
        says(portal, ROWS[0], status="404 Not Found")
        assert ask(house, cookie).body == ROWS[0], "whoever is shown all the same is counted"
        says(portal, ROWS[0])
        assert ask(house, cookie).status == 502, "a list that is no JSON"
    assert house.disclosed() == pseudonyms(house, NUMBERS[:1])
    (seen, *_) = portal.of(b"/patients")
    assert (seen.get(b"range"), seen.get(b"accept-encoding")) == (b"", b"identity")


def test_whom_the_request_asks_for_and_the_answer_does_not_show_was_missed(make, portal):
    house = make(more=SEARCH)
    cookie = house.sign_in()
    with house.serve():
        for found, row in ((NUMBERS[0], ROWS[0]), (NUMBERS[1], ROWS[0] + ROWS[1]), (NUMBERS[2], b"<p>personne</p>")):
            target = f"/search?nir={found}"
            says(portal, row, path=b"/search")
            assert ask(house, cookie, target).status == 200
        for number in NUMBERS[3:6]:
            target = f"/search?nir={number}"
            says(portal, ROWS[0], path=b"/search")
            status = ask(house, cookie, target).status
            assert status == (429 if number == NUMBERS[5] else 200), "three misses, and that is it"
    shown = [NUMBERS[0], NUMBERS[0], NUMBERS[1], NUMBERS[0], NUMBERS[0]]
    assert sorted(house.disclosed()) == sorted(pseudonyms(house, shown + NUMBERS[2:5]))
    missed = [one.event.pseudonym for one in house.events() if one.event.kind is EventKind.LOOKUP_MISSED]
    assert missed == pseudonyms(house, NUMBERS[2:5])


@pytest.mark.parametrize("ends", ["signs out", "leaves", "breaks"])
def test_whoever_does_not_see_the_rest_is_not_recorded_with_it(make, portal, ends):
    more = threading.Event()
    house = make()
    cookie = house.sign_in()

    def slowly(talk, _seen):
        size = sum(map(len, ROWS))
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: %d\r\n\r\n" % size
        talk.send(head + b"".join(ROWS[:10]))
        more.wait(20)
        if ends != "breaks":
            talk.send(b"".join(ROWS[10:]))
        talk.close()

    portal.on(b"/patients", slowly)
    with house.serve():
        wire = socket.create_connection((LOOPBACK, house.port), timeout=20)
        wire.sendall(request(house, cookie))
        received = b""
        while received.count(b"</tr>") < 10:
            received += wire.recv(65_536)
        if ends == "signs out":
            fields = f"Host: {house.host}\r\nCookie: {cookie}\r\nOrigin: {house.origin}\r\nContent-Length: 0\r\n"
            fields += "Connection: close\r\n\r\n"
            left = exchange(house.port, f"POST /.herse/sign-out HTTP/1.1\r\n{fields}".encode()).statuses("POST")
            assert left[0] in {200, 303}
        elif ends == "leaves":
            wire.close()
            # An answer that was asked for later: by then the gateway has seen that this client is gone.
            assert exchange(house.port, request(house, cookie, "/.herse/sign-in")).answers("GET")
        more.set()
        if ends != "leaves":
            received += rest(wire)
            assert received.count(b"</tr>") == 10
        assert exchange(house.port, request(house, cookie, "/.herse/sign-in")).answers("GET")
    assert house.disclosed() == pseudonyms(house, NUMBERS[:10])


def rest(wire: socket.socket) -> bytes:
    """What still comes, to the end or the cut."""
    received = b""
    try:
        while piece := wire.recv(65_536):
            received += piece
    except ConnectionResetError:
        pass
    wire.close()
    return received
