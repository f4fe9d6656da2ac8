# SPDX-License-Identifier: EUPL-1.2
"""What the portal twin knows of whom it served: each person in each answer that arrived, by whose account, from where.

It learns the account as a real portal does, from the assertion, and shares nothing with the ledger that its word is
held against. A person counts once the answer with his number has arrived, as far as it arrived.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gateway.drill.twins import REFUSED_FROM, AssertionsTwin, DrillClient, PortalTwin

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.drill.exposure import Exposure
    from gateway.model import Subject
    from gateway.pending import Pending
    from gateway.upstream.answer import Answer, WholeAnswer
    from gateway.upstream.exchange import Client, Request


class Served(NamedTuple):
    """One person in one answer. `at`: seconds since the drill began, when it was asked for; `robot`: by whom."""

    account: str
    network: str
    at: float
    person: int
    robot: bool


class Witness:
    """Keeps all that was served in one run."""

    def __init__(self) -> None:
        self.served: list[Served] = []

    def client(self, exposure: Exposure | None, now: float) -> DrillClient:
        """Who asks: a robot if its exposure is counted."""
        return _Watched(self, exposure, now)


class _Watched(DrillClient):
    __slots__ = ("account", "network", "witness")

    def __init__(self, witness: Witness, exposure: Exposure | None, now: float) -> None:
        super().__init__(exposure, now)
        self.witness = witness
        self.account = self.network = ""

    def finish(self) -> None:
        """See Client."""
        if not self.done and self.status < REFUSED_FROM:
            robot = self.exposure is not None
            self.witness.served += [
                Served(self.account, self.network, self.now, person, robot)
                for person, number in self.held
                if number in self._bytes
            ]
        super().finish()


class NamingAssertions(AssertionsTwin):
    """Tells the portal whose account it is, and signs nothing."""

    def of(self, subject: Subject, at: datetime) -> bytes:  # noqa: ARG002  # the door's
        """See Assertions."""
        return (subject.account or "").encode("ascii")


class WitnessedPortal(PortalTwin):
    """Notes who asks at whoever is watched."""

    def forward(  # the door's
        self,
        request: Request,
        client: Client,
        identity: bytes | None,
        *,
        metered: bool = False,
        streams: bool = False,
    ) -> Pending[Answer | WholeAnswer]:
        """See PortalDoor."""
        if isinstance(client, _Watched):
            client.account, client.network = (identity or b"").decode("ascii"), request.peer
        return super().forward(request, client, identity, metered=metered, streams=streams)
