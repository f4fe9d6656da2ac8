# SPDX-License-Identifier: EUPL-1.2
"""One recording upstream and one open gateway before it, for a whole module; what the log must never hold is looked at
when they go.
"""

from __future__ import annotations

import pytest

from support.echo import Echo
from support.house import House

CANARIES = (b"canary-cookie", b"canary-query", b"canary-body", b"canary-header", b"canary-user")


@pytest.fixture(scope="module")
def echo():
    with Echo() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def house(tmp_path_factory, echo):
    return House(tmp_path_factory.mktemp("house") / "h", echo.url)


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
    assert b"Traceback" not in log, log.decode()
    assert [one for one in CANARIES if one in log] == [], "K2: what a client sent stands in the log"
