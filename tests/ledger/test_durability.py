# SPDX-License-Identifier: EUPL-1.2
"""The ledger against a full disk, a failing fsync and a power cut, on real things: acknowledged is contained in
recorded.

kill -9 alone proves nothing, since the kernel keeps what was written: so a shim keeps, for each file, what it held when
it was last synced, and the ledger is reopened from that. The same test run on a weakened ledger must find lost events.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.ledger.store import create_ledger, open_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.system

HERE = Path(__file__).parent
APPENDER = (sys.executable, str(HERE / "appender.py"))
SECONDS = 60
BOUNDED = ("--appends", "20000")
"""No appender goes on for ever, whatever the test that started it comes to."""


class Told:
    """What an appender said."""

    def __init__(self, text: str) -> None:
        lines = text.splitlines(keepends=True)
        self.sentences = [line.rstrip("\n") for line in lines if line.endswith("\n")]
        self.acknowledged = {
            int(sequence): request
            for word, sequence, request in (one.split() for one in self.sentences if one.startswith("ack "))
        }

    def count(self, word: str) -> int:
        return sum(sentence.split()[0] == word for sentence in self.sentences)


def recorded(path: Path) -> dict[int, str]:
    """The rows after a start: opened as the gateway opens it, then read."""
    open_ledger(path).close()
    connection = sqlite3.connect(path)
    found = dict(connection.execute("select sequence, lower(hex(request)) from event").fetchall())
    connection.close()
    return found


def lost(acknowledged: dict[int, str], rows: dict[int, str]) -> dict[int, str]:
    return {sequence: request for sequence, request in acknowledged.items() if rows.get(sequence) != request}


def installed(command: str) -> str:
    found = shutil.which(command)
    if found is None:
        pytest.fail(f"this test needs {command}; `make test` installs what it needs, or names the packages")
    return found


# ---- a full disk

MOUNTS = {
    "tmpfs": 'mount -t tmpfs -o size=6m tmpfs "$disk"',
    "ext4": 'truncate -s 8M "$disk.img"; mkfs.ext4 -q -F -b 4096 -m 0 "$disk.img"; mount -o loop "$disk.img" "$disk"',
}
# In a mount namespace of its own: whatever happens, the mount ends with the last process in it. Another tenant's file
# leaves 2 MiB of room, and goes on growing when the ledger has taken its share.
FILL = """
set -eu
disk=$1; copy=$2; shift 2
{mount}
echo mounted
head -c $(($(stat -f -c '%a * %S' "$disk") - 2097152)) /dev/zero > "$disk/tenant"
"$@" --create "$disk/ledger.db" < /dev/null
"$@" "$disk/ledger.db" < /dev/null
cp "$disk"/ledger.db* "$copy"
cat /dev/zero >> "$disk/tenant" 2> "$copy/full" || true
echo full
"$@" "$disk/ledger.db" < /dev/null
"$@" --create "$disk/another.db" < /dev/null
test ! -e "$disk/another.db"
"""


@pytest.mark.parametrize("checkpoint_pages", [100, 4000])
@pytest.mark.parametrize("kind", sorted(MOUNTS))
def test_L4_on_a_full_disk_what_was_acknowledged_is_there(tmp_path: Path, kind: str, checkpoint_pages: int):
    """Filled, started once more on what the end of the first left free, and refused when nothing is."""
    disk, copy = tmp_path / "disk", tmp_path / "copy"
    disk.mkdir()
    copy.mkdir()
    script = ["sh", "-c", FILL.format(mount=MOUNTS[kind]), "sh", str(disk), str(copy)]
    apart = [installed("unshare"), "--mount", *(() if os.getuid() == 0 else ("--map-root-user",))]
    done = subprocess.run(
        [*apart, *script, *APPENDER, "--callers", "64", "--checkpoint-pages", str(checkpoint_pages)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env=os.environ | {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"},
    )
    if "mounted" not in done.stdout:
        pytest.fail(f"cannot mount a small {kind} to fill it; run the tests as root ({done.stderr.strip()})")
    assert done.returncode == 0, done.stderr
    filling, _, full = done.stdout.partition("\nfull\n")
    told = Told(filling.replace("mounted\n", ""))
    assert told.count("failed") >= 1
    assert "full" in next(one for one in told.sentences if one.startswith("failed "))
    assert told.count("refused") == 5 * told.count("failed")
    assert told.count("taken") == 0
    assert len(told.acknowledged) > 1000
    assert lost(told.acknowledged, recorded(copy / "ledger.db")) == {}
    assert [sentence.split()[0] for sentence in full.splitlines()] == ["start-error", "start-error"]
    assert full.count("bytes left; expected at least") == 2


# ---- a disk that fails


@pytest.mark.parametrize(
    "point",
    [
        "posix/io/sync/fdatasync,failinfo=5",
        "posix/io/rw/pwrite,failinfo=5",
        "posix/io/rw/pwrite,failinfo=28",
    ],
)
def test_L4_a_disk_that_failed_once_is_never_trusted_again(tmp_path: Path, point: str):
    """Fails from some moment on, then works again: the ledger goes on refusing, and a new start finds all."""
    path, control = tmp_path / "ledger.db", str(tmp_path / "fiu")
    create_ledger(path)
    name = point.partition(",")[0]
    steer = [installed("fiu-ctrl"), "-f", control]
    said = []
    with subprocess.Popen(
        [installed("fiu-run"), "-x", "-f", control, *APPENDER, str(path), "--checkpoint-pages", "100", *BOUNDED],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        pid = ""
        for line in child.stdout:
            said.append(line)
            if line.startswith("ready "):
                pid = line.split()[1]
            elif len(said) == 300:
                subprocess.run([*steer, "-c", f"enable name={point}", pid], check=True, timeout=SECONDS)
            elif line.startswith("failed "):
                subprocess.run([*steer, "-c", f"disable name={name}", pid], check=True, timeout=SECONDS)
                child.stdin.write("\n")
                child.stdin.flush()
    told = Told("".join(said))
    assert told.count("failed") == 1
    assert told.count("refused") == 5
    assert told.count("taken") == 0
    assert told.sentences[-1] == "end"
    assert lost(told.acknowledged, recorded(path)) == {}


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("shim") / "synced.so"
    subprocess.run(
        [installed("cc"), "-shared", "-fPIC", "-O1", "-Wall", "-o", str(built), str(HERE / "synced_shim.c"), "-ldl"],
        check=True,
        timeout=SECONDS,
    )
    return built


def shimmed(shim: Path, folder: Path, image: Path, **more: str) -> dict[str, str]:
    """The environment that keeps an image of what was synced in the folder."""
    for made in (folder, image):
        made.mkdir()
    return os.environ | {"LD_PRELOAD": str(shim), "HERSE_FOLDER": str(folder), "HERSE_IMAGE": str(image)} | more


def after_power_cut(image: Path, restored: Path) -> Path:
    """The folder as the cut leaves it at worst: synced content under synced names, nothing else."""
    restored.mkdir()
    for name in (image / ".names").read_text().split():
        if not name.endswith("-shm"):  # rebuilt by whoever opens first
            synced = image / name
            (restored / name).write_bytes(synced.read_bytes() if synced.exists() else b"")
    return restored / "ledger.db"


def failures_in_turn(shim: Path, folder: Path) -> Iterator[tuple[Told, Path, Path]]:
    """Appenders whose n-th write, truncation or sync fails, for each n up to the last there is: what each said, its
    ledger and its image."""
    environment = shimmed(shim, folder / "0", folder / "0-image")
    new = [*APPENDER, str(folder / "0" / "ledger.db"), "--create", "--appends", "0"]
    subprocess.run(new, env=environment, check=True, timeout=SECONDS, stdout=subprocess.DEVNULL)
    for nth in range(1, 500):
        own, image = folder / f"{nth}", folder / f"{nth}-image"
        shutil.copytree(folder / "0", own)
        shutil.copytree(folder / "0-image", image)
        done = subprocess.run(
            [*APPENDER, str(own / "ledger.db"), "--abrupt", "--callers=1", "--appends=3", "--checkpoint-pages=8"],
            env=environment | {"HERSE_FOLDER": str(own), "HERSE_IMAGE": str(image), "HERSE_FAIL_AT": str(nth)},
            capture_output=True,
            text=True,
            input="\n",
            check=True,
            timeout=SECONDS,
        )
        if not (image / ".failed").exists():
            return
        yield Told(done.stdout), own / "ledger.db", image


CREATE = "import pathlib, sys; from gateway.ledger.store import create_ledger; create_ledger(pathlib.Path(sys.argv[1]))"


def test_L4_a_new_ledger_survives_a_power_cut(shim, tmp_path):
    folder, image = tmp_path / "folder", tmp_path / "image"
    create = (sys.executable, "-c", CREATE, str(folder / "ledger.db"))
    subprocess.run(create, env=shimmed(shim, folder, image), check=True, timeout=SECONDS)
    assert recorded(after_power_cut(image, tmp_path / "restored")) == {}


def test_L4_whichever_write_fails_what_was_acknowledged_survives_it_and_a_power_cut(shim: Path, tmp_path: Path):
    starts = failed = 0
    for told, path, image in failures_in_turn(shim, tmp_path):
        starts += told.count("start-error")
        failed += told.count("failed")
        assert told.count("refused") == 5 * told.count("failed")
        assert told.count("taken") == 0
        assert lost(told.acknowledged, recorded(after_power_cut(image, Path(f"{image}-cut")))) == {}, path
        assert lost(told.acknowledged, recorded(path)) == {}, path
    assert starts >= 8, "what is written while opening keeps it from opening"
    assert failed >= 20, "what is written while appending ends it"


# ---- a power cut


def cut_at_random(shim: Path, tmp_path: Path, *arguments: str) -> tuple[Told, dict[int, str]]:
    """Kill a running appender at some moment, and find what a power cut at that moment had left."""
    folder, image = tmp_path / "folder", tmp_path / "image"
    environment = shimmed(shim, folder, image)
    with subprocess.Popen(
        [*APPENDER, str(folder / "ledger.db"), "--create", *BOUNDED, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        said = [child.stdout.readline() for _ in range(50)]
        time.sleep(random.uniform(0.05, 0.5))
        child.kill()
        said.append(child.stdout.read())
    return Told("".join(said)), recorded(after_power_cut(image, tmp_path / "restored"))


@pytest.mark.parametrize("checkpoint_pages", [40, 400, 4000])
def test_promise_2_a_power_cut_loses_nothing_that_was_acknowledged(shim: Path, tmp_path: Path, checkpoint_pages: int):
    told, rows = cut_at_random(shim, tmp_path, "--checkpoint-pages", str(checkpoint_pages))
    assert len(told.acknowledged) > 40
    assert lost(told.acknowledged, rows) == {}


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_the_same_cut_shows_a_ledger_that_does_not_sync_each_commit(shim: Path, tmp_path: Path, synchronous: str):
    told, rows = cut_at_random(shim, tmp_path, "--synchronous", synchronous)
    assert len(told.acknowledged) > 40
    assert lost(told.acknowledged, rows) != {}
