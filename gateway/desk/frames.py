# SPDX-License-Identifier: EUPL-1.2
"""What goes over the desk's socket: frames of a kind, a length and so many bytes. Values are JSON, bodies raw.

No HTTP: what a client sends never becomes a frame's head, so that nobody outside can say who is at the other end of a
worker's connection.
"""

from __future__ import annotations

import json
import struct
from asyncio import IncompleteReadError
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from gateway.errors import HerseError

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

    from gateway.identity.session_desk import Sight

DESK_SOCKET: Final = "desk.sock"
"""Its name in `state.folder`."""
BEAT_SECONDS: Final = 0.2
"""How often each side says what it has seen, also if that is nothing."""

LINK, REQUEST, ANSWER, PIECE, LAST, BROKEN, TOLD = b"L", b"R", b"A", b"P", b"Z", b"X", b"T"
_HEAD: Final = struct.Struct(">cI")
_PIECE_BYTES: Final = 1 << 18
_LONGEST: Final = 1 << 24


class BrokenFrame(HerseError):
    """The connection ended, or what came is none of ours."""


async def read_frame(reader: StreamReader) -> tuple[bytes, bytes]:
    """The next kind and its bytes; BrokenFrame if there is none."""
    try:
        kind, length = _HEAD.unpack(await reader.readexactly(_HEAD.size))
        if length > _LONGEST:
            raise BrokenFrame(f"a frame of {length} bytes; expected at most {_LONGEST}")
        return kind, await reader.readexactly(length)
    except (IncompleteReadError, OSError) as error:
        raise BrokenFrame("the connection to the other process ended") from error


def write_frame(writer: StreamWriter, kind: bytes, payload: bytes = b"") -> None:
    """Send one frame."""
    writer.write(_HEAD.pack(kind, len(payload)) + payload)


def write_value(writer: StreamWriter, kind: bytes, value: Any) -> None:
    """Send one value."""
    write_frame(writer, kind, json.dumps(value, separators=(",", ":")).encode("ascii"))


def write_body(writer: StreamWriter, body: bytes, *, last: bool) -> None:
    """Send a piece of a body, in as many frames as it needs."""
    for start in range(0, len(body) - _PIECE_BYTES, _PIECE_BYTES):
        write_frame(writer, PIECE, body[start : start + _PIECE_BYTES])
    rest = (len(body) - 1) // _PIECE_BYTES * _PIECE_BYTES if body else 0
    write_frame(writer, LAST if last else PIECE, body[rest:])


def sights_text(sights: list[Sight]) -> list[list[Any]]:
    """What was seen, as JSON has it."""
    return [[key.hex(), seen_at.isoformat(), suspected] for key, seen_at, suspected in sights]


def sights_of(told: list[list[Any]]) -> list[Sight]:
    """What was seen, from `sights_text`."""
    return [(bytes.fromhex(key), datetime.fromisoformat(at), bool(suspected)) for key, at, suspected in told]
