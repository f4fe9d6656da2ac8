# SPDX-License-Identifier: EUPL-1.2
"""`make timing`: whether the time of an answer tells what its words do not, such as which identifiers exist.

A whole gateway in a process of its own, one client, one connection. Each pair is two requests in random order, after a
short rest: what an answer leaves to be done must not be counted to the next one. Nobody is asked often enough for the
waits after failures to begin. A pair of ways whose rank test gives p < ALPHA is told apart, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from bench.ranks import compare
from gateway.identity.accounts import Accounts
from gateway.identity.at_rest import AtRest
from gateway.identity.database import open_database
from gateway.identity.otp import Factors, new_secret
from gateway.identity.password import PasswordHasher
from gateway.settings import read_key
from gateway.state_files import AT_REST_KEY_FILE
from support.house import House
from support.link import Link

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.ranks import Verdict

ALPHA = 0.001
PAIRS = 2_000
TRIES = 4
"""Of one identifier: the fifth failure would begin the waits."""
_REST_SECONDS = 0.003
_WARM = 4
_PASSWORD = "Herse des essais, 2026 fois"


@dataclass(frozen=True)
class Ways:
    """Two ways that must take the same time; each gives the form of its n-th request, and the path both go to."""

    name: str
    path: str
    first: Callable[[int], dict[str, str]]
    second: Callable[[int], dict[str, str]]
    status: int


def known(place: int) -> str:
    """An account that exists, with a password and an invitation."""
    return f"75{place:07d}"


def locked(place: int) -> str:
    """One that exists and is locked."""
    return f"76{place:07d}"


def unknown(place: int) -> str:
    """One that does not exist."""
    return f"77{place:07d}"


def guessed(place: int) -> str:
    """One whose password an attacker has."""
    return f"78{place:07d}"


def _wrong(name: Callable[[int], str], field: str) -> Callable[[int], dict[str, str]]:
    more = {"password": "Une phrase neuve pour ce compte"} if field == "code" else {}
    return lambda n: {"identifier": name(n // TRIES), **more, field: f"faux-{n}-faux-{n}"}


def _with_code(name: Callable[[int], str], *, right: bool) -> Callable[[int], dict[str, str]]:
    """A wrong code, beside a password that is right or wrong."""
    return lambda n: {
        "identifier": name(n // TRIES),
        "password": _PASSWORD if right else f"faux-{n}-faux-{n}",
        "code": f"{n % 1_000_000:06}",
    }


def _named(name: Callable[[int], str]) -> Callable[[int], dict[str, str]]:
    return lambda n: {"identifier": name(n // TRIES)}


ALL_WAYS = (
    Ways("sign-in: known | unknown", "/.herse/sign-in", _wrong(known, "password"), _wrong(unknown, "password"), 401),
    Ways("sign-in: known | locked", "/.herse/sign-in", _wrong(known, "password"), _wrong(locked, "password"), 401),
    Ways(
        "sign-in, wrong code: password wrong | right",
        "/.herse/sign-in",
        _with_code(known, right=False),
        _with_code(guessed, right=True),
        401,
    ),
    Ways(
        "sign-in with a code: known | unknown",
        "/.herse/sign-in",
        _with_code(known, right=False),
        _with_code(unknown, right=False),
        401,
    ),
    Ways("reset: known | unknown", "/.herse/reset", _named(known), _named(unknown), 200),
    Ways("enrolment: known | unknown", "/.herse/enrol", _wrong(known, "code"), _wrong(unknown, "code"), 401),
)


def furnish(house: House, pairs: int, *, test_cost: bool) -> None:
    """The accounts that exist."""
    at = datetime.now(UTC)
    engine = open_database(house.accounts_file)
    at_rest = AtRest(read_key(house.folder / "keys" / AT_REST_KEY_FILE))
    accounts, factors = Accounts(engine, at_rest), Factors(engine, at_rest)
    hasher = PasswordHasher(1, 1, test_cost=test_cost)
    encoded = hasher._argon2.hash(_PASSWORD)  # noqa: SLF001  # the same for all: only that there is one counts
    for place in range(-(-(pairs + _WARM) // TRIES)):
        for identifier in (known(place), locked(place), guessed(place)):
            accounts.create(identifier, "Officine", "pharmacist", None, (), at, f"{identifier}@example.org")
            accounts.set_password(identifier, encoded, at)
            accounts.invite(identifier, at, timedelta(days=1))
            factors.add_totp(identifier, new_secret(), at)
        accounts.lock(locked(place), at)
    hasher.close()
    engine.dispose()


def build(folder: Path) -> House:
    """A gateway that throttles nobody by network or in all."""
    limits = {"per_network": 10**9, "per_minute_in_all": 10**9, "per_account": 100}
    return House(folder, "http://127.0.0.1:9", settings={"sign_in": limits})


def measure(house: House, ways: Ways, pairs: int, chance: random.Random) -> Verdict:
    """Ask by both ways, in random order within each pair."""
    times: list[tuple[float, float]] = []
    with Link(house.port) as link:
        for n in range(pairs + _WARM):
            told = [0.0, 0.0]
            for way in chance.sample((0, 1), 2):
                form = (ways.first, ways.second)[way](n)
                told[way] = _ask(link, ways.path, form, ways.status)
            if n >= _WARM:
                times.append((told[0], told[1]))
    return compare(times)


def _ask(link: Link, path: str, form: dict[str, str], status: int) -> float:
    body = urlencode(form).encode()
    head = f"POST {path} HTTP/1.1\r\norigin: https://localhost:8443\r\naccept: application/json\r\n"
    typed = f"content-type: application/x-www-form-urlencoded\r\ncontent-length: {len(body)}\r\n\r\n"
    request = link.complete((head + typed).encode() + body)
    time.sleep(_REST_SECONDS)
    began = time.perf_counter()
    link.send(request)
    answer = link.receive("POST")
    took = time.perf_counter() - began
    if answer.status != status:
        raise SystemExit(f"POST {path}: found {answer.status} {answer.body[:200]!r}; expected {status}")
    return took


def run(pairs: int, ways: tuple[Ways, ...] = ALL_WAYS, *, test_cost: bool = True) -> list[tuple[Ways, Verdict]]:
    """Each comparison in a gateway of its own, so that none starts where another has already failed."""
    found = []
    for one in ways:
        with tempfile.TemporaryDirectory(prefix="herse-timing-") as folder:
            house = build(Path(folder))
            furnish(house, pairs, test_cost=test_cost)
            with house.serve_cheaply() if test_cost else house.serve():
                verdict = measure(house, one, pairs, random.Random(1))
        found.append((one, verdict))
        print(_line(one, verdict), flush=True)
    return found


def _line(ways: Ways, verdict: Verdict) -> str:
    told = "told apart" if verdict.p < ALPHA else "alike"
    return (
        f"{ways.name:<40} {verdict.first_seconds * 1e6:8.0f} us {verdict.second_seconds * 1e6:8.0f} us "
        f"{verdict.difference_seconds * 1e6:+7.1f} us   p = {verdict.p:.4f}   {told}"
    )


def main() -> int:
    """Print one line per comparison."""
    parser = argparse.ArgumentParser(description="whether the time of an answer tells what its words do not")
    parser.add_argument("--pairs", type=int, default=PAIRS)
    pairs = parser.parse_args().pairs
    return int(any(verdict.p < ALPHA for _, verdict in run(pairs)))


if __name__ == "__main__":
    sys.exit(main())
