# SPDX-License-Identifier: EUPL-1.2
"""The section `[ledger]`: what it may say, what is refused, and that no password of it is ever told."""

from __future__ import annotations

import pytest

from gateway.errors import ConfigurationError, StartError
from gateway.ledger.place import PostgresAddress
from gateway.ledger.retention import Periods
from gateway.settings import parse_settings
from support.settings_file import LEAST

HERE = 'database = "postgresql://127.0.0.1/herse"\n'
AWAY = 'database = "postgresql://db.example:5433/herse"\n'
SOCKET = 'database = "postgresql:///herse?host=/run/postgresql"\n'


def settings(text, folder):
    return parse_settings(f"{LEAST}[ledger]\n{text}", "herse.toml", folder)


def test_without_it_the_ledger_is_a_file_of_the_state(tmp_path):
    for text in (LEAST, f"{LEAST}[ledger]\n"):
        found = parse_settings(text, "herse.toml", tmp_path)
        assert found.ledger_place() == tmp_path / "state" / "ledger.db"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (HERE, PostgresAddress("127.0.0.1", "herse")),
        ('database = "postgresql://localhost:6000/l"', PostgresAddress("localhost", "l", 6000)),
        ('database = "postgresql://[::1]:6000/l"', PostgresAddress("::1", "l", 6000)),
        (SOCKET, PostgresAddress("/run/postgresql", "herse")),
        (SOCKET + 'user = "herse"', PostgresAddress("/run/postgresql", "herse", user="herse")),
        (AWAY, PostgresAddress("db.example", "herse", 5433, tls=True)),
        ('database = "postgresql://10.0.0.1/l"', PostgresAddress("10.0.0.1", "l", tls=True)),
    ],
)
def test_each_kind_of_address_off_this_machine_over_TLS(tmp_path, text, place):
    assert settings(text, tmp_path).ledger_place() == place


def test_an_authority_asks_for_TLS_here_too_and_paths_lie_beside_the_file(tmp_path):
    (tmp_path / "keys").mkdir()
    secret = tmp_path / "keys" / "db"
    secret.touch(0o600)
    secret.write_text("geheim\n")
    text = HERE + 'user = "herse"\npassword_file = "keys/db"\nauthority = "db.pem"'
    found = settings(text, tmp_path).ledger_place()
    assert (found.tls, found.authority, found.user) == (True, tmp_path / "db.pem", "herse")
    assert found.password == "geheim"
    assert "geheim" not in f"{found} {found!r}"
    secret.chmod(0o644)
    with pytest.raises(StartError, match=r"ledger\.password_file .* has mode 0644"):
        settings(text, tmp_path).ledger_place()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('database = "sqlite:///ledger.db"', "expected postgresql://host:port/name"),
        ('database = "postgresql://127.0.0.1"', "expected postgresql://host:port/name"),
        ('database = "postgresql:///herse"', "expected postgresql://host:port/name"),
        ('database = "postgresql:///herse?host=socket"', "expected postgresql://host:port/name"),
        ('database = "postgresql://127.0.0.1/herse?sslmode=disable"', "expected postgresql://host:port/name"),
        ('database = "postgresql://127.0.0.1/herse?host"', "expected postgresql://host:port/name"),
        ('database = "postgresql://127.0.0.1/her%20se"', "expected postgresql://host:port/name"),
        ('database = "postgresql://127.0.0.1/herse#x"', "expected postgresql://host:port/name"),
        ('database = "postgresql://127.0.0.1:70000/herse"', "expected postgresql://host:port/name"),
        (HERE + 'user = "her se"', "a name of letters"),
        (HERE + 'password = "geheim"', "no such key"),
        (SOCKET + 'authority = "db.pem"', "no certificate is looked at"),
        ('user = "herse"', "database, beside a user"),
        ('password_file = "db"', "database, beside a user"),
        ('authority = "db.pem"', "database, beside a user"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path, text, told):
    with pytest.raises(ConfigurationError) as refused:
        settings(text, tmp_path)
    assert told in str(refused.value)


def test_a_password_in_the_url_is_refused_and_not_told(tmp_path):
    with pytest.raises(ConfigurationError) as refused:
        settings('database = "postgresql://herse:geheim@127.0.0.1/herse"', tmp_path)
    assert "geheim" not in str(refused.value)
    assert "ledger.password_file" in str(refused.value)


def test_how_long_events_are_kept(tmp_path):
    assert settings("", tmp_path).ledger.periods == Periods(12, 36)
    assert settings("security_months = 6\ndisclosures_months = 6", tmp_path).ledger.periods == Periods(6, 6)
    text = 'disclosures_months = 240\nlonger_because = "Traces of patients\' records, CSP R1112-7; DPO, 2026-11-02"'
    assert settings(text, tmp_path).ledger.periods == Periods(12, 240)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("security_months = 13", r"ledger\.security_months = 13 \(more than 12\)"),
        (
            "disclosures_months = 37",
            r"longer_because beside ledger\.disclosures_months = 37 \(more than 36\): who decided",
        ),
        ('disclosures_months = 37\nlonger_because = " "', "a sentence: who decided"),
        ("security_months = 5", "ledger.security_months: found 5"),
        ("disclosures_months = 241", "ledger.disclosures_months: found 241"),
    ],
)
def test_longer_than_usual_asks_for_a_reason_and_shorter_has_an_end(tmp_path, text, told):
    with pytest.raises(ConfigurationError, match=told):
        settings(text, tmp_path)
