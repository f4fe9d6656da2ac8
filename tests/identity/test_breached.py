# SPDX-License-Identifier: EUPL-1.2
"""The list of breached passwords: any order in, exact answers out, and never half a file under the final name."""

from __future__ import annotations

import fcntl
import hashlib
import os
import random
import shutil
import struct
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from gateway.errors import StartError
from gateway.identity.breached import BODY_AT, Breached, BreachedFile
from gateway.identity.breached_import import ImportRefused, import_breached
from gateway.identity.common_passwords import COMMON

T0 = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LEAKED = "une phrase qui a fui un jour"


def sha(password):
    return hashlib.sha1(password.encode()).hexdigest().upper()


def silent(share):
    assert 0 <= share <= 1


@pytest.fixture
def target(tmp_path):
    return tmp_path / "state" / "breached.bin"


@pytest.fixture
def take(tmp_path, target):
    target.parent.mkdir()

    def take(content, progress=silent, **more):
        source = tmp_path / "list.txt"
        source.write_bytes(content if isinstance(content, bytes) else "".join(content).encode())
        return import_breached(source, target, T0, progress, **more)

    return take


def lines(passwords, end="\r\n"):
    return [f"{sha(one)}:{number + 1}{end}" for number, one in enumerate(passwords)]


def left(target):
    return sorted(path.name for path in target.parent.iterdir())


def test_common_passwords_are_known_before_anything_is_imported():
    breached = Breached()
    assert all(breached.contains(one) for one in COMMON)
    assert {"123456", "azerty", "motdepasse", "soleil", "doudou", "marseille"} < set(COMMON)
    assert not breached.contains(LEAKED)
    assert breached.status() is None
    assert len(set(COMMON)) == len(COMMON) > 300


@pytest.mark.parametrize("order", ["sorted", "shuffled", "doubled"])
def test_every_imported_password_is_found_and_no_other(take, target, order):
    passwords = [f"password {number}" for number in range(5000)]
    content = lines(passwords)
    if order == "sorted":
        content.sort()
    elif order == "shuffled":
        random.Random(3).shuffle(content)
    else:
        content += [line.lower() for line in content]
    assert take(content) == 5000
    breached = Breached(target)
    assert all(breached.contains(one) for one in passwords)
    assert not any(breached.contains(f"other {number}") for number in range(5000))
    status = breached.status()
    assert (status.entries, status.imported_at) == (5000, T0)
    assert status.size == target.stat().st_size == BODY_AT + 5000 * 4
    assert target.stat().st_mode & 0o777 == 0o600
    assert left(target) == [".breached.bin.lock", "breached.bin"]


def test_both_ends_of_the_range_are_found(take, target):
    ends = ["00" * 20, "ff" * 20, "00" * 19 + "01", "0000ffffffff" + "0" * 28]
    take("\n".join(ends) + "\n")
    file = BreachedFile(target)
    assert all(bytes.fromhex(one) in file for one in ends)
    assert bytes.fromhex("0001" + "00" * 18) not in file
    assert bytes.fromhex("ffff" + "00" * 18) not in file


def test_accents_are_found_however_they_are_written(take, target):
    take(lines(["été à la forêt"]))
    assert Breached(target).contains("e\u0301te\u0301 à la forêt")
    assert Breached(target).contains("été à la forêt")
    assert not Breached(target).contains("\ud800" * 12)


def test_pieces_may_end_anywhere(target, take):
    content = "".join(lines([f"p{number}" for number in range(300)], "\n")).encode()
    for size in (1, 37, 40, 41, 42, 1000):
        assert take(content.rstrip(b"\n"), piece_bytes=size) == 300
    assert Breached(target).contains("p299")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"123456\n", 1),
        (b"%s:1\nmotdepasse:3\n" % sha("a").encode(), 2),
        (b"%s\n\n%s:x\n" % (sha("a").encode(), sha("b").encode()), 3),
        (b"%s" % sha("a").encode()[:-1], 1),
        (b"\x1f\x8b" + bytes(100_000), 1),
        (sha("a").encode() + b" :1\n", 1),
        (b"%s:1\n%s" % (sha("a").encode(), b"x" * 10_000), 2),
    ],
)
def test_a_file_of_another_form_changes_nothing_and_is_not_shown(take, target, content, line):
    take(lines([LEAKED]))
    before = target.read_bytes()
    with pytest.raises(ImportRefused, match=f"line {line} of the list") as refused:
        take(content)
    assert "motdepasse" not in str(refused.value)
    assert target.read_bytes() == before
    assert left(target) == [".breached.bin.lock", "breached.bin"]


