# SPDX-License-Identifier: EUPL-1.2
"""What the scanner finds in text without patient numbers, how fast, and what chance alone would let through.

`make scan` makes 1 GB of text of JSON, HTML, CSV and prose as a portal writes them (names,
dates, telephone and professional numbers, amounts, hashes, tables of figures), none of it a patient number, feeds it in
pieces of 64 KiB and prints what was found. `candidates` is what has the shape of a number: 15 digits that stand alone.
A key is right by chance once in 100: so many false ones are expected, and more than three deviations above is a fault.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.metering.scan import Scanner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PIECE: Final = 65_536
_NAMES: Final = ("Dupont", "Lefèvre", "N'Guyen", "Ó Briain", "de La Tour", "Haïdara", "Müller", "Petit-Jean")
_WORDS: Final = (
    *("la", "patiente", "a", "été", "revue", "en", "consultation", "le", "pour", "un", "suivi", "de", "traitement"),
    *("avec", "une", "posologie", "mg", "par", "jour", "dossier", "est", "transmis", "au", "médecin", "traitant"),
    *("arrêt", "travail", "renouvelé", "ordonnance", "du", "bilan", "biologique"),
)
# As the scanner's law has it, written anew: up to three separators of one kind, before the key of any.
_BLANK: Final = "(?:[ +\u00a0\u2000-\u200b\u202f]|&nbsp;|%20)"
_TABS: Final = "\t{0,3}"
_SIGNS: Final = ("[.]", "[\u2010-\u2015-]")
_KINDS: Final = (f"{_BLANK}{{0,3}}", _TABS, *(f"(?:{_BLANK}?{sign}{_BLANK}?)?" for sign in _SIGNS))


def _shape(kind: str) -> str:
    gaps = [kind if kind != _TABS or place in {1, 3, 5, 7, 8, 10} else "" for place in range(13)]
    place = f"(?:[0-9]{gaps[6]}[0-9]|2{gaps[6]}[ABab])"
    parts = ["[1-478]", *["[0-9]"] * 4, place, *["[0-9]"] * 6]
    places = (0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12)
    number = "".join(("" if at == 0 else gaps[at]) + part for at, part in zip(places, parts, strict=True))
    return f"{number}(?:{_BLANK}|[\t.\u2010-\u2015-]){{0,3}}[0-9]{gaps[6]}[0-9]"


_CANDIDATE: Final = re.compile("(?<![0-9])(?=(?:" + "|".join(map(_shape, _KINDS)) + ")(?![0-9]))")


def _row(chosen: random.Random) -> tuple[object, ...]:
    day, month, year = chosen.randint(1, 28), chosen.randint(1, 12), chosen.randint(1930, 2026)
    digits = f"{chosen.randrange(10**8):08d}"
    return (
        chosen.randrange(10**7),
        chosen.choice(_NAMES),
        chosen.choice((f"{day:02d}/{month:02d}/{year}", f"{year}-{month:02d}-{day:02d}T08:{day:02d}:00Z")),
        " ".join(("01", digits[:2], digits[2:4], digits[4:6], digits[6:])),
        f"8100{chosen.randrange(10**8):08d}",
        f"{chosen.randrange(10**5) / 100:.2f}",
        chosen.randrange(1_000, 95_999),
        f"{chosen.getrandbits(128):032x}",
        chosen.randrange(1_500_000_000_000, 1_900_000_000_000),
    )


def _json(chosen: random.Random) -> str:
    names = ("id", "nom", "ne", "tel", "ps", "montant", "cp", "empreinte", "horodatage")
    return json.dumps(
        [dict(zip(names, _row(chosen), strict=True)) for _ in range(200)], ensure_ascii=chosen.random() < 0.5
    )


def _html(chosen: random.Random) -> str:
    rows = ["".join(f"<td>{cell}&nbsp;</td>" for cell in _row(chosen)) for _ in range(200)]
    return "".join(f'<tr class="ligne" data-place="{place}">{row}</tr>\n' for place, row in enumerate(rows))


def _csv(chosen: random.Random) -> str:
    mark = chosen.choice((";", ",", "\t"))
    return "".join(mark.join(map(str, _row(chosen))) + "\r\n" for _ in range(300))


def _prose(chosen: random.Random) -> str:
    words: list[str] = []
    for _ in range(4_000):
        words.append(chosen.choice(_WORDS))
        if chosen.random() < 0.1:
            words.append(str(chosen.choice(_row(chosen))))
    return " ".join(words) + ".\n"


def _figures(chosen: random.Random) -> str:
    """Columns of plain figures with one blank between: the text that has most by chance."""
    return "\n".join(" ".join(str(chosen.randrange(10**6)) for _ in range(12)) for _ in range(100)) + "\n"


KINDS: Final[dict[str, Callable[[random.Random], str]]] = {
    "json": _json,
    "html": _html,
    "csv": _csv,
    "prose": _prose,
    "figures": _figures,
}


@dataclass
class Count:
    """What was scanned, and found, of one kind of text."""

    scanned: int = 0
    seconds: float = 0.0
    candidates: int = 0
    found: int = 0

    @property
    def worst(self) -> float:
        """The most that chance explains: a hundredth of what has the shape, and three deviations."""
        return self.candidates / 100 + 3 * math.sqrt(self.candidates / 100) + 1

    def told(self, kind: str) -> dict[str, str | float]:
        """Its figures."""
        speed = round(self.scanned / 1e6 / self.seconds)
        return {"kind": kind, "mb": round(self.scanned / 1e6), "mb_per_s": speed, "found": self.found}


def scan(kind: str, size: int, chosen: random.Random) -> Count:
    """Make and scan so many bytes."""
    count = Count()
    scanner = Scanner()
    while count.scanned < size:
        text = KINDS[kind](chosen)
        encoded = text.encode()
        began = time.process_time()
        for at in range(0, len(encoded), PIECE):
            count.found += len(scanner.feed(encoded[at : at + PIECE]))
        count.seconds += time.process_time() - began
        count.scanned += len(encoded)
        count.candidates += sum(1 for _ in _CANDIDATE.finditer(text))
    count.found += len(scanner.finish())
    return count


def each(gigabytes: float, seed: int = 2026) -> Iterator[tuple[str, Count]]:
    """Scan so much of all kinds, and print a line for each."""
    for kind, share in {"json": 0.3, "html": 0.3, "csv": 0.19, "prose": 0.2, "figures": 0.01}.items():
        count = scan(kind, int(gigabytes * share * 1e9), random.Random(seed))
        print(
            f"{kind:8} {count.scanned / 1e6:8.1f} MB  {count.scanned / 1e6 / count.seconds:6.0f} MB/s  "
            f"candidates {count.candidates:7}  found {count.found:5}  chance explains {count.worst:7.1f}",
            flush=True,
        )
        yield kind, count


def main(arguments: list[str]) -> int:
    """1 if more was found than chance lets through."""
    parser = argparse.ArgumentParser(description="False finds and speed of the scanner, on text without numbers.")
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=2026)
    chosen = parser.parse_args(arguments)
    counts = [count for _, count in each(chosen.gigabytes, chosen.seed)]
    return 0 if all(count.found <= count.worst for count in counts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
