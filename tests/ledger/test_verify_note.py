# SPDX-License-Identifier: EUPL-1.2
"""verify_note: the second reader takes the gateway's checkpoints, and gives each refusal its own name."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.checkpoint import SIZE_AT_MOST, Checkpoint, sign_checkpoint
from gateway.ledger.note import SigningKey, good_signature, parse_note
from gateway.ledger.verify_note import Key, read_checkpoint, read_key
from gateway.ledger.wrong import Finding, Wrong

ORIGIN = "portail.example/ledger"
SIGNING = SigningKey(ORIGIN, bytes(range(32)))
WITNESS = SigningKey("witness.example/w1", bytes(32))
AT = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
CHECKPOINT = Checkpoint(ORIGIN, 20_852_163, bytes(range(32)), AT)
NOTE = sign_checkpoint(CHECKPOINT, SIGNING)
KEYS = [read_key(SIGNING.verifier().text())]
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


def read(note, keys=KEYS, origin=ORIGIN):
    return read_checkpoint(note, "the checkpoint", keys, good_signature, origin)


def finding(note, keys=KEYS, origin=ORIGIN):
    with pytest.raises(Wrong) as found:
        read(note, keys, origin)
    return found.value.finding


@given(st.integers(0, SIZE_AT_MOST), st.binary(min_size=32, max_size=32), st.datetimes(timezones=st.just(UTC)))
def test_what_the_gateway_signs_is_read(size, root, at):
    seen = read(sign_checkpoint(Checkpoint(ORIGIN, size, root, at), SIGNING))
    assert seen == (ORIGIN, size, root, at, f"{ORIGIN}+{SIGNING.verifier().key_id.hex()}")


def test_a_key_is_read_from_its_line():
    key = SIGNING.verifier()
    assert read_key(key.text()) == read_key(f"{key.text()}\n") == Key(ORIGIN, key.key_id, key.public)
    assert read_key(PETER).name == "PeterNeumann"


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        f"{PETER}\n\n",
        PETER[:-1],
        PETER.replace("c74f20a3", "c74f20a4"),
        PETER.replace("c74f20a3", "C74F20A3"),
        PETER.replace("Peter", "Petra"),
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_what_is_no_key_is_refused(wrong):
    with pytest.raises(Wrong, match="is no public key") as found:
        read_key(wrong)
    assert found.value.finding is Finding.MALFORMED


def test_other_signatures_are_passed_over():
    also = WITNESS.sign(CHECKPOINT.text()).removeprefix(f"{CHECKPOINT.text()}\n")
    assert read(NOTE + also).size == CHECKPOINT.size
    both = [*KEYS, read_key(WITNESS.verifier().text())]
    assert read(NOTE + also, both).key.startswith("witness")


def test_each_refusal_has_its_own_name():
    foreign = SigningKey(ORIGIN, bytes(range(1, 33)))
    assert finding(sign_checkpoint(CHECKPOINT, foreign)) is Finding.FOREIGN_KEY
    assert finding(NOTE, []) is Finding.FOREIGN_KEY
    assert finding(NOTE.replace("20852163", "20852164")) is Finding.BAD_SIGNATURE
    assert finding(NOTE, origin="other.example/ledger") is Finding.OTHER_ORIGIN
    assert finding(f"{NOTE}x") is Finding.TRAILING_BYTES
    assert finding(f"{NOTE}\n") is Finding.TRAILING_BYTES
    assert finding(NOTE[:-1]) is Finding.MALFORMED
    assert finding(CHECKPOINT.text()) is Finding.MALFORMED
    assert finding("") is Finding.MALFORMED
    assert finding(NOTE.replace("\n", "\r\n")) is Finding.MALFORMED
    assert finding("\ud800" + NOTE) is Finding.BAD_SIGNATURE


def test_a_wrong_signature_of_a_known_key_is_told_even_beside_a_right_one():
    other = WITNESS.sign("something else\n").removeprefix("something else\n\n")
    assert finding(NOTE + other, [*KEYS, read_key(WITNESS.verifier().text())]) is Finding.BAD_SIGNATURE


@pytest.mark.parametrize("place", range(len(NOTE)))
def test_any_character_changed_or_gone_is_refused(place):
    finding(NOTE[:place] + chr(ord(NOTE[place]) ^ 1) + NOTE[place + 1 :])
    finding(NOTE[:place] + NOTE[place + 1 :])


@pytest.mark.parametrize(
    ("line", "wrong", "due"),
    [
        ("20852163", "020852163", Finding.MALFORMED),
        ("20852163", str(SIZE_AT_MOST + 1), Finding.MALFORMED),
        ("20852163", "٣", Finding.MALFORMED),
        ("Hh8=", "Hh9=", Finding.MALFORMED),
        ("11-23T", "13-23T", Finding.MALFORMED),
        ("000000Z", "000000Z\nmore", Finding.MALFORMED),
        ("000000Z", "0Z", Finding.MALFORMED),
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_refused(line, wrong, due):
    assert finding(SIGNING.sign(CHECKPOINT.text().replace(line, wrong))) is due


def test_base64_is_written_in_one_way_only():
    (signature,) = parse_note(NOTE)[1]
    encoded = base64.b64encode(signature.key_id + signature.signature).decode()
    assert encoded.endswith("=")
    last = encoded.rstrip("=")[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = alphabet[alphabet.index(last) ^ 1]
    assert finding(
        NOTE.replace(encoded, encoded[: encoded.index("=") - 1] + other + encoded[encoded.index("=") :])
    ) is (Finding.MALFORMED)
    assert finding(NOTE.replace(encoded, encoded[:41])) is Finding.MALFORMED
