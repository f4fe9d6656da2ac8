# SPDX-License-Identifier: EUPL-1.2
"""`herse serve --workers N`: what keeps it from starting, who is started anew, and how all of it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress

import pytest

from gateway.cli.supervisor import Supervisor
from support.crew import Crew
from support.house import House
from support.link import Link
from support.lookups import CASES, lookup_policy
from support.servers import wait_until

pytestmark = pytest.mark.system


def fails(house, *words):
    command = [sys.executable, "-m", "gateway.cli", "serve", "--config", str(house.settings_file), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr


def lives(pid):
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def test_more_than_one_worker_without_redis_does_not_start(tmp_path):
    house = House(tmp_path / "gateway", "http://127.0.0.1:9", lookup_policy(), CASES)
    code, told = fails(house, "--workers", "2")
    assert code == 2
    assert "2 workers and no section [redis]" in told


@pytest.mark.parametrize("number", ["0", "65", "-1", "two", "1.5"])
def test_a_number_that_is_none_is_refused(tmp_path, number):
    house = House(tmp_path / "gateway", "http://127.0.0.1:9", lookup_policy(), CASES)
    code, told = fails(house, "--workers", number)
    assert code == 2
    assert "expected 1 to 64" in told


def test_a_fault_of_the_start_is_told_once_and_nothing_is_left(gather):
    demo = gather()
    (demo.house.folder / "keys" / "pseudonym.key").unlink()
    code, told = fails(demo.house, "--workers", "4")
    assert code == 2
    assert told.count("herse: ") == 1
    assert "pseudonym.key cannot be read" in told


def test_a_folder_has_one_gateway_however_many_processes(gather, serve):
    demo = gather(workers=2)
    serve(demo)
    code, told = fails(demo.house, "--workers", "2")
    assert code == 2
    assert "is in use by another Herse" in told


def test_an_end_that_is_asked_for_is_an_end_of_all(gather):
    demo = gather(workers=3)
    with Crew(demo.house, 3) as crew:
        pids = list(crew.pids().values())
        assert crew.stop(30) == 0
    assert not any(lives(pid) for pid in pids)
    assert crew.told("worker-ended") == []


def test_without_its_supervisor_nobody_goes_on_and_the_folder_is_free_again(gather):
    demo = gather(workers=2)
    with Crew(demo.house, 2) as crew:
        pids = list(crew.pids().values())
        os.kill(crew.pid, signal.SIGKILL)
        wait_until("all have ended", lambda: not any(lives(pid) for pid in pids))
    with Crew(demo.house, 2) as crew, crew.links() as links:
        assert {links[number].ask(b"GET /.herse/sign-in HTTP/1.1\r\n").status for number in links} == {200}


def test_too_many_ends_within_a_minute_stop_everything(caplog):
    dies = "import os, sys; os.write(int(sys.argv[2]), b'r'); os._exit(3)"
    assert asyncio.run(Supervisor([sys.executable, "-S", "-c", dies], (), 8).run()) == 1
    told = Counter(record.message for record in caplog.records)
    assert told["too-many-ends"] >= 1
    assert told["worker-ended"] >= 11
    assert told["worker-started"] <= 11 + 8


def test_one_worker_alone_is_the_process_itself(gather):
    demo = gather(workers=1)
    with demo.house.serve() as process, Link(demo.house.port) as link:
        assert link.ask(b"GET /.herse/sign-in HTTP/1.1\r\n").status == 200
        assert not (demo.house.ledger_file.parent / "desk.sock").exists()
        assert process.stop() == 0
