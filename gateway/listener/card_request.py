# SPDX-License-Identifier: EUPL-1.2
"""The one request that the card host reads, `GET /card?state=…`, and the few answers that it gives. No I/O.

What has two readings is refused, and the connection ends with the answer. Which fields may speak of a certificate, and
who may send them, is judged elsewhere (`card_header`): here they are only read, in order and each one kept.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final, NamedTuple

from gateway.pages.headers import SECURITY_HEADERS

HEAD_BYTES: Final = 16_384
_FIELDS: Final = 100
_REQUEST: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}) ([!-~]{1,4096}) HTTP/1\.1")
_FIELD: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*)")
_TARGET: Final = re.compile(rb"/card\?state=([A-Za-z0-9_-]{43})")


class Fault(Enum):
    """Why a request gets no ticket: status, and what is told in a line of text to whoever sent it."""

    UNREADABLE = (400, "Requête illisible. / The request cannot be read.")
    NOTHING_HERE = (404, "Rien à cette adresse. / Nothing at this address.")
    NOT_THE_TERMINATOR = (
        421,
        "Seul le frontal TLS désigné est écouté ici. / Only the named TLS terminator is heard here.",
    )
    FIELD_NOT_BELIEVED = (400, "Un champ de certificat n'est pas cru ici. / A certificate field is not believed here.")
    FIELD_REPEATED = (400, "Plusieurs champs de certificat. / More than one certificate field.")
    FIELD_OF_ANOTHER_FORM = (400, "Un champ de certificat inattendu. / A certificate field that is not expected.")

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self.value[0]


_PHRASES: Final = {400: b"Bad Request", 404: b"Not Found", 421: b"Misdirected Request"}


class BadRequestError(Exception):
    """What came is no plain GET of ours, or speaks of a certificate where it may not."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.name)
        self.fault = fault


class CardRequest(NamedTuple):
    """`state` of a waiting browser, and every field: name in lower case, value without the blanks around it."""

    state: str
    fields: tuple[tuple[bytes, bytes], ...]


def read_request(head: bytes, host: bytes) -> CardRequest:
    """Our one request; BadRequestError: 400 for what has two readings, 404 for anything else."""
    line, *lines = head.split(b"\r\n")
    request = _REQUEST.fullmatch(line)
    found = [_FIELD.fullmatch(one) for one in lines]
    fields = tuple((field[1].lower(), field[2].rstrip(b" \t")) for field in found if field is not None)
    if request is None or len(fields) != len(found) or len(fields) > _FIELDS:
        raise BadRequestError(Fault.UNREADABLE)
    if any(name in {b"content-length", b"transfer-encoding", b"upgrade"} for name, _ in fields):
        raise BadRequestError(Fault.UNREADABLE)
    if [value.lower() for name, value in fields if name == b"host"] != [host]:
        raise BadRequestError(Fault.UNREADABLE)
    target = _TARGET.fullmatch(request[2])
    if request[1] != b"GET" or target is None:
        raise BadRequestError(Fault.NOTHING_HERE)
    return CardRequest(target[1].decode(), fields)


def sent_back(location: str) -> bytes:
    """The answer to our one request: back to the public host."""
    return _answer(b"303 See Other", b"location: " + location.encode(), b"")


def refusal(fault: Fault) -> bytes:
    """The answer to any other."""
    told = f"{fault.value[1]}\n".encode()
    return _answer(b"%d %b" % (fault.status, _PHRASES[fault.status]), b"content-type: text/plain; charset=utf-8", told)


def _answer(status: bytes, field: bytes, body: bytes) -> bytes:
    lines = [b"HTTP/1.1 " + status, b"connection: close", b"content-length: %d" % len(body), field]
    lines += [name + b": " + value for name, value in SECURITY_HEADERS]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
