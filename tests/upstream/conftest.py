# SPDX-License-Identifier: EUPL-1.2
"""One recording upstream and one open, impatient gateway before it, for a whole module."""

from __future__ import annotations

import pytest

from support.echo import Echo
from support.house import House

QUICK = 1.0


@pytest.fixture(scope="module")
def echo():
    with Echo() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def house(tmp_path_factory, echo):
    portal = {"connect_seconds": QUICK, "head_seconds": QUICK, "idle_seconds": QUICK, "stream_idle_seconds": 2 * QUICK}
    return House(tmp_path_factory.mktemp("house") / "h", echo.url, settings={"portal": portal})


@pytest.fixture(scope="module")
def gateway(house):
    """The running gateway; gives its port."""
    with house.serve() as process:
        yield house.port
        code = process.returncode
        log = process.log.read_bytes()
    assert code is None, "the gateway died"
    assert b"walk-failed" not in log, log.decode()
    assert b"internal-error" not in log, log.decode()
    assert b"respond-failed" not in log, log.decode()
    assert b"canary" not in log, "K2: what a client sent stands in the log"
