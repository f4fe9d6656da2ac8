# SPDX-License-Identifier: EUPL-1.2
"""The public list of breached passwords, made into the compact file that `breached` reads. Only commands call this.

The list may be tens of gigabytes, sorted or not: it is read once in pieces, dealt to 256 files by the first byte of
each hash, and each of these is sorted by itself. The result gets its name when it is whole and on disk, never before;
whatever stops an import leaves the list in use as it was, and the next import clears up.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from bisect import bisect_left
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, BinaryIO, Final

from gateway.errors import HerseError
from gateway.identity.breached import BODY_AT, HASH_BYTES, HEAD, MAGIC, PREFIX_BYTES, PREFIXES, TABLE
from gateway.whole_file import sync

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PIECE: Final = 16 * 1024 * 1024
_BUFFERED: Final = 64 * 1024 * 1024
_LONGEST_LINE: Final = 4096
_SHORTEST_LINE: Final = 41  # 40 hexadecimal digits and the end of the line
_LINE: Final = re.compile(rb"^([0-9A-Fa-f]{12})[0-9A-Fa-f]{28}(?::[0-9]{1,12})?\r?$", re.MULTILINE)
_PAST_HEX: Final = b"G"
_BLANK: Final = re.compile(rb"^\r?$", re.MULTILINE)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class ImportRefused(HerseError):
    """The list cannot be imported; the sentence says where, what was found and what to do. Nothing has changed."""


def import_breached(
    source: Path, target: Path, at: datetime, progress: Callable[[float], None], *, piece_bytes: int = PIECE
) -> int:
    """Make `target` from `source`; returns how many different entries. `progress` is told shares of 1.

    ImportRefused: a line of another form, no line at all, a full disk, another import at work.
    """
    try:
        with source.open("rb") as lines, _workplace(target) as folder:
            size = os.fstat(lines.fileno()).st_size
            _check_space(size, target)
            _deal(lines, folder, piece_bytes, lambda done: progress(0.8 * done / max(size, 1)))
            draft = folder / "whole"
            entries = _write(draft, folder, at, lambda share: progress(0.8 + 0.2 * share))
            if not entries:
                raise ImportRefused(f"{source} holds no hash; expected lines such as {'0' * 40}:12. Nothing changed.")
            draft.replace(target)
            sync(target.parent)
    except OSError as error:
        raise ImportRefused(f"the import stopped: {error}. The list in use has not changed.") from error
    return entries


@contextmanager
def _workplace(target: Path) -> Iterator[Path]:
    """A folder beside the target for the parts, emptied before and gone after; one import at a time has it."""
    folder = target.with_name(f".{target.name}.parts")
    handle = os.open(target.with_name(f".{target.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ImportRefused(f"another import into {target} is at work; wait for its end.") from None
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)


def _check_space(size: int, target: Path) -> None:
    """Before hours of work: the parts and the result of a list of this size fit on the disk."""
    needed = size // _SHORTEST_LINE * (HASH_BYTES + HASH_BYTES - PREFIX_BYTES) + BODY_AT
    free = shutil.disk_usage(target.parent).free
    if needed > free:
        raise ImportRefused(
            f"{target.parent} has {free / 1e9:.1f} GB free; the import needs up to {needed / 1e9:.1f} GB there. "
            "Nothing changed."
        )


def _deal(lines: BinaryIO, folder: Path, piece_bytes: int, progress: Callable[[int], None]) -> None:
    """Read everything, and append the first six bytes of each hash to the part of its first byte."""
    parts = [bytearray() for _ in range(256)]
    buffered = before = done = 0
    rest = b""
    while piece := lines.read(piece_bytes):
        done += len(piece)
        text, rest = _whole_lines(rest + piece, before)
        buffered += _sort_in(text, parts, before)
        before += text.count(b"\n")
        if buffered > _BUFFERED:
            _flush(parts, folder)
            buffered = 0
        progress(done)
    _sort_in(rest + b"\n", parts, before)
    _flush(parts, folder)


def _whole_lines(text: bytes, before: int) -> tuple[bytes, bytes]:
    """Up to the last end of a line, and what is left."""
    end = text.rfind(b"\n") + 1
    if len(text) - end > _LONGEST_LINE:
        raise ImportRefused(_bad_line(before + text.count(b"\n") + 1))
    return text[:end], text[end:]


def _sort_in(text: bytes, parts: list[bytearray], before: int) -> int:
    found = _LINE.findall(text)
    if len(found) < text.count(b"\n"):
        _check_lines(text, before)
    found = sorted(one.upper() for one in found)  # next to nothing for a list that is sorted
    start = 0
    while start < len(found):
        first = found[start][:2]
        end = bisect_left(found, first + _PAST_HEX, start)
        parts[int(first, 16)] += bytes.fromhex(b"".join(found[start:end]).decode("ascii"))
        start = end
    return len(found) * HASH_BYTES


def _check_lines(text: bytes, before: int) -> None:
    """Blank lines are nothing; any other that is no hash ends the import. Its text is not shown: it may be a secret."""
    for number, line in enumerate(text.split(b"\n"), before + 1):
        if not _LINE.match(line) and not _BLANK.fullmatch(line):
            raise ImportRefused(_bad_line(number))


def _bad_line(number: int) -> str:
    return (
        f"line {number} of the list is no hash; expected 40 hexadecimal digits (SHA-1), then perhaps `:` and a count. "
        "Nothing changed."
    )


def _flush(parts: list[bytearray], folder: Path) -> None:
    for number, part in enumerate(parts):
        if part:
            with (folder / f"{number:02x}").open("ab") as file:
                file.write(part)
            part.clear()


def _write(draft: Path, folder: Path, at: datetime, progress: Callable[[float], None]) -> int:
    """The whole list at `draft`, durable: sorted, each entry once."""
    counts: Counter[int] = Counter()
    with draft.open("xb") as out:
        os.fchmod(out.fileno(), 0o600)
        out.seek(BODY_AT)
        for number in range(256):
            part = folder / f"{number:02x}"
            if part.exists():
                hashes = _sorted(part.read_bytes())
                part.unlink()
                counts.update(int.from_bytes(one[:PREFIX_BYTES]) for one in hashes)
                out.write(b"".join([one[PREFIX_BYTES:] for one in hashes]))
            progress((number + 1) / 256)
        entries = counts.total()
        out.seek(0)
        out.write(HEAD.pack(MAGIC, entries, (at - _EPOCH) // timedelta(microseconds=1)))
        out.write(TABLE.pack(*accumulate((counts[prefix] for prefix in range(PREFIXES)), initial=0)))
        out.flush()
        os.fsync(out.fileno())
    return entries


def _sorted(hashes: bytes) -> list[bytes]:
    return sorted({hashes[start : start + HASH_BYTES] for start in range(0, len(hashes), HASH_BYTES)})
