# SPDX-License-Identifier: EUPL-1.2
"""The key that the ledger's checkpoints are signed with, from the settings. Whoever signs or tells it needs no more."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gateway.ledger.note import SigningKey
from gateway.settings import read_key
from gateway.state_files import LEDGER_KEY_FILE

if TYPE_CHECKING:
    from gateway.settings import Settings


def signing_key(settings: Settings) -> SigningKey:
    """What checkpoints are signed with, under the name of the ledger; StartError without its file."""
    origin = settings.ledger.origin or f"{urlsplit(settings.public.origin).netloc}/ledger"
    return SigningKey(origin, read_key(settings.keys.folder / LEDGER_KEY_FILE))
