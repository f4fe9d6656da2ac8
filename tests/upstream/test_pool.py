# SPDX-License-Identifier: EUPL-1.2
"""The pool: a portal that is not there, places that run out, uploads that find only kept connections, and two users
whose answers never cross (C2, F5).
"""

from __future__ import annotations

import random
import re
import socket
import ssl
import threading
import time
from contextlib import suppress
from typing import ClassVar

import pytest
from upstream.scripts import HOST, OK, get

from support.echo import Echo
from support.house import House
from support.link import Link
from support.raw import exchange, parse
from support.servers import LOOPBACK, deaf_port, free_port
from support.tls import Authority

POST = b"POST /x HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc"


def house_for(folder, url: str, **portal: object) -> House:
    return House(folder / "h", url, settings={"portal": portal})


@pytest.mark.parametrize("request_line", [b"GET /x HTTP/1.1", POST], ids=["GET", "POST"])
def test_N1_a_portal_that_is_not_there_is_502(tmp_path, request_line):
    house = house_for(tmp_path, f"http://{LOOPBACK}:{free_port()}")
    with house.serve() as process:
        with Link(house.port) as link:
            assert [link.ask(request_line).status for _ in range(3)] == [502] * 3
        assert b"portal-unreachable" in process.log.read_bytes()


def test_N1_a_portal_that_is_deaf_is_504(tmp_path):
    with deaf_port() as port:
        house = house_for(tmp_path, f"http://{LOOPBACK}:{port}", head_seconds=0.4)
        with house.serve(), Link(house.port) as link:
            began = time.monotonic()
            assert link.ask(b"GET /x HTTP/1.1").status == 504
            assert link.ask(POST).status == 504
            assert time.monotonic() - began < 2.5


def test_places_run_out_and_come_back(tmp_path):
    """Two places: the others wait their turn, in order, and whoever waits too long is told 503."""
    with Echo() as echo:
        go = threading.Event()

        def held(talk, seen):
            go.wait(10)
            talk.send(OK + b"Content-Length: 2\r\n\r\nok")

        echo.on(b"/held", held)
        house = house_for(tmp_path, echo.url, connections=2, head_seconds=1.0)
        with house.serve():
            links = [socket.create_connection((LOOPBACK, house.port), timeout=5) for _ in range(6)]
            for number, link in enumerate(links):
                link.sendall(get(b"/held" if number < 2 else b"/turn"))
                time.sleep(0.02)
            echo.wait(b"/held", 2)
            links[3].close()  # one of those who wait goes away
            time.sleep(0.2)
            assert echo.count(b"/turn") == 0
            go.set()
            answers = [parse(link.recv(65_536))[0].body for link in links if link.fileno() >= 0]
            assert answers == [b"ok", b"ok", b"/turn\n\n", b"/turn\n\n", b"/turn\n\n"]
            assert echo.count(b"/turn") == 3
            assert echo.connections <= 2
            go.clear()
            for link in links[:2]:
                link.sendall(get(b"/held"))
            echo.wait(b"/held", 4)
            began = time.monotonic()
            links[4].sendall(get(b"/turn"))
            assert parse(links[4].recv(65_536))[0].status in {503, 504}
            assert time.monotonic() - began < 2
            go.set()
            for link in links:
                link.close()


def test_an_upload_finds_a_place_although_all_are_kept_for_others(tmp_path):
    with Echo() as echo:
        barrier = threading.Barrier(3)

        def together(talk, seen):
            barrier.wait(5)
            talk.send(OK + b"Content-Length: 2\r\n\r\nok")

        echo.on(b"/together", together)
        house = house_for(tmp_path, echo.url, connections=3)
        with house.serve():
            links = [Link(house.port) for _ in range(3)]
            for link in links:
                link.send(get(b"/together"))
            assert [link.receive().body for link in links] == [b"ok"] * 3
            began = time.monotonic()
            for _ in range(5):
                assert links[0].ask(POST).status == 200
            assert time.monotonic() - began < 2
            for link in links:
                link.close()


def test_a_kept_connection_ages_out(tmp_path):
    with Echo() as echo:
        house = house_for(tmp_path, echo.url, keepalive_seconds=0.3)
        with house.serve(), Link(house.port) as link:
            assert link.ask(b"GET /x HTTP/1.1").status == 200
            time.sleep(0.9)
            assert link.ask(b"GET /x HTTP/1.1").status == 200
            assert echo.connections == 2


def _token(seen) -> bytes:
    return OK + b"X-Token: %b\r\n" % seen.get(b"x-token")


