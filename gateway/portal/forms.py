# SPDX-License-Identifier: EUPL-1.2
"""Forms that may change something: whose page sent them, and what they hold, read strictly.

A form counts only if the browser says that it comes from our own origin (`Origin`, else `Sec-Fetch-Site`), or, for
browsers that say neither, if it carries the token of our `SameSite=Strict` cookie. That holds for sign-in too: being
signed in to a stranger's account is an attack as well.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from gateway.errors import Refused
from gateway.model import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from gateway.portal.visit import Visit

LARGEST_BODY: Final = 16_384
MOST_FIELDS: Final = 50
KNOWN: Final = frozenset(
    {
        *("identifier", "password", "code", "to", "form", "old", "ticket", "mail"),
        *("session", "others", "all", "device", "credential", "name", "passkey"),
        *("delegation", "until", "card", "work", "waiting", "link", "activity"),
    }
)
GIVE: Final = "give-"
"""Begins the name of a field that ticks a teleservice."""
_FORM_TYPE: Final = b"application/x-www-form-urlencoded"


async def read_form(visit: Visit) -> dict[str, str]:
    """The known fields of a form that our own page sent.

    Refused: FORM_FORGED, BODY_TOO_LARGE, MALFORMED_REQUEST (other content type, bad encoding, a known field twice).
    """
    proven = from_our_origin(visit.headers(b"origin"), visit.headers(b"sec-fetch-site"), visit.doors.origin)
    body = await read_body(visit.request, LARGEST_BODY)
    fields = parse_fields(body, visit.headers(b"content-type"))
    if not proven and not _has_token(visit.form_cookie, fields.get("form", "")):
        raise Refused(Reason.FORM_FORGED)
    return fields


def from_our_origin(origins: Sequence[bytes], fetch_sites: Sequence[bytes], ours: str) -> bool:
    """True: the browser says so. False: it says nothing. Refused(FORM_FORGED): it says otherwise, or two things."""
    if not origins and not fetch_sites:
        return False
    if list(origins) in ([], [ours.encode()]) and list(fetch_sites) in ([], [b"same-origin"]):
        return True
    raise Refused(Reason.FORM_FORGED)


def parse_fields(body: bytes, content_types: Sequence[bytes]) -> dict[str, str]:
    """Known fields of an urlencoded body, strictly UTF-8; unknown fields are left out. Refused(MALFORMED_REQUEST)."""
    fields: dict[str, str] = {}
    for name, value in read_pairs(body, content_types, MOST_FIELDS) if body else ():
        if name in KNOWN or name.startswith(GIVE):
            if name in fields or "\x00" in value:
                raise Refused(Reason.MALFORMED_REQUEST)
            fields[name] = value
    return fields


def read_pairs(body: bytes, content_types: Sequence[bytes], most: int) -> list[tuple[str, str]]:
    """Every field of an urlencoded body in turn, strictly UTF-8 and no more than `most`. Refused(MALFORMED_REQUEST)."""
    if len(content_types) != 1 or content_types[0].split(b";")[0].strip().lower() != _FORM_TYPE:
        raise Refused(Reason.MALFORMED_REQUEST)
    try:
        return parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=most
        )
    except ValueError:  # also UnicodeError: not ASCII outside, not UTF-8 inside
        raise Refused(Reason.MALFORMED_REQUEST) from None


async def read_body(request: Request, largest: int) -> bytes:
    """The whole body. Refused(BODY_TOO_LARGE) as soon as more has come."""
    received = bytearray()
    async for piece in request.stream():
        received += piece
        if len(received) > largest:
            raise Refused(Reason.BODY_TOO_LARGE)
    return bytes(received)


def _has_token(cookie: str | None, token: str) -> bool:
    return cookie is not None and compare_digest(cookie.encode(), token.encode())
