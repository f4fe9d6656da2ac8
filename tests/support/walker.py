# SPDX-License-Identifier: EUPL-1.2
"""Somebody who walks a running gateway with a plain HTTP client: opens pages, fills in their forms, or asks for JSON.

Forms are read from the page itself, hidden fields and all, as a browser would send them. No assertions here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Final

import httpx

if TYPE_CHECKING:
    from typing import Self

    from support.demo import Account, Demo

SESSION: Final = "__Host-herse"
PAGE: Final = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"
EVENTS: Final = "/.herse/account/events"
_FIREFOX: Final = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@dataclass
class Form:
    """A form as it stands in a page: where it goes, and what its fields hold."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and values.get("method") == "post":
            self.found.append(Form(values.get("action", "")))
        elif tag == "input" and self.found and "name" in values:
            self.found[-1].fields[values["name"]] = values.get("value", "")


def forms(page: httpx.Response) -> list[Form]:
    """Every form of a page that is sent by POST."""
    parser = _Forms()
    parser.feed(page.text)
    return parser.found


class Walker:
    """One browser without scripts, with its own cookies; as a context manager it closes its connections."""

    def __init__(self, demo: Demo, language: str = "fr") -> None:
        headers = {"accept": PAGE, "accept-language": language, "user-agent": _FIREFOX}
        self.demo = demo
        self.client = httpx.Client(base_url=demo.origin, verify=demo.trust(), headers=headers, timeout=30)

    @property
    def cookie(self) -> str | None:
        """The session's value, as the browser holds it."""
        return self.client.cookies.get(SESSION)

    def open(self, path: str) -> httpx.Response:
        """Open a page, and go where it leads."""
        return self.client.get(path, follow_redirects=True)

    def send(self, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        """Send fields as a form of the gateway's own origin does; redirects are not followed."""
        return self.client.post(path, data=fields, headers={"origin": self.demo.origin, **headers})

    def submit(self, page: httpx.Response, press: tuple[str, str] | None = None, **typed: str) -> httpx.Response:
        """Fill in the form of this page that has these fields (its last form if none are given); go where it leads.

        `press`: name and value of the button, where it matters which.
        """
        fitting = [form for form in forms(page) if typed.keys() <= form.fields.keys()]
        if not fitting:
            raise LookupError(f"{page.url}: no form with {sorted(typed)} in a page of status {page.status_code}")
        answer = self.send(fitting[-1].action, fitting[-1].fields | typed | dict([press] if press else []))
        return answer if answer.next_request is None else self.open(answer.headers["location"])

    def ask(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        """Ask as a program does: for JSON, without following anything."""
        return self.client.request(method, path, headers={"accept": "application/json", **headers})

    def sign_in(self, account: Account, *, code: bool = False) -> Self:
        """By password, and by a code too if asked."""
        told = {"accept": "application/json"}
        proofs = {"identifier": account.identifier, "password": account.password}
        self.send("/.herse/sign-in", proofs, **told).raise_for_status()
        if code:
            self.send("/.herse/step-up", {"code": account.code()}, **told).raise_for_status()
        return self

    def events(self, query: str = "") -> list[dict[str, Any]]:
        """Everything on the account, oldest first, over all pages of the JSON."""
        found, before = [], ""
        while True:
            page = self.ask(f"{EVENTS}?{query}{before}").raise_for_status().json()
            found += page["events"]
            if page["next"] is None:
                return found[::-1]
            before = f"&before={page['next']}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
