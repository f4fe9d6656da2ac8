# SPDX-License-Identifier: EUPL-1.2
"""Mail addresses: what is taken, and everything that could become another address, a header or a command."""

from __future__ import annotations

import pytest

from gateway.model.mail_address import LONGEST, is_mail_address


@pytest.mark.parametrize(
    "text",
    [
        "a@exemple.fr",
        "Anne.Roux+herse@Pharmacie-du-Pont.exemple.fr",
        "o'brien=x/y@exemple.fr",
        "_x@xn--dmo-bma.example",
        "9@9.9.a1",
        "a" * 64 + "@" + "b" * 63 + ".example",
    ],
)
def test_a_plain_address_is_one(text):
    assert is_mail_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "a",
        "a@",
        "@exemple.fr",
        "a@localhost",
        "a@exemple.fr.",
        "a@.fr",
        "a@-x.fr",
        "a@x-.fr",
        "a@127.0.0.1",
        "a@[127.0.0.1]",
        "a@exemple.1fr",
        "a@b@exemple.fr",
        ".a@exemple.fr",
        "a.@exemple.fr",
        "a..b@exemple.fr",
        "-oX@exemple.fr",
        '"a b"@exemple.fr',
        "a b@exemple.fr",
        "a(x)@exemple.fr",
        "a,b@exemple.fr",
        "<a@exemple.fr>",
        "Anne <a@exemple.fr>",
        "a@exemple.fr ",
        " a@exemple.fr",
        "a@exemple.fr\n",
        "a@exemple.fr\r\nBcc: b@exemple.fr",
        "a\n@exemple.fr",
        "a\x00@exemple.fr",
        "é@exemple.fr",
        "a@exémple.fr",
        "a@exemple\uff0efr",  # full-width stop
        "\u0430@exemple.fr",  # a Cyrillic letter
        "a@" + "b" * 64 + ".example",
        "a" * 65 + "@exemple.fr",
        "a@" + ".".join(["b" * 62] * 4) + ".example",
    ],
)
def test_everything_else_is_none(text):
    assert not is_mail_address(text)


def test_the_longest_address_is_that_of_a_path():
    longest = "a@" + ".".join(["b" * 48] * 5) + ".example"
    assert len(longest) == LONGEST
    assert is_mail_address(longest)
    assert not is_mail_address("a" + longest)
