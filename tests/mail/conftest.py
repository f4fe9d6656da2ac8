# SPDX-License-Identifier: EUPL-1.2
"""For the tests of this room: an outbox on disk, a real mail server on loopback, and a clock that moves when told."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from gateway.identity.at_rest import AtRest
from gateway.mail.letter import Letter
from gateway.mail.outbox import Outbox
from gateway.mail.outbox_file import create_outbox
from support.servers import LOOPBACK, free_port
from support.tls import Authority

T0 = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LETTER = Letter("pharmacie@exemple.example", "Un nouveau mot de passe a été choisi", "Bonjour,\n\nC\u2019est changé.\n")
SENDER = "herse@portail.example"


class Mailbox:
    """What a server took (`taken`: sender, recipients, bytes, was it TLS), and what it answers instead if told."""

    def __init__(self):
        self.taken = []
        self.to_recipient = self.to_data = self.to_sender = None
        self.known = []

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.to_sender:
            return self.to_sender
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.to_recipient:
            return self.to_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.to_data:
            return self.to_data
        sealed = server.transport.get_extra_info("sslcontext") is not None
        self.taken.append((envelope.mail_from, envelope.rcpt_tos, envelope.content, sealed))
        return "250 taken"

    def authenticate(self, server, session, envelope, mechanism, data):
        self.known.append((data.login, data.password))
        return AuthResult(success=data.password == b"right", handled=data.password == b"right")


class Server(Controller):
    """aiosmtpd on loopback; `settings` go to its SMTP class. Its port is chosen before it starts."""

    def __init__(self, mailbox, context=None, **settings):
        self.settings = settings
        super().__init__(mailbox, hostname=LOOPBACK, port=free_port(), ssl_context=context)

    def factory(self):
        return SMTP(self.handler, hostname="mail.example", authenticator=self.handler.authenticate, **self.settings)


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def mailbox():
    return Mailbox()


@pytest.fixture
def serving(mailbox):
    """Start a server with these settings; gives its port. All are stopped at the end."""
    with ExitStack() as stack:

        def start(**settings):
            server = Server(mailbox, **settings)
            server.start()
            stack.callback(server.stop)
            return server.port

        yield start


class Clock:
    def __init__(self):
        self.now = T0

    def __call__(self):
        return self.now

    def later(self, **delta):
        self.now += timedelta(**delta)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def path(tmp_path):
    create_outbox(tmp_path / "mail.db")
    return tmp_path / "mail.db"


@pytest.fixture
def outbox(path):
    outbox = Outbox(path, AtRest(bytes(32)))
    yield outbox
    outbox.close()
