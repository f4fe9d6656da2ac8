# SPDX-License-Identifier: EUPL-1.2
"""The courier that writes files: whole, for their owner alone, one for each letter."""

from __future__ import annotations

import email
import email.policy

import pytest

from gateway.errors import StartError
from gateway.mail.courier import NotSent, message_of
from gateway.mail.folder import FolderCourier

from .conftest import LETTER, SENDER, T0


def test_a_letter_becomes_one_file_however_often_it_is_sent(tmp_path):
    courier = FolderCourier(tmp_path / "letters")
    message = message_of(LETTER, SENDER, "00ff", T0)
    courier.send(message)
    courier.send(message)
    courier.hang_up()
    (file,) = (tmp_path / "letters").iterdir()
    assert file.name == "20261122T080000Z-00ff.eml"
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "letters").stat().st_mode & 0o777 == 0o700
    found = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert found["To"] == LETTER.to
    assert found.get_content().replace("\r\n", "\n") == LETTER.text


def test_a_disk_that_does_not_take_it_is_tried_again(tmp_path):
    courier = FolderCourier(tmp_path / "letters")
    (tmp_path / "letters").rmdir()
    with pytest.raises(NotSent) as caught:
        courier.send(message_of(LETTER, SENDER, "00ff", T0))
    assert not caught.value.final
    assert LETTER.to not in str(caught.value)


def test_a_file_that_waits_under_its_name_is_no_way_out(tmp_path):
    courier = FolderCourier(tmp_path / "letters")
    outside = tmp_path / "outside"
    outside.write_text("kept")
    (tmp_path / "letters" / ".20261122T080000Z-00ff.eml.new").symlink_to(outside)
    with pytest.raises(NotSent):
        courier.send(message_of(LETTER, SENDER, "00ff", T0))
    assert outside.read_text() == "kept"


def test_a_folder_that_cannot_be_is_said_at_the_start(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StartError, match="cannot be made"):
        FolderCourier(tmp_path / "file")
    with pytest.raises(StartError, match="cannot be made"):
        FolderCourier(tmp_path / "no" / "where")
