# SPDX-License-Identifier: EUPL-1.2
"""E4: a certificate in a field counts from the named terminator, once, in one form; other fields end the visit."""

from __future__ import annotations

import logging
import ssl
from base64 import b64encode
from contextlib import suppress
from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st
from identity.bad_cards import bad_cards, der, make_world
from identity.card_world import AT, CPS

from gateway.errors import Refused
from gateway.listener.card_header import CLIENT_CERT, Direct, Fronted, PlainTalk, read_byte_sequence, read_escaped_pem
from gateway.listener.card_request import BadRequestError, Fault
from gateway.listener.card_tls import HopTls
from gateway.model import Reason
from gateway.settings_card import NGINX_FIELD
from support.card_host import RunningCardHost, byte_sequence, escaped_pem
from support.servers import LOOPBACK, wait_until
from support.tls import Authority

WORLD = make_world()
CARD = der(WORLD.good())
PEM = ssl.DER_cert_to_PEM_cert(CARD).encode()
PEER, ELSEWHERE = frozenset({LOOPBACK}), "127.0.0.2"
RFC = (CLIENT_CERT, byte_sequence(CARD))
NGINX = (NGINX_FIELD, escaped_pem(CARD))


@pytest.fixture(scope="module", params=["rfc", "nginx"])
def fronted(request, tmp_path_factory):
    """A host behind a terminator on this machine, and the field that it takes."""
    field = None if request.param == "rfc" else NGINX_FIELD
    folder = tmp_path_factory.mktemp("host")
    with RunningCardHost(folder, WORLD.trust(), WORLD.lists(), front=Fronted(PEER, field, None)) as host:
        host.at = AT
        yield host, RFC if field is None else NGINX


def test_the_one_field_brings_the_card(fronted):
    host, (name, value) = fronted
    for spelling in (name, name.upper(), name.lower()):
        secret = host.waiting()
        came = host.ask(secret, (spelling, value))
        assert host.redeem(came, secret).outcome.national_id == CPS.common_name


def test_without_the_field_there_is_no_card_whatever_else_is_said(fronted):
    host, _ = fronted
    for said in (
        (),
        (("SSL_CLIENT_VERIFY", b"SUCCESS"), ("X-SSL-Client-Verify", b"SUCCESS"), ("X-SSL-Client-S-DN", b"x")),
    ):
        secret = host.waiting()
        assert host.redeem(host.ask(secret, *said), secret).outcome is Reason.CARD_MISSING


def test_B7_two_of_them_are_refused_even_if_they_are_equal(fronted, caplog):
    host, (name, value) = fronted
    for first, second in ((value, value), (value, b""), (b"", value)):
        secret = host.waiting()
        with caplog.at_level(logging.WARNING, "gateway.listener.card_host"):
            came = host.ask(secret, (name, first), (name.swapcase(), second))
        assert (came.status, came.location) == (400, "")
        assert "certificate" in came.said
        assert host.tickets.find(secret, AT).ticket is None
        assert caplog.records[-1].fault == "field_repeated"


@pytest.mark.parametrize(
    "other",
    [
        "X-Forwarded-Client-Cert", "X-Forwarded-Tls-Client-Cert", "X-Client-Cert", "SSL-Client-Cert", "SSL_CLIENT_CERT",
        "X_SSL_Client_Cert", "Client_Cert", "client_cert_chain", "X-SSL-Cert", "X-ARR-ClientCert",
    ],
)  # fmt: skip
def test_B1_B7_a_field_of_another_form_beside_it_or_alone_is_refused(fronted, other, caplog):
    host, one = fronted
    for fields in ((one, (other, b"x")), ((other, one[1]),)):
        secret = host.waiting()
        with caplog.at_level(logging.WARNING, "gateway.listener.card_host"):
            assert host.ask(secret, *fields).status == 400
        assert host.tickets.find(secret, AT).ticket is None
        assert caplog.records[-1].fault == "field_of_another_form"


def test_the_other_form_is_refused(fronted):
    host, one = fronted
    other = NGINX if one is RFC else RFC
    for fields in ((other,), (one, other), (other, one)):
        secret = host.waiting()
        assert host.ask(secret, *fields).status == 400


