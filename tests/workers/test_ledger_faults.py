# SPDX-License-Identifier: EUPL-1.2
"""An fsync that fails in one process of several: all stop disclosing, and whoever is started anew beside them."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from support.crew import Crew
from support.lookups import api_request
from support.servers import wait_until
from support.worst_day import WorstDay, taken_up

pytestmark = pytest.mark.system


def installed(command: str) -> str:
    found = shutil.which(command)
    if found is None:
        pytest.fail(f"this test needs {command}; `make test` installs what it needs, or names the packages")
    return found


def test_L4_a_disk_that_failed_one_process_is_trusted_by_none_until_all_start_anew(gather, tmp_path):
    demo, control = gather(workers=2), str(tmp_path / "fiu")
    day = WorstDay(demo, demo.shown_on_record, ["750012346", "750012353"] * 2)
    with demo.portal:
        with Crew(demo.house, 2, (installed("fiu-run"), "-x", "-f", control)) as crew:
            steer = [installed("fiu-ctrl"), "-f", control, "-c"]
            one = str(crew.pids()[1])
            with crew.links(day.cookies[0][1]) as links, day.load() as load:
                subprocess.run([*steer, "enable name=posix/io/sync/fdatasync,failinfo=5", one], check=True, timeout=30)
                assert links[1].ask(api_request(next(day.numbers))).status == 503, "whose disk failed"
                assert links[0].ask(api_request(next(day.numbers))).status == 503, "whose did not"
                wait_until("refused by all", lambda: load.statuses[503] > 20, 60)
            assert day.refusing(crew) == []
            subprocess.run([*steer, "disable name=posix/io/sync/fdatasync", one], check=True, timeout=30)
            for number in (1, 0):
                served = len(crew.told("serving"))
                crew.kill_worker(number)
                wait_until("it is back", lambda: len(crew.told("serving")) > served and crew.linked(), 60)  # noqa: B023
            assert day.refusing(crew) == [], "who is started anew beside the others has not read the ledger through"
            assert len({said["error"] for said in crew.tells("ledger-failed")}) == 1, "one sentence, whoever tells it"
        assert day.faults() == []
        with Crew(demo.house, 2) as crew:
            assert "nothing that was signed is lost" in taken_up(crew)[0]
            assert day.shows()
    assert day.faults() == []
    assert day.verified()[0] == 0
