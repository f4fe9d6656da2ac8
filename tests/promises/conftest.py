# SPDX-License-Identifier: EUPL-1.2
"""For the tests of this room: a scripted portal, and gateways before it at which somebody's work is kept."""

from __future__ import annotations

import pytest

from support.echo import Echo
from support.kept_desk import Desk


@pytest.fixture
def portal():
    """A scripted portal."""
    with Echo() as echo:
        yield echo


@pytest.fixture
def make(tmp_path):
    """Make gateways before portals, each in a folder of its own."""
    made = []

    def desk(url):
        made.append(Desk(tmp_path / f"gateway{len(made)}", url))
        return made[-1]

    yield desk
    for one in made:
        one.close()


@pytest.fixture
def desk(portal, make):
    """A gateway before that portal, not started yet."""
    return make(portal.url)


@pytest.fixture
def running(desk):
    """The same, started."""
    with desk.house.serve():
        yield desk