def test_a_chain_is_passed_over_by_rfc_9440_and_refused_beside_nginxs_field(fronted):
    host, one = fronted
    for chain in (byte_sequence(CARD), b"rubbish"):
        secret = host.waiting()
        came = host.ask(secret, one, ("Client-Cert-Chain", chain), ("Client-Cert-Chain", chain))
        assert came.status == (303 if one is RFC else 400)


def test_nobody_but_the_terminator_is_heard(fronted, caplog):
    host, one = fronted
    for fields in ((one,), ()):
        secret = host.waiting()
        with caplog.at_level(logging.WARNING, "gateway.listener.card_host"):
            came = host.ask(secret, *fields, source=ELSEWHERE)
        assert (came.status, came.location) == (421, "")
        assert "terminator" in came.said
        assert host.tickets.find(secret, AT).ticket is None
        line = caplog.records[-1]
        assert (line.message, line.fault, line.peer) == ("card-field-refused", "not_the_terminator", ELSEWHERE)


def test_a_socket_for_both_families_knows_the_terminator_too():
    front = Fronted(frozenset({LOOPBACK, "2001:db8::1"}), None, None)
    assert front.names("::ffff:127.0.0.1")
    assert front.names("2001:db8::1")
    for other in ("::ffff:127.0.0.2", "2001:db8::10", "127.0.0.10", ""):
        assert not front.names(other)


def test_what_is_no_certificate_is_told_to_the_person(fronted):
    host, (name, _) = fronted
    for value in (b"", b"x", b"::", b"(null)", RFC[1] if name == NGINX_FIELD else NGINX[1], RFC[1] + b", " + RFC[1]):
        secret = host.waiting()
        assert host.redeem(host.ask(secret, (name, value)), secret).outcome is Reason.CARD_MALFORMED


def test_a_crowd_comes_through_one_terminator(fronted):
    host, _ = fronted
    assert host._host._limits.connections_of_peer == 50
    held = [host.connect() for _ in range(60)]
    try:
        secret = host.waiting()
        assert host.ask(secret).status == 303
        strangers = host._host._open
        assert len(strangers) >= 60
    finally:
        for link in held:
            link.close()
    wait_until("all gone", lambda: not host._host._open)


def test_promise_10_where_no_terminator_is_named_no_field_is_believed(tmp_path, caplog):
    with RunningCardHost(tmp_path, WORLD.trust(), WORLD.lists()) as host:
        for name, value in (RFC, NGINX, ("X_Client_Cert", b""), ("Client-Cert-Chain", b"x")):
            secret = host.waiting()
            with caplog.at_level(logging.WARNING, "gateway.listener.card_host"):
                came = host.present(None, secret, "--header", f"{name}: {value.decode()}" if value else f"{name};")
            assert (came.status, came.location) == (400, ""), came.said
            assert host.tickets.find(secret, host.clock()).ticket is None
            assert caplog.records[-1].fault == "field_not_believed"
        secret = host.waiting()
        came = host.present(None, secret, "--header", "SSL_CLIENT_VERIFY: SUCCESS")
        assert host.redeem(came, secret).outcome is Reason.CARD_MISSING


def test_every_bad_card_of_the_table_is_refused_through_the_field_as_by_the_judge(fronted):
    host, (name, _) = fronted
    form = byte_sequence if name == CLIENT_CERT else escaped_pem
    came, expected = {}, {}
    trust, lists = host.trust, host.lists
    try:
        for row, bad in bad_cards(WORLD).items():
            if (bad.chain and row.startswith("chain ")) or len(bad.certificate) > 4000:
                continue  # no chain is read here; the head of a request ends before the largest
            host.trust, host.lists = bad.trust, bad.lists
            secret = host.waiting()
            expected[row] = bad.reason
            came[row] = host.redeem(host.ask(secret, (name, form(bad.certificate))), secret).outcome
    finally:
        host.trust, host.lists = trust, lists
    assert came == expected
    assert len(came) > 50


