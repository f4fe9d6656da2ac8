# SPDX-License-Identifier: EUPL-1.2
"""Promise 2 when the ledger is the fault: a full disk, an fsync that fails. 503, nothing leaves unrecorded, until a
start.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.model import Level
from support.link import Link
from support.lookups import Demo, Load, api_request, form_request, page_request, people
from support.servers import DiedError, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.lookups import Shown
    from support.servers import Process

pytestmark = pytest.mark.system

ACCOUNTS = ("750012346", "750012353")
HOME = b"GET /accueil HTTP/1.1\r\n"
FORM = b"GET /infopatient HTTP/1.1\r\n"
# The state folder on a disk of its own with little room, in a mount namespace that ends with the gateway.
SMALL_DISK = """
set -eu
state=$1; shift
cp -a "$state" "$state.full"
mount -t tmpfs -o size=8m tmpfs "$state"
cp -a "$state.full/." "$state"
head -c 4194304 /dev/zero > "$state/tenant"
echo mounted >&2
exec "$@"
"""


@pytest.fixture
def demo(tmp_path):
    demo = Demo(tmp_path)
    with demo.portal:
        yield demo


def clients(demo: Demo) -> list[tuple[str, str]]:
    return [(account, demo.house.sign_in(account)) for account in ACCOUNTS * 2]


def installed(command: str) -> str:
    found = shutil.which(command)
    if found is None:
        pytest.fail(f"this test needs {command}; `make test` installs what it needs, or names the packages")
    return found


def check_refused(demo: Demo, cookie: str, stolen: str, numbers: Iterator[str]) -> None:
    """Look-ups are 503 with a page or a problem that says why; what has no obligation goes on, and so do decisions."""
    with Link(demo.house.port, cookie) as link:
        for request in (api_request, form_request):
            answer = link.ask(request(next(numbers)))
            assert answer.status == 503
            assert answer.get(b"content-type").startswith(b"application/problem+json")
            assert json.loads(answer.body)["type"] == "urn:herse:reason:ledger-unavailable"
        page = link.ask(page_request(next(numbers)))
        assert page.status == 503
        assert page.get(b"content-type").startswith(b"text/html")
        assert link.ask(HOME).status == 200
        assert link.ask(FORM).status == 200, "the empty form shows nobody"
        assert link.connections == 1, "a refused look-up ends no connection"
    with Link(demo.house.port, stolen) as link:
        assert link.ask(api_request(next(numbers))).status == 401
        assert link.ask(HOME).status == 200


def check_on_record(load: Load, recorded: Shown) -> None:
    assert load.received - recorded == set(), "shown, and not on record"
    assert len(load.received) == load.statuses[200]
    assert set(load.statuses) == {200, 503}, "refused, or shown in full"
    assert load.cut == 0
    assert load.statuses[200] > 100


def lookups_work(demo: Demo, cookie: str, numbers: Iterator[str]) -> bool:
    with demo.house.serve(), Link(demo.house.port, cookie) as link:
        return {link.ask(api_request(number)).status for number in islice(numbers, 5)} == {200}


@contextmanager
def started_on_its_disk(gateway: Process) -> Iterator[None]:
    try:
        gateway.start()
    except DiedError as error:
        if "mounted" not in gateway.output().splitlines():
            pytest.fail(f"no small disk can be mounted here; run the tests as root, with the right to mount: {error}")
        raise
    try:
        yield
    finally:
        gateway.stop()


def inside(gateway: Process, path: Path) -> Path:
    """A path as the gateway sees it, in its own mount namespace."""
    return Path(f"/proc/{gateway.pid}/root{path}")


def test_L4_on_a_full_disk_lookups_stop_and_nothing_leaves_unrecorded(demo):
    numbers, cookies, stolen = people(1), clients(demo), demo.house.sign_in(level=Level.PASSWORD)
    state = demo.house.ledger_file.parent
    load = Load(demo, cookies, numbers)
    gateway = demo.house.serve(prefix=(installed("unshare"), "--mount", "sh", "-c", SMALL_DISK, "sh", str(state)))
    with started_on_its_disk(gateway):
        load.start()
        wait_until("the disk full", lambda: load.statuses[503] > 20, 60)
        load.stop()
        disk = inside(gateway, state)
        check_refused(demo, cookies[0][1], stolen, numbers)
        (disk / "tenant").unlink()  # room again: but what was lost meanwhile nobody knows
        check_refused(demo, cookies[0][1], stolen, numbers)
        for name in (demo.house.ledger_file.name, demo.house.ledger_file.name + "-wal"):
            shutil.copy2(disk / name, state / name)  # the disk as it was, on one with room
    check_on_record(load, demo.shown_on_record())
    assert lookups_work(demo, cookies[0][1], numbers)
    check_on_record(load, demo.shown_on_record())


@pytest.mark.parametrize("point", ["posix/io/sync/fdatasync", "posix/io/rw/pwrite"])
def test_L4_once_a_write_has_failed_lookups_are_refused_until_a_start(demo, point):
    """EIO from some moment on (libfiu), then a disk that works again: fsync is never trusted a second time."""
    numbers, cookies, stolen = people(2), clients(demo), demo.house.sign_in(level=Level.PASSWORD)
    control = str(demo.house.folder / "fiu")
    load = Load(demo, cookies, numbers)
    with demo.house.serve(prefix=(installed("fiu-run"), "-x", "-f", control)) as gateway:

        def steer(order: str) -> None:
            steered = [installed("fiu-ctrl"), "-f", control, "-c", order, str(gateway.pid)]
            subprocess.run(steered, check=True, timeout=20)

        load.start()
        wait_until("look-ups", lambda: load.statuses[200] > 150)
        assert load.statuses[503] == 0
        steer(f"enable name={point},failinfo=5")
        wait_until("the ledger failed", lambda: load.statuses[503] > 20)
        check_refused(demo, cookies[0][1], stolen, numbers)
        steer(f"disable name={point}")
        before = load.statuses[200]
        check_refused(demo, cookies[0][1], stolen, numbers)
        load.stop()
        assert load.statuses[200] == before, "nobody is shown again before a start"
        gateway.kill()
    check_on_record(load, demo.shown_on_record())
    assert lookups_work(demo, cookies[0][1], numbers)
    check_on_record(load, demo.shown_on_record())
