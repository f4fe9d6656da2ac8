# SPDX-License-Identifier: EUPL-1.2
"""Promise 8, through a whole gateway: the officer reads who was shown; whoever holds all of Herse's folder does not.

A number is one of few: 510,000 here. With the pseudonym key (which lies in the key folder, apart from the state) all of
them can be tried in a second; the README says so. Without it, nothing that lies in the state folder tells one of them.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3

import pytest

from gateway.demo.people import COUNT, number_of
from gateway.ledger.seal import Unsealer
from support.lookups import Demo, Load, people
from support.servers import wait_until

pytestmark = pytest.mark.system

LOOKUPS = 300
RUN_OF_DIGITS = re.compile(rb"[0-9]{13}")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A gateway that has shown some hundred people, and was killed in the middle of it."""
    demo = Demo(tmp_path_factory.mktemp("sealed"))
    load = Load(demo, [("750012346", demo.house.sign_in("750012346"))] * 3, people(8))
    with demo.portal, demo.house.serve() as gateway:
        load.start()
        wait_until("enough look-ups", lambda: load.statuses[200] >= LOOKUPS)
        gateway.kill()
        load.stop()
    return demo


def rows(demo, kind):
    connection = sqlite3.connect(f"file:{demo.house.ledger_file}?mode=ro", uri=True)
    try:
        return connection.execute(
            "select sealed, request, pseudonym from event where kind = ? order by sequence", (kind,)
        ).fetchall()
    finally:
        connection.close()


def test_the_officer_reads_exactly_whom_the_portal_gave_away(demo):
    unsealer = Unsealer(demo.house.officer)
    for sealed, _, _ in rows(demo, "data-key"):
        assert unsealer.learn(sealed)
    read = {(request.hex(), unsealer.open(*row)) for row in rows(demo, "lookup") for request in [row[1]]}
    served = {tuple(line.split("\t")) for line in demo.served_log.read_text(encoding="ascii").splitlines()}
    assert len(read) >= LOOKUPS
    assert read <= served, "on record, and never shown"
    assert {(request, demo.pseudonym(number)) for request, number in read} == {
        (row[1].hex(), row[2]) for row in rows(demo, "lookup")
    }, "the number of a row is the one it was counted under"


def test_a_process_has_one_data_key_in_an_hour(demo):
    assert 1 <= len(rows(demo, "data-key")) <= 2
    assert len({sealed[:8] for sealed, _, _ in rows(demo, "lookup")}) <= 2


def test_8_who_holds_the_database_and_the_settings_tries_all_numbers_and_finds_none(demo, capsys):
    house = demo.house
    pseudonyms = {row[2] for row in rows(demo, "lookup")}
    numbers = [number_of(index).encode("ascii") for index in range(COUNT)]
    held = b"".join(path.read_bytes() for path in (house.folder / "state").iterdir() if path.is_file())
    held += house.settings_file.read_bytes() + house.policy_file.read_bytes()
    in_clear = set(RUN_OF_DIGITS.findall(held)) & set(numbers)
    guesses = {
        name: sum(digest(number) in pseudonyms for number in numbers)
        for name, digest in (
            ("unkeyed", lambda number: hashlib.blake2b(number, digest_size=16, person=b"herse-patient").digest()),
            (
                "empty key",
                lambda number: hashlib.blake2b(number, digest_size=16, key=bytes(32), person=b"herse-patient").digest(),
            ),
            ("SHA-256", lambda number: hashlib.sha256(number).digest()[:16]),
        )
    }
    with_key = sum(demo.pseudonym(number.decode("ascii")) in pseudonyms for number in numbers)
    with capsys.disabled():
        print(f"\n{COUNT:,} numbers tried: in clear {len(in_clear)}, {guesses}, with the pseudonym key {with_key}")
    assert in_clear == set()
    assert set(guesses.values()) == {0}
    assert with_key == len(pseudonyms) >= LOOKUPS
