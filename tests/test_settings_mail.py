# SPDX-License-Identifier: EUPL-1.2
"""The section `[mail]`: what it may say, and everything in it that contradicts itself or would be ignored."""

from __future__ import annotations

import pytest

from gateway.errors import ConfigurationError, StartError
from gateway.settings import parse_settings
from gateway.settings_mail import read_password, split_server
from support.settings_file import LEAST

FROM = 'from = "herse@portail.example"\n'
SMTP = FROM + 'smtp = "mail.example:587"\n'


def mail(text, folder):
    return parse_settings(f"{LEAST}[mail]\n{text}", "herse.toml", folder).mail


def test_without_the_section_there_is_none(tmp_path):
    assert parse_settings(LEAST, "herse.toml", tmp_path).mail is None


def test_a_folder_or_a_server(tmp_path):
    assert mail(FROM + 'folder = "letters"', tmp_path).folder == tmp_path / "letters"
    found = mail(SMTP + 'user = "herse"\npassword_file = "keys/mail"\nauthority = "mail.pem"\ntls = "tls"', tmp_path)
    assert (found.sender, found.smtp, found.user, found.tls) == (
        "herse@portail.example",
        "mail.example:587",
        "herse",
        "tls",
    )
    assert (found.password_file, found.authority) == (tmp_path / "keys" / "mail", tmp_path / "mail.pem")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "mail.from"),
        ('folder = "x"', "mail.from"),
        (FROM, "either folder or smtp"),
        (SMTP + 'folder = "x"', "either folder or smtp"),
        ('from = "Herse <a@b.fr>"\nfolder = "x"', "one address such as"),
        ('from = "herse"\nfolder = "x"', "one address such as"),
        ('from = "é@b.fr"\nfolder = "x"', "one address such as"),
        (FROM + 'folder = "x"\ntls = "tls"', "no tls beside folder"),
        (FROM + 'folder = "x"\nuser = "a"\npassword_file = "b"', "no user, password_file beside folder"),
        (FROM + 'folder = "x"\nauthority = "a"', "no authority beside folder"),
        (SMTP + 'user = "a"', "both, or neither"),
        (SMTP + 'password_file = "a"', "both, or neither"),
        (SMTP + 'user = "é"\npassword_file = "a"', "printable ASCII"),
        (SMTP + 'user = ""\npassword_file = "a"', "printable ASCII"),
        (SMTP + 'tls = "none"', "only to this machine"),
        (SMTP + 'tls = "ssl"', "mail.tls"),
        (FROM + 'smtp = "127.0.0.1:25"\ntls = "none"\nauthority = "a"', "no authority beside"),
        (FROM + 'smtp = "127.0.0.1.example:25"\ntls = "none"', "only to this machine"),
        (FROM + 'smtp = "mail.example"', "a server and a port"),
        (SMTP + "timeout = 3", "no such key"),
    ],
)
def test_what_contradicts_itself_or_would_be_ignored_stops_the_start(tmp_path, text, told):
    with pytest.raises(ConfigurationError, match=told):
        mail(text, tmp_path)


def test_in_clear_to_this_machine_may_be_set(tmp_path):
    for server in ("127.0.0.1:25", "[::1]:25", "localhost:25"):
        assert mail(FROM + f'smtp = "{server}"\ntls = "none"', tmp_path).tls == "none"


@pytest.mark.parametrize(
    ("text", "found"),
    [("mail.example:587", ("mail.example", 587)), ("127.0.0.1:25", ("127.0.0.1", 25)), ("[::1]:25", ("::1", 25))],
)
def test_a_server_is_a_name_and_a_port(text, found):
    assert split_server(text) == found


@pytest.mark.parametrize(
    "text",
    ["", ":25", "mail.example:", "mail.example:0", "mail.example:65536", "mail.example:x", "mail.example:\u0662",
     "::1:25", "[mail]:25",
     "mail..example:25", "mail example:25", "smtp://mail.example:25", "a@mail.example:25", "é.example:25"],
)  # fmt: skip
def test_everything_else_is_no_server(text):
    with pytest.raises(ValueError, match="a server and a port"):
        split_server(text)


def test_a_password_is_one_line_for_its_owner_alone(tmp_path):
    file = tmp_path / "mail"
    with pytest.raises(StartError, match="cannot be read"):
        read_password(file)
    file.write_text("un secret\n")
    file.chmod(0o640)
    with pytest.raises(StartError, match="expected 0600"):
        read_password(file)
    file.chmod(0o600)
    assert read_password(file) == "un secret"
    for wrong in ("", "\n", "a\nb\n", "a\x00", "x" * 1025):
        file.write_bytes(wrong.encode())
        with pytest.raises(StartError, match="one line with a password"):
            read_password(file)
    file.write_bytes("é".encode())
    with pytest.raises(StartError, match="not ASCII"):
        read_password(file)
