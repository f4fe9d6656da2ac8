# SPDX-License-Identifier: EUPL-1.2
"""note: the specification's own examples, to the byte; nothing that is not printed so again; a key for each refusal."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.note import (
    NOTE_CHARACTERS_AT_MOST,
    NoteError,
    SignatureError,
    SigningKey,
    UnknownKeyError,
    VerifierKey,
    good_signature,
    load_verifier_key,
    parse_note,
    verify_note,
)

# golang.org/x/mod/sumdb/note, the implementation the specification was written from.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SECRET = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNED = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
NOTE = f"{TEXT}\n{SIGNED}"
KEY = load_verifier_key(PETER)
OTHER = SigningKey("witness.example/w1", bytes(range(32)))


def test_the_note_of_the_specification_to_the_byte():
    signing = SigningKey("PeterNeumann", PETER_SECRET)
    assert signing.verifier() == KEY
    assert signing.verifier().text() == PETER
    assert signing.sign(TEXT) == NOTE
    assert verify_note(NOTE, [KEY]) == TEXT


def test_the_text_may_hold_empty_lines():
    note = OTHER.sign("one\n\ntwo\n")
    assert verify_note(note, [OTHER.verifier()]) == "one\n\ntwo\n"


def test_a_secret_never_prints():
    assert OTHER.secret.hex() not in repr(OTHER)
    assert repr(OTHER) == "SigningKey(name='witness.example/w1')"


def test_lines_of_unknown_keys_are_passed_over():
    also = OTHER.sign(TEXT).removeprefix(f"{TEXT}\n")
    assert verify_note(NOTE + also, [KEY]) == TEXT
    assert verify_note(NOTE + also, [OTHER.verifier()]) == TEXT
    assert verify_note(f"{TEXT}\n{also}{SIGNED}", [KEY]) == TEXT
    post_quantum = f"— witness.example/pq {base64.b64encode(bytes(2_424)).decode()}\n"
    assert verify_note(NOTE + post_quantum, [KEY]) == TEXT


def test_no_known_key_is_a_refusal():
    with pytest.raises(UnknownKeyError, match=r"signed by PeterNeumann\+c74f20a3; expected witness.example/w1"):
        verify_note(NOTE, [OTHER.verifier()])
    with pytest.raises(UnknownKeyError, match="expected a key"):
        verify_note(NOTE, [])
    namesake = SigningKey("PeterNeumann", bytes(32)).verifier()
    with pytest.raises(UnknownKeyError):
        verify_note(NOTE, [namesake])


def test_a_wrong_signature_by_a_known_key_is_a_refusal_whoever_else_signed():
    also = OTHER.sign(TEXT.upper()).removeprefix(f"{TEXT.upper()}\n")
    with pytest.raises(SignatureError, match=r"witness\.example/w1"):
        verify_note(NOTE + also, [KEY, OTHER.verifier()])
    with pytest.raises(SignatureError, match=r"PeterNeumann\+c74f20a3 does not fit"):
        verify_note(NOTE.replace("problem", "Problem"), [KEY])
    short = base64.b64encode(base64.b64decode(SIGNED.split()[2])[:20]).decode()
    with pytest.raises(SignatureError):
        verify_note(f"{TEXT}\n— PeterNeumann {short}\n", [KEY])


@pytest.mark.parametrize("place", range(len(NOTE)))
def test_a_note_with_any_character_changed_or_gone_is_refused(place):
    for wrong in (NOTE[:place] + chr(ord(NOTE[place]) ^ 1) + NOTE[place + 1 :], NOTE[:place] + NOTE[place + 1 :]):
        with pytest.raises(NoteError):
            verify_note(wrong, [KEY])


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        TEXT,
        f"{TEXT}\n",
        NOTE[:-1],
        f"{NOTE}\n",
        f"{NOTE}x",
        f"{NOTE} ",
        f"{NOTE}\0",
        f"{TEXT}{SIGNED}",
        f"{TEXT}\n{SIGNED.replace('— ', '- ')}",
        f"{TEXT}\n{SIGNED.replace('— ', '—  ')}",
        f"{TEXT}\n— PeterNeumann x08gow==\n",
        f"{TEXT}\n— PeterNeumann x08go/Z\n",
        f"{TEXT}\n— PeterNeumann\n",
        f"{TEXT}\n— x08go/ZJkuBS9UG/SffcvA==\n",
        NOTE.replace("\n", "\r\n"),
        f"{TEXT}\n{SIGNED}junk\n{SIGNED}",
        # The last two bits of the base64 belong to nothing: only one spelling counts.
        NOTE.replace("wJnAM=", "wJnAN="),
    ],
)
def test_what_would_not_be_printed_so_is_no_note(wrong):
    with pytest.raises(NoteError):
        parse_note(wrong)


def test_a_note_has_an_end():
    with pytest.raises(NoteError, match="expected at most"):
        parse_note(NOTE.rjust(NOTE_CHARACTERS_AT_MOST + 1))


def test_what_is_no_character_cannot_have_been_signed():
    with pytest.raises(SignatureError):
        verify_note("\ud800" + NOTE, [KEY])


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "PeterNeumann",
        PETER[:-1],
        f" {PETER}",
        f"{PETER}\n\n",
        PETER.upper(),
        PETER.replace("c74f20a3", "c74f20a4"),
        PETER.replace("PeterNeumann", "PeterNewman"),
        PETER.replace("PeterNeumann", "Peter Neumann"),
        # The Go implementation's own two: a key of another length, and an unknown algorithm, both with fitting ids.
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_what_is_no_public_key_is_refused(wrong):
    with pytest.raises(NoteError):
        load_verifier_key(wrong)


def test_a_public_key_may_end_its_line():
    assert load_verifier_key(f"{PETER}\n") == KEY


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u00a0b", "a\u2028b"])
def test_a_key_has_a_name_of_one_word(name):
    with pytest.raises(NoteError, match="no name of a key"):
        VerifierKey(name, bytes(32))
    with pytest.raises(NoteError, match="no name of a key"):
        SigningKey(name, bytes(32))


def test_a_key_has_32_bytes():
    with pytest.raises(NoteError, match="has 31 bytes; expected 32"):
        VerifierKey("a", bytes(31))
    with pytest.raises(NoteError, match="has 33 bytes; expected 32"):
        SigningKey("a", bytes(33))


@pytest.mark.parametrize("text", ["", "no line feed", "a tab\t\n", "a\r\n", "\0\n"])
def test_what_could_not_be_read_again_is_not_signed(text):
    with pytest.raises(NoteError, match="cannot be signed"):
        OTHER.sign(text)


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n")),
    st.binary(min_size=32, max_size=32),
)
def test_what_is_signed_is_read_again(text, secret):
    key = SigningKey("portail.example/ledger", secret)
    note = key.sign(f"{text}\n")
    assert verify_note(note, [key.verifier()]) == f"{text}\n"
    assert load_verifier_key(key.verifier().text()) == key.verifier()


def test_a_signature_is_good_or_not_and_never_an_error():
    signature = base64.b64decode(SIGNED.split()[2])[4:]
    assert good_signature(KEY.public, signature, TEXT.encode())
    assert not good_signature(KEY.public, signature, TEXT.encode() + b" ")
    assert not good_signature(KEY.public, signature[:-1], TEXT.encode())
    assert not good_signature(b"short", signature, TEXT.encode())
