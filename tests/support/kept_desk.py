# SPDX-License-Identifier: EUPL-1.2
"""A whole gateway before a scripted portal, whose pharmacist must prove more before a letter goes; and browsers for it.

No assertions here.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pyotp

from gateway.identity.at_rest import AtRest
from gateway.identity.database import open_database
from gateway.identity.otp import Factors
from gateway.model import Level
from gateway.portal.cookies import SESSION_COOKIE
from gateway.settings import read_key
from gateway.state_files import AT_REST_KEY_FILE
from support.house import House
from support.servers import LOOPBACK

if TYPE_CHECKING:
    from pathlib import Path

    from support.echo import Script, Seen, Talk

POLICY = """\
version: 1
portal: letters
title: Letters
teleservices:
  home:
    title: Accueil
    routes: ["GET /"]
    assurance: password
  letters:
    title: Courriers
    routes: ["GET,POST,PUT /letters", "GET,POST,PUT /letters/{_rest...}"]
    assurance: mfa
    discloses: [identity]
    uncounted: the letters of a test are about nobody
    attestation: {reference: TEST-1, until: 2099-12-31}
"""
CASES = """\
version: 1
portal: letters
cases:
  - {name: nobody, request: GET /letters, expect: challenge}
"""
PHARMACY, DOCTOR = "750012346", "751234567"
PAGE = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"
FORM = "application/x-www-form-urlencoded"
TYPED = b"motif=grippe+%C3%A9t%C3%A9&jours=3&nir="
CONTINUE = "/.herse/continue"
LARGEST = 65_536


class Desk:
    """A gateway before a portal of this process, and the second factor of its pharmacist."""

    def __init__(self, folder: Path, url: str) -> None:
        self.house = House(folder, url, POLICY, CASES)
        self.password_only = self.house.sign_in(PHARMACY, Level.PASSWORD)
        engine = open_database(self.house.accounts_file)
        self._totp = pyotp.TOTP(pyotp.random_base32())
        at_rest = AtRest(read_key(self.house.folder / "keys" / AT_REST_KEY_FILE))
        Factors(engine, at_rest).add_totp(PHARMACY, self._totp.secret, datetime.now(UTC))
        engine.dispose()
        self._step = -1
        self._people: list[Person] = []

    def person(self, cookie: str | None = None) -> Person:
        """Somebody with this session, else with the one that was opened by password alone."""
        self._people.append(Person(self.house, cookie or self.password_only))
        return self._people[-1]

    def close(self) -> None:
        """End everybody's connections."""
        for one in self._people:
            one.http.close()

    def code(self) -> str:
        """A code that was not used yet: the gateway takes the steps beside its own."""
        self._step += 1
        return self._totp.at(datetime.now(UTC) + timedelta(seconds=30 * self._step))

    def rows(self) -> list[tuple[str, int | None, bytes | None]]:
        """State, status and sealed request of every work, oldest first."""
        with closing(sqlite3.connect(f"file:{self.house.accounts_file}?mode=ro", uri=True)) as database:
            return database.execute("select state, status, body from kept_work order by kept_at").fetchall()

    def states(self) -> list[str]:
        """The state of every work, oldest first."""
        return [row[0] for row in self.rows()]


class Person:
    """A browser that is signed in."""

    def __init__(self, house: House, cookie: str) -> None:
        self.house, self.cookie = house, cookie
        base = f"http://{LOOPBACK}:{house.port}"
        self.http = httpx.Client(base_url=base, headers={"host": house.host, "user-agent": ""}, timeout=30)

    def ask(self, method: str, path: str, content: bytes | None = None, **fields: str) -> httpx.Response:
        """One request; redirects are not followed."""
        told = {"cookie": self.cookie, "accept": PAGE} | {name.replace("_", "-"): text for name, text in fields.items()}
        return self.http.request(method, path, content=content, headers=told)

    def post(self, path: str, content: bytes = TYPED, **fields: str) -> httpx.Response:
        """Send a form of our own origin, unless the fields say otherwise."""
        told = {"origin": self.house.origin, "content_type": FORM} | fields
        return self.ask("POST", path, content, **told)

    def work(self, content: bytes = TYPED, path: str = "/letters/new?a=b", **fields: str) -> str:
        """Send what is challenged; the reference of what was kept."""
        answer = self.post(path, content, **fields)
        return answer.headers["location"].partition("to=")[2].partition("&")[0]

    def prove(self, code: str, to: str = "") -> str:
        """Step up; where that leads."""
        answer = self.post("/.herse/step-up", f"code={code}&to={to}".encode())
        self.cookie = f"{SESSION_COOKIE}={answer.cookies[SESSION_COOKIE]}"
        return answer.headers["location"]

    def confirm(self, to: str, work: str = "send", **fields: str) -> httpx.Response:
        """Press a button of the page of what waits."""
        return self.post(CONTINUE, f"to={to}&work={work}".encode(), **fields)

    def see(self, to: str, **fields: str) -> httpx.Response:
        """Open that page."""
        return self.ask("GET", f"{CONTINUE}?to={to}", None, **fields)


def answers(status: bytes = b"200 OK", body: bytes = b"done", *fields: bytes) -> Script:
    """A portal that answers at once."""

    def script(talk: Talk, _seen: Seen) -> None:
        talk.send(b"\r\n".join((b"HTTP/1.1 " + status, b"content-length: %d" % len(body), *fields, b"", body)))

    return script