def test_a_terminator_on_another_machine_shows_its_own_certificate(tmp_path):
    ours, theirs = Authority(tmp_path / "ours"), Authority(tmp_path / "theirs")
    chain, key = ours.issue("localhost", LOOPBACK)
    hop, stranger = theirs.issue("hop"), Authority(tmp_path / "other").issue("hop")
    for trusted, shown, good in (
        (theirs.certificate, hop, True),
        (hop[0], hop, True),
        (theirs.certificate, stranger, False),
        (theirs.certificate, None, False),
        (theirs.certificate, theirs.issue("late", valid_for=-AT.resolution), False),
    ):
        front = Fronted(PEER, None, HopTls(chain, key, trusted))
        with RunningCardHost(tmp_path / "h", WORLD.trust(), WORLD.lists(), front=front) as host:
            host.at = AT
            secret = host.waiting()
            words = ["--header", f"Client-Cert: {RFC[1].decode()}", "--cacert", ours.certificate]
            words += ["--cert", shown[0], "--key", shown[1]] if shown else []
            came = host.present(None, secret, *words)
            if good:
                assert host.redeem(came, secret).outcome.national_id == CPS.common_name
                for source in (ELSEWHERE,):
                    assert host.present(None, host.waiting(), *words, "--interface", source).status == 421
            else:
                assert came.status is None
                assert host.tickets.find(secret, AT).ticket is None
                assert host.tickets.failed_since(LOOPBACK, AT) is None, "nobody's card"


GOOD_FORMS = [(read_byte_sequence, RFC[1]), (read_escaped_pem, NGINX[1])]


@pytest.mark.parametrize(("read", "value"), GOOD_FORMS)
def test_each_form_gives_the_bytes(read, value):
    assert read(value) == CARD


def test_what_nginx_needs_not_escape_may_stand_and_lower_case_escapes_too():
    assert read_escaped_pem(PEM.replace(b"\n", b"%0A").replace(b" ", b"%20")) == CARD
    assert read_escaped_pem(quote(PEM.rstrip(), safe="").encode()) == CARD
    assert read_escaped_pem(NGINX[1].replace(b"%0A", b"%0a").replace(b"%2B", b"%2b")) == CARD


TEXT = b64encode(CARD)
BODY = PEM.split(b"\n", 1)[1].split(b"\n-----END")[0]


@pytest.mark.parametrize(
    "value",
    [
        TEXT, b":" + TEXT, TEXT + b":", b"::", b":" + TEXT + b":;a=b", b":" + TEXT + b": ", b": " + TEXT + b":",
        b":%b:, :%b:" % (TEXT, TEXT), b":" + TEXT[:40] + b" " + TEXT[40:] + b":", b":" + TEXT.rstrip(b"=") + b"=:",
        b":A:", b":AA:", b":AB==:", b":====:", b'"' + TEXT + b'"', b"?1", b":" + TEXT.replace(b"+", b"-") + b":",
    ],
)  # fmt: skip
def test_what_is_no_byte_sequence(value):
    with pytest.raises(Refused, match="card-malformed"):
        read_byte_sequence(value)


@pytest.mark.parametrize(
    "value",
    [
        PEM, quote(NGINX[1], safe="").encode(), NGINX[1] + NGINX[1], NGINX[1] + b"%0A", b"%20" + NGINX[1],
        NGINX[1].replace(b"%20", b"+"), NGINX[1].replace(b"%0A", b"%0D%0A"), NGINX[1].replace(b"%0A", b"%09"),
        NGINX[1].replace(b"CERTIFICATE", b"TRUSTED%20CERTIFICATE"), NGINX[1][:-40], NGINX[1] + b"%", NGINX[1] + b"%zz",
        NGINX[1].replace(b"BEGIN%20CERTIFICATE", b"BEGIN%20PRIVATE%20KEY"), quote(BODY, safe="").encode(),
        quote(b"-----BEGIN CERTIFICATE-----\n=\n-----END CERTIFICATE-----\n", safe="").encode(), b"x" * 9000,
        quote(b"-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n", safe="").encode(), NGINX[1] + b"\xe9",
    ],
)  # fmt: skip
def test_what_is_no_pem_escaped_once(value):
    with pytest.raises(Refused, match="card-malformed"):
        read_escaped_pem(value)


@given(st.binary(max_size=300), st.sampled_from(GOOD_FORMS), st.integers(0, 3000), st.integers(0, 300))
def test_what_is_read_from_any_bytes_stood_there(data, form, place, cut):
    read, value = form
    for one in (data, value[:place] + data + value[place + cut :]):
        with suppress(Refused):
            assert b64encode(read(one)) in unquote_to_bytes(one).replace(b"\n", b"")


def test_a_conversation_without_tls_has_no_certificate_of_its_own():
    with pytest.raises(BadRequestError) as caught:
        Direct(None).certificate(PlainTalk(None), ())
    assert caught.value.fault is Fault.FIELD_NOT_BELIEVED
