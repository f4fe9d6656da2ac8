# SPDX-License-Identifier: EUPL-1.2
"""The bench measures what it says: the right core, answers that were right, people that are counted once."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench import exposed, meter, scan
from bench.download import peak_rss_mib
from bench.ledger import Store, made_event, measure, median, table
from bench.load import Answered, LoadError, full_load
from bench.machine import cores, cpu_seconds, is_pinned, pinned
from bench.run import Cell, lookup_target
from bench.servers import DOWNLOAD_BYTES, LARGE_BYTES, PAGE_BYTES, check_pinned, start_nginx, start_origin
from bench.steady import steady_load
from bench.world import COOKIE, TELESERVICES, cases_text, make_world, policy_text
from gateway.identity.cookie import read_cookie
from gateway.identity.database import DATABASE_FILE, open_database
from gateway.identity.session import Sessions
from gateway.ledger.store import create_ledger, open_ledger
from gateway.metering.patient import parse_patient_number
from gateway.model import Level
from gateway.policy.cases import load_cases, run_cases
from gateway.policy.load import load_policy
from gateway.settings import load_settings
from support.nginx import upstream
from support.servers import Process, wait_until


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("bench")
        origin = start_origin(stack, folder)
        yield [start_nginx(stack, folder, origin, name) for name in ("nginx", "nginx-tuned")]


def test_the_bench_of_the_ledger_times_every_event_until_it_is_durable(tmp_path):
    create_ledger(tmp_path / "l.db")
    ledger = open_ledger(tmp_path / "l.db")
    cells = [measure(Store("file", ledger), rate, 0.4) for rate in (300, 300, 0)]
    ledger.close()
    ledger = open_ledger(tmp_path / "l.db")
    stored = ledger.append_now([made_event()]).sequence - 1
    ledger.close()
    assert all(0 < cell.p50 <= cell.p90 <= cell.p99 for cell in cells)
    assert stored > 60
    middle = median(cells[:2])
    assert min(one.p50 for one in cells[:2]) <= middle.p50 <= max(one.p50 for one in cells[:2])
    assert len(table(cells).splitlines()) == 4


def test_the_policy_of_the_bench_loads_and_its_cases_hold():
    policy = load_policy(policy_text(), "policy.yaml")
    assert len(policy.rules) == TELESERVICES
    assert run_cases(policy, load_cases(cases_text(), "policy.cases.yaml", policy)).exit_code == 0


def test_the_world_of_the_bench_is_one_herse_can_open(tmp_path):
    world = make_world(tmp_path, 8443, 8080)
    settings = load_settings(world.settings)
    assert settings.portal.url == "http://127.0.0.1:8080"
    engine = open_database(settings.state.folder / DATABASE_FILE)
    sessions = Sessions(engine, settings.session.idle, settings.session.absolute)
    token = read_cookie([world.headers["Cookie"].encode()], COOKIE.encode())
    assert sessions.find(token, datetime.now(UTC)).subject.assurance.level is Level.MFA
    engine.dispose()
    assert world.lookups() == 0


def test_cores_stay_the_same_after_this_process_is_pinned():
    first, usable = cores(), os.sched_getaffinity(0)
    os.sched_setaffinity(0, {first[1]})
    try:
        assert cores() == first
        asked = [*pinned(first[0]), sys.executable, "-c", "import os; print(os.sched_getaffinity(0))"]
        assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout == f"{{{first[0]}}}\n"
    finally:
        os.sched_setaffinity(0, usable)


def test_cpu_is_that_of_the_descendants_too(tmp_path):
    busy = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'while True: pass'])"
    with Process([*pinned(cores()[0]), sys.executable, "-c", busy], tmp_path) as process:
        wait_until("it is pinned", lambda: is_pinned(process.pid, cores()[0]), 60)
        wait_until("the grandchild counted", lambda: cpu_seconds(process.pid) > 0.3, 60)


@pytest.mark.system
def test_servers_are_loaded_and_held_to_their_core(servers):
    check_pinned(servers)
    for server in servers:
        assert full_load(server.port, "/s", server.headers, 1, least_bytes=PAGE_BYTES).requests > 100
        assert full_load(server.port, "/s64", server.headers, 1, least_bytes=LARGE_BYTES).requests > 10


@pytest.mark.system
def test_a_refusal_is_no_figure(servers):
    with pytest.raises(LoadError, match="refused"):
        full_load(servers[0].port, "/absent", servers[0].headers, 1, least_bytes=0)
    with pytest.raises(LoadError, match="bytes on average"):
        full_load(servers[0].port, "/s", servers[0].headers, 1, least_bytes=LARGE_BYTES)
    with pytest.raises(LoadError, match="404"):
        steady_load(servers[0].port, lambda _: b"GET /absent HTTP/1.1\r\nHost: bench\r\n\r\n", 100, 0.2)


@pytest.mark.system
def test_a_steady_load_keeps_its_rate(servers):
    answered = steady_load(servers[0].port, lambda _: b"GET /s HTTP/1.1\r\nHost: bench\r\n\r\n", 200, 1)
    assert answered.requests == 200
    assert 0.5 < answered.seconds < 3
    assert 0 < answered.p50_ms <= answered.p99_ms


@pytest.mark.system
def test_memory_is_read_while_clients_download(servers):
    server = servers[0]
    peak = peak_rss_mib(server.process.pid, server.port, "/download", server.headers, size=DOWNLOAD_BYTES, slow=0.2)
    assert 1 < peak < 500
    with pytest.raises(LoadError, match="expected"):
        peak_rss_mib(server.process.pid, server.port, "/s", server.headers, size=DOWNLOAD_BYTES, slow=0)


@pytest.mark.system
def test_wrk_and_the_steady_load_ask_for_the_same_people_each_once(tmp_path):
    origin, port = upstream(tmp_path, f"location / {{ access_log {tmp_path}/asked; return 204; }}")
    with origin:
        seen = full_load(port, "/", {"Host": "bench"}, 1, least_bytes=0, people_from=1_000_000).requests
    asked = re.findall(r"GET (/infopatient/\S+) ", (tmp_path / "asked").read_text())
    assert len(asked) >= seen
    assert len(set(asked)) == len(asked)
    # wrk makes a first request only to look at it, and some that it does not get to send.
    assert set(asked) <= {lookup_target(number) for number in range(1_000_001, 1_000_100 + len(asked))}


@pytest.mark.parametrize("number", [0, 99, 100, 1_234_567, 40_000_000])
def test_the_people_of_the_bench_have_well_formed_numbers(number):
    text = lookup_target(number).rpartition("/")[2]
    assert parse_patient_number(text) == text[:13]


def test_a_row_is_made_of_medians_and_its_ratio_of_theirs():
    base, mine = (Cell("page", server, lambda _: None, 1) for server in (named("nginx"), named("herse")))
    for cell, figures in ((base, (10.0, 20.0, 30.0)), (mine, (30.0, 30.0, 90.0))):
        cell.cpu_us[:] = figures
        cell.turns[:] = [Answered(100, 2, 1, 9), Answered(300, 2, 3, 7), Answered(200, 2, 2, 8)]
        cell.rss[:] = [1, 5, 3]
    assert mine.row(base) == {
        "scenario": "page",
        "server": "herse",
        "rps": 100,
        "cpu_us": 30,
        "p50_ms": 2,
        "p99_ms": 8,
        "rss_mib": 5,
        "ratio_nginx": 1.5,
        "ratio_least": 1.5,
        "ratio_most": 3,
    }


def named(name):
    from bench.servers import Server

    return Server(name, Process([name], Path()), 0)


def test_wrk_is_there():
    assert shutil.which("wrk")


def test_a_look_up_that_is_counted_in_redis_is_one_round_trip():
    rows = meter.rows(320, 10)
    trips = {row["what"]: row["round_trips"] for row in rows if "round_trips" in row}
    assert {what: trips[what] for what in trips if what.startswith("look-up in Redis")} == {
        "look-up in Redis, 1 at once": 1.0,
        "look-up in Redis, 32 at once": 1.0,
    }
    assert trips["look-up in the process"] == 0.0
    memory = [row["bytes_account"] for row in rows if "bytes_account" in row]
    assert 0 < memory[0] < memory[1] < memory[2]


def test_scanning_is_told_with_what_chance_explains():
    (kind, count), *_ = scan.each(0.001)
    assert count.told(kind)["kind"] == "json"
    assert count.scanned > 100_000
    assert count.found <= count.worst


def test_the_bench_of_incidents_finds_exactly_whom_it_let_take(tmp_path, capsys):
    assert exposed.main(["--events", "3000", "--stolen", "300", "--keep", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert printed.count('"people": 300') >= 3
    assert {path.name for path in tmp_path.iterdir()} >= {"ledger.db", "officer.key"}
