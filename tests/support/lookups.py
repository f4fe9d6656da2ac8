# SPDX-License-Identifier: EUPL-1.2
"""Look-ups through a whole house: gateway, stand-in portal, clients, and three accounts of who was shown.

`received` is what bytes reached a client, `served` what the portal says it gave away, `recorded` what the ledger holds.
The promises are sentences about these three sets; this file only collects them and judges nothing.
"""

from __future__ import annotations

import json
import random
import sqlite3
import threading
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from math import gcd
from typing import TYPE_CHECKING

from gateway.demo.people import COUNT, number_of
from gateway.metering.pseudonym import Pseudonymizer
from gateway.settings import read_key
from gateway.state_files import ASSERTION_KEY_FILE, PSEUDONYM_KEY_FILE
from gateway.upstream.assertion import Assertions, load_assertion_key
from support.house import House
from support.link import Link
from support.servers import LOOPBACK, Warm, accepts, free_port
from support.sources import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

Shown = set[tuple[str, bytes]]
"""(account, pseudonym) of everybody who was shown to somebody."""

_OK = 200
_POLICY = """\
version: 1
portal: amelipro-demo
title: Look-ups
teleservices:
  home:
    title: Accueil
    routes: ["GET /", "GET /accueil"]
    assurance: password
  infopatient:
    title: Infopatient
    routes:
      - {{route: "GET /infopatient", patient: none}}
      - {{route: "POST /infopatient", patient: {{form: nir}}}}
      - {{route: "GET /infopatient/{{nir}}", patient: {{path: nir}}}}
      - {{route: "GET /api/infopatient/{{nir}}", patient: {{path: nir}}}}
    assurance: mfa
    budgets: [{budgets}]
    discloses: [identity, rights]
    attestation: {{reference: TEST-1, until: 2099-12-31}}
"""
CASES = """\
version: 1
portal: amelipro-demo
cases:
  - {name: nobody looks up before he signed in, request: GET /infopatient/190073399900101, expect: challenge}
"""
WIDE = "{people: 100000, window: 24h, past: deny}"
"""A budget nobody reaches, for what is not about budgets."""


def lookup_policy(*budgets: str) -> str:
    """A policy with Infopatient as the demo has it, under these budgets (YAML, as in a policy file)."""
    return _POLICY.format(budgets=", ".join(budgets or (WIDE,)))


class Demo:
    """A gateway's house with the stand-in portal behind it; both are started by the test."""

    def __init__(
        self,
        folder: Path,
        policy: str | None = None,
        cases: str = CASES,
        settings: Mapping[str, Mapping[str, object]] | None = None,
        *,
        tls: bool = False,
        workers: int = 1,
    ) -> None:
        port = free_port()
        url = f"http://{LOOPBACK}:{port}"
        written = policy or lookup_policy()
        self.house = House(folder / "gateway", url, written, cases, tls, settings or {}, workers=workers)
        self.served_log = folder / "served.log"
        keys = self.house.folder / "keys"
        self.pseudonym = Pseudonymizer(read_key(keys / PSEUDONYM_KEY_FILE))
        assertions = Assertions(load_assertion_key(keys / ASSERTION_KEY_FILE), self.house.origin, url)
        jwks = folder / "jwks.json"
        jwks.write_text(json.dumps(assertions.jwks()), encoding="utf-8")
        words = ["--port", str(port), "--issuer", self.house.origin]
        words += ["--jwks-file", str(jwks), "--served-log", str(self.served_log)]
        self.portal = Warm("gateway.demo", words, folder, ready=accepts(port), name="portal")

    def served(self) -> list[tuple[str, bytes]]:
        """(request id in hex, pseudonym) of everybody the portal gave away, in order."""
        lines = self.served_log.read_text(encoding="ascii").splitlines() if self.served_log.exists() else []
        pairs = (line.split("\t") for line in lines)
        return [(request, self.pseudonym(number)) for request, number in pairs]

    def recorded(self, *kinds: str) -> list[tuple[str, str, bytes]]:
        """(account, request id in hex, pseudonym) of the ledger's rows of these kinds (`lookup` if none), in order."""
        wanted = kinds or ("lookup",)
        marks = ", ".join("?" * len(wanted))
        query = f"select account, request, pseudonym from event where kind in ({marks}) order by sequence"
        connection = sqlite3.connect(f"file:{self.house.ledger_file}?mode=ro", uri=True)
        try:
            return [(account, request.hex(), found) for account, request, found in connection.execute(query, wanted)]
        finally:
            connection.close()

    def shown_on_record(self) -> Shown:
        """What the ledger says was shown to whom."""
        return {(account, pseudonym) for account, _, pseudonym in self.recorded()}


