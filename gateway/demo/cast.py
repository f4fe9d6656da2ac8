# SPDX-License-Identifier: EUPL-1.2
"""Who plays in the demo: three accounts, and the file that tells a person or a script how to be one of them.

Only data, fresh passwords and that one file. Enrolment is the caller's business; the stand-in portal never reads this.
All names and numbers are invented.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.identity.accounts import Holder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_WORDS = (
    "abricot amande ancre arbre barque bassin berger biche boussole bruyere cabane caillou carafe cerise chemin cigale"
    " clairiere colline corail coquille dauphin dune ecluse ecorce ecume etoile falaise figuier fontaine fougere galet"
    " genet girafe glacier grenier hamac herisson hirondelle jardin jonquille lagune lanterne lavande lezard lilas"
    " loutre maree marmite mesange meteore mimosa moulin muguet nacelle noisette nuage olivier orage orchidee palmier"
    " papillon pelican pinceau prairie quai ravin renard riviere roseau rosee sable sapin source tilleul torrent"
    " tournesol vallon verger violon voilier"
)


@dataclass(frozen=True, slots=True)
class Player:
    """One account of the demo. `role` is its name for scripts; `leaked`: a robot knows its password."""

    identifier: str
    title: str
    profession: str
    rpps: str
    holders: tuple[Holder, ...]
    role: str
    mail: str
    note: str
    leaked: bool = False


@dataclass(frozen=True, slots=True)
class Credentials:
    """What one account was given at the first start of the demo. Never printed by `repr`."""

    password: str = field(repr=False)
    totp_secret: str = field(repr=False)


PHARMACY = Player(
    identifier="750012346",
    title="Pharmacie du Pont",
    profession="pharmacist",
    rpps="10000000009",
    holders=(Holder("Claire Fontaine", "10000000009"), Holder("Hugo Marchand", "99700000005")),
    role="pharmacist",
    mail="pharmacie-du-pont@example.org",
    note="Compte partagé d’une pharmacie, deux titulaires. / Shared account of a pharmacy, two holders.",  # noqa: RUF001  # French typography
)
PRACTICE = Player(
    identifier="751112343",
    title="Dr Inès Rivière",
    profession="physician",
    rpps="10101010105",
    holders=(Holder("Inès Rivière", "10101010105"),),
    role="gp",
    mail="ines.riviere@example.org",
    note="Médecin généraliste. / General practitioner.",
)
LEAKED = Player(
    identifier="130005671",
    title="Pharmacie des Calanques",
    profession="pharmacist",
    rpps="10001234565",
    holders=(Holder("Paul Vidal", "10001234565"),),
    role="leaked",
    mail="calanques@example.org",
    note="Un robot connaît ce mot de passe, sans le second facteur. / A robot knows the password, not the code.",
    leaked=True,
)
CAST: tuple[Player, ...] = (PHARMACY, PRACTICE, LEAKED)


def new_password() -> str:
    """Three words and four digits, such as `galet-lavande-mimosa-4821`: easy to type, about 33 bits, fit for a demo."""
    words = _WORDS.split()
    return "-".join([*(secrets.choice(words) for _ in range(3)), f"{secrets.randbelow(10_000):04d}"])


def write_accounts(
    path: Path, credentials: Mapping[str, Credentials], cards: Mapping[str, Path], passphrase: str
) -> None:
    """Write who to be, as a JSON list, to `path` (0600, replaced whole); `credentials` by identifier, all of CAST.

    `cards`: the PKCS#12 file of each holder's card by idNat, all under one passphrase.

    KeyError when somebody of the cast has none; OSError when the file cannot be written.
    """
    rows = [
        {
            "identifier": player.identifier,
            "title": player.title,
            "profession": player.profession,
            "password": credentials[player.identifier].password,
            "totp_secret": credentials[player.identifier].totp_secret,
            "rpps": player.rpps,
            "role": player.role,
            "mail": player.mail,
            "note": player.note,
            "cards": [
                {"holder": one.name, "file": str(cards[f"8{one.rpps}"]), "passphrase": passphrase}
                for one in player.holders
            ],
        }
        for player in CAST
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(rows, file, ensure_ascii=False, indent=2)
        file.write("\n")
    draft.replace(path)


def read_accounts(path: Path) -> dict[str, Credentials]:
    """Credentials by identifier out of a file of `write_accounts`; OSError, ValueError or KeyError if it is not one."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    return {row["identifier"]: Credentials(row["password"], row["totp_secret"]) for row in rows}
