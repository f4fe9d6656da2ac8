# SPDX-License-Identifier: EUPL-1.2
"""A letter that cannot be another one on the wire, and the message that is made of it."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime

import pytest

from gateway.mail.courier import message_of
from gateway.mail.letter import LONGEST_SUBJECT, LONGEST_TEXT, Letter, NoLetter

AT = datetime(2026, 11, 22, 8, 5, tzinfo=UTC)


def test_its_repr_tells_neither_whom_nor_what():
    letter = Letter("anne@exemple.fr", "Bonjour", "le texte secret\n")
    assert repr(letter) == "Letter(subject='Bonjour')"


@pytest.mark.parametrize("to", ["", "anne", "a@b", "a@exemple.fr\r\nBcc: b@exemple.fr", "a@exemple.fr,b@exemple.fr"])
def test_an_address_is_one_plain_address(to):
    with pytest.raises(NoLetter) as caught:
        Letter(to, "Bonjour", "x")
    assert to == "" or to not in str(caught.value)


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "a\nBcc: b@exemple.fr",
        "a\rb",
        "a\x00",
        "a\x0b",
        "a\x85b",
        "a\u2028b",
        "a\u202eb",
        "a\ud800",
        "x" * (LONGEST_SUBJECT + 1),
    ],
)
def test_a_subject_is_one_printable_line(subject):
    with pytest.raises(NoLetter):
        Letter("anne@exemple.fr", subject, "x")


@pytest.mark.parametrize("text", ["", "a\r\nb", "a\x00", "a\x1b[2J", "a\u202eb", "\ud800", "x" * (LONGEST_TEXT + 1)])
def test_a_text_is_printable_lines(text):
    with pytest.raises(NoLetter):
        Letter("anne@exemple.fr", "Bonjour", text)


def test_the_longest_letter_and_its_no_break_spaces_pass():
    Letter("anne@exemple.fr", "é\u00a0" * (LONGEST_SUBJECT // 2), "«\u00a0é\u00a0»\n" * (LONGEST_TEXT // 6))


def read(message):
    return email.message_from_bytes(message.as_bytes(), policy=email.policy.default)


def test_the_message_is_plain_and_marked_as_written_by_a_machine():
    letter = Letter(
        "anne@exemple.fr", "Connexion d\u2019un nouvel appareil\u00a0: à vérifier", "Été\n.\nFrom là\n" + "é" * 2000
    )
    message = message_of(letter, "herse@portail.example", "00ff", AT)
    assert message.as_bytes().isascii()
    assert max(map(len, message.as_bytes().splitlines())) <= 998
    found = read(message)
    assert (found["From"], found["To"], found["Subject"]) == ("herse@portail.example", letter.to, letter.subject)
    assert found["Date"].datetime == AT
    assert found["Message-ID"] == "<00ff@portail.example>"
    assert found["Auto-Submitted"] == "auto-generated"
    assert found.get_content_type() == "text/plain"
    assert found.get_content_charset() == "utf-8"
    assert not found.is_multipart()
    assert found.get_content().splitlines() == letter.text.splitlines()


def test_the_longest_address_stays_itself():
    to = "a" * 64 + "@" + ".".join(["b" * 45] * 4) + ".ex"
    assert read(message_of(Letter(to, "x", "x"), "herse@portail.example", "0", AT))["To"] == to