def test_an_empty_list_is_refused_and_blank_lines_are_nothing(take, target):
    for content in (b"", b"\n\r\n\n"):
        with pytest.raises(ImportRefused, match="holds no hash"):
            take(content)
    assert not target.exists()
    assert take(f"\n{sha(LEAKED)}\r\n\r\n") == 1


def test_an_import_that_stops_midway_leaves_the_list_in_use(take, target):
    take(lines([LEAKED]))

    class Stopped(Exception):
        pass

    def stop(share):
        if share > 0.9:
            raise Stopped

    with pytest.raises(Stopped):
        take(lines(["another"]), stop)
    assert Breached(target).contains(LEAKED)
    assert left(target) == [".breached.bin.lock", "breached.bin"]


def test_what_a_killed_import_left_is_cleared_and_two_do_not_meet(take, target):
    take(lines([LEAKED]))
    parts = target.parent / ".breached.bin.parts"
    parts.mkdir()
    (parts / "00").write_bytes(bytes(6))
    take(lines(["another"]))
    assert Breached(target).status().entries == 1
    handle = os.open(target.parent / ".breached.bin.lock", os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(ImportRefused, match="another import"):
        take(lines([LEAKED]))
    os.close(handle)
    assert take(lines([LEAKED])) == 1


def test_a_source_that_is_none_and_a_disk_too_small_say_so(tmp_path, take, target):
    with pytest.raises(ImportRefused, match="No such file"):
        import_breached(tmp_path / "missing", target, T0, silent)
    huge = tmp_path / "huge.txt"
    with huge.open("wb") as file:
        file.truncate(shutil.disk_usage(tmp_path).free * 8)  # sparse: it takes no room itself
    with pytest.raises(ImportRefused, match="GB free"):
        import_breached(huge, target, T0, silent)
    assert not target.exists()


def test_a_new_list_is_taken_up_without_a_restart(take, target):
    breached = Breached(target)
    assert not breached.contains(LEAKED)
    take(lines([LEAKED]))
    assert breached.contains(LEAKED)
    take(lines(["another"]))
    assert (breached.contains(LEAKED), breached.contains("another")) == (False, True)


def test_a_list_that_breaks_or_vanishes_while_serving_leaves_the_one_before(take, target, caplog):
    take(lines([LEAKED]))
    breached = Breached(target)
    broken = target.with_name("broken")
    broken.write_bytes(target.read_bytes()[:-1])
    broken.replace(target)
    assert breached.contains(LEAKED)
    assert breached.contains(LEAKED)
    assert [record.getMessage() for record in caplog.records] == ["breached-list-refused"]
    target.unlink()
    assert breached.contains(LEAKED)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"",
        lambda data: data[:100],
        lambda data: b"X" + data[1:],
        lambda data: data + b"\0\0\0\0",
        lambda data: data[:8] + struct.pack(">Q", 7) + data[16:],
        lambda data: data[: BODY_AT - 8] + struct.pack(">Q", 7) + data[BODY_AT:],
    ],
)
def test_a_damaged_list_keeps_the_gateway_from_starting(take, target, change):
    take(lines([LEAKED, "another"]))
    target.write_bytes(change(target.read_bytes()))
    with pytest.raises(StartError, match="Import it anew"):
        Breached(target)


def test_threads_may_ask_while_lists_change(take, target):
    take(lines([LEAKED]))
    breached = Breached(target)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(breached.contains, LEAKED) for _ in range(500)]
        for _ in range(5):
            take(lines([LEAKED]))
        assert all(one.result() for one in asked)
