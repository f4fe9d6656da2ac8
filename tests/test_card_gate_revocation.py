# SPDX-License-Identifier: EUPL-1.2
"""E5: a whole card gate with real sources of revocation: what they say counts while it serves, and their silence."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
import uvloop
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.card_gate import CardGate
from gateway.demo.card_pki import STANDARD, STRONG, cast_bearers, make_card_pki
from gateway.demo.card_responder import ANSWER_LIFE, LIST_LIFE, CardResponder
from gateway.identity.tickets import state_of
from gateway.identity.trust import FINGERPRINTS
from gateway.model import Reason
from gateway.settings import parse_settings
from support.card_host import byte_sequence, pem_file
from support.servers import LOOPBACK, accepts, free_port, wait_until
from support.settings_file import in_toml, least
from support.tls import Authority

pytestmark = pytest.mark.system

SECOND = timedelta(seconds=1)
SECTION = {"certificate": "localhost.pem", "key": "localhost.key", "authorities": "authorities", "sandbox": True}


class Sources:
    """A card PKI whose responder serves; the card gates of one state folder, and a clock that a test moves."""

    def __init__(self, folder, keep):
        self.folder, self._keep = folder, keep
        self.at = datetime.now(UTC).replace(microsecond=0)
        self.pki = make_card_pki(self.at)
        self.card = self.pki.issue(cast_bearers()[0], self.at)
        self.shown = pem_file(folder / "card.pem", self.card.certificate, self.card.key)
        self.server = Authority(folder)
        self.server.issue("localhost", LOOPBACK)
        self.responder = keep.enter_context(CardResponder(self.pki, self.clock))
        (folder / "authorities").mkdir()
        lines = ""
        self.lists = []
        for one in (made for level in (STANDARD, STRONG) for made in (self.pki.root(level), self.pki.people(level))):
            (folder / "authorities" / f"{one.file}.pem").write_bytes(one.certificate.public_bytes(Encoding.PEM))
            lines += f"{one.certificate.fingerprint(hashes.SHA256()).hex()}  {one.file}\n"
            self.lists.append(f"{self.responder.site}/CRL/{one.file}.crl")
        (folder / "authorities" / FINGERPRINTS).write_text(lines, encoding="ascii")

    def clock(self):
        return self.at

    def serve(self, **card):
        """A gate with these settings beside the usual ones; it serves until it is stopped, or the test ends."""
        port = free_port()
        here = {"origin": f"https://localhost:{port}", "listen": f"{LOOPBACK}:{port}"}
        text = in_toml(least() | {"card": here | SECTION | card})
        settings = parse_settings(text, "herse.toml", self.folder)
        gate = Serving(CardGate(settings, self.clock, self._keep), port, self)
        self._keep.callback(gate.stop)
        wait_until("the card host", accepts(port))
        return gate


class Serving:
    """A gate in a thread of its own."""

    def __init__(self, gate, port, sources):
        self.gate, self._port, self._sources = gate, port, sources
        self._begun = threading.Event()
        self._thread = threading.Thread(target=lambda: uvloop.run(self._serve()), daemon=True)
        self._thread.start()
        self._begun.wait()

    async def _serve(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._begun.set()
        await self.gate.serve(self._stop)

    def stop(self):
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(20)

    def refresh(self):
        """What happens every hour; the faults."""
        work = self.gate._source.refresh(self._sources.clock())
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def outcome(self, *words, shown=None):
        """Present the card, or this (certificate, key): its holder's family name, or the reason."""
        tickets, sources = self.gate.desk.tickets, self._sources
        secret = tickets.begin("", LOOPBACK, sources.at)
        url = f"https://localhost:{self._port}/card?state={state_of(secret)}"
        command = ["curl", "-sS", "--noproxy", "*", "--cacert", sources.server.certificate, *words]
        command += ["--cert", shown[0], "--key", shown[1]] if shown else ["--cert", sources.shown]
        run = subprocess.run([*command, "-w", "%{redirect_url}", url], capture_output=True, text=True, check=True)
        found = tickets.redeem(run.stdout.partition("ticket=")[2], secret, sources.at)
        return found.outcome if isinstance(found.outcome, Reason) else found.outcome.family_name


@pytest.fixture
def sources(tmp_path):
    with ExitStack() as keep:
        yield Sources(tmp_path, keep)