def chunks(talk, seen):
    token = seen.get(b"x-token")
    talk.send(_token(seen) + b"Transfer-Encoding: chunked\r\n\r\n")
    for _ in range(4):
        talk.send(b"%x\r\n%b\r\n" % (len(token), token))
    talk.send(b"0\r\n\r\n")


def dies(talk, seen):
    if seen.connection % 3 == 0:
        talk.close()
    else:
        token = seen.get(b"x-token")
        talk.send(_token(seen) + b"Content-Length: %d\r\n\r\n%b" % (len(token), token))


def extra(talk, seen):
    """Two answers to one request, in one write: what comes later than the next request is no more to be told apart."""
    token = seen.get(b"x-token")
    one = _token(seen) + b"Content-Length: %d\r\n\r\n%b" % (len(token), token)
    talk.send(one + one)


def early(talk, seen):
    dies(talk, seen)
    if not talk.over:
        talk.exactly(int(seen.get(b"content-length")), lambda piece: None)


class User:
    """One of two users: asks in every way, and notes every byte that names somebody else."""

    crossed: ClassVar[list[bytes]] = []

    def __init__(self, name: bytes, port: int) -> None:
        self.name = name
        self.port = port
        self.dice = random.Random(name)
        self.served = 0
        self.thread = threading.Thread(target=self.live)

    def live(self) -> None:
        until = time.monotonic() + 3
        number = 0
        while time.monotonic() < until:
            with socket.create_connection((LOOPBACK, self.port), timeout=3) as link, suppress(OSError):
                going = True
                while going and time.monotonic() < until:
                    number += 1
                    going = self.ask(link, b"user-%b-%06d-" % (self.name, number))

    def ask(self, link: socket.socket, token: bytes) -> bool:
        """One request. False: the next one needs a new connection."""
        dice = self.dice
        target = dice.choice([b"/plain", b"/chunks", b"/dies", b"/extra", b"/early"])
        body = b"z" * dice.choice([1, 100, 90_000]) if target == b"/early" or dice.random() < 0.4 else b""
        line = b"%b %b HTTP/1.1\r\n" % (b"POST" if body else b"GET", target)
        length = b"Content-Length: %d\r\n" % len(body) if body else b""
        goes = dice.random()
        sent = body[: dice.randrange(len(body) + 1)] if goes < 0.1 else body
        link.sendall(line + HOST + b"X-Token: %b\r\n" % token + length + b"\r\n" + sent)
        if goes < 0.2:
            if sent == body and dice.random() < 0.5:
                self.look(link.recv(dice.randrange(1, 200)), token)
            return False
        return self.read(link, token)

    def read(self, link: socket.socket, token: bytes) -> bool:
        got = b""
        while True:
            piece = link.recv(65_536)
            got += piece
            answer = parse(got)[0] if b"\r\n\r\n" in got else None
            if answer is not None and (answer.whole or not piece):
                break
            if not piece:
                return False
        self.look(got, token)
        self.served += answer.whole and answer.status == 200
        return answer.whole and answer.get(b"connection") != b"close"

    def look(self, got: bytes, token: bytes) -> None:
        for name, number in re.findall(rb"user-(\w+)-(\d+)-", got):
            if b"user-%b-%b-" % (name, number) != token:
                self.crossed.append(got)


def test_C2_F5_no_answer_ever_reaches_the_other_user(echo, gateway):
    """Two users, each with some connections, every kind of answer, random aborts."""
    for script in (chunks, dies, extra):
        echo.on(b"/" + script.__name__.encode(), script)
    echo.on(b"/early", early, early=True)
    users = [User(b"%b%d" % (who, number), gateway) for who in (b"anne", b"bruno") for number in range(3)]
    for one in users:
        one.thread.start()
    for one in users:
        one.thread.join()
    assert User.crossed == []
    assert sum(one.served for one in users) > 300
    assert echo.faults == []


# TLS to the portal


def test_a_portal_behind_tls_of_its_own_authority(tmp_path):
    authority = Authority(tmp_path / "ca")
    for name, trusted, status in (("right", True, 200), ("other-host.example", True, 502), ("untrusted", False, 502)):
        other = Authority(tmp_path / f"ca-{name}", "Another authority")
        signer = authority if trusted else other
        chain, key = signer.issue(*([LOOPBACK] if name != "other-host.example" else [name]))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        with Echo(tls=context) as echo:
            house = house_for(tmp_path / name, echo.url, authority=str(authority.certificate))
            with house.serve():
                assert exchange(house.port, get(b"/x"), seconds=0.5).statuses() == [status], name
            assert len(echo.seen) == (1 if status == 200 else 0)
