# SPDX-License-Identifier: EUPL-1.2
"""For the walk: one running demo for all of it, and people who walk it."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from support.demo import Demo
from support.walker import Walker


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    with Demo(tmp_path_factory.mktemp("demo")) as running:
        yield running


@pytest.fixture
def walker(demo):
    """Make somebody with a browser of his own; they are all gone after the test."""
    with ExitStack() as stack:
        yield lambda language="fr": stack.enter_context(Walker(demo, language))
