# SPDX-License-Identifier: EUPL-1.2
"""kept and loss: a ledger goes on from what was kept of it, or not at all; under another name where its end is lost."""

from __future__ import annotations

import pytest

from gateway.ledger.checkpoint import parse_checkpoint, verify_checkpoint
from gateway.ledger.kept import TAIL_BYTES, NotGoingOn, demand_going_on, newest_kept, signer_of
from gateway.ledger.loss import lost, rename
from gateway.ledger.note import SigningKey
from gateway.ledger.publishing import NotSent, ToFile, ToNewest
from gateway.ledger.sealer import Sealer
from support.ledger_doors import MemoryDoor
from support.sealing import HEARTBEAT, SECOND, Counting, checked
from support.small_ledger import BEGUN, FOREIGN, KEY

RENAMED = SigningKey(f"{KEY.name}-2", KEY.secret)
WHOLE = 300
LEFT = 261


@pytest.fixture(scope="module")
def notes(tmp_path_factory):
    """The checkpoints of a ledger that grew to its end, as they were kept: those of LEFT and of WHOLE among them."""
    door = MemoryDoor(tmp_path_factory.mktemp("whole"))
    events, sealer, found = Counting(door), Sealer(door.tree(), KEY), {}
    for place, number in enumerate((3, LEFT - 3, 20, WHOLE - LEFT - 20)):
        events.append(number)
        head = sealer.seal(BEGUN + place * SECOND, HEARTBEAT)
        found[head.size] = head.note
    return found


@pytest.fixture
def kept(tmp_path, notes):
    """The file they were appended to."""
    path = tmp_path / "kept.txt"
    for note in notes.values():
        ToFile(path).send(note)
    return path


@pytest.fixture
def older(door, events, store):
    """The same ledger as it was at LEFT, put back."""
    events.append(LEFT)
    Sealer(store, KEY).seal(BEGUN, HEARTBEAT)
    return store


def test_the_newest_of_all_files_is_found(kept, notes, tmp_path):
    newest = tmp_path / "newest"
    ToNewest(newest).send(notes[3])
    ToNewest(newest).send(notes[LEFT])
    assert newest.read_text(encoding="utf-8") == notes[LEFT]
    assert newest_kept([newest], KEY) == (parse_checkpoint(notes[LEFT]), newest)
    assert newest_kept([tmp_path / "none", newest, kept], KEY) == (parse_checkpoint(notes[WHOLE]), kept)
    assert newest_kept([tmp_path / "none"], KEY) is None


def test_a_long_file_is_read_at_its_end_alone(notes, tmp_path):
    path = tmp_path / "long.txt"
    path.write_text((notes[3] + "\n") * (TAIL_BYTES // 100) + notes[WHOLE] + "\n", encoding="utf-8")
    assert newest_kept([path], KEY).checkpoint.size == WHOLE


@pytest.mark.parametrize("rest", ["portail.example/ledger\n400\n", "\x00\xff garbage\n", "\n\n"])
def test_what_others_wrote_there_is_neither_believed_nor_in_the_way(kept, notes, rest):
    stranger = Sealer(MemoryDoor(kept.parent).tree(), FOREIGN).seal(BEGUN, HEARTBEAT).note
    forged = notes[WHOLE].replace(f"\n{WHOLE}\n", "\n9999\n")
    with kept.open("a", encoding="utf-8") as file:
        file.write(f"{stranger}\n{forged}\n{rest}")
    assert newest_kept([kept], KEY).checkpoint.size == WHOLE
    assert newest_kept([kept], RENAMED) is None


def test_a_file_that_cannot_be_read_is_told_and_one_that_cannot_be_written(tmp_path):
    with pytest.raises(IsADirectoryError):
        newest_kept([tmp_path], KEY)
    with pytest.raises(NotSent, match="expected a folder that Herse may write to"):
        ToNewest(tmp_path / "none" / "newest").send("x")


def test_a_ledger_that_has_all_that_was_kept_goes_on(older, notes, tmp_path):
    for size in (3, LEFT):
        ToNewest(tmp_path / "newest").send(notes[size])
        demand_going_on(older, newest_kept([tmp_path / "newest"], KEY))
    demand_going_on(older, None)


def test_L3_an_older_copy_does_not_go_on(older, kept):
    with pytest.raises(NotGoingOn, match=rf"it has {LEFT} signed events, and .* has {WHOLE}: an older copy") as said:
        demand_going_on(older, newest_kept([kept], KEY))
    assert "herse ledger accept-loss" in str(said.value)


def test_L3_an_empty_one_does_not_either(store, kept):
    with pytest.raises(NotGoingOn, match="it has 0 signed events"):
        demand_going_on(store, newest_kept([kept], KEY))


def test_L3_nor_one_that_was_grown_again(older, events, kept):
    events.count += 1_000  # other events than were there
    events.append(WHOLE)
    Sealer(older, KEY).seal(BEGUN + SECOND, HEARTBEAT)
    with pytest.raises(NotGoingOn, match=rf"its first {WHOLE} events are not those of the checkpoint"):
        demand_going_on(older, newest_kept([kept], KEY))


# ---- going on under another name


def test_a_loss_is_told_in_full_and_the_ledger_goes_on_under_another_name(older, events, kept):
    there, gone = lost(older, RENAMED, [kept])
    assert (there.size, gone.checkpoint.size, gone.path) == (LEFT, WHOLE, kept)
    root = there.root
    events.count += 1_000
    events.append(1)  # such as the event that tells the loss
    after = rename(older, RENAMED, BEGUN + SECOND)
    assert (after.origin, after.size, after.root) == (RENAMED.name, LEFT, root)
    head = Sealer(older, RENAMED).seal(BEGUN + 2 * SECOND, HEARTBEAT)
    assert verify_checkpoint(head.note, [RENAMED.verifier()], RENAMED.name).size == LEFT + 1
    assert signer_of(older, KEY) == RENAMED
    demand_going_on(older, newest_kept([kept], signer_of(older, RENAMED)))


def test_under_the_name_that_signed_what_is_lost_it_never_goes_on(older, kept):
    with pytest.raises(NotGoingOn, match=r'expected another: set origin in \[ledger\] .*"portail.example/ledger-2"'):
        lost(older, KEY, [kept])
    assert checked(older).size == LEFT, "nothing was changed"


def test_where_nothing_is_lost_nothing_is_changed(older, notes, tmp_path):
    ToNewest(tmp_path / "newest").send(notes[LEFT])
    for files in ([tmp_path / "newest"], []):
        with pytest.raises(NotGoingOn, match=f"nothing is lost of {KEY.name}: it has {LEFT}"):
            lost(older, RENAMED, files)


def test_what_was_never_signed_cannot_go_on(store, kept):
    with pytest.raises(NotGoingOn, match="nothing in this ledger is signed"):
        lost(store, RENAMED, [kept])
    with pytest.raises(NotGoingOn, match="nothing in this ledger is signed"):
        rename(store, RENAMED, BEGUN)
    assert signer_of(store, KEY) is KEY
