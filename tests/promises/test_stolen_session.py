# SPDX-License-Identifier: EUPL-1.2
"""A stolen session shows nobody: used from another network or client it has to prove afresh first, and is on record."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from gateway.model import EventKind, Reason
from support.lookups import Demo, api_request, people
from support.raw import Answer, parse
from support.servers import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.system

ELSEWHERE = "127.0.1.1"  # another /24 of the same machine
NUMBERS = people(7)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[Demo, str]]:
    demo = Demo(tmp_path)
    cookie = demo.house.sign_in()
    with demo.portal, demo.house.serve():
        yield demo, cookie


def ask(demo: Demo, cookie: str, *, source: str = LOOPBACK, client: str = "", number: str | None = None) -> Answer:
    """One look-up (or the home page) on a connection of its own, from an address, by a client that names itself."""
    line = b"GET /accueil HTTP/1.1\r\n" if number is None else api_request(number)
    fields = f"Host: localhost:8443\r\nCookie: {cookie}\r\nAccept: application/json\r\n"
    if client:
        fields += f"User-Agent: {client}\r\n"
    with socket.create_connection((LOOPBACK, demo.house.port), timeout=10, source_address=(source, 0)) as wire:
        wire.sendall(line.partition(b"\r\n")[0] + b"\r\n" + fields.encode() + b"Connection: close\r\n\r\n")
        received = b""
        while piece := wire.recv(65_536):
            received += piece
    return parse(received)[0]


@pytest.mark.parametrize(
    ("source", "client"),
    [(ELSEWHERE, ""), (LOOPBACK, "robot/1"), (ELSEWHERE, "robot/1")],
    ids=["network", "client", "both"],
)
def test_from_elsewhere_nobody_is_shown_and_it_is_on_record(demo, source, client):
    house, cookie = demo
    assert ask(house, cookie, number=next(NUMBERS)).status == 200
    before = len(house.served())
    for _ in range(3):
        refused = ask(house, cookie, source=source, client=client, number=next(NUMBERS))
        assert refused.status == 401
        assert b"session-moved" in refused.body
        assert b'acr_values="mfa", max_age="0"' in (refused.get(b"www-authenticate") or b"")
    assert len(house.served()) == before
    assert ask(house, cookie, source=source, client=client).status == 200, "what discloses nothing stays open"
    assert ask(house, cookie, number=next(NUMBERS)).status == 200, "the holder goes on where he was"
    challenged = [one.event for one in house.house.events() if one.event.kind is EventKind.CHALLENGED]
    assert [(one.reason, one.network) for one in challenged] == [(Reason.SESSION_MOVED, source)] * 3


def test_another_address_of_the_same_network_is_no_other_place(demo):
    house, cookie = demo
    assert ask(house, cookie, source="127.0.0.77", number=next(NUMBERS)).status == 200
