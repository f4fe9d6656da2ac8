# SPDX-License-Identifier: EUPL-1.2
"""What of the portal's answers reaches the client, as lines ready to be written. Pure: bytes in, bytes out.

Most answers are whole in one read, HTTP/1.1, with one Content-Length and nothing odd. Those are read here: each line of
a head is judged once and known from then on, so a head costs a few steps of C instead of several callbacks a field.
Only what has one reading for every parser is taken. Whatever else comes (chunked, closing, interim, folded, upgrades, a
body that is not all there) is None here, and llhttp reads it (see reading).
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from gateway.upstream.answer import WholeAnswer
from gateway.upstream.headers import HOP_BY_HOP, NO_STORE, Kind, judge_answered, lines_of, sets_own, to_client

if TYPE_CHECKING:
    from gateway.upstream.exchange import Headers

_BODILESS: Final = frozenset((204, 304))
_STATUSES: Final = {
    b"HTTP/1.1 %d %b" % (one.value, one.phrase.encode("ascii")): one.value
    for one in HTTPStatus
    if one.value >= HTTPStatus.OK and one.value not in _BODILESS
}
# A subset of RFC 9112 section 5 without choices: one space, a value without space at its ends, no control characters.
_FIELD: Final = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]++): ([\x21-\x7e\x80-\xff]++(?:[ \t]++[\x21-\x7e\x80-\xff]++)*)"
)
_LENGTH: Final = re.compile(rb"0|[1-9][0-9]{0,17}")
_LENGTH_LINE: Final = b"\r\ncontent-length: %d"
_LENGTH_NAME: Final = b"\r\ncontent-length: "
_HEAD_BYTES: Final = 65_536
_KNOWN_AT_MOST: Final = 4_000
_KNOWN_BYTES: Final = 512


class AnswerFilter:
    """Judges the answers to one kind of request.

    `own_cookies` is the prefix of the gateway's cookie names. `private` answers are stored nowhere; `metered` ones are
    always whole, so the portal does not offer parts of them.
    """

    __slots__ = ("_end", "_get", "_known", "_metered", "_own_cookies", "_private")

    def __init__(self, own_cookies: bytes, *, private: bool, metered: bool) -> None:
        self._own_cookies = own_cookies
        self._private = private
        self._metered = metered
        self._end = lines_of([NO_STORE]) if private else b""
        self._known: dict[bytes, bytes] = {}  # a line as it came -> what is written for it
        self._get = self._known.get

    def lines(self, fields: Headers) -> bytes:
        """The lines for fields that llhttp has read."""
        return lines_of(to_client(fields, self._own_cookies, private=self._private, metered=self._metered))

    def whole(self, data: bytes) -> WholeAnswer | None:
        """The answer, if `data` is exactly one of the plain kind."""
        head, _, body = data.partition(b"\r\n\r\n")
        came = head.split(b"\r\n")
        status = _STATUSES.get(came[0])
        if status is None:
            return None
        del came[0]
        told: list[bytes | None] = list(map(self._get, came))
        if None in told:
            told = self._learnt(came) if len(head) <= _HEAD_BYTES else []
        try:
            told.remove(_LENGTH_LINE % len(body))
        except ValueError:
            return None
        lines = b"".join(told)  # type: ignore[arg-type]  # no None is left
        if _LENGTH_NAME in lines:  # a second one
            return None
        return WholeAnswer(status, lines + self._end, body)

    def _learnt(self, came: list[bytes]) -> list[bytes | None]:
        """What is written for each line; nothing at all if one of them is not plain."""
        told: list[bytes | None] = []
        for line in came:
            known = self._known.get(line)
            if known is None:
                known = self._judged(line)
                if known is None:
                    return []
                if len(self._known) >= _KNOWN_AT_MOST:
                    self._known.clear()  # dearer for a moment, never wrong
                if len(line) <= _KNOWN_BYTES:
                    self._known[line] = known
            told.append(known)
        return told

    def _judged(self, line: bytes) -> bytes | None:
        field = _FIELD.fullmatch(line)
        if field is None:
            return None
        name, value = field[1].lower(), field[2]
        if name == b"content-length":
            return _LENGTH_NAME + value if _LENGTH.fullmatch(value) else None
        if name == b"connection":
            return b"" if value.lower() == b"keep-alive" else None
        if name in HOP_BY_HOP and name != b"keep-alive":
            return None
        return b"\r\n%b: %b" % (name, value) if self._passes(judge_answered(name), value) else b""

    def _passes(self, kind: Kind, value: bytes) -> bool:
        if kind is Kind.COOKIE:
            return not sets_own(value, self._own_cookies)
        if kind is Kind.CACHING:
            return not self._private
        if kind is Kind.PARTIAL:
            return not self._metered
        return kind is Kind.PASSED
