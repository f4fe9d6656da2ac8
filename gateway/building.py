# SPDX-License-Identifier: EUPL-1.2
"""Parts of the builder that every process of a gateway needs: the clock, and the hallway's doors from the settings.

What only the one process with the pages has is built by `app`; what a process beside it has, by `worker`.
"""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway.homes import Homes
from gateway.identity.at_rest import AtRest
from gateway.identity.slips import Slips
from gateway.keeping import Keeper
from gateway.listener.strict import Limits
from gateway.metering.pseudonym import Pseudonymizer
from gateway.pending import Pending
from gateway.policy_in_force import load_decoys_of
from gateway.portal.cookies import SESSION_COOKIE
from gateway.settings import read_key
from gateway.state_files import ASSERTION_KEY_FILE, AT_REST_KEY_FILE, PSEUDONYM_KEY_FILE
from gateway.upstream.assertion import Assertions, load_assertion_key
from gateway.upstream.client import Portal, PortalAddress
from gateway.visit import HallwayDoors

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    from gateway.identity.kept_work import KeptWork
    from gateway.ledger.read import LedgerReader
    from gateway.metering.door import MeterDoor
    from gateway.policy.rules import Policy
    from gateway.settings import Settings
    from gateway.switches import SwitchesDoor
    from gateway.visit import LedgerDoor, ReturnsDoor, SessionsDoor, WatchingDoor


def clock() -> datetime:
    """Give the time, aware UTC: the one clock that the rooms are told."""
    return datetime.now(UTC)


def wait(seconds: float) -> Pending[None]:
    """Let this time pass."""
    waited: Pending[None] = Pending()
    asyncio.get_running_loop().call_later(seconds, waited.resolve, None)
    return waited


def later(act: Callable[[], None]) -> None:
    """Act once the answer under way has left, at a moment that nobody can foresee: 20 to 220 ms from now."""
    asyncio.get_running_loop().call_later(0.02 + secrets.randbelow(200) / 1000, act)


def limits_of(settings: Settings) -> Limits:
    """What the public listener lets in."""
    limits = settings.limits
    return Limits(
        hosts=settings.public.hosts,
        head_bytes=limits.head_bytes,
        header_count=limits.header_count,
        url_bytes=limits.url_bytes,
        body_bytes=limits.body_bytes,
        head_seconds=limits.head_seconds,
        body_seconds=limits.body_seconds,
        idle_seconds=limits.idle_seconds,
        connections=limits.connections,
    )


def hallway_doors(
    settings: Settings,
    policy: Policy,
    keep: ExitStack,
    kept: KeptWork,
    *,
    sessions: SessionsDoor,
    returns: ReturnsDoor,
    meter: MeterDoor,
    watching: WatchingDoor,
    ledger: LedgerDoor,
    reader: LedgerReader,
    switches: SwitchesDoor,
) -> HallwayDoors:
    """What the hallway works with. `keep` gives back what is opened here."""
    keys, origin = settings.keys.folder, settings.public.origin
    keeper = Keeper(kept, origin, settings.limits.form_bytes)
    keep.callback(keeper.close)
    portal = Portal(_address(settings), SESSION_COOKIE.encode("ascii"))
    keep.callback(portal.close)
    pseudonym = Pseudonymizer(read_key(keys / PSEUDONYM_KEY_FILE))
    return HallwayDoors(
        policy=policy,
        sessions=sessions,
        returns=returns,
        meter=meter,
        watching=watching,
        homes=Homes(reader),
        decoys=load_decoys_of(settings.policy.decoys, pseudonym),
        pseudonym=pseudonym,
        portal=portal,
        keeper=keeper,
        assertions=Assertions(load_assertion_key(keys / ASSERTION_KEY_FILE), origin, settings.portal.url),
        ledger=ledger,
        clock=clock,
        wait=wait,
        origin=origin,
        cookie_name=SESSION_COOKIE.encode("ascii"),
        form_bytes=settings.limits.form_bytes,
        slips=Slips(AtRest(read_key(keys / AT_REST_KEY_FILE))),
        switches=switches,
    )


def _address(settings: Settings) -> PortalAddress:
    portal = settings.portal
    return PortalAddress(
        url=portal.url,
        authority=portal.authority,
        connect_seconds=portal.connect_seconds,
        head_seconds=portal.head_seconds,
        idle_seconds=portal.idle_seconds,
        stream_idle_seconds=portal.stream_idle_seconds,
        keepalive_seconds=portal.keepalive_seconds,
        connections=portal.connections,
    )
