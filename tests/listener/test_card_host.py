# SPDX-License-Identifier: EUPL-1.2
"""The card listener over real sockets: one card, one ticket; what is no card, no request, or too slow gets none."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.demo.card_pki import STRONG, cast_bearers, make_card_pki, new_key, sign
from gateway.demo.card_responder import make_list
from gateway.identity.revocation import RevocationLists
from gateway.identity.tickets import state_of
from gateway.listener.card_host import CardLimits
from gateway.model import Reason
from support.card_host import PUBLIC, RunningCardHost, pem_file
from support.servers import LOOPBACK, wait_until

NOW = datetime.now(UTC)
BACK = f"{PUBLIC}/.herse/card/back"
QUICK = CardLimits(handshake_seconds=1.0, head_seconds=1.0, connections=20, connections_of_peer=12)


@pytest.fixture(scope="module")
def pki():
    return make_card_pki(NOW)


@pytest.fixture(scope="module")
def lists(pki):
    found = RevocationLists(pki.trust())
    for authority in pki.authorities.values():
        if authority.certificate in found.trust.authorities():
            found.accept(make_list(authority, NOW), NOW)
    return found


@pytest.fixture(scope="module")
def claire(pki, tmp_path_factory):
    """A demo holder's card, as a PEM file."""
    card = pki.issue(cast_bearers()[0], NOW)
    return pem_file(tmp_path_factory.mktemp("card") / "claire.pem", card.certificate, card.key)


@pytest.fixture(scope="module")
def host(tmp_path_factory, pki, lists):
    with RunningCardHost(tmp_path_factory.mktemp("host"), pki.trust(), lists) as running:
        yield running


@pytest.fixture
def quick(tmp_path, pki, lists):
    with RunningCardHost(tmp_path / "quick", pki.trust(), lists, QUICK) as running:
        yield running


def test_a_card_gets_a_ticket_that_carries_its_holder(host, claire):
    secret = host.waiting()
    came = host.present(claire, secret)
    assert came.status == 303
    assert came.location.startswith(f"{BACK}?ticket=")
    outcome = host.redeem(came, secret).outcome
    assert (outcome.rpps, outcome.family_name) == ("10000000009", "FONTAINE")


def test_without_a_card_the_ticket_says_so(host):
    secret = host.waiting()
    came = host.present(None, secret)
    assert came.status == 303
    assert host.redeem(came, secret).outcome is Reason.CARD_MISSING


def test_where_nobody_waits_there_is_no_ticket(host, claire):
    came = host.curl(f"/card?state={'x' * 43}", "--cert", claire)
    assert (came.status, came.location) == (303, BACK)


def test_an_expired_card_gets_through_the_handshake_to_its_own_reason(host, pki, tmp_path):
    bearer, key = cast_bearers()[0], new_key()
    draft = pki.draft(bearer, NOW)
    for name, begins, ends, reason in (
        ("expired", -10, -1, Reason.CARD_EXPIRED),
        ("early", 1, 10, Reason.CARD_NOT_YET_VALID),
    ):
        dated = replace(draft, not_before=NOW + timedelta(days=begins), not_after=NOW + timedelta(days=ends))
        certificate = pem_file(tmp_path / name, sign(dated, pki.people(STRONG), key), key)
        secret = host.waiting()
        assert host.redeem(host.present(certificate, secret), secret).outcome is reason


def test_what_a_certificate_does_to_its_reader_opens_nothing(host, claire):
    host.failed = RuntimeError("a parser's fault")
    secret = host.waiting()
    try:
        came = host.present(claire, secret)
    finally:
        host.failed = None
    assert host.redeem(came, secret).outcome is Reason.INTERNAL_ERROR


def handshake(host, claire, name="localhost", context=None):
    """A whole visit by bare TLS, with any server name; what the ticket is worth, and the session."""
    secret = host.waiting()
    context = context or host.client(claire)
    context.check_hostname = False
    with context.wrap_socket(host.connect(), server_hostname=name) as link:
        link.sendall(request(host, secret))
        answer = received(link)
        session = link.session
    location = answer.partition(b"location: ")[2].partition(b"\r\n")[0].decode()
    return host.tickets.redeem(location.partition("?ticket=")[2], secret, host.clock()).outcome, session


def request(host, secret, line=b"GET %b HTTP/1.1", more=b""):
    target = f"/card?state={state_of(secret)}".encode()
    return (line % target if b"%b" in line else line) + b"\r\nHost: localhost:%d\r\n%b\r\n" % (host.port, more)


def received(link):
    found = b""
    while piece := link.recv(65_536):
        found += piece
    return found


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "localhost.", "*.localhost", "other.example", None])
def test_D2_whatever_the_server_name_a_card_is_a_card_and_none_is_none(host, claire, name):
    assert handshake(host, claire, name)[0].rpps == "10000000009"
    assert handshake(host, None, name)[0] is Reason.CARD_MISSING


