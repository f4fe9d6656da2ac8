# SPDX-License-Identifier: EUPL-1.2
"""What a good password is (CNIL 2022-100, 50 bits with access restriction): phrases welcome, plain words not enough."""

from __future__ import annotations

import random
import string
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.identity.common_passwords import COMMON
from gateway.identity.strength import JUDGED, LONGEST, SHORTEST, Weakness, weaknesses
from gateway.pages.password_words import WORDS, advice

IDENTIFIER = "750012346"
NAMES = ("Pharmacie du Port", "Camille Durand", "Éloïse Lefèvre")


@pytest.mark.parametrize(
    "password",
    [
        "cinq mots pour ouvrir la porte",
        "grand cheval bleu mange lentement",
        "correct horse 47 battery",
        "qzxvkwtbrlmp",  # twelve letters at random: 56 bits
        "x7$Kq!9zRt4w",
        "5830274916038275",  # sixteen digits at random: 53 bits
        "4@8({[<3691!|750$+%2",  # a generator that likes signs
        "été-à-la-forêt-cheval-bleu",
        "Camille aime le vieux port de Marseille",
        "q8Zr-" * 2 + "unguessable words at the end of it " * 3,
    ],
)
def test_a_good_password_is_taken_without_any_rule_of_composition(password):
    assert weaknesses(password, IDENTIFIER, NAMES) == ()


@pytest.mark.parametrize(
    ("password", "found"),
    [
        ("", Weakness.TOO_SHORT),
        ("x7$Kq!9zRt4", Weakness.TOO_SHORT),
        ("e\u0301" * 6, Weakness.TOO_SHORT),  # six letters, whichever way they are written
        ("x7$Kq!9zRt4w" * 11, Weakness.TOO_LONG),
        ("ﬁ" * 65, Weakness.TOO_LONG),  # 130 letters once they are hashed
        ("my 750012346 pw and more", Weakness.IDENTIFIER),
        ("correct horse battery staple", Weakness.TOO_FEW_WORDS),
        ("chien chien chien chien chien chien", Weakness.TOO_FEW_WORDS),
        ("a b c d e f g h i j k!", Weakness.TOO_FEW_WORDS),
        ("583027491603827", Weakness.TOO_PLAIN),  # fifteen digits: 49.8 bits
        ("1234 5678 9012", Weakness.TOO_PLAIN),
        (" " * 12, Weakness.TOO_PLAIN),
        ("Marseille2024!", Weakness.COMMON_WORD),
        ("P@ssw0rd!123", Weakness.COMMON_WORD),
        ("azertyuiop123", Weakness.COMMON_WORD),
        ("Pharmacie du Port 13", Weakness.OWN_NAME),
        ("camille.durand1", Weakness.OWN_NAME),
        ("Lefevre-Eloise1", Weakness.OWN_NAME),
        ("aZ3$aZ3$aZ3$aZ3$", Weakness.REPEAT),
        ("abcdefghijklm", Weakness.SEQUENCE),
        ("sdfghjklmnbvc", Weakness.KEYBOARD),
        ("11.11.1991x19", Weakness.DATE),
    ],
)
def test_a_weak_password_is_told_what_is_wrong(password, found):
    assert weaknesses(password, IDENTIFIER, NAMES)[0] is found


def test_the_identifier_is_found_in_any_case():
    assert weaknesses("Mon-Cabinet-Roux-7492", "CABINET-ROUX") == (Weakness.IDENTIFIER,)
    assert weaknesses("x7$Kq!9zRt4w") == ()


def test_a_name_counts_only_where_it_is_the_account_s():
    names = ("Cabinet Quillivigny", "Zoé Zoubert")
    assert weaknesses("Quillivigny-Zoubert8", IDENTIFIER, names) == (Weakness.OWN_NAME,)
    assert weaknesses("Quillivigny-Zoubert8", IDENTIFIER, ("Cabinet Roux", "Zo")) == ()


@given(st.sampled_from(COMMON), st.sampled_from(COMMON), st.sampled_from(["", "!", "1", "2026", "13"]))
def test_two_common_words_are_never_enough(first, second, end):
    assert weaknesses(first + second + end) or len(first + second) > 24


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=LONGEST + 2), st.lists(st.text(max_size=9), max_size=3))
@example("0000100℠001", [])
def test_any_text_is_judged(text, names):
    assert weaknesses(text, IDENTIFIER, (text,)) != ()
    found = weaknesses(text, IDENTIFIER, names)
    assert all(isinstance(one, Weakness) for one in found)
    if len(text) < SHORTEST // 2:
        assert found == (Weakness.TOO_SHORT,) or len(text) > 0


def test_the_words_of_one_account_are_nothing_to_another_judged_at_the_same_time():
    def judge(number):
        own = ("Quillivigny Zoubert",) if number % 2 else ("Zyx Wvu",)
        return weaknesses("Quillivigny-Zoubert8", IDENTIFIER, own) != ()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(judge, range(200))) == [bool(number % 2) for number in range(200)]


@pytest.mark.parametrize("unit", ["4@8({[<3691!|750$+%2", "4@3$0171", "1234567890", "aab", "password", "P@$$w0rd1!"])
def test_no_text_takes_long(unit):
    began = time.thread_time()
    weaknesses((unit * LONGEST)[:LONGEST], IDENTIFIER, NAMES)
    assert time.thread_time() - began < 1.0  # seconds at full length before it was bounded; about 0.1 now


def test_no_random_text_takes_long():
    chance = random.Random(7)
    began = time.thread_time()
    for _ in range(20):
        weaknesses("".join(chance.choices(string.printable[:90] + "4@8({[<361!|750$+%2", k=JUDGED)), IDENTIFIER, NAMES)
    assert time.thread_time() - began < 6.0


def test_every_weakness_has_its_sentences():
    assert set(WORDS) == {str(one) for one in Weakness}
    for one in Weakness:
        (french,), (english,) = advice([one], "fr"), advice([one], "en")
        assert french != english
        assert french.endswith(".")
        assert english.endswith(".")
