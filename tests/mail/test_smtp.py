# SPDX-License-Identifier: EUPL-1.2
"""The courier by SMTP against a real server: what is final, what is tried again, and that nothing goes in clear."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from datetime import timedelta

import pytest

from gateway.errors import StartError
from gateway.mail.courier import NotSent, message_of
from gateway.mail.smtp import SmtpCourier, SmtpServer
from support.servers import LOOPBACK, free_port
from support.tls import Authority

from .conftest import LETTER, SENDER, T0

MESSAGE = message_of(LETTER, SENDER, "00ff", T0)


def courier(port, tls="none", host=LOOPBACK, wait_seconds=5.0, **values):
    return SmtpCourier(SmtpServer(host, port, tls, **values), wait_seconds=wait_seconds)


def server_context(authority, *names):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue(*names))
    return context


def fails(courier):
    with pytest.raises(NotSent) as caught:
        courier.send(MESSAGE)
    assert LETTER.to not in str(caught.value)
    return caught.value


def test_a_letter_is_taken_in_clear_on_this_machine(serving, mailbox):
    courier(serving()).send(MESSAGE)
    ((sender, recipients, content, tls),) = mailbox.taken
    assert (sender, recipients, tls) == (SENDER, [LETTER.to], False)
    assert b"Message-ID: <00ff@portail.example>\r\n" in content


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_letter_is_taken_by_tls_with_a_user(serving, mailbox, authority, tls):
    context = server_context(authority, LOOPBACK)
    by_command = {"tls_context": context, "require_starttls": True, "auth_required": True}
    port = serving(**by_command) if tls == "starttls" else serving(context=context, auth_require_tls=False)
    courier(port, tls, authority=authority.certificate, user="herse", password="right").send(MESSAGE)
    ((_, _, _, sealed),) = mailbox.taken
    assert sealed
    assert mailbox.known == [(b"herse", b"right")]


@pytest.mark.parametrize("tls", ["starttls", "tls"])
@pytest.mark.parametrize("fault", ["another authority", "another name", "expired"])
def test_a_certificate_is_verified(serving, mailbox, authority, tmp_path, *, tls, fault):
    signer = Authority(tmp_path / "other") if fault == "another authority" else authority
    context = server_context(signer, "mail.example" if fault == "another name" else LOOPBACK)
    if fault == "expired":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*Authority(tmp_path).issue(LOOPBACK, valid_for=timedelta(hours=-1)))
    trusted = tmp_path / "authority.pem" if fault == "expired" else authority.certificate
    port = serving(**({"context": context} if tls == "tls" else {"tls_context": context}))
    error = fails(courier(port, tls, authority=trusted, user="herse", password="right"))
    assert (error.why, error.final) == ("SSLCertVerificationError", False)
    assert (mailbox.taken, mailbox.known) == ([], [])


def test_without_starttls_nothing_goes_in_clear(serving, mailbox, authority):
    error = fails(courier(serving(), "starttls", authority=authority.certificate))
    assert (error.why, error.final) == ("SMTPNotSupportedError", False)
    assert mailbox.taken == []


@pytest.mark.parametrize("place", ["to_recipient", "to_data"])
@pytest.mark.parametrize(("code", "final"), [(550, True), (554, True), (450, False), (452, False), (421, False)])
def test_what_is_said_of_the_letter_is_final_by_5xx_alone(serving, mailbox, place, code, final):
    setattr(mailbox, place, f"{code} no, not for pharmacie@exemple.example")
    error = fails(courier(serving()))
    assert (error.why, error.final) == (f"smtp {code}", final)


def test_what_is_said_of_us_is_tried_again(serving, mailbox):
    port = serving(auth_require_tls=False)
    error = fails(courier(port, user="herse", password="wrong"))
    assert (error.why, error.final) == ("smtp 535", False)
    mailbox.to_sender = "550 5.7.1 who are you"
    error = fails(courier(port))
    assert (error.why, error.final) == ("smtp 550", False)
    mailbox.to_sender = None
    courier(port).send(MESSAGE)
    assert len(mailbox.taken) == 1


def test_nobody_there_is_tried_again():
    error = fails(courier(free_port()))
    assert (error.why, error.final) == ("ConnectionRefusedError", False)


@pytest.fixture
def answering():
    """A server that answers each connection with these bytes, one by one every `pause` seconds, and reads nothing."""
    listening = socket.create_server((LOOPBACK, 0))
    ending = threading.Event()

    def start(answer=b"", pause=0.0):
        def serve():
            connection, _ = listening.accept()
            with connection:
                try:
                    for byte in answer:
                        connection.sendall(bytes([byte]))
                        if pause and ending.wait(pause):
                            return
                    ending.wait(20)
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        threads.append(thread)
        return listening.getsockname()[1]

    threads = []
    yield start
    ending.set()
    for thread in threads:
        thread.join()
    listening.close()


def test_a_server_that_greets_us_away_is_tried_again(answering):
    assert fails(courier(answering(b"554 go away\r\n"))).why == "smtp 554"


@pytest.mark.parametrize("tls", ["none", "starttls", "tls"])
def test_a_silent_server_is_left_after_the_wait(answering, tls):
    began = time.monotonic()
    error = fails(courier(answering(), tls, wait_seconds=0.2))
    assert not error.final
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("tls", ["none", "tls"])
def test_hanging_up_ends_a_sending_at_any_moment(answering, tls):
    waiting = courier(answering(b"220 " + b"x" * 500, pause=0.05), tls, wait_seconds=15)
    waiting.hang_up()  # nothing is at work: nothing happens
    ended = []
    thread = threading.Thread(target=lambda: ended.append(fails(waiting)))
    thread.start()
    deadline = time.monotonic() + 10
    while (waiting._line is None or waiting._line.sock is None) and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.2)
    began = time.monotonic()
    waiting.hang_up()
    thread.join()
    assert time.monotonic() - began < 3
    assert not ended[0].final


@pytest.mark.parametrize("host", ["mail.example", "192.0.2.1", "0.0.0.0", "localhost.example"])
def test_in_clear_to_another_machine_is_no_setting(host):
    with pytest.raises(StartError, match="expected TLS"):
        courier(25, "none", host)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1"])
def test_in_clear_to_this_machine_is_one(host):
    courier(25, "none", host)


def test_an_authority_that_is_none_is_said_at_the_start(tmp_path):
    with pytest.raises(StartError, match=r"mail\.authority"):
        courier(25, "tls", authority=tmp_path / "nothing.pem")
    (tmp_path / "empty.pem").write_text("no certificate")
    with pytest.raises(StartError, match=r"mail\.authority"):
        courier(25, "tls", authority=tmp_path / "empty.pem")


def test_the_password_is_not_in_its_repr():
    assert "secret" not in repr(SmtpServer("mail.example", 25, user="herse", password="secret"))
