# SPDX-License-Identifier: EUPL-1.2
"""For the tests of this room: a Redis of their own, and gateways of several processes that count in it."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from support.crew import Crew
from support.lookups import Demo
from support.redis_server import RedisServer


@pytest.fixture
def redis(tmp_path):
    """A Redis that runs for one test."""
    with RedisServer(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def gather(tmp_path, redis):
    """Make a house with its portal, of which a crew is started."""

    def make(written=None, *, workers=4, **settings):
        return Demo(
            tmp_path, written, settings={"redis": {"url": redis.url, "deadline_ms": 2_000}, **settings}, workers=workers
        )

    return make


@pytest.fixture
def serve():
    """Start portal and crew of a house, for the rest of the test."""
    with ExitStack() as stack:

        def start(demo):
            stack.enter_context(demo.portal)
            crew = Crew(demo.house, demo.house.workers)
            return stack.enter_context(crew)

        yield start
