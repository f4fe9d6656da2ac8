# SPDX-License-Identifier: EUPL-1.2
"""proofs: a folder that proves all events of an incident to who has the public key, and nothing that was changed."""

from __future__ import annotations

import hashlib
from contextlib import closing
from datetime import timedelta

import pytest

from gateway.incident.incident import IncidentError
from gateway.incident.proofs import FILES, check_folder, write_proofs
from gateway.ledger.exposure import open_exposure
from gateway.ledger.sealer import Sealer
from gateway.ledger.tree_rows import open_tree_store
from gateway.ledger.wrong import Wrong
from gateway.model import EventKind
from support.incident_rows import NOON, Officer, add_to_ledger, fill_ledger, looked_up, number, span
from support.sealing import HEARTBEAT
from support.small_ledger import FOREIGN, KEY

AT = NOON + timedelta(days=1)
VERIFIER = KEY.verifier().text()
ABOUT = span("A12")


def seal(path):
    with closing(open_tree_store(path)) as store:
        Sealer(store, KEY).seal(AT, HEARTBEAT)


@pytest.fixture
def path(tmp_path):
    """A thief and an honest account, row by row in turn, and signed."""
    looks = [looked_up(place, place, ("A12", "B12")[place % 2]) for place in range(900)]
    refused = looked_up(1, 2_000, kind=EventKind.REFUSED)
    fill_ledger(tmp_path / "ledger.db", [*Officer().sealed(*looks), refused])
    seal(tmp_path / "ledger.db")
    return tmp_path / "ledger.db"


def prove(path, folder, *, key=KEY, about=ABOUT, told=None):
    with closing(open_exposure(path)) as reader, closing(open_tree_store(path, writes=False)) as store:
        return write_proofs(folder, reader.rows(about), store, key.verifier().text(), told)


def test_all_events_of_the_accounts_are_proved_and_no_others(path, tmp_path):
    made = prove(path, tmp_path / "proofs")
    found = check_folder(tmp_path / "proofs", [VERIFIER])
    assert (made.events, made.unsigned) == (found.events, 0) == (451, 0)
    assert (made.size, made.signed_at) == (found.checkpoint.size, AT) == (902, AT)  # one is a data key
    lines = (tmp_path / "proofs" / "leaves.txt").read_text("utf-8").splitlines()
    assert all('"A12"' in line for line in lines)
    assert sum('"lookup"' in line for line in lines) == 450
    assert made.digests == {
        name: hashlib.sha256((tmp_path / "proofs" / name).read_bytes()).hexdigest() for name in FILES
    }
    assert not [line for line in lines for place in range(0, 900, 2) if number(place) in line]


def test_a_changed_byte_in_any_file_is_told(path, tmp_path):
    folder = tmp_path / "proofs"
    prove(path, folder)
    for name in FILES:
        whole = (folder / name).read_bytes()
        for place in {0, len(whole) // 3, len(whole) // 2, len(whole) - 2, len(whole) - 1}:
            (folder / name).write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(Wrong):
                check_folder(folder, [VERIFIER])
        (folder / name).write_bytes(whole[:-1])
        with pytest.raises(Wrong):
            check_folder(folder, [VERIFIER])
        (folder / name).write_bytes(whole)
    with pytest.raises(Wrong, match="signed by"):
        check_folder(folder, [FOREIGN.verifier().text()])
    assert check_folder(folder, [VERIFIER]).events == 451


def test_what_came_after_the_signature_is_counted_and_left_out(path, tmp_path):
    add_to_ledger(path, [looked_up(7, 3_000), looked_up(8, 3_001)])
    made = prove(path, tmp_path / "proofs")
    assert (made.events, made.unsigned) == (451, 2)


def test_a_ledger_that_was_never_signed_or_holds_nothing_of_it_proves_nothing(path, tmp_path):
    fill_ledger(tmp_path / "unsigned.db", [looked_up(1)])
    for ledger, about in ((tmp_path / "unsigned.db", ABOUT), (path, span("NOBODY"))):
        with pytest.raises(IncidentError, match="no event of the incident is signed"):
            prove(ledger, tmp_path / f"of-{ledger.stem}", about=about)


def test_a_ledger_that_is_not_what_was_signed_gives_no_folder_that_looks_sound(path, tmp_path):
    with closing(open_exposure(path)) as reader:
        rows = [(one, (b"other", *row[1:])) if one == 400 else (one, row) for one, row in reader.rows(ABOUT)]
    with closing(open_tree_store(path, writes=False)) as store, pytest.raises(Wrong, match="was changed"):
        write_proofs(tmp_path / "proofs", [*rows], store, VERIFIER)


def test_progress_is_told_as_leaves_are_written(tmp_path):
    fill_ledger(tmp_path / "big.db", [looked_up(place % 200, place / 100) for place in range(4_200)])
    seal(tmp_path / "big.db")
    heard: list[int] = []
    assert prove(tmp_path / "big.db", tmp_path / "proofs", told=heard.append).events == 4_200
    assert heard == [4_096]
