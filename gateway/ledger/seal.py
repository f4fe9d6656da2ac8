# SPDX-License-Identifier: EUPL-1.2
"""How a patient number is put on record: so that the gateway itself cannot read it back.

A data key (AES-256-GCM) lives in one process for one hour of the clock. It is sealed to the data-protection officer at
once, and that is put on record in the same act as the first number sealed with it. When its hour ends the process
forgets it. The row of a number holds

    key id (8 bytes) || counter (8) || ciphertext and tag

with the counter as nonce, never used twice under one key, and as additional data the key's id, the request and the
pseudonym: what together names the row, so that a number moved to another row does not open there. The row of a data key
(`data-key`) holds

    key id (8 bytes) || officer's id (8) || HPKE message

Python cannot wipe memory: forgotten means that nothing refers to the key any more.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import HerseError
from gateway.ledger.officer_key import OFFICER_ID_BYTES, OfficerKeyError
from gateway.model import Event, EventKind
from gateway.pending import Pending

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gateway.ledger.officer_key import OfficerKey, OfficerPublicKey
    from gateway.ledger.store import Ledger
    from gateway.model import Receipt

KEY_ID_BYTES: Final = 8
HOUR: Final = timedelta(hours=1)
_COUNTER_BYTES: Final = 8
_NONCE_PAD: Final = b"\0\0\0\0"
_KEY_BYTES: Final = 32
_INFO: Final = b"herse data key 1 "
_HEAD: Final = KEY_ID_BYTES + _COUNTER_BYTES


class Unopened(HerseError):
    """A sealed number that cannot be opened. The message says why, and what is expected."""


class _DataKey:
    """One key, and how often it was used."""

    __slots__ = ("cipher", "id", "row", "until", "used")

    def __init__(self, officer: OfficerPublicKey, at: datetime) -> None:
        secret, self.id = secrets.token_bytes(_KEY_BYTES), secrets.token_bytes(KEY_ID_BYTES)
        wrapped = officer.seal(secret, _INFO + self.id + officer.id)
        self.row = Event(EventKind.DATA_KEY, "", at, sealed=self.id + officer.id + wrapped)
        self.cipher = AESGCM(secret)
        self.until = at.replace(minute=0, second=0, microsecond=0) + HOUR
        self.used = 0


class Seals:
    """The data keys of one process, one at a time."""

    def __init__(self, officer: OfficerPublicKey) -> None:
        self._officer = officer
        self._key: _DataKey | None = None
        self.untold: tuple[Event, ...] = ()
        """The rows of data keys not known to be durable: they go before whatever is recorded. The key in use, and in
        the first moments of an hour the one before it, since what was sealed may wait before it is recorded."""

    def told(self, rows: tuple[Event, ...]) -> None:
        """These rows of data keys are durable."""
        self.untold = tuple(row for row in self.untold if row not in rows)

    def seal(self, number: str, request: bytes, pseudonym: bytes, at: datetime) -> bytes:
        """The number of one row, sealed; to be recorded together with what is `untold`."""
        key = self._key
        if key is None or at >= key.until:
            key = self._key = _DataKey(self._officer, at)
            self.untold += (key.row,)
        key.used += 1
        counter = key.used.to_bytes(_COUNTER_BYTES, "big")
        sealed = key.cipher.encrypt(_NONCE_PAD + counter, number.encode("ascii"), key.id + request + pseudonym)
        return key.id + counter + sealed

    def forget(self, at: datetime) -> None:
        """Let go of the data key if its hour has ended."""
        if self._key is not None and at >= self._key.until:
            self._key = None


class SealedLedger:
    """The hallway's door to a ledger: seals numbers, and records their data key with the first of them."""

    def __init__(self, ledger: Ledger, seals: Seals) -> None:
        self._ledger = ledger
        self._seals = seals
        self.seal = seals.seal

    @property
    def failed(self) -> bool:
        """See store.Ledger."""
        return self._ledger.failed

    def append(self, events: Sequence[Event]) -> Pending[Receipt]:
        """See store.Ledger."""
        keys = self._seals.untold
        if not keys:
            return self._ledger.append(events)
        appended = self._ledger.append([*keys, *events])
        handed_on: Pending[Receipt] = Pending()

        def done() -> None:
            try:
                receipt = appended.result()
            except Exception as error:  # noqa: BLE001  # handed on as it is
                handed_on.fail(error)
            else:
                self._seals.told(keys)
                handed_on.resolve(receipt)

        appended.on_done(done)
        return handed_on


class Unsealer:
    """The officer's side: learns data keys from their rows, and opens what was sealed with them."""

    def __init__(self, officer: OfficerKey) -> None:
        self._officer = officer
        self._keys: dict[bytes, AESGCM] = {}
        self._foreign: dict[bytes, bytes] = {}

    def learn(self, sealed: bytes) -> bool:
        """Learn the data key of a `data-key` row; False if it was sealed to another officer. Unopened if damaged."""
        key_id, officer_id = sealed[:KEY_ID_BYTES], sealed[KEY_ID_BYTES : KEY_ID_BYTES + OFFICER_ID_BYTES]
        if key_id in self._keys:
            return True
        if officer_id != self._officer.public.id:
            self._foreign[key_id] = officer_id
            return False
        try:
            secret = self._officer.open(sealed[KEY_ID_BYTES + OFFICER_ID_BYTES :], _INFO + key_id + officer_id)
        except OfficerKeyError as error:
            raise Unopened(f"data key {key_id.hex()}: {error}") from None
        self._keys[key_id] = AESGCM(secret)
        return True

    def open(self, sealed: bytes, request: bytes, pseudonym: bytes) -> str:
        """The patient number of a row; Unopened if its key is unknown or another officer's, or the row was changed."""
        key_id, counter = sealed[:KEY_ID_BYTES], sealed[KEY_ID_BYTES:_HEAD]
        cipher = self._keys.get(key_id)
        if cipher is None:
            raise Unopened(self._unknown(key_id))
        try:
            number = cipher.decrypt(_NONCE_PAD + counter, sealed[_HEAD:], key_id + request + pseudonym)
        except (InvalidTag, ValueError):
            raise Unopened(
                f"a number sealed with data key {key_id.hex()} does not open; expected the row as it was written: "
                "verify the ledger"
            ) from None
        return number.decode("ascii")

    def _unknown(self, key_id: bytes) -> str:
        officer = self._foreign.get(key_id)
        if officer is not None:
            return (
                f"data key {key_id.hex()} is sealed to the officer's key {officer.hex()}, not to "
                f"{self._officer.public.id.hex()}; expected the key that was in use then"
            )
        return f"the row of data key {key_id.hex()} is not there; expected it at most two hours from the number's row"


def keys_between(since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """Where the data keys are found of all rows from `since` to `until`.

    A key is put on record within its hour; a row bears the moment its request came, which may be long before its
    answer was there and its number sealed.
    """
    return since - 2 * HOUR, until + 2 * HOUR
