# SPDX-License-Identifier: EUPL-1.2
"""Looks for tests of a meter: who looks whom up, when and from where; what a test does not care about is filled in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gateway.metering.look import Look
from gateway.model import Assurance, Meter, PastLook, PatientLocator, Place, Subject

if TYPE_CHECKING:
    from gateway.model import Budget

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NIR = PatientLocator(Place.PATH, "nir")
NETWORK = "192.0.2.0/24"


def person(number: int) -> bytes:
    return number.to_bytes(16)


def asked(*budgets: Budget, known_for: timedelta | None = None, moved_new: bool = False) -> Meter:
    """What a teleservice with these budgets obliges to."""
    return Meter(NIR, budgets, known_for, moved_new)


def look(
    meter: Meter,
    number: int,
    at: datetime = NOON,
    *,
    account: str = "a",
    holder: str | None = None,
    teleservice: str = "t",
    network: str = NETWORK,
    assurance: Assurance = Assurance(),  # noqa: B008  # a frozen value
    moved: bool = False,
) -> Look:
    subject = Subject(account, holder=holder, assurance=assurance)
    return Look(subject, teleservice, meter, person(number), at, network, moved=moved)


def past(one: Look, *, missed: bool = False) -> PastLook:
    """The row of the ledger that this look-up leaves; its address is the network's first."""
    subject, address = one.subject, one.network.replace(".0/24", ".1")
    return PastLook(subject.account or "", one.teleservice, subject.holder, address, one.pseudonym, one.at, missed)


def network_of(address: str) -> str:
    """The network of an IPv4 address."""
    return f"{address.rpartition('.')[0]}.0/24" if address else ""
