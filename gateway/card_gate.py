# SPDX-License-Identifier: EUPL-1.2
"""Builds the card listener from its settings, and runs it and its revocation sources beside the public one.

Part of the builder (`app`), in a file of its own. A gateway without `[card]` has an empty gate: nothing listens, and
the pages say that cards are not read here.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from gateway.errors import StartError
from gateway.identity.card import verify_card
from gateway.identity.revocation import ListFault, RevocationError, RevocationLists, read_list
from gateway.identity.tickets import Tickets
from gateway.identity.trust import load_trust
from gateway.listener.card_header import Direct, Fronted
from gateway.listener.card_host import CardDoor, CardHost
from gateway.listener.card_tls import CardTls, HopTls
from gateway.listener.host import listening_socket
from gateway.portal.doors import CardDesk
from gateway.settings import split_address

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import ExitStack
    from datetime import datetime
    from pathlib import Path

    from gateway.identity.card import CardHolder
    from gateway.identity.revocation import RevocationList
    from gateway.identity.trust import CardTrust
    from gateway.settings import Settings
    from gateway.settings_card import Card

log = logging.getLogger(__name__)

CRL_FOLDER: Final = "revocation"
_READ_FILES_SECONDS: Final = 300.0
_AGAIN_SECONDS: Final = 60.0


class CardGate:
    """The card listener of one gateway, if its settings have one. `keep` gives back what is opened here."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime], keep: ExitStack) -> None:
        """StartError if anything cannot be used: certificate, authorities, revocation files, the port (D3)."""
        self.desk: CardDesk | None = None
        if settings.card is None:
            return
        from gateway.identity.revocation_source import (  # noqa: PLC0415  # its client, where lists are fetched
            Addresses,
            RevocationSource,
        )

        card, at = settings.card, clock()
        self._clock = clock
        trust = load_trust(card.authorities, sandbox=card.sandbox, at=at)
        self._lists = RevocationLists(trust, grace=card.grace)
        self._source = RevocationSource(
            self._lists, Addresses(tuple(card.crl_urls), card.ocsp_url), settings.state.folder / CRL_FOLDER
        )
        self._source.restore(at)
        self._files = card.crl_files
        self._read_first(at)
        way = _way(card, trust, keep)
        listening = listening_socket(*split_address(card.listen))
        keep.callback(listening.close)
        self.desk = CardDesk(Tickets(), card.origin)
        door = CardDoor(
            settings.public.origin, card.origin, self.desk.tickets, self._source.consult, self._verify, clock
        )
        self._host = CardHost(door, way, listening)
        self._told = _told(card)

    async def serve(self, stop: asyncio.Event) -> None:
        """Serve cards until `stop`, and keep the revocation lists fresh; returns at once without `[card]`."""
        if self.desk is None:
            return
        log.info("serving-cards", extra=self._told)
        rounds = (lambda: self._source.keep_fresh(self._clock), self._reread)
        keeping = [asyncio.ensure_future(_for_ever(act)) for act in rounds]
        try:
            await self._host.serve(stop)
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)

    def _verify(self, certificate: bytes, at: datetime) -> CardHolder:
        return verify_card(certificate, (), at, self._lists.trust, self._lists)

    def _read_first(self, at: datetime) -> None:
        for path in self._files:
            try:
                self._lists.accept(_bytes(path), at)
            except RevocationError as error:
                if error.fault is ListFault.OLDER_THAN_KEPT:  # a newer one was fetched before the restart
                    continue
                raise StartError(
                    f"{path}: found a revocation list that cannot be used ({error}); expected the latest DER list of "
                    "one of the authorities in card.authorities"
                ) from None

    async def _reread(self) -> None:
        """Whoever brings the files may bring newer ones; one that cannot be used leaves what is kept, and is told."""
        while True:
            await asyncio.sleep(_READ_FILES_SECONDS)
            for path in self._files:
                try:
                    self._lists.keep(await asyncio.to_thread(self._read, path))
                except (StartError, RevocationError) as error:
                    log.warning("revocation-list-refused", extra={"file": str(path), "error": str(error)})

    def _read(self, path: Path) -> RevocationList:
        return read_list(_bytes(path), self._lists.trust, self._clock())


def _way(card: Card, trust: CardTrust, keep: ExitStack) -> Direct | Fronted:
    """How certificates come: by handshakes with browsers, or by a field of the terminator in the settings."""
    tls: CardTls | None = None
    if card.certificate is not None and card.key is not None:
        if card.terminator_authority is None:
            tls = CardTls(card.certificate, card.key, trust.ssl_context_anchors())
        else:
            tls = HopTls(card.certificate, card.key, card.terminator_authority)
        keep.callback(tls.close)
    if card.terminator:
        return Fronted(frozenset(card.terminator), card.field, tls)
    if tls is None:
        raise StartError("found no certificate and key of the card host, nor a terminator; expected one of them")
    return Direct(tls)


async def _for_ever(act: Callable[[], Awaitable[None]]) -> None:
    """Rounds that end by a fault are told and begun again: lists that age in silence would shut every card out."""
    while True:
        try:
            await act()
        except Exception as error:  # noqa: BLE001  # whatever it was, the lists must be kept fresh
            log.error("round-failed", extra={"error": type(error).__name__})  # noqa: TRY400
        await asyncio.sleep(_AGAIN_SECONDS)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StartError(f"{path}: {error.strerror}; expected a revocation list (DER)") from None


def _told(card: Card) -> dict[str, str]:
    """What the log says at the start: a grace and a sandbox are never silent."""
    return {
        "origin": card.origin,
        "listen": card.listen,
        "terminator": " ".join(card.terminator),
        "sandbox": str(card.sandbox).lower(),
        "grace_hours": str(card.grace_hours),
    }
