# SPDX-License-Identifier: EUPL-1.2
"""One request to one of the gateway's own pages: who, from where, in which language, wanting HTML or JSON.

Headers are read from the raw list, never through the framework's cookie or URL parsers, which are laxer than ours.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final

from gateway.errors import Refused
from gateway.identity.cookie import read_cookie
from gateway.model import Reason
from gateway.pages.accept import prefers_json
from gateway.pages.device import clean_device
from gateway.pages.language import language
from gateway.portal.cookies import FORM_COOKIE

if TYPE_CHECKING:
    from starlette.requests import Request

    from gateway.identity.session import Session
    from gateway.portal.doors import Doors

_TOKEN: Final = re.compile(rb"[A-Za-z0-9_-]{43}")
_REFERENCE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Visit:
    """What is known of a request before its page does anything. `at` is the one time of the whole visit."""

    def __init__(self, doors: Doors, request: Request) -> None:
        self.doors = doors
        self.request = request
        self.at = doors.clock()
        self.language = language(b",".join(self.headers(b"accept-language")))
        self.json = prefers_json(b",".join(self.headers(b"accept")))
        self.network = request.client.host if request.client is not None else ""
        self.device = clean_device(b" ".join(self.headers(b"user-agent")))
        self.session: Session | None = None
        """Set by `identify`; the pages read it, or ask `signed_in`."""
        self.known_by: str | None = None
        """The secret by which this browser is known again, to go out with the answer: set by a sign-in."""
        self.form_cookie = self._form_cookie()
        self.form_token = self.form_cookie or secrets.token_urlsafe(32)

    def headers(self, name: bytes) -> list[bytes]:
        """Every value of a header, in order; `name` in lower case."""
        return [value for key, value in self.request.scope["headers"] if key == name]

    def identify(self) -> None:
        """Find the session of the cookie. Refused(COOKIE_AMBIGUOUS) if there are two."""
        token = read_cookie(self.headers(b"cookie"), self.doors.cookie_name.encode())
        self.session = None if token is None else self.doors.sessions.find(token, self.at)

    def signed_in(self) -> Session:
        """The session, or Refused(SIGN_IN_REQUIRED). Also after an `await`: a session that ended meanwhile is none."""
        if self.session is None or self.session.ended:
            raise Refused(Reason.SIGN_IN_REQUIRED)
        return self.session

    @property
    def account(self) -> str | None:
        """The canonical identifier of who is signed in."""
        return None if self.session is None or self.session.ended else self.session.subject.account

    def for_the_holder(self) -> None:
        """Refused(NOT_DELEGATED) if it is a delegate who is signed in."""
        session = self.session
        if session is not None and not session.ended and session.subject.delegation is not None:
            raise Refused(Reason.NOT_DELEGATED)

    @property
    def title(self) -> str | None:
        """Who is signed in as the pages call him: the name of the practice, else its identifier."""
        return None if self.session is None or self.account is None else self.session.subject.title or self.account

    @property
    def delegate(self) -> str | None:
        """The name of who is signed in, if he acts for the account and is no holder of it."""
        acting = None if self.session is None or self.account is None else self.session.subject.delegation
        return None if acting is None else acting.name

    @property
    def request_id(self) -> str | None:
        """The id that the listener gave to this request, if it gave one."""
        found = self.request.scope.get("herse.request")
        return found if isinstance(found, str) else None

    def query(self, name: str) -> str:
        """One query parameter; empty if absent. Refused(MALFORMED_REQUEST) if it is given twice."""
        values = self.request.query_params.getlist(name)
        if len(values) > 1:
            raise Refused(Reason.MALFORMED_REQUEST)
        return values[0] if values else ""

    def reference(self) -> str:
        """The return reference `to` of the query; empty if it is none that `Returns` could have given."""
        return clean_reference(self.query("to"))

    def _form_cookie(self) -> str | None:
        try:
            value = read_cookie(self.headers(b"cookie"), FORM_COOKIE)
        except Refused:  # someone plays with cookies: our forms then stand on `Origin` alone
            return None
        return value.decode() if value is not None and _TOKEN.fullmatch(value) else None


def clean_reference(text: str) -> str:
    """A return reference as it may stand in a page or an address; empty for anything else."""
    return text if _REFERENCE.fullmatch(text) else ""
