# SPDX-License-Identifier: EUPL-1.2
"""checkpoint: four lines to the byte, signed under the origin's name, and nothing else taken for one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.checkpoint import (
    SIZE_AT_MOST,
    Checkpoint,
    CheckpointError,
    OriginError,
    parse_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
)
from gateway.ledger.note import NoteError, SignatureError, SigningKey, UnknownKeyError

ORIGIN = "portail.example/ledger"
KEY = SigningKey(ORIGIN, bytes(range(32)))
KEYS = [KEY.verifier()]
AT = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
CHECKPOINT = Checkpoint(ORIGIN, 20_852_163, bytes(range(32)), AT)
NOTE = sign_checkpoint(CHECKPOINT, KEY)


def test_a_checkpoint_to_the_byte():
    text, signature = NOTE.split("\n\n")
    assert text == (
        "portail.example/ledger\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\nat 2026-11-23T14:00:00.000000Z"
    )
    assert signature.startswith("— portail.example/ledger ")
    assert parse_checkpoint(NOTE) == verify_checkpoint(NOTE, KEYS, ORIGIN) == CHECKPOINT


@given(st.integers(0, SIZE_AT_MOST), st.binary(min_size=32, max_size=32), st.datetimes(timezones=st.just(UTC)))
def test_what_is_signed_is_read_again(size, root, at):
    made = Checkpoint(ORIGIN, size, root, at)
    assert verify_checkpoint(sign_checkpoint(made, KEY), KEYS, ORIGIN) == made


def test_a_key_signs_for_its_own_ledger_alone():
    with pytest.raises(CheckpointError, match="was to sign for elsewhere"):
        sign_checkpoint(Checkpoint("elsewhere.example", 1, bytes(32), AT), KEY)


def test_each_refusal_has_its_own_name():
    foreign = SigningKey(ORIGIN, bytes(32))
    with pytest.raises(UnknownKeyError, match="another ledger's, or forged"):
        verify_checkpoint(sign_checkpoint(CHECKPOINT, foreign), KEYS, ORIGIN)
    with pytest.raises(OriginError, match=r"is of 'portail.*'; expected 'test.*'"):
        verify_checkpoint(NOTE, KEYS, "test.example/ledger")
    with pytest.raises(SignatureError, match="does not fit the text"):
        verify_checkpoint(NOTE.replace("20852163", "20852164"), KEYS, ORIGIN)
    with pytest.raises(CheckpointError, match="signed, but no checkpoint"):
        verify_checkpoint(KEY.sign("good morning\n"), KEYS, ORIGIN)


@pytest.mark.parametrize("place", range(len(NOTE)))
def test_a_checkpoint_with_any_character_changed_is_refused(place):
    with pytest.raises(NoteError):
        verify_checkpoint(NOTE[:place] + chr(ord(NOTE[place]) ^ 1) + NOTE[place + 1 :], KEYS, ORIGIN)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("20852163", "020852163"),
        ("20852163", "-1"),
        ("20852163", "٣"),
        ("20852163", "2e7"),
        ("20852163", ""),
        ("20852163", str(SIZE_AT_MOST + 1)),
        ("20852163", "1" * 5_000),
        ("Hh8=", "Hh9="),
        ("Hh8=", "Hh8"),
        ("AAEC", "AAE C"),
        ("at 2026-11-23", "at 2026-13-23"),
        ("at 2026-11-23", "at 0000-11-23"),
        ("14:00:00.000000Z", "14:00:00Z"),
        ("14:00:00.000000Z", "14:00:00.000000+00:00"),
        ("14:00:00.000000Z", "24:00:00.000000Z"),
        ("14:00:00.000000Z", "14:00:00.000000Z\nand more"),
        ("at 2026", "AT 2026"),
        ("at 2026-11-23T14:00:00.000000Z\n", ""),
        ("portail.example/ledger\n", ""),
    ],
)
def test_a_signed_text_that_would_not_be_printed_so_is_no_checkpoint(line, wrong):
    with pytest.raises(CheckpointError, match="is signed, but no checkpoint"):
        parse_checkpoint(KEY.sign(CHECKPOINT.text().replace(line, wrong)))


@pytest.mark.parametrize(
    "made",
    [
        Checkpoint(ORIGIN, -1, bytes(32), AT),
        Checkpoint(ORIGIN, SIZE_AT_MOST + 1, bytes(32), AT),
        Checkpoint(ORIGIN, 1, bytes(31), AT),
        Checkpoint(ORIGIN, 1, bytes(32), AT.replace(tzinfo=None)),
        Checkpoint(ORIGIN, 1, bytes(32), AT.astimezone(timezone(timedelta(hours=1)))),
    ],
)
def test_what_is_no_checkpoint_is_not_signed(made):
    with pytest.raises(ValueError, match="no checkpoint"):
        sign_checkpoint(made, KEY)
