# SPDX-License-Identifier: EUPL-1.2
"""Signed notes (C2SP signed-note v1): a text, an empty line, then a line for each who signed it.

    — portail.example/ledger Az3grlgt…   an em dash, the key's name, base64 of key id (4 bytes) and Ed25519 signature

The key id is the start of SHA-256(name, line feed, 0x01, public key); a key is told as `name+id+base64(0x01, key)`.
What is parsed is printed again and compared: only what this file would write is taken. The private key is 32 bytes that
the caller keeps with the gateway's other keys (64 hexadecimal digits, mode 0600). Never here: what a text says
(checkpoint), or the second reader's own parser (verify_note).
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.errors import HerseError

if TYPE_CHECKING:
    from collections.abc import Iterable

NOTE_CHARACTERS_AT_MOST: Final = 131_072
"""Sixteen signatures of the largest kind there is (5 kB) fit in."""
_ED25519: Final = b"\x01"
_KEY_BYTES: Final = 32
_ID_BYTES: Final = 4
_SIGNED: Final = re.compile(r"\u2014 ([^\n ]+) ([A-Za-z0-9+/=]+)\n")
_KEY: Final = re.compile(r"([^\n+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")


class NoteError(HerseError):
    """What was given is no signed note, or no key. The message says what was found and what is due."""


class UnknownKeyError(NoteError):
    """None of the keys given signed the note."""


class SignatureError(NoteError):
    """A signature under a known key does not fit the text."""


class Signature(NamedTuple):
    """A line below a note; whose it is, nobody has checked."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        """As it stands in the note."""
        return f"\u2014 {self.name} {b64encode(self.key_id + self.signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key and its name; `text()` is what auditors are given."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not self.name.isprintable() or not self.name or "+" in self.name or " " in self.name:
            raise NoteError(f"{self.name!r} is no name of a key; expected one word without blanks or plus signs")
        if len(self.public) != _KEY_BYTES:
            raise NoteError(f"the key {self.name} has {len(self.public)} bytes; expected {_KEY_BYTES}, as Ed25519 has")

    @property
    def key_id(self) -> bytes:
        """What names this key in a note, beside its name."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:_ID_BYTES]

    def text(self) -> str:
        """The key on one line: `name+id+base64`."""
        return f"{self.name}+{self.key_id.hex()}+{b64encode(_ED25519 + self.public).decode()}"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A name and the 32 secret bytes of an Ed25519 key, which never print."""

    name: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != _KEY_BYTES:
            raise NoteError(f"the sealing key has {len(self.secret)} bytes; expected {_KEY_BYTES} random bytes")
        self.verifier()  # the name is judged before anything is signed under it

    def verifier(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(self.name, Ed25519PrivateKey.from_private_bytes(self.secret).public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """The note of a text, which ends in a line feed and holds no other control character."""
        if not text.endswith("\n") or any(character < " " and character != "\n" for character in text):
            raise NoteError("a text without a last line feed, or with control characters, cannot be signed")
        signature = Ed25519PrivateKey.from_private_bytes(self.secret).sign(text.encode())
        return f"{text}\n{Signature(self.name, self.verifier().key_id, signature).line()}"


def load_verifier_key(text: str) -> VerifierKey:
    """A key from its one line (a line feed may follow); NoteError if it is none, or not the one its id names."""
    line = text.removesuffix("\n")
    found = _KEY.fullmatch(line)
    if found is not None and (raw := _decoded(found[3])) is not None and raw[:1] == _ED25519:
        key = VerifierKey(found[1], raw[1:])
        if key.text() == line:
            return key
    raise NoteError(f"{line[:200]!r} is no public key; expected name+id+base64, on one line, as the gateway printed it")


def parse_note(note: str) -> tuple[str, list[Signature]]:
    """The text and who claims to have signed it; NoteError if the whole is not what would be printed again."""
    if len(note) > NOTE_CHARACTERS_AT_MOST:
        raise NoteError(f"a note of {len(note)} characters; expected at most {NOTE_CHARACTERS_AT_MOST}")
    above, _, below = note.rpartition("\n\n")
    text, signatures = f"{above}\n", []
    for name, encoded in _SIGNED.findall(below):
        raw = _decoded(encoded)
        if raw is not None and len(raw) > _ID_BYTES:
            signatures.append(Signature(name, raw[:_ID_BYTES], raw[_ID_BYTES:]))
    if not signatures or f"{text}\n{''.join(one.line() for one in signatures)}" != note:
        raise NoteError(
            f"{note[:200]!r} is no signed note; expected a text, an empty line, and lines of signatures, without "
            "anything after: take the file as it was written"
        )
    return text, signatures


def verify_note(note: str, keys: Iterable[VerifierKey]) -> str:
    """The text that one of the keys signed. Lines of unknown keys are passed over; one wrong by a known key refuses."""
    text, signatures = parse_note(note)
    known = {(key.name, key.key_id): key for key in keys}
    by_us = [(known[one.name, one.key_id], one) for one in signatures if (one.name, one.key_id) in known]
    if not by_us:
        told = ", ".join(f"{one.name}+{one.key_id.hex()}" for one in signatures)
        expected = ", ".join(f"{name}+{key_id.hex()}" for name, key_id in known) or "a key"
        raise UnknownKeyError(f"the note is signed by {told}; expected {expected}: it is another ledger's, or forged")
    for key, one in by_us:
        if not good_signature(key.public, one.signature, text.encode("utf-8", "surrogatepass")):
            raise SignatureError(
                f"the signature of {key.name}+{key.key_id.hex()} does not fit the text of the note; expected one that "
                "does: the note was changed after it was signed"
            )
    return text


def good_signature(public: bytes, signature: bytes, text: bytes) -> bool:
    """Whether an Ed25519 signature (RFC 8032) fits; also what the second reader is given to ask."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True


def _decoded(text: str) -> bytes | None:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return None
