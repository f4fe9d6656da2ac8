# SPDX-License-Identifier: EUPL-1.2
"""A new file is there whole, or not at all, and never in the place of another."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from gateway.whole_file import appearing, replace


def test_it_has_its_name_only_once_it_is_whole(tmp_path):
    path = tmp_path / "state.db"
    with appearing(path) as draft:
        assert draft.parent == tmp_path
        assert draft.name.startswith(".")
        assert draft.stat().st_mode & 0o777 == 0o600
        draft.write_bytes(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["state.db"]


def test_what_stops_in_between_leaves_nothing(tmp_path):
    def stops():
        with appearing(tmp_path / "state.db") as draft, closing(sqlite3.connect(draft)) as connection:
            connection.execute("pragma journal_mode=wal")
            connection.execute("create table half (x)")
            assert len(list(tmp_path.iterdir())) == 3  # the draft, its log and the shared memory of both
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stops()
    assert list(tmp_path.iterdir()) == []


def test_a_draft_whose_readers_are_not_done_leaves_nothing_beside_it(tmp_path):
    with appearing(tmp_path / "state.db") as draft:
        connection = sqlite3.connect(draft)
        connection.execute("pragma journal_mode=wal")
        connection.execute("create table half (x)")
    connection.close()
    assert [one.name for one in tmp_path.iterdir()] == ["state.db"]


@pytest.mark.parametrize("when", ["before", "meanwhile"])
@pytest.mark.parametrize("what", ["file", "dangling link"])
def test_what_is_there_stays(tmp_path, when, what):
    path, filled = tmp_path / "state.db", []

    def put():
        path.symlink_to(tmp_path / "nowhere") if what == "dangling link" else path.write_bytes(b"kept")

    def fill():
        with appearing(path) as draft:
            filled.append(draft.write_bytes(b"new"))
            put()

    if when == "before":
        put()
    with pytest.raises(FileExistsError):
        fill()
    assert bool(filled) == (when == "meanwhile")
    assert path.is_symlink() or path.read_bytes() == b"kept"
    assert [one.name for one in tmp_path.iterdir()] == ["state.db"]


def test_no_folder_no_file(tmp_path):
    with pytest.raises(FileNotFoundError), appearing(tmp_path / "none" / "state.db"):
        raise AssertionError


def test_what_is_replaced_is_the_old_or_the_new_and_nothing_else(tmp_path):
    path = tmp_path / "state.json"
    replace(path, "é")
    path.chmod(0o644)
    replace(path, "whole")
    assert path.read_text(encoding="utf-8") == "whole"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["state.json"]


def test_what_cannot_be_written_leaves_what_there_was(tmp_path):
    path = tmp_path / "state.json"
    replace(path, "whole")
    path.with_name(".state.json.draft").symlink_to(path)
    with pytest.raises(OSError, match="Too many levels"):
        replace(path, "half")
    assert path.read_text(encoding="utf-8") == "whole"
