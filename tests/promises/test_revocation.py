# SPDX-License-Identifier: EUPL-1.2
"""Promise 6 for requests already under way: whoever is locked out meanwhile is shown nobody, however long they take."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from gateway.console.admin_socket import SOCKET_FILE, call
from support.crew import together
from support.house import House
from support.link import Link
from support.lookups import CASES, api_request, form_request, lookup_policy, people
from support.servers import LOOPBACK, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.system

ACCOUNT = "750012346"
SECRET = b"of a patient"
NUMBER = next(people(1))


class SlowPortal:
    """Answers each request with a secret, but not before it is `released`; `asked` once one has come."""

    def __init__(self, listening: socket.socket) -> None:
        self.port: int = listening.getsockname()[1]
        self.asked, self.released = threading.Event(), threading.Event()
        self._listening = listening

    def run(self) -> None:
        while True:
            try:
                wire, _ = self._listening.accept()
            except OSError:  # closed: the test is over
                return
            threading.Thread(target=self._serve, args=(wire,), daemon=True).start()

    def _serve(self, wire: socket.socket) -> None:
        with wire:
            while wire.recv(65_536):
                self.asked.set()
                self.released.wait(20)
                wire.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(SECRET), SECRET))


@contextmanager
def slow_portal() -> Iterator[SlowPortal]:
    with socket.socket() as listening:
        listening.bind((LOOPBACK, 0))
        listening.listen()
        portal = SlowPortal(listening)
        threading.Thread(target=portal.run, daemon=True).start()
        yield portal
        portal.released.set()
        listening.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def portal():
    with slow_portal() as portal:
        yield portal


@pytest.fixture(params=[1, 4])
def house(request, tmp_path: Path, portal: SlowPortal) -> Iterator[House]:
    """One process, and four that share the work."""
    url = f"http://{LOOPBACK}:{portal.port}"
    with together(tmp_path, request.param) as settings:
        yield House(tmp_path / "gateway", url, lookup_policy(), CASES, settings=settings, workers=request.param)


def lock(house: House) -> None:
    """As `herse account lock` asks the running server to."""
    socket_file = house.ledger_file.parent / SOCKET_FILE
    wait_until("the admin socket", socket_file.exists)
    done = call(socket_file, "account.lock", {"identifier": ACCOUNT, "reason": "vol de mot de passe"})
    assert done["sessions_ended"] == 1


def test_F9_a_form_begun_before_the_lock_and_ended_after_it_shows_nobody(house, portal):
    """A body may be sent as slowly as the deadlines let it: it is the end of it that counts."""
    portal.released.set()
    cookie = house.sign_in(ACCOUNT)
    with house.serve(), Link(house.port, cookie) as link:
        whole = link.complete(form_request(NUMBER))
        link.send(whole[:-5])
        lock(house)
        link.send(whole[-5:])
        answer = link.receive("POST")
    assert SECRET not in answer.body
    assert answer.status == 401
    assert not portal.asked.is_set(), "nor is the portal asked for it"
    assert house.disclosed() == []


@pytest.mark.parametrize("request_of", [api_request, form_request])
def test_F9_an_answer_that_comes_after_the_lock_is_not_let_go(house, portal, request_of):
    cookie = house.sign_in(ACCOUNT)
    with house.serve(), Link(house.port, cookie) as link:
        link.send(link.complete(request_of(NUMBER)))
        assert portal.asked.wait(10)
        lock(house)
        portal.released.set()
        answer = link.receive()
    assert SECRET not in answer.body
    assert answer.status == 401
    told = [(one.event.kind, one.event.reason) for one in house.events(ACCOUNT)]
    assert ("refused", "sign-in-required") in told
    assert "lookup" not in {kind for kind, _ in told}
