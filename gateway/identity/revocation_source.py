# SPDX-License-Identifier: EUPL-1.2
"""Fetches revocation lists and OCSP answers from the addresses that the settings name, and keeps lists over a restart.

Addresses never come from a certificate. Plain HTTP will do, since everything is signed; but no redirect is followed, no
proxy of the environment used, and nothing larger or slower than the limits is read. A fetch that fails changes nothing
but the log: the lists age by their own times (`revocation`).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from gateway.errors import StartError
from gateway.identity.ocsp import question, read_answer
from gateway.identity.revocation import RevocationError, RevocationLists, Standing, read_list
from gateway.identity.trust import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

log = logging.getLogger("gateway.revocation")

_OK: Final = 200
_SUFFIX: Final = ".crl"
_ANSWER_BYTES: Final = 65_536
_USUAL_WAIT: Final = timedelta(hours=1)
_SHORTEST_WAIT: Final = timedelta(minutes=1)
_AFTER_FAILURE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where to ask: `lists` are URLs of DER lists, one for each authority, roots too; `responder` speaks OCSP."""

    lists: tuple[str, ...]
    responder: str | None = None
    limit_bytes: int = 64 * 1024 * 1024
    seconds: float = 60.0
    answer_seconds: float = 5.0

    def __post_init__(self) -> None:
        for url in (*self.lists, *([self.responder] if self.responder else [])):
            if not _is_address(url):
                raise StartError(
                    f"found {url!a} as a source of revocation; expected http://host/… or https://host/…, "
                    "without a name or password"
                )


class FetchError(Exception):
    """An address did not give what was asked for; the message says what it gave."""


class RevocationSource:
    """Keeps `lists` fed. `folder` holds the last list of each authority, so that a restart is no rollback."""

    def __init__(self, lists: RevocationLists, addresses: Addresses, folder: Path | None = None) -> None:
        self._lists = lists
        self._addresses = addresses
        self._folder = folder

    def restore(self, at: datetime) -> int:
        """Take up the lists kept before the restart, each verified anew; how many. A bad file is told and left out."""
        files = sorted(self._folder.glob(f"*{_SUFFIX}")) if self._folder else []
        taken = 0
        for path in files:
            try:
                self._lists.accept(path.read_bytes(), at)
                taken += 1
            except (OSError, RevocationError) as error:
                log.warning("revocation-list-not-restored", extra={"file": path.name, "error": str(error)})
        return taken

    async def refresh(self, at: datetime) -> dict[str, str]:
        """Fetch every list once; the faults by address. Those that fail leave what is kept as it is."""
        results = await asyncio.gather(*(self._refresh_one(url, at) for url in self._addresses.lists))
        faults = {url: fault for url, fault in zip(self._addresses.lists, results, strict=True) if fault}
        for url, fault in faults.items():
            log.warning("revocation-list-refused", extra={"url": url, "error": fault})
        for status in self._lists.status(at):
            if status.standing is not Standing.GOOD:
                log.warning("revocation-list-aged", extra={"authority": status.authority, "as": status.standing.value})
        return faults

    async def keep_fresh(self, clock: Callable[[], datetime]) -> None:
        """Refresh for ever: every hour, sooner when a list ends sooner or a fetch failed. Cancel it to stop."""
        while True:
            failed = True
            try:
                failed = bool(await self.refresh(clock()))
            except Exception as error:  # noqa: BLE001  # whatever it is, the next hour must be tried too
                log.error("revocation-refresh-failed", extra={"error": type(error).__name__})  # noqa: TRY400
            await asyncio.sleep(self.pause(clock(), failed=failed).total_seconds())

    def pause(self, at: datetime, *, failed: bool) -> timedelta:
        """How long until the next refresh: before half of what is left of any list is gone."""
        left = [one.next_update - at for one in self._lists.status(at) if one.next_update is not None]
        usual = _AFTER_FAILURE if failed else _USUAL_WAIT
        return max(_SHORTEST_WAIT, min([usual, *(one / 2 for one in left)]))

    async def consult(self, certificate: bytes, at: datetime) -> None:
        """Ask the OCSP responder about a card (DER) and keep its answer; what fails is told, and changes nothing."""
        if self._addresses.responder is None:
            return
        try:
            card = x509.load_der_x509_certificate(certificate)
            issuer = next((one for one in self._lists.trust.intermediates if _issued(card, one)), None)
            if issuer is not None:
                url, body = self._addresses.responder, question(card, issuer)
                answer = await self._fetch(url, _ANSWER_BYTES, self._addresses.answer_seconds, body)
                self._lists.keep_answer(read_answer(answer, card, issuer, at))
        except (FetchError, RevocationError, *UNREADABLE) as error:
            log.warning("ocsp-answer-refused", extra={"error": str(error)})

    async def _refresh_one(self, url: str, at: datetime) -> str | None:
        try:
            data = await self._fetch(url, self._addresses.limit_bytes, self._addresses.seconds)
            # A large list takes a second to read: not on the loop that serves people.
            read = await asyncio.to_thread(read_list, data, self._lists.trust, at)
            self._lists.keep(read)
            await asyncio.to_thread(self._write, read.issuer, data)
        except (FetchError, RevocationError) as error:
            return str(error)
        except OSError as error:
            return f"kept in memory, not on disk: {error.strerror}"
        return None

    async def _fetch(self, url: str, limit: int, seconds: float, body: bytes | None = None) -> bytes:
        """The body of one answer, whole and uncompressed; FetchError if it is not one of 200, too large or too slow."""
        fields = {"accept-encoding": "identity"} | ({"content-type": "application/ocsp-request"} if body else {})
        try:
            async with (
                asyncio.timeout(seconds),
                httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=seconds) as client,
                client.stream("POST" if body else "GET", url, headers=fields, content=body) as answer,
            ):
                if answer.status_code != _OK or "content-encoding" in answer.headers:
                    raise FetchError(f"status {answer.status_code}, expected a plain 200")
                data = bytearray()
                async for piece in answer.aiter_raw():
                    data += piece
                    if len(data) > limit:
                        raise FetchError(f"more than {limit} bytes")
                return bytes(data)
        except TimeoutError:
            raise FetchError(f"not within {seconds:g} seconds") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise FetchError(type(error).__name__) from None

    def _write(self, issuer: bytes, data: bytes) -> None:
        """Keep one list on disk, whole or not at all."""
        if self._folder is None:
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{hashlib.sha256(issuer).hexdigest()}{_SUFFIX}"
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            with draft.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
        )
    except ValueError:
        return False


def _issued(card: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether this authority signed the card: nobody is asked about certificates of strangers."""
    try:
        card.verify_directly_issued_by(authority)
    except (InvalidSignature, *UNREADABLE):
        return False
    return True
