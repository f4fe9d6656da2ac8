# SPDX-License-Identifier: EUPL-1.2
"""The world, its people and the demo's policy: made once, read by all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.drill.people import DemoPeople, Residents
from gateway.drill.world import World, load_world
from gateway.policy.load import load_policy
from support.sources import ROOT

if TYPE_CHECKING:
    from gateway.policy.rules import Policy


@pytest.fixture(scope="session")
def world() -> World:
    return load_world()


@pytest.fixture(scope="session")
def residents() -> Residents:
    return Residents(DemoPeople())


@pytest.fixture(scope="session")
def policy() -> Policy:
    file = ROOT / "policies" / "demo.yaml"
    return load_policy(file.read_text("utf-8"), str(file))


OPEN = """
version: 1
portal: open
title: "Everybody who is signed in sees everybody"
teleservices:
  infopatient:
    title: "Infopatient"
    routes:
      - {route: "GET /api/infopatient/{nir}", patient: {path: nir}}
    assurance: mfa
    budgets:
      - {people: 100000, window: 24h, past: deny}
    discloses: [identity]
    attestation: {reference: "TEST", until: 2099-12-31}
"""


@pytest.fixture(scope="session")
def open_policy() -> Policy:
    """One budget that nobody meets: what stops a robot here is the session alone."""
    return load_policy(OPEN, "open.yaml")
