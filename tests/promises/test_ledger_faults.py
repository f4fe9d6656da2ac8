# SPDX-License-Identifier: EUPL-1.2
"""Promise 2 when the ledger is the fault: a full disk, an fsync that fails. 503, nothing leaves unrecorded, until a start."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from support.link import Link
from support.lookups import Demo, Load, api_request, form_request, page_request, people
from support.servers import wait_until
from support.system_packages import rights

from gateway.model import Level

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.system

ACCOUNTS = ("750012346", "750012353")
SMALL = "8m"  # some hundreds of look-ups fit


@pytest.fixture
def demo(tmp_path):
    demo = Demo(tmp_path)
    with demo.portal:
        yield demo


def clients(demo: Demo) -> list[tuple[str, str]]:
    return [(account, demo.house.sign_in(account)) for account in ACCOUNTS * 2]


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """The folder with what it holds on a file system of its own, with little room."""
    prefix = rights()
    if prefix is None:
        pytest.fail("a small file system is mounted here: run the tests as root, or with sudo without a password")
    aside = folder.with_name(folder.name + ".aside")
    folder.rename(aside)
    folder.mkdir()
    options = f"size={SMALL},mode=0700,uid={aside.stat().st_uid}"
    done = subprocess.run(
        [*prefix, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.fail(f"no file system of {SMALL} can be mounted at {folder}: {done.stderr.strip()}; mount must be allowed")
    try:
        for path in aside.iterdir():
            shutil.copy2(path, folder)
        yield
    finally:
        subprocess.run([*prefix, "umount", str(folder)], check=True)


def assert_refuses_lookups_and_serves_the_rest(demo: Demo, cookie: str, numbers: Iterator[str]) -> None:
    """All three look-ups are 503 with a page or a problem that says so; what has no obligation goes on."""
    with Link(demo.house.port, cookie) as link:
        for request in (api_request, form_request):
            answer = link.ask(request(next(numbers)))
            assert answer.status == 503
            assert answer.get(b"content-type").startswith(b"application/problem+json")
            assert json.loads(answer.body)["type"] == "urn:herse:reason:ledger-unavailable"
        page = link.ask(page_request(next(numbers)))
        assert page.status == 503
        assert page.get(b"content-type").startswith(b"text/html")
        assert link.ask(b"GET /accueil HTTP/1.1\r\n").status == 200
        assert link.ask(b"GET /infopatient HTTP/1.1\r\n").status == 200, "the empty form shows nobody"
        assert link.connections == 1, "a refused look-up ends no connection"
    with Link(demo.house.port, demo.house_stranger) as link:
        assert link.ask(api_request(next(numbers))).status == 401, "who may not look up is told so, not that it is broken"


def assert_all_on_record(demo: Demo, load: Load) -> None:
    assert load.received - demo.shown_on_record() == set(), "shown, and not on record"
    assert len(load.received) == load.statuses[200]
    assert set(load.statuses) == {200, 503}


def test_L4_on_a_full_disk_lookups_stop_and_nothing_leaves_unrecorded(demo):
    numbers, cookies = people(1), clients(demo)
    demo.house_stranger = demo.house.sign_in(level=Level.PASSWORD)
    load = Load(demo, cookies, numbers)
    state = demo.house.ledger_file.parent
    with small_disk(state):
        with demo.house.serve() as gateway:
            load.start()
            wait_until("the disk full", lambda: load.statuses[503] > 20, 60)
            load.stop()
            assert_refuses_lookups_and_serves_the_rest(demo, cookies[0][1], numbers)
            freed = list(islice(make_room(state), 3))
            assert freed == []
            assert_all_on_record(demo, load)
            assert gateway.returncode is None
        assert load.statuses[200] > 100
        assert_all_on_record(demo, load)
