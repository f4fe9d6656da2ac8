# SPDX-License-Identifier: EUPL-1.2
"""The second reader's own view of a checkpoint: one pattern for the whole note, and who signed it. Pure.

Whether an Ed25519 signature fits is asked of a function that the caller gives (public key, signature, text), so that no
library of cryptography is needed here, and none is shared with the writer unless the caller wants it so.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from gateway.ledger.wrong import Finding, Wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Fits: TypeAlias = "Callable[[bytes, bytes, bytes], bool]"
"""(public key of 32 bytes, signature of 64, text) -> whether it is a signature by that key of that text."""

_NOTE: Final = re.compile(
    r"(?P<text>(?P<origin>[^\n]+)\n(?P<size>0|[1-9][0-9]{0,18})\n(?P<root>[A-Za-z0-9+/]{43}=)\n"
    r"at (?P<at>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6})Z\n)\n"
    r"(?P<lines>(?:\u2014 [^\n +]+ [A-Za-z0-9+/]+={0,2}\n)+)"
)
_VKEY: Final = re.compile(r"(?P<name>[^\n +]+)\+(?P<id>[0-9a-f]{8})\+(?P<key>[A-Za-z0-9+/]{44})\n?")
_SIZE_AT_MOST: Final = (1 << 63) - 1
_CHARACTERS_AT_MOST: Final = 131_072


class Key(NamedTuple):
    """A public key the auditor was given."""

    name: str
    key_id: bytes
    public: bytes


class Seen(NamedTuple):
    """A checkpoint whose signature fits, of the ledger in question."""

    origin: str
    size: int
    root: bytes
    at: datetime
    key: str
    """name+id of the key that signed it."""


def read_key(text: str) -> Key:
    """A key in the form `name+id+base64`; Wrong if it is none."""
    found = _VKEY.fullmatch(text)
    if found is not None:
        raw, key_id = b64decode(found["key"]), bytes.fromhex(found["id"])
        if raw[:1] == b"\x01" and sha256(f"{found['name']}\n".encode() + raw).digest()[:4] == key_id:
            return Key(found["name"], key_id, raw[1:])
    raise Wrong(
        Finding.MALFORMED, f"{text[:200]!r} is no public key; expected name+id+base64 on one line, as Herse tells it"
    )


def read_checkpoint(note: str, what: str, keys: Sequence[Key], fits: Fits, origin: str) -> Seen:
    """What a checkpoint says, once it is whole, signed by one of the keys, and of this ledger; `what` names it."""
    found = _NOTE.match(note[:_CHARACTERS_AT_MOST])
    if found is None:
        raise Wrong(
            Finding.MALFORMED,
            f"{what} is no signed checkpoint ({note[:120]!r}…); expected origin, size, root and time, an empty line, "
            "and a signature",
        )
    if found.end() != len(note):
        raise Wrong(
            Finding.TRAILING_BYTES,
            f"{what} has {len(note) - found.end()} characters after its last signature; expected none",
        )
    size, root, at = _values(found, what)
    signer = _signer(found, what, keys, fits)
    if found["origin"] != origin:
        raise Wrong(
            Finding.OTHER_ORIGIN,
            f"{what} is of the ledger {found['origin']!r}; expected {origin!r}: it belongs to another ledger",
        )
    return Seen(origin, size, root, at, signer)


def _values(found: re.Match[str], what: str) -> tuple[int, bytes, datetime]:
    size, root = int(found["size"]), b64decode(found["root"])
    try:
        at = datetime.fromisoformat(f"{found['at']}+00:00")
    except ValueError:
        at = None
    if at is None or size > _SIZE_AT_MOST or b64encode(root).decode() != found["root"]:
        raise Wrong(
            Finding.MALFORMED,
            f"{what} has a size, root or time that no checkpoint has ({found['text']!r}); expected what Herse prints",
        )
    return size, root, at


def _signer(found: re.Match[str], what: str, keys: Sequence[Key], fits: Fits) -> str:
    """name+id of a key that signed; others may have signed too, but no signature of a known key may be wrong."""
    signer, text = "", found["text"].encode("utf-8", "surrogatepass")
    for name, raw in _signatures(found["lines"], what):
        key = next((one for one in keys if (one.name, one.key_id) == (name, raw[:4])), None)
        if key is None:
            continue
        if not fits(key.public, raw[4:], text):
            raise Wrong(
                Finding.BAD_SIGNATURE,
                f"{what}: the signature by {name}+{raw[:4].hex()} does not fit; it was changed after it was signed",
            )
        signer = f"{name}+{raw[:4].hex()}"
    if not signer:
        told = ", ".join(f"{name}+{raw[:4].hex()}" for name, raw in _signatures(found["lines"], what))
        given = ", ".join(f"{key.name}+{key.key_id.hex()}" for key in keys)
        raise Wrong(
            Finding.FOREIGN_KEY,
            f"{what} is signed by {told}; expected {given}: it was forged, or it is another ledger's, or a new key was "
            "made and you were not told",
        )
    return signer


def _signatures(lines: str, what: str) -> Iterator[tuple[str, bytes]]:
    for line in lines.split("\n")[:-1]:
        _, name, encoded = line.split(" ")
        try:
            raw = b64decode(encoded)
        except ValueError:
            raw = b""
        if b64encode(raw).decode() != encoded:
            raise Wrong(Finding.MALFORMED, f"{what} has a signature that is not written as base64 is: {line[:200]!r}")
        yield name, raw