def fresh(gate):
    wait_until("the first lists", lambda: gate.outcome() == "FONTAINE", 10)


def test_a_card_revoked_while_serving_is_refused_after_the_refresh(sources):
    gate = sources.serve(crl_urls=sources.lists)
    fresh(gate)
    sources.responder.revoke(sources.card.certificate)
    assert gate.outcome() == "FONTAINE", "nobody has told us yet"
    sources.at += SECOND
    assert gate.refresh() == {}
    assert gate.outcome() is Reason.CARD_REVOKED


def test_what_ocsp_says_counts_at_once(sources):
    gate = sources.serve(crl_urls=sources.lists, ocsp_url=f"{sources.responder.site}/ocsp")
    fresh(gate)
    sources.responder.revoke(sources.card.certificate)
    sources.at += SECOND
    assert gate.outcome() is Reason.CARD_REVOKED
    assert gate.refresh() == {}
    assert gate.outcome() is Reason.CARD_REVOKED


def test_a_responder_that_is_gone_leaves_the_lists_to_age_until_no_card_is_accepted(sources, caplog):
    gate = sources.serve(crl_urls=sources.lists, ocsp_url=f"{sources.responder.site}/ocsp")
    fresh(gate)
    sources.responder.__exit__()
    sources.at += LIST_LIFE - timedelta(minutes=1)
    assert set(gate.refresh()) == set(sources.lists)
    assert gate.outcome() == "FONTAINE"
    sources.at += timedelta(minutes=2)
    assert gate.outcome() is Reason.CARD_REVOCATION_STALE
    assert "revocation-list-aged" not in caplog.messages
    gate.refresh()
    assert {"revocation-list-refused", "revocation-list-aged", "ocsp-answer-refused"} <= set(caplog.messages)
    gate.stop()
    again = sources.serve(crl_urls=sources.lists)
    assert again.outcome() is Reason.CARD_REVOCATION_STALE, "a restart makes nothing younger"


def test_a_grace_in_the_settings_bridges_so_many_hours(sources):
    gate = sources.serve(crl_urls=sources.lists, grace_hours=2)
    fresh(gate)
    sources.at += LIST_LIFE + timedelta(hours=1)
    assert gate.outcome() == "FONTAINE"
    sources.at += timedelta(hours=2)
    assert gate.outcome() is Reason.CARD_REVOCATION_STALE


def test_ocsp_alone_does_not_do_since_it_says_nothing_of_the_authority(sources):
    gate = sources.serve(ocsp_url=f"{sources.responder.site}/ocsp")
    assert gate.outcome() is Reason.CARD_REVOCATION_STALE


def test_an_ocsp_answer_bridges_a_list_of_cards_that_aged(sources):
    roots = [one for one in sources.lists if "ACR" in one]
    gate = sources.serve(crl_urls=roots, ocsp_url=f"{sources.responder.site}/ocsp")
    fresh(gate)
    sources.responder.__exit__()
    sources.at += ANSWER_LIFE
    assert gate.outcome() == "FONTAINE"
    sources.at += SECOND
    assert gate.outcome() is Reason.CARD_REVOCATION_STALE


def test_a_revoked_card_stays_so_over_a_restart_without_its_sources(sources):
    gate = sources.serve(crl_urls=sources.lists)
    fresh(gate)
    sources.responder.revoke(sources.card.certificate)
    sources.at += SECOND
    gate.refresh()
    gate.stop()
    sources.responder.__exit__()
    assert sources.serve(crl_urls=sources.lists).outcome() is Reason.CARD_REVOKED


def test_promise_10_a_terminator_with_an_authority_shows_its_own_certificate(sources):
    hop = sources.server.issue("hop")
    gate = sources.serve(
        crl_urls=sources.lists, terminator=[LOOPBACK], terminator_form="client-cert", terminator_authority="hop.pem"
    )
    field = f"Client-Cert: {byte_sequence(sources.card.certificate.public_bytes(Encoding.DER)).decode()}"
    with pytest.raises(subprocess.CalledProcessError):
        gate.outcome("--header", field)  # with the card's own certificate in the handshake
    wait_until("the first lists", lambda: gate.outcome("--header", field, shown=hop) == "FONTAINE", 10)
    assert gate.outcome(shown=hop) is Reason.CARD_MISSING
