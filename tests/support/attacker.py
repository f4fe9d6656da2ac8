# SPDX-License-Identifier: EUPL-1.2
"""Who holds somebody's password and mailbox, as in 2022: every request he can make of the gateway, in any order.

And the holder himself, who has the card. Both are plain HTTP clients; what they try is counted, nothing is judged here.
"""

from __future__ import annotations

import email
import json
import re
import ssl
import subprocess
from email import policy
from typing import TYPE_CHECKING, Final

import httpx
import pyotp

from gateway.cli.card_certs import PASSPHRASE
from support.servers import wait_until

if TYPE_CHECKING:
    from pathlib import Path

_LINK: Final = re.compile(r"https://[^/\s]+(/\.herse/\S+\?ticket=[A-Za-z0-9_-]+)")
_LETTER_SECONDS: Final = 20.0
NEW_PASSWORD: Final = "Le robot a choisi cette phrase-ci"


class Mailbox:
    """The letters to one address, as they lie in the folder where the gateway puts them."""

    def __init__(self, folder: Path, address: str) -> None:
        self._folder = folder
        self._address = address

    def links(self) -> list[str]:
        """The paths of all links that came, oldest first."""
        found = []
        for path in sorted(self._folder.glob("*.eml")) if self._folder.exists() else ():
            letter = email.message_from_bytes(path.read_bytes(), policy=policy.default)
            body = letter.get_body()
            if letter["To"] == self._address and body is not None:
                found += _LINK.findall(body.get_content())
        return found

    def wait(self) -> None:
        """Until a link came; TimeoutError if none does."""
        wait_until("a letter", lambda: bool(self.links()), _LETTER_SECONDS)


class Client:
    """One browser: it keeps cookies, says that it is of our origin, and asks for JSON. Redirects are not followed."""

    def __init__(self, port: int, origin: str, authority: Path) -> None:
        headers = {"accept": "application/json", "origin": origin, "host": origin.removeprefix("https://")}
        self._origin = origin
        self._http = httpx.Client(
            base_url=f"https://localhost:{port}",
            headers=headers,
            verify=ssl.create_default_context(cafile=authority),
            timeout=20,
        )

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def get(self, path: str) -> httpx.Response:
        """Open a page."""
        return self._http.get(path)

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form."""
        return self._http.post(path, data=fields)

    def ask(self, method: str, path: str, body: dict[str, str] | None = None) -> httpx.Response:
        """Any request of the portal."""
        return self._http.request(method, path, data=body)

    @property
    def cookies(self) -> dict[str, str]:
        """What the browser holds."""
        return dict(self._http.cookies)

    @cookies.setter
    def cookies(self, values: dict[str, str]) -> None:
        self._http.cookies.clear()
        for name, value in values.items():
            self._http.cookies.set(name, value, domain="localhost.local", path="/")


class Robot:
    """The thief of one account. `people` gives the numbers he asks for, one after the other."""

    def __init__(self, client: Client, mailbox: Mailbox, identifier: str, password: str) -> None:
        self.client = client
        self.mailbox = mailbox
        self.identifier = identifier
        self.passwords = [password]
        self.codes: list[str] = []
        self.secrets: list[str] = []
        self.jars: list[dict[str, str]] = []

    def sign_in(self, choice: int) -> None:
        """With one of the passwords that were or are right."""
        password = self.passwords[choice % len(self.passwords)]
        self.client.post("/.herse/sign-in", identifier=self.identifier, password=password)
        self.jars.append(self.client.cookies)

    def change_jar(self, choice: int) -> None:
        """Go on with the cookies of an earlier moment."""
        if self.jars:
            self.client.cookies = self.jars[choice % len(self.jars)]

    def ask_reset(self) -> None:
        """Have the letter sent. The first one is waited for; there is one in five minutes at most."""
        first = not self.mailbox.links()
        self.client.post("/.herse/reset", identifier=self.identifier)
        if first:
            self.mailbox.wait()

    def use_letter(self, choice: int) -> None:
        """Follow one of the links that ever came, and send its form."""
        links = self.mailbox.links()
        if not links:
            return
        path, _, ticket = links[choice % len(links)].partition("?ticket=")
        self.client.get(f"{path}?ticket={ticket}")
        password = f"{NEW_PASSWORD} {len(self.passwords)}"
        if self.client.post(path, ticket=ticket, password=password).status_code == httpx.codes.OK:
            self.passwords.append(password)

    def guess_code(self, path: str, code: str) -> None:
        """A code at any of the places that ask for one."""
        self.client.post(path, identifier=self.identifier, password=NEW_PASSWORD, code=code)

    def link_own_application(self) -> None:
        """A code application of his own: ask for the secret, and confirm it."""
        begun = self.client.post("/.herse/account/factors")
        secret = begun.json().get("secret") if begun.status_code == httpx.codes.OK else None
        if secret:
            self.secrets.append(secret)
        for one in self.secrets:
            self.client.post("/.herse/account/factors", code=pyotp.TOTP(one).now())
            self.client.post("/.herse/step-up", code=pyotp.TOTP(one).now())

    def make_recovery_codes(self) -> None:
        """Have a set made, and use what came."""
        made = self.client.post("/.herse/account/recovery")
        self.codes += made.json().get("codes", []) if made.status_code == httpx.codes.OK else []
        for code in self.codes[:1]:
            self.client.post("/.herse/step-up/recovery", code=code)

    def change_mail(self, address: str) -> None:
        """His own address, confirmed by whatever link came."""
        self.client.post("/.herse/account/mail", mail=address)
        for link in self.mailbox.links():
            path, _, ticket = link.partition("?ticket=")
            self.client.post(path, ticket=ticket)

    def change_password(self) -> None:
        """On the page of his account, or where a change was asked for."""
        new = f"{NEW_PASSWORD} {len(self.passwords)}"
        for path, fields in (
            ("/.herse/account/password", {"old": self.passwords[-1], "password": new}),
            ("/.herse/password", {"password": new}),
        ):
            if self.client.post(path, **fields).status_code == httpx.codes.OK:
                self.passwords.append(new)

    def press(self, path: str, **fields: str) -> None:
        """Any other form of the gateway's pages."""
        self.client.post(path, **fields)


class CardHolder:
    """The one with the card: `certificate` is a PEM file with its key."""

    def __init__(self, client: Client, card_authority: Path, certificate: Path) -> None:
        self.client = client
        self._authority = card_authority
        self._certificate = certificate

    def enter(self, identifier: str) -> httpx.Response:
        """Present the card; choose the account if there are several. One act of his."""
        href = self.client.post("/.herse/card").json()["next"]
        command = ["curl", "-sS", "--cacert", str(self._authority), "--cert", str(self._certificate), "-w"]
        told = subprocess.run([*command, "\n%{redirect_url}", href], capture_output=True, text=True, check=True)
        back = httpx.URL(told.stdout.rpartition("\n")[2])
        answer = self.client.get(str(back.raw_path, "ascii"))
        if "accounts" in answer.json():
            answer = self.client.post("/.herse/card/back", identifier=identifier)
        return answer


def unlocked(card: Path, to: Path) -> Path:
    """A demo card's certificate and key as one PEM file."""
    words = ["openssl", "pkcs12", "-in", str(card), "-passin", f"pass:{PASSPHRASE}", "-nodes", "-out", str(to)]
    subprocess.run(words, check=True, capture_output=True)
    return to


def told(answer: httpx.Response) -> str:
    """An answer as a test's message shows it."""
    return f"{answer.status_code} {json.dumps(answer.text[:300])}"
