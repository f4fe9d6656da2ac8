# SPDX-License-Identifier: EUPL-1.2
"""The section `[sso]`: few lines for Pro Santé Connect, other providers by values alone, every contradiction told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from gateway.errors import ConfigurationError, StartError
from gateway.identity.sso_settings import ClientAuth, SsoSettings
from gateway.settings import parse_settings
from gateway.sso_gate import provider_settings, read_secret
from support.settings_file import LEAST
from support.sources import ROOT

GOOD = {"client_id": '"herse"', "secret_file": '"psc.secret"'}
OTHER = {
    "discovery": '"https://sso.chu.example/realms/soins/.well-known/openid-configuration"',
    "issuer": '"https://sso.chu.example/realms/soins"',
    "origins": '["https://sso.chu.example"]',
}
AUTH = "https://auth.bas.psc.esante.gouv.fr"


def section(folder=Path("etc"), **more):
    values = {key: value for key, value in (GOOD | more).items() if value is not None}
    lines = "\n".join(f"{key} = {value}" for key, value in values.items())
    return parse_settings(f"{LEAST}[sso]\n{lines}", "herse.toml", folder).sso


def faults(**more):
    with pytest.raises(ConfigurationError) as error:
        section(**more)
    return {fault.key: fault.expected for fault in error.value.faults}


@pytest.fixture
def folder(tmp_path):
    for name, content in (("psc.secret", "s:cret%+/ é\n"), ("key.pem", "PEM"), ("tls.key", "KEY"), ("tls.pem", "C")):
        (tmp_path / name).write_text(content, encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    return tmp_path


def made(folder, **more):
    return provider_settings(section(folder, **more), "https://portail.example")


def test_without_the_section_there_is_no_provider():
    assert parse_settings(LEAST, "herse.toml", Path()).sso is None


def test_two_lines_are_pro_sante_connect(folder):
    auth, wallet = "https://auth.esw.esante.gouv.fr", "https://wallet.esw.esante.gouv.fr"
    assert made(folder) == SsoSettings(
        discovery=f"{auth}/auth/realms/esante-wallet/.well-known/wallet-openid-configuration",
        issuer=f"{auth}/auth/realms/esante-wallet",
        origins=frozenset({auth, wallet}),
        client_id="herse",
        client_secret="s:cret%+/ é",
        redirect_uri="https://portail.example/.herse/sso/callback",
        signed_out_uri="https://portail.example/.herse/signed-out",
    )
    assert "s:cret" not in repr(made(folder))


def test_its_sandbox_is_one_line_more(folder):
    found = made(folder, sandbox="true")
    assert found.sandbox
    assert found.issuer == f"{AUTH}/auth/realms/esante-wallet"
    assert found.discovery == f"{found.issuer}/.well-known/wallet-openid-configuration"
    assert found.origins == {AUTH, "https://wallet.bas.psc.esante.gouv.fr"}


def test_every_value_of_the_client_core_can_be_set(folder):
    values = {
        **OTHER,
        "name": '"CHU d\'Exemple"',
        "client_id": '"autre"',
        "authority": '"ca.pem"',
        "scope": '"openid profile"',
        "acr_values": '""',
        "acr_accepted": '["2"]',
        "algorithms": '["ES256", "PS256"]',
        "national_id_claim": '""',
        "card_values": '["sc"]',
        "userinfo": "false",
        "session_minutes": "30",
        "answer_seconds": "2.5",
        "answer_bytes": "20000",
        "fetch_seconds": "5.0",
        "keys_minutes": "2",
        "metadata_minutes": "3",
    }
    assert section(folder, **values).name == "CHU d'Exemple"
    assert made(folder, **values) == SsoSettings(
        discovery="https://sso.chu.example/realms/soins/.well-known/openid-configuration",
        issuer="https://sso.chu.example/realms/soins",
        origins=frozenset({"https://sso.chu.example"}),
        client_id="autre",
        client_secret="s:cret%+/ é",
        redirect_uri="https://portail.example/.herse/sso/callback",
        signed_out_uri="https://portail.example/.herse/signed-out",
        authority=folder / "ca.pem",
        scope="openid profile",
        acr_values="",
        acr_accepted=frozenset({"2"}),
        algorithms=frozenset({"ES256", "PS256"}),
        national_id_claim=None,
        card_values=frozenset({"sc"}),
        userinfo=False,
        session_lifetime=timedelta(minutes=30),
        answer_within=timedelta(seconds=2.5),
        answer_bytes=20_000,
        fetch_interval=timedelta(seconds=5),
        keys_lifetime=timedelta(minutes=2),
        metadata_lifetime=timedelta(minutes=3),
    )


def test_each_way_to_prove_ourselves_reads_its_own_files(folder):
    assert made(folder, client_auth='"secret-post"').client_auth is ClientAuth.SECRET_POST
    signed = made(folder, client_auth='"private-key"', secret_file=None, private_key_file='"key.pem"')
    assert (signed.client_auth, signed.private_key, signed.client_secret) == (ClientAuth.PRIVATE_KEY, b"PEM", None)
    named = {"certificate": '"tls.pem"', "certificate_key": '"tls.key"'}
    tls = made(folder, client_auth='"tls"', secret_file=None, **named)
    assert (tls.client_auth, tls.certificate, tls.certificate_key) == (
        ClientAuth.TLS,
        folder / "tls.pem",
        folder / "tls.key",
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("unknown", "1"),
        ("client_secret", '"never here"'),
        ("client_id", '""'),
        ("client_id", '"two words"'),
        ("client_id", "7"),
        ("name", '""'),
        ("name", '"a\\nb"'),
        ("client_auth", '"none"'),
        ("scope", '"profile"'),
        ("acr_accepted", "[]"),
        ("acr_accepted", '[""]'),
        ("algorithms", "[]"),
        ("algorithms", '["HS256"]'),
        ("algorithms", '["none"]'),
        ("sandbox", '"true"'),
        ("ciba", "1"),
        ("session_minutes", "241"),
        ("session_minutes", "0"),
        ("answer_seconds", "0.0"),
        ("answer_bytes", "5"),
        ("fetch_seconds", "0.0"),
        ("keys_minutes", "0"),
        ("metadata_minutes", "0"),
    ],
)
def test_a_wrong_value_is_told_with_its_key(key, value):
    assert any(found.startswith(f"sso.{key}") for found in faults(**{key: value}))


@pytest.mark.parametrize("missing", sorted(OTHER))
def test_another_provider_is_named_whole_or_not_at_all(missing):
    told = faults(**{key: value for key, value in OTHER.items() if key != missing})
    assert list(told) == [f"sso.{missing}"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("discovery", '"http://sso.chu.example/x"'),
        ("discovery", '"https://elsewhere.example/.well-known/openid-configuration"'),
        ("discovery", '"https://sso.chu.example@evil.example/x"'),
        ("issuer", '"ftp://sso.chu.example"'),
        ("issuer", '"http://127.0.0.1:9"'),
        ("origins", '["https://sso.chu.example", "https://sso.chu.example/path"]'),
        ("origins", '["https://sso.chu.example", "https://SSO.chu.example"]'),
        ("origins", '["https://sso.chu.example", "http://sso.chu.example"]'),
    ],
)
def test_an_address_that_cannot_be_pinned_is_told(key, value):
    assert list(faults(**OTHER | {key: value})) == [f"sso.{key}"]


def test_plain_http_is_for_loopback_in_the_sandbox_alone():
    here = {
        "discovery": '"http://127.0.0.1:9/d"',
        "issuer": '"http://127.0.0.1:9"',
        "origins": '["http://127.0.0.1:9"]',
    }
    assert section(**here, sandbox="true").pinned.issuer == "http://127.0.0.1:9"
    assert {"sso.discovery", "sso.issuer", "sso.origins"} == set(faults(**here))


def test_everything_that_does_not_fit_is_told_at_once():
    told = faults(
        issuer='"https://sso.chu.example"',
        client_auth='"tls"',
        private_key_file='"k"',
        ciba="true",
        national_id_claim='""',
    )
    wrong = {"discovery", "origins", "secret_file", "private_key_file", "certificate", "certificate_key", "ciba"}
    assert set(told) == {f"sso.{key}" for key in wrong}


@pytest.mark.parametrize("auth", ["secret-basic", "secret-post", "private-key", "tls"])
def test_no_way_to_prove_ourselves_goes_without_its_file(auth):
    assert faults(client_auth=f'"{auth}"', secret_file=None)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_a_secret_that_others_can_read_is_not_taken(folder, mode):
    for name in ("psc.secret", "key.pem", "tls.key"):
        (folder / name).chmod(mode)
    tls = {"client_auth": '"tls"', "certificate": '"tls.pem"', "certificate_key": '"tls.key"'}
    ways = [
        {},
        {"client_auth": '"private-key"', "secret_file": None, "private_key_file": '"key.pem"'},
        {**tls, "secret_file": None},
    ]
    for way in ways:
        with pytest.raises(StartError, match="0600"):
            made(folder, **way)


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines", b"\xff\xfe", b"x" * 5000, b"nul\x00"])
def test_a_secret_is_one_line_of_text_and_is_never_shown(folder, content):
    (folder / "psc.secret").write_bytes(content)
    with pytest.raises(StartError) as error:
        made(folder)
    assert "psc.secret" in str(error.value)
    assert "two" not in str(error.value)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(StartError, match="nowhere"):
        read_secret(tmp_path / "nowhere", 10)


def test_the_examples_of_the_readme_are_good_settings():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    examples = [part.partition("```")[0] for part in text.split("```toml\n")[1:]]
    shown = [one for one in examples if one.startswith("[sso]")]
    assert len(shown) == 2
    for one in shown:
        assert parse_settings(LEAST + one, "herse.toml", Path("etc")).sso is not None
