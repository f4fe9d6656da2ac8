# SPDX-License-Identifier: EUPL-1.2
"""Lists of people through a whole house: a policy whose answers are scanned, and what of a page reached the client."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

from gateway.demo.lookups import PER_PAGE
from gateway.demo.people import number_of
from support.raw import Answer, parse
from support.servers import LOOPBACK

if TYPE_CHECKING:
    from support.lookups import Demo

_POLICY = """\
version: 1
portal: amelipro-demo
title: Lists
teleservices:
  patients:
    title: Liste
    routes: ["GET /patients"]
    assurance: mfa
    answers: {{{answers}}}
    budgets: [{budgets}]
    discloses: [identity, birth]
    attestation: {{reference: TEST-1, until: 2099-12-31}}
"""
CASES = """\
version: 1
portal: amelipro-demo
cases:
  - {name: nobody reads a list before he signed in, request: GET /patients, expect: challenge}
"""
BOTH = 'json: {people: /people, number: /nir}, text: {records: "</tr>", provisional: true}'
HTML, JSON = "text/html", "application/json"
_ROW = re.compile(rb'<td class="number">([0-9AB ]{15,30})</td></tr>')
_MEMBER = re.compile(rb'"nir": ?"([0-9AB]{13})"')


def list_policy(*budgets: str, answers: str = BOTH) -> str:
    """A policy with the list of patients under these budgets; `answers` as in a policy file."""
    return _POLICY.format(answers=answers, budgets=", ".join(f"{{{one}}}" for one in budgets))


def page_of(page: int) -> list[str]:
    """Who stands on a page of the demo portal's list, in order."""
    return [number_of(index) for index in range((page - 1) * PER_PAGE, page * PER_PAGE)]


def shown_in(body: bytes) -> list[str]:
    """Who is to be read in what came of a page, whole or not, in order."""
    return [found.replace(b" ", b"")[:13].decode() for found in _ROW.findall(body) + _MEMBER.findall(body)]


def read_list(demo: Demo, cookie: str, page: int = 1, accept: str = HTML, *, method: str = "GET") -> Answer:
    """One page on a connection of its own; `whole` is False if it was cut."""
    head = f"{method} /patients?page={page} HTTP/1.1\r\nHost: localhost:8443\r\nCookie: {cookie}\r\n"
    with socket.create_connection((LOOPBACK, demo.house.port), timeout=20) as wire:
        wire.sendall(f"{head}Accept: {accept}\r\nConnection: close\r\n\r\n".encode())
        received = b""
        try:
            while piece := wire.recv(65_536):
                received += piece
        except ConnectionResetError:
            pass
    answers = parse(received, method)
    return answers[0] if answers else Answer(0, (), b"", whole=False)
