# SPDX-License-Identifier: EUPL-1.2
"""The section `[sso]` in a whole gateway: what keeps it from starting, and a provider that is down, which does not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.settings import parse_settings
from gateway.sso_gate import SsoGate
from support.house import House
from support.provider import CLIENT_SECRET, DISCOVERY, DROP, StandInProvider
from support.servers import free_port, wait_until
from support.settings_file import LEAST, NOBODY, sso_section

pytestmark = pytest.mark.system


@pytest.fixture
def provider():
    with StandInProvider() as provider:
        yield provider


@pytest.fixture
def house(tmp_path, provider):
    """Make a house with a provider; `more` settings of its section."""

    def make(**more):
        sso = sso_section(provider, "psc.secret") | more
        made = House(tmp_path / "h", NOBODY, settings={"sso": sso})
        (made.folder / "psc.secret").write_text(CLIENT_SECRET, encoding="utf-8")
        (made.folder / "psc.secret").chmod(0o600)
        return made

    return make


def started(house):
    """Start one that will not; (exit code, the last line that it said)."""
    code, said = house.fails_to_start()
    return code, said.splitlines()[-1]


def test_without_the_section_nothing_is_asked_and_nothing_closed():
    gate = SsoGate(parse_settings(LEAST, "herse.toml", Path()), None, None, None)
    asyncio.run(gate.start())
    asyncio.run(gate.close())
    assert gate.desk is None


def test_a_provider_that_is_as_pinned_is_asked_before_anybody_is_served(house, provider):
    with house(ciba=True).serve() as process:
        assert provider.count(DISCOVERY) == 1
        assert process.stop() == 0
        log = process.log.read_text()
    assert log.index('"event": "serving-sso"') < log.index('"event": "serving"')
    assert "failed" not in log
    assert CLIENT_SECRET not in log


def test_a_provider_that_is_down_stops_nobody(house):
    nobody = f"http://127.0.0.1:{free_port()}"
    made = house(discovery=f"{nobody}/d", issuer=nobody, origins=[nobody])
    with made.serve() as process:
        wait_until("it is told", lambda: "sso-unreachable-at-start" in process.log.read_text())
        assert process.stop() == 0


@pytest.mark.parametrize(
    ("metadata", "more", "said"),
    [
        ({"issuer": "https://elsewhere.example"}, {}, "issuer"),
        ({"token_endpoint": "https://elsewhere.example/token"}, {}, "token_endpoint"),
        ({"code_challenge_methods_supported": ["plain"]}, {}, "S256"),
        ({"backchannel_authentication_endpoint": DROP}, {"ciba": True}, "backchannel_authentication_endpoint"),
    ],
)
def test_a_provider_that_is_not_as_pinned_stops_the_start(house, provider, metadata, more, said):
    provider.metadata = metadata
    code, told = started(house(**more))
    assert code == 2
    assert told.startswith("herse: ")
    assert said in told


def test_without_the_phone_a_provider_need_not_ask_on_it(house, provider):
    provider.metadata = {"backchannel_authentication_endpoint": DROP}
    with house().serve() as process:
        assert process.stop() == 0


def test_a_secret_that_others_can_read_stops_the_start(house):
    made = house()
    (made.folder / "psc.secret").chmod(0o644)
    code, told = started(made)
    assert code == 2
    assert "0600" in told
    assert CLIENT_SECRET not in told


def test_a_section_that_contradicts_itself_stops_the_start_with_every_fault(house):
    code, said = house(client_auth="tls", algorithms=["HS256"]).fails_to_start()
    assert code == 2
    assert "sso.algorithms" in said