def test_D2_a_client_hello_in_pieces_changes_nothing(host, claire):
    for certificate, expected in ((claire, None), (None, Reason.CARD_MISSING)):
        secret, link = host.waiting(), host.connect()
        into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = host.client(certificate).wrap_bio(into, out, server_hostname="localhost")
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def pump(tls_step, link=link, into=into, out=out):
            while True:
                try:
                    result = tls_step()
                except ssl.SSLWantReadError:
                    for byte in (data := out.read()):
                        link.send(bytes([byte]))
                        if len(data) > 300:
                            time.sleep(0.0001)
                    into.write(link.recv(65_536))
                else:
                    return result

        pump(tls.do_handshake)
        tls.write(request(host, secret))
        answer = pump(lambda tls=tls: tls.read(65_536))
        ticket = answer.partition(b"?ticket=")[2].partition(b"\r\n")[0].decode()
        outcome = host.tickets.redeem(ticket, secret, host.clock()).outcome
        assert outcome is expected if expected else outcome.rpps
        link.close()


def test_D1_no_session_is_ever_resumed(host, claire, tmp_path):
    script = "printf 'GET /x HTTP/1.1\\r\\n\\r\\n' | openssl s_client -tls1_2"
    script += f" -connect {LOOPBACK}:{host.port} -cert {claire}"
    said = subprocess.run(["sh", "-c", f"{script} -reconnect 2>&1"], capture_output=True, text=True, check=False).stdout
    assert said.count("New, TLSv1.2") == 6
    assert "Reused" not in said
    kept = tmp_path / "session"
    subprocess.run(["sh", "-c", f"{script} -sess_out {kept}"], capture_output=True, check=False)
    said = subprocess.run(
        ["sh", "-c", f"{script} -sess_in {kept} 2>&1"], capture_output=True, text=True, check=False
    ).stdout
    assert "New, TLSv1.2" in said
    assert "Reused" not in said
    _, session = handshake(host, claire)
    assert not session.has_ticket


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1", "-tls1_3"])
def test_tls_1_2_alone(host, version):
    command = ["openssl", "s_client", version, "-cipher", "DEFAULT:@SECLEVEL=0", "-connect", f"{LOOPBACK}:{host.port}"]
    came = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert came.returncode != 0
    assert "alert" in came.stderr


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", b"404 Not Found"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400 Bad Request"),
        (b"x" * 20_000, b"400 Bad Request"),
    ],
)
def test_it_answers_once_and_closes(host, claire, data, status):
    with host.client(claire).wrap_socket(host.connect(), server_hostname="localhost") as link:
        link.sendall(data % host.port if b"%d" in data else data)
        answer = received(link)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"\r\nconnection: close\r\n" in answer
    assert b"strict-transport-security" in answer
    assert answer.count(b"HTTP/1.1") == 1


def test_a_second_request_on_a_connection_is_never_read(host, claire):
    first, second = host.waiting(), host.waiting()
    with host.client(claire).wrap_socket(host.connect(), server_hostname="localhost") as link:
        link.sendall(request(host, first) + request(host, second))
        assert received(link).count(b"HTTP/1.1") == 1
    assert host.tickets.find(second, host.clock()).ticket is None


def closed_within(link, seconds):
    link.settimeout(seconds)
    try:
        return link.recv(1) == b""
    except ConnectionResetError:
        return True


def test_who_says_nothing_is_sent_away(quick, claire):
    with quick.connect() as silent, quick.connect() as slow:
        slow.send(b"\x16\x03\x01")
        assert closed_within(silent, 3)
        assert closed_within(slow, 3)
    with quick.client(claire).wrap_socket(quick.connect(), server_hostname="localhost") as link:
        link.sendall(b"GET /card?state=")
        assert closed_within(link, 3)


def test_one_address_has_so_many_connections_and_no_more_until_they_end(tmp_path, pki, lists, claire):
    limits = replace(QUICK, handshake_seconds=60.0)
    with RunningCardHost(tmp_path / "few", pki.trust(), lists, limits) as few:
        held = [few.connect() for _ in range(12)]
        wait_until("all taken", lambda: len(few._host._open) == 12)
        with few.connect() as more:
            assert closed_within(more, 10)
        for link in held:
            link.close()
        wait_until("all gone", lambda: not few._host._open)
        assert few.present(claire).status == 303
        wait_until("counted down", lambda: not few._host._of_peer)


def test_fifty_cards_at_once(host, claire):
    def visit(_):
        secret = host.waiting()
        return host.redeem(host.present(claire, secret), secret).outcome.rpps

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(visit, range(50))) == {"10000000009"}


def test_after_a_failed_handshake_the_next_card_is_read(host, claire):
    for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x05hello", b"\x80" * 5000):
        with host.connect() as link:
            link.sendall(data)
            assert b"HTTP" not in link.recv(1000)
    assert host.present(claire).status == 303
