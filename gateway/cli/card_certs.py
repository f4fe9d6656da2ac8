# SPDX-License-Identifier: EUPL-1.2
"""The look-alike card PKI of a development machine: authorities, revocation lists, and a card for each demo holder.

The authorities' private keys are never written: nobody can make another card that a development gateway believes. The
cards' own keys are PKCS#12 files (0600) under a passphrase that everybody knows: they open nothing but a demo.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from gateway.demo.card_pki import STANDARD, STRONG, cast_bearers, make_card_pki
from gateway.demo.card_responder import make_list
from gateway.errors import StartError
from gateway.identity.trust import FINGERPRINTS

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from gateway.demo.card_pki import Authority, Card

CARDS_FOLDER: Final = "cards"
"""Its name below the folder of `herse certs dev`."""
PASSPHRASE: Final = "herse-demo"  # noqa: S105  # everybody knows it
"""Of every card file that is made here."""
LISTS_LIFE: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class DevCards:
    """Where the files lie: `authorities` and `lists` for the settings (`card.authorities`, `card.crl_files`), and the
    cards by idNat.
    """

    authorities: Path
    lists: tuple[Path, ...]
    cards: dict[str, Path]


def dev_cards(folder: Path) -> DevCards:
    """The files of `make_dev_cards`, whether they are there yet or not."""
    names = [card_file(one.common_name) for one in cast_bearers()]
    lists = [
        f"{kind}-{level}{branch}-TEST.crl" for level in ("ST", "FO") for kind, branch in (("ACR", ""), ("ACI", "-PP"))
    ]
    return DevCards(
        folder / "authorities",
        tuple(folder / "lists" / name for name in lists),
        {one.common_name: folder / name for one, name in zip(cast_bearers(), names, strict=True)},
    )


def make_dev_cards(folder: Path, at: datetime) -> DevCards:
    """Make all of it anew in `folder`: authorities for ten years, cards for three, lists for 90 days from `at`.

    StartError when it cannot be written.
    """
    files = dev_cards(folder)
    pki = make_card_pki(at)
    authorities = [one for level in (STANDARD, STRONG) for one in (pki.root(level), pki.people(level))]
    try:
        for place in (folder, files.authorities, folder / "lists"):
            place.mkdir(parents=True, exist_ok=True)
        for old in files.authorities.iterdir():
            old.unlink()
        for authority, path in zip(authorities, files.lists, strict=True):
            (files.authorities / f"{authority.file}.pem").write_bytes(authority.certificate.public_bytes(Encoding.PEM))
            path.write_bytes(make_list(authority, at, life=LISTS_LIFE))
        (files.authorities / FINGERPRINTS).write_text(_fingerprints(authorities), encoding="ascii")
        for bearer in cast_bearers():
            _write_private(files.cards[bearer.common_name], _pkcs12(pki.issue(bearer, at)))
    except OSError as fault:
        raise StartError(
            f"{folder}: {fault.strerror}; expected a folder this user may write to; choose another with --dir"
        ) from None
    return files


def card_file(common_name: str) -> str:
    """The name of a card's file: its idNat."""
    return f"{common_name.replace('/', '-')}.p12"


def _fingerprints(authorities: list[Authority]) -> str:
    return "".join(f"{one.certificate.fingerprint(hashes.SHA256()).hex()}  {one.file}\n" for one in authorities)


def _pkcs12(card: Card) -> bytes:
    name = f"{card.bearer.given_name} {card.bearer.family_name}".encode()
    secret = BestAvailableEncryption(PASSPHRASE.encode())
    return serialize_key_and_certificates(name, card.key, card.certificate, None, secret)


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
