# SPDX-License-Identifier: EUPL-1.2
"""The public listener under TLS, and what keeps it from starting: told in a sentence, before a port opens."""

from __future__ import annotations

import socket
import ssl
import warnings

import pytest
from listener.wire_table import get, post

from support.house import House
from support.raw import exchange
from support.servers import LOOPBACK, free_port
from support.tls import Authority


@pytest.fixture(scope="module")
def house(tmp_path_factory, echo):
    return House(tmp_path_factory.mktemp("tls") / "h", echo.url, tls=True)


def client(house, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(house.authority))
    if version is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version
        if version < ssl.TLSVersion.TLSv1_2:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_work(echo, house, gateway, version):
    big = post(b"Connection: close\r\nContent-Length: 500000\r\n", b"z" * 500_000)
    came = exchange(gateway, get(target=b"/tls"), tls=client(house, version), seconds=20, due=1)
    assert came.statuses() == [200]
    assert echo.of(b"/tls")[-1].all(b"x-forwarded-proto") == [b"https"]
    came = exchange(gateway, big, tls=client(house, version), seconds=2)
    assert came.answers()[0].body.endswith(b"z" * 500_000)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_older_versions_are_refused(house, gateway, version):
    with pytest.raises(ssl.SSLError):
        exchange(gateway, get(), tls=client(house, version), seconds=2)


@pytest.mark.parametrize("ciphers", ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "eNULL:aNULL"])
def test_no_cipher_without_forward_secrecy_or_authenticated_encryption(house, gateway, ciphers):
    context = client(house, ssl.TLSVersion.TLSv1_2)
    context.set_ciphers(ciphers + ":@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        exchange(gateway, get(), tls=context, seconds=2)


def test_plain_http_on_the_tls_port_gets_nothing(echo, gateway):
    before = len(echo.seen)
    came = exchange(gateway, get(), seconds=2)
    assert b"HTTP/1.1 2" not in came.received
    assert len(echo.seen) == before


def test_refusals_and_cuts_work_under_tls_too(echo, house, gateway):
    came = exchange(gateway, b"GET /x HTTP/1.1\r\n\r\n" + b"z" * 100_000, tls=client(house), seconds=3)
    assert came.statuses() == [400]
    assert came.answers()[0].whole
    echo.on(
        b"/breaks", lambda talk, seen: (talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), talk.close())
    )
    came = exchange(gateway, get(target=b"/breaks"), tls=client(house), seconds=3)
    assert [(one.status, one.whole) for one in came.answers()] == [(200, False)]


def test_a_port_in_use_stops_the_start(tmp_path, echo):
    with socket.create_server((LOOPBACK, 0)) as taken:
        house = House(tmp_path / "h", echo.url, port=taken.getsockname()[1])
        code, said = house.fails_to_start()
    assert code == 2
    assert f"{LOOPBACK}:{house.port}" in said
    assert "Address already in use" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("fault", ["missing", "rubbish", "empty", "another key", "no key"])
def test_D3_an_unusable_certificate_stops_the_start(tmp_path, echo, fault):
    house = House(tmp_path / "h", echo.url, tls=True, port=free_port())
    chain, key = house.folder / "certs" / "server.pem", house.folder / "certs" / "server.key"
    if fault == "missing":
        chain.unlink()
    elif fault == "no key":
        key.unlink()
    elif fault == "another key":
        key.write_bytes(Authority(tmp_path / "other").issue("localhost")[1].read_bytes())
    else:
        chain.write_text("" if fault == "empty" else "rubbish")
    code, said = house.fails_to_start()
    assert code == 2
    assert "server." in said
    assert "PEM" in said
    assert len(said.splitlines()) == 1