def demo_policy() -> tuple[str, str]:
    """The policy of `make demo` and its cases."""
    folder = ROOT / "policies"
    return (folder / "demo.yaml").read_text("utf-8"), (folder / "demo.cases.yaml").read_text("utf-8")


def people(seed: int) -> Iterator[str]:
    """Numbers of the portal's people in a shuffled order that the seed alone decides, for many threads."""
    chance = random.Random(seed)
    step = next(step for step in iter(lambda: chance.randrange(1, COUNT), None) if gcd(step, COUNT) == 1)
    first = chance.randrange(COUNT)
    # No generator: a load's thread and the test itself may ask at once, which a generator answers with an error.
    return map(_person, count(first, step))


def _person(index: int) -> str:
    return number_of(index % COUNT)


def page_request(number: str) -> bytes:
    """A look-up as the page shows it."""
    return b"GET /infopatient/%b HTTP/1.1\r\naccept: text/html\r\n" % number.encode("ascii")


def api_request(number: str) -> bytes:
    """A look-up as a program asks for it."""
    return b"GET /api/infopatient/%b HTTP/1.1\r\naccept: application/json\r\n" % number.encode("ascii")


def form_request(number: str) -> bytes:
    """A look-up by the form; its body comes with it."""
    body = b"nir=" + number.encode("ascii")
    head = (
        b"POST /infopatient HTTP/1.1\r\naccept: application/json\r\ncontent-type: application/x-www-form-urlencoded\r\n"
    )
    return head + b"content-length: %d\r\n\r\n%b" % (len(body), body)


REQUESTS = (api_request, form_request, page_request)


@dataclass
class Load:
    """Clients that look people up, each on a connection of its own, until told to stop or the gateway is gone.

    `received` has everybody of whom a single byte of an answer came, `posted` everybody who was asked for by POST;
    `statuses` counts the whole answers, `cut` those that never became whole.
    """

    demo: Demo
    cookies: Sequence[tuple[str, str]]  # (account, Cookie value), one client each
    numbers: Iterator[str]
    received: Shown = field(default_factory=set)
    posted: set[bytes] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    cut: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._faults: list[BaseException] = []

    def start(self) -> None:
        """Begin in the background."""
        self._stop.clear()
        self._threads = [
            threading.Thread(target=self._client, args=(account, cookie, place), name=f"client {place}")
            for place, (account, cookie) in enumerate(self.cookies)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = 20.0) -> None:
        """Let each client finish what it asked, and wait for it; what went wrong in one is raised here."""
        self._stop.set()
        for thread in self._threads:
            thread.join(seconds)
            if thread.is_alive():
                raise TimeoutError(f"{thread.name} still waits after {seconds:.0f} s")
        if self._faults:
            raise self._faults[0]

    def _client(self, account: str, cookie: str, place: int) -> None:
        try:
            with Link(self.demo.house.port, cookie) as link:
                while not self._stop.is_set() and self._one(link, account, place):
                    place += 1
        except ConnectionRefusedError:
            return
        except BaseException as fault:  # noqa: BLE001  # told by `stop`, on the test's own thread
            self._faults.append(fault)

    def _one(self, link: Link, account: str, place: int) -> bool:
        with self._lock:
            number = next(self.numbers)
            pseudonym = self.demo.pseudonym(number)
            request = REQUESTS[place % len(REQUESTS)](number)
            if request.startswith(b"POST"):
                self.posted.add(pseudonym)
        answer = link.ask(request)
        with self._lock:
            if answer.status == _OK:
                self.received.add((account, pseudonym))
            if answer.whole:
                self.statuses[answer.status] += 1
            else:
                self.cut += 1
        return answer.whole
