# SPDX-License-Identifier: EUPL-1.2
"""A gateway under load while something ends or fails, over several starts: who was shown, served and put on record.

The sets are collected here over all that happens to one house, and compared in one place. No assertions here: `faults`
tells in sentences what is not as promised, and a test asks that there is nothing to tell.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING

from gateway.cli.main import main
from support.link import Link
from support.lookups import Load, api_request, page_request, people
from support.servers import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from support.crew import Crew
    from support.lookups import Demo, Shown

HOME = b"GET /accueil HTTP/1.1\r\n"
FORM = b"GET /infopatient HTTP/1.1\r\n"
SHOWN, GONE = 200, 503
_UNAVAILABLE = "urn:herse:reason:ledger-unavailable"


class WorstDay:
    """One house, whatever happens to it. `on_record`: whom its ledger says it showed; `accounts`: a client for each."""

    def __init__(self, demo: Demo, on_record: Callable[[], Shown], accounts: Sequence[str], seed: int = 5) -> None:
        self.demo = demo
        self.received: Shown = set()
        self.statuses: Counter[int] = Counter()
        self.cut = 0
        self.numbers = people(seed)
        self.cookies = [(account, demo.house.sign_in(account)) for account in accounts]
        self._on_record = on_record

    @contextmanager
    def load(self, at_least: int = 60) -> Iterator[Load]:
        """All clients look people up for as long as the block lasts, which begins when so many were shown."""
        load = Load(self.demo, self.cookies, self.numbers)
        load.start()
        try:
            wait_until("look-ups", lambda: load.statuses[SHOWN] >= at_least, 60)
            yield load
        finally:
            load.stop(60)
            self.received |= load.received
            self.statuses += load.statuses
            self.cut += load.cut

    def faults(self) -> list[str]:
        """What is not as promised, of all that came up to now."""
        recorded, served = self._on_record(), {pseudonym for _, pseudonym in self.demo.served()}
        found = [f"{len(self.received - recorded)} were shown, and are not on record"] * (not self.received <= recorded)
        if strange := {pseudonym for _, pseudonym in recorded} - served:
            found.append(f"{len(strange)} are on record, and the portal never gave them away")
        if strange_statuses := set(self.statuses) - {SHOWN, GONE}:
            found.append(f"look-ups were answered {sorted(strange_statuses)}")
        if len(self.received) < self.statuses[SHOWN]:
            found.append(f"{self.statuses[SHOWN]} whole answers, and {len(self.received)} people")
        return found

    def ask(self, request: bytes) -> int:
        """The status of one request on a new connection."""
        with Link(self.demo.house.port, self.cookies[0][1], seconds=30) as link:
            return link.ask(request).status

    def shows(self) -> bool:
        """Whether somebody new is shown, who is then received too."""
        account, cookie = self.cookies[0]
        number = next(self.numbers)
        with Link(self.demo.house.port, cookie, seconds=30) as link:
            if link.ask(api_request(number)).status != SHOWN:
                return False
        self.received.add((account, self.demo.pseudonym(number)))
        return True

    def refusing(self, crew: Crew) -> list[str]:
        """What is not as it must be while the ledger is out of order, at each process."""
        found = []
        with crew.links(self.cookies[0][1]) as links:
            for number, link in links.items():
                answer = link.ask(api_request(next(self.numbers)))
                why = json.loads(answer.body)["type"] if answer.status == GONE else ""
                if why != _UNAVAILABLE:
                    found.append(f"process {number} answers a look-up {answer.status} {why}")
                page = link.ask(page_request(next(self.numbers)))
                if page.status != GONE or not (page.get(b"content-type") or b"").startswith(b"text/html"):
                    found.append(f"process {number} has no page for it: {page.status}")
                rest = [link.ask(HOME).status, link.ask(FORM).status]
                if rest != [SHOWN, SHOWN]:
                    found.append(f"process {number} answers the rest of the portal {rest}")
        return found

    def verified(self) -> tuple[int, str]:
        """`herse ledger verify`: its exit code, and what it said."""
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            code = main(["ledger", "verify", "--config", str(self.demo.house.settings_file)])
        return code, said.getvalue()


def taken_up(crew: Crew) -> list[str]:
    """What each start said that it found of the tree."""
    return [str(one["found"]) for one in crew.told("ledger-taken-up")]
