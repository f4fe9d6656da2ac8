# SPDX-License-Identifier: EUPL-1.2
"""Whether a password stands in a list of breached ones: looked up here, never asked of anybody else.

The list is one file of sorted, truncated SHA-1 hashes, read by memory map: a table over the first two bytes, then the
next four of each hash. That is 4 bytes an entry (and 512 KiB for the table). Six bytes of the hash are compared, so a
password that is in no list is taken for one with a chance of entries / 2^48: 4 in a million at 1,000 million entries.
A short list of common passwords is always there. A newer file is taken up at the next look-up, without a restart.
"""

from __future__ import annotations

import logging
import mmap
import struct
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from threading import Lock
from typing import TYPE_CHECKING, Final

from gateway.errors import StartError
from gateway.identity.common_passwords import COMMON

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

BREACHED_FILE: Final = "breached.bin"
"""Its name in state.folder."""

MAGIC: Final = b"HERSEBP1"
HEAD: Final = struct.Struct(">8sQQ")  # magic, entries, microseconds since 1970 of the import
PREFIXES: Final = 65_536
TABLE: Final = struct.Struct(f">{PREFIXES + 1}Q")  # where the entries of each first two bytes begin; last: all
BODY_AT: Final = HEAD.size + TABLE.size
PREFIX_BYTES: Final = 2
ENTRY_BYTES: Final = 4
HASH_BYTES: Final = PREFIX_BYTES + ENTRY_BYTES
_BOUNDS: Final = struct.Struct(">QQ")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class BreachedStatus:
    """An imported list: how many entries, how large on disk, since when."""

    entries: int
    size: int
    imported_at: datetime


class BreachedFile:
    """One open list. StartError if the file is none, or not whole."""

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:  # ValueError: an empty file cannot be mapped
            raise StartError(_broken(path, str(error))) from error
        size = len(self._map)
        magic, entries, at = HEAD.unpack_from(self._map) if size >= BODY_AT else (b"", 0, 0)
        if magic != MAGIC:
            raise StartError(_broken(path, "another kind of file"))
        if size != BODY_AT + entries * ENTRY_BYTES or TABLE.unpack_from(self._map, HEAD.size)[-1] != entries:
            raise StartError(_broken(path, f"{size} bytes for {entries} entries"))
        self.status = BreachedStatus(entries, size, _EPOCH + timedelta(microseconds=at))

    def __contains__(self, digest: bytes) -> bool:
        """Whether a list entry begins like this SHA-1."""
        prefix = int.from_bytes(digest[:PREFIX_BYTES])
        first, last = _BOUNDS.unpack_from(self._map, HEAD.size + prefix * 8)
        wanted = digest[PREFIX_BYTES:HASH_BYTES]
        place = bisect_left(range(first, last), wanted, key=self._entry) + first
        return place < last and self._entry(place) == wanted

    def _entry(self, place: int) -> bytes:
        at = BODY_AT + place * ENTRY_BYTES
        return self._map[at : at + ENTRY_BYTES]


class Breached:
    """The shipped list and, once there is one at `path`, the imported one. Safe in threads; may read a disk."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = Lock()
        self._seen: tuple[int, int, int] | None = None
        self._file: BreachedFile | None = None
        if path is not None and (seen := _stamp(path)) is not None:
            self._file, self._seen = BreachedFile(path), seen

    def contains(self, password: str) -> bool:
        """Whether this password is in a list, as typed or in the form that is hashed here (NFKC)."""
        forms = {unicodedata.normalize(form, password) for form in ("NFC", "NFKC")} | {password}
        digests = [_sha1(form) for form in forms]
        file = self._newest()
        return any(digest in _SHIPPED or (file is not None and digest in file) for digest in digests)

    def status(self) -> BreachedStatus | None:
        """Of the imported list; None if there is none."""
        file = self._newest()
        return None if file is None else file.status

    def _newest(self) -> BreachedFile | None:
        """The list as it lies there now. One that vanished or cannot be read leaves the one before in use."""
        if self._path is None:
            return None
        with self._lock:
            seen = _stamp(self._path)
            if seen is not None and seen != self._seen:
                self._seen = seen
                try:
                    self._file = BreachedFile(self._path)
                except StartError as error:
                    log.error("breached-list-refused", extra={"error": str(error)})  # noqa: TRY400  # it says all
            return self._file


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _broken(path: Path, found: str) -> str:
    return (
        f"{path} cannot be read as a list of breached passwords ({found}); expected one made by `herse account "
        "breached import`. Import it anew, or remove the file."
    )


def _sha1(password: str) -> bytes:
    """The hash that the public lists use: of no worth as protection, and none is asked of it here."""
    return sha1(password.encode(errors="surrogatepass"), usedforsecurity=False).digest()


_SHIPPED: Final = frozenset(map(_sha1, COMMON))
