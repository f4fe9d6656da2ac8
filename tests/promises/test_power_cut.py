# SPDX-License-Identifier: EUPL-1.2
"""Promises 1 and 2 over a power cut: who was shown is on record in what was synced, and the test sees it if not.

kill -9 alone proves nothing, since the kernel keeps what was written. A shim keeps an image of what was synced; after
the kill the ledger is put back to it, and the gateway starts on that.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.link import Link
from support.lookups import Demo, Load, api_request, people
from support.servers import Process, accepts, wait_until
from support.sources import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.system

ACCOUNTS = ("750012346", "750012353", "751112343")
SHIM = ROOT / "tests" / "ledger" / "synced_shim.c"
WEAKENED = Path(__file__).with_name("weakened_gateway.py")


@pytest.fixture(scope="module")
def shim(tmp_path_factory) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.fail("this test needs cc; `make test` installs what it needs, or names the packages")
    built = tmp_path_factory.mktemp("shim") / "synced.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-Wall", "-o", built, SHIM, "-ldl"], check=True, timeout=60)
    return built


@pytest.fixture
def demo(tmp_path):
    demo = Demo(tmp_path)
    with demo.portal:
        yield demo


class Power:
    """The gateway's state folder, an image of what was synced in it, and the cut that leaves the image alone."""

    def __init__(self, demo: Demo, shim: Path) -> None:
        self.state = demo.house.ledger_file.parent
        self.image = self.state.with_name("image")
        self.environment = {"LD_PRELOAD": str(shim), "HERSE_FOLDER": str(self.state), "HERSE_IMAGE": str(self.image)}

    def on(self) -> None:
        """What lies there now has lain there for long."""
        shutil.rmtree(self.image, ignore_errors=True)
        shutil.copytree(self.state, self.image, ignore=shutil.ignore_patterns("*.sock"))

    def cut(self) -> None:
        """Leave what was synced, under names that were synced."""
        names = (self.image / ".names").read_text(encoding="utf-8").split()
        shutil.rmtree(self.state)
        self.state.mkdir()
        for name in names:
            synced = self.image / name
            if synced.is_file() and not name.endswith("-shm"):  # rebuilt by whoever opens first
                shutil.copy2(synced, self.state)


def cut_under_load(load: Load, gateway: Process, power: Power, after: float) -> None:
    power.on()
    with gateway:
        load.start()
        wait_until("look-ups", lambda: load.statuses[200] > 60)
        time.sleep(after)
        gateway.kill()
        load.stop()
    power.cut()


def clients(demo: Demo) -> list[tuple[str, str]]:
    return [(account, demo.house.sign_in(account)) for account in ACCOUNTS]


def check_starts(demo: Demo, cookie: str, numbers: Iterator[str]) -> None:
    """The gateway opens what the cut left, and goes on."""
    with demo.house.serve(), Link(demo.house.port, cookie) as link:
        assert link.ask(api_request(next(numbers))).status == 200


def test_L4_a_power_cut_under_load_loses_nobody_who_was_shown(demo, shim):
    chance, numbers, cookies, power = random.Random(4), people(1), clients(demo), Power(demo, shim)
    shown, cut = set(), 0
    for _ in range(2):  # the second cut hits a ledger that a first one left
        load = Load(demo, cookies, numbers)
        cut_under_load(load, demo.house.serve(environment=power.environment), power, chance.uniform(0, 0.4))
        shown |= load.received
        cut += load.cut
        assert shown - demo.shown_on_record() == set(), "shown, and not on record"
    assert cut > 0, "no look-up was under way at the cuts"
    assert len(shown) > 120
    check_starts(demo, cookies[0][1], numbers)


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_the_same_cut_shows_a_gateway_whose_ledger_does_not_sync_each_commit(demo, shim, synchronous):
    numbers, cookies, power = people(2), clients(demo), Power(demo, shim)
    house = demo.house
    words = [sys.executable, str(WEAKENED), synchronous, str(house.settings_file)]
    gateway = Process(words, house.folder, ready=accepts(house.port), environment=power.environment, name="weakened")
    load = Load(demo, cookies, numbers)
    cut_under_load(load, gateway, power, 0.0)
    assert len(load.received) > 60
    assert load.received - demo.shown_on_record() != set(), "the cut lost nobody: this test could not fail"
    check_starts(demo, cookies[0][1], numbers)
