# SPDX-License-Identifier: EUPL-1.2
"""The officer's key files: what was written opens, and nothing else does, each time with a sentence."""

import base64
import re

import pytest

from gateway.ledger.officer_key import OfficerKeyError, load_private, load_public, new_officer_key

CHEAP = {"memory_kib": 8, "passes": 1}
PASSWORD = "cerise à l'eau-de-vie"
KEY = new_officer_key()
PRIVATE, PUBLIC = KEY.text(PASSWORD, **CHEAP), KEY.public.text()
SECRET, INFO = bytes(range(32)), b"what for"


def content(text: str) -> bytes:
    return base64.b64decode("".join(text.splitlines()[1:-1]))


def rewritten(text: str, changed: bytes) -> str:
    first, *_, last = text.splitlines()
    return "\n".join([first, base64.b64encode(changed).decode(), last, ""])


def test_what_is_sealed_to_the_public_half_opens_with_the_private_one_after_both_went_through_their_files():
    public, private = load_public(PUBLIC), load_private(PRIVATE, PASSWORD)
    assert public == KEY.public == private.public
    assert public.id == KEY.public.id
    assert private.open(public.seal(SECRET, INFO), INFO) == SECRET
    assert public.seal(SECRET, INFO) != public.seal(SECRET, INFO)


def test_what_is_sealed_has_the_length_that_the_readme_tells():
    assert len(KEY.public.seal(SECRET, INFO)) == 1_120 + 32 + 16


@pytest.mark.parametrize("place", [0, 600, 1_119, 1_120, 1_151, -1])
def test_a_changed_message_does_not_open(place):
    message = bytearray(KEY.public.seal(SECRET, INFO))
    message[place] ^= 1
    with pytest.raises(OfficerKeyError, match="does not open this data key"):
        KEY.open(bytes(message), INFO)


def test_another_purpose_or_another_officer_does_not_open():
    message = KEY.public.seal(SECRET, INFO)
    with pytest.raises(OfficerKeyError, match="does not open"):
        KEY.open(message, b"another")
    with pytest.raises(OfficerKeyError, match="does not open"):
        new_officer_key().open(message, INFO)
    with pytest.raises(OfficerKeyError, match="does not open"):
        KEY.open(message[:100], INFO)


def test_another_password_does_not_open_the_file():
    with pytest.raises(OfficerKeyError, match="the password does not open"):
        load_private(PRIVATE, PASSWORD + " ")


def test_every_byte_of_a_private_file_counts():
    whole = content(PRIVATE)
    for place in range(len(whole)):
        if 1 <= place <= 9:  # the cost: a try may ask for gigabytes
            continue
        changed = bytearray(whole)
        changed[place] ^= 0x40
        with pytest.raises(OfficerKeyError):
            load_private(rewritten(PRIVATE, bytes(changed)), PASSWORD)


@pytest.mark.parametrize(
    ("place", "value"), [(1, 0x80), (5, 0x80), (9, 2)], ids=["terabytes of memory", "passes for years", "lanes"]
)
def test_a_file_that_asks_for_too_much_is_refused_before_it_is_tried(place, value):
    changed = bytearray(content(PRIVATE))
    changed[place] = value
    with pytest.raises(OfficerKeyError, match="Argon2id; expected"):
        load_private(rewritten(PRIVATE, bytes(changed)), PASSWORD)


@pytest.mark.parametrize("load", [load_public, lambda text: load_private(text, PASSWORD)])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "found no key"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "found a file with PRIVATE KEY"),
    ],
)
def test_another_file_is_told_for_what_it_is(load, text, told):
    with pytest.raises(OfficerKeyError, match=told):
        load(text)


def test_the_other_half_is_told_for_what_it_is():
    with pytest.raises(OfficerKeyError, match=r"HERSE ENCRYPTED OFFICER KEY; expected the public key file"):
        load_public(PRIVATE)
    with pytest.raises(OfficerKeyError, match=r"HERSE OFFICER PUBLIC KEY; expected the private key file"):
        load_private(PUBLIC, PASSWORD)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (rewritten(PUBLIC, content(PUBLIC)[:-1]), "has 1216 bytes; expected 1217"),
        (rewritten(PUBLIC, content(PUBLIC) + b"x"), "has 1218 bytes"),
        (rewritten(PUBLIC, b"\x02" + content(PUBLIC)[1:]), "version 02; expected 01"),
        (rewritten(PUBLIC, b""), "version none"),
        (PUBLIC.replace(PUBLIC.splitlines()[3], "*" * 64), "text is damaged"),
        (rewritten(PUBLIC, b"\x01" + b"\xff" * 1_216), "is damaged"),
    ],
)
def test_a_damaged_public_file_is_refused(text, told):
    with pytest.raises(OfficerKeyError, match=re.escape(told)):
        load_public(text)


def test_what_people_write_around_a_key_is_left_to_them():
    assert load_public(f"Clé du DPO, reçue le 3 mai\n\n{PUBLIC}\nvue par deux personnes\n") == KEY.public


def test_a_key_does_not_print_its_secret():
    assert repr(KEY) == f"<officer's key {KEY.public.id.hex()}>"
