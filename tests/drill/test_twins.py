# SPDX-License-Identifier: EUPL-1.2
"""The twins keep the promises of the doors they stand for."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from gateway.drill.accounts import proofs
from gateway.drill.exposure import Exposure
from gateway.drill.record import CountingLedger, KeptLedger
from gateway.drill.robots import posted
from gateway.drill.twins import DrillClient, PortalTwin, SessionsTwin
from gateway.ledger.officer_key import new_officer_key
from gateway.ledger.read import LedgerReader
from gateway.ledger.seal import Seals, Unsealer
from gateway.ledger.store import create_ledger, open_ledger
from gateway.model import Assurance, Event, EventKind, Level, Subject
from gateway.upstream.exchange import Fields, Request

AT = datetime(2027, 1, 4, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def sessions() -> SessionsTwin:
    return SessionsTwin(30 * MINUTE, 240 * MINUTE)


def opened(sessions: SessionsTwin):
    return sessions.open(Subject("A", assurance=Assurance(proofs("password+otp", AT))), AT, "10.0.0.1", "Firefox")


def test_a_session_ends_when_idle(sessions):
    session = opened(sessions)
    assert sessions.living(session.digest, AT + 29 * MINUTE) is session
    assert sessions.lives(session, AT + 58 * MINUTE)
    assert sessions.living(session.digest, AT + 59 * MINUTE) is None
    assert session.ended


def test_a_session_ends_after_four_hours_however_busy(sessions):
    session = opened(sessions)
    for minute in range(20, 240, 20):
        assert sessions.living(session.digest, AT + minute * MINUTE) is session
    assert sessions.living(session.digest, AT + 240 * MINUTE) is None


def test_a_fresh_proof_kills_the_old_key_and_binds_here(sessions):
    session = opened(sessions)
    stolen = session.digest
    sessions.strengthen(session, proofs("card", AT + MINUTE), AT + MINUTE, "10.9.9.9", "Chrome")
    assert sessions.living(stolen, AT + 2 * MINUTE) is None
    assert sessions.living(session.digest, AT + 2 * MINUTE) is session
    assert session.subject.assurance.level is Level.CARD
    assert session.binding == ("10.9.9.0-24", "Chrome")


def test_two_sessions_never_share_a_key(sessions):
    assert opened(sessions).digest != opened(sessions).digest


def request(path: str, query: bytes = b"") -> Request:
    return Request("GET", path.encode(), path, query, Fields([]), "h", "10.0.0.1", secure=True)


def shown(portal: PortalTwin, asked: Request) -> tuple[DrillClient, Exposure]:
    exposure = Exposure()
    client = DrillClient(exposure, 1.0)
    portal.answer(asked, client).relay(client, b"")
    return client, exposure


@pytest.mark.parametrize("way", ["path", "api", "form", "sick-leave"])
def test_the_portal_shows_one_person_by_each_way(way, residents):
    number = residents.people.number(7)
    form = Fields([(b"content-type", b"application/x-www-form-urlencoded")])
    asked = {
        "path": request(f"/infopatient/{number}"),
        "api": request(f"/api/infopatient/{number}"),
        "form": posted("/infopatient", f"nir={number}", form, "10.0.0.1"),
        "sick-leave": posted("/aat", f"nir={number}&debut=2027-01-04", form, "10.0.0.1"),
    }[way]
    client, exposure = shown(PortalTwin(residents.people), asked)
    assert (client.status, client.done, client.shown, set(exposure.seen)) == (200, True, 1, {7})


def test_a_page_shows_its_fifty_and_a_cut_one_only_what_arrived(residents):
    portal = PortalTwin(residents.people)
    client, exposure = shown(portal, request("/patients", b"page=2"))
    assert (client.shown, set(exposure.seen)) == (50, set(range(50, 100)))
    cut = DrillClient(Exposure(), 1.0)
    whole = portal.answer(request("/patients", b"page=2"), cut)
    cut.start(200, b"", None, whole._body[: len(whole._body) // 2], complete=False)
    cut.abort()
    assert 20 < cut.shown < 30


def test_what_is_refused_shows_nobody(residents):
    exposure = Exposure()
    client = DrillClient(exposure, 1.0)
    PortalTwin(residents.people).answer(request(f"/api/infopatient/{residents.people.number(7)}"), client)
    body = json.dumps({"type": "urn:herse:reason:budget-exhausted", "status": 429}).encode()
    client.start(429, b"\r\nretry-after: 5", None, body, complete=True)
    assert (exposure.count, client.reason, client.challenged) == (0, "budget-exhausted", False)
    client.start(401, b"\r\nwww-authenticate: Bearer", None, b"", complete=True)
    assert (client.reason, client.challenged) == (None, True)


def test_there_is_no_page_after_the_last(residents):
    assert shown(PortalTwin(residents.people), request("/patients", b"page=10201"))[0].status == 404


def test_exposure_counts_each_once_by_page_or_by_number():
    exposure = Exposure(100.0)
    exposure.show(51, 101.0)
    exposure.show(51, 102.0)
    exposure.show_page(1, 50, 130.0)
    exposure.show_page(1, 50, 140.0)
    exposure.show(60, 150.0)
    assert (exposure.count, exposure.last_at) == (50, 130.0)
    assert exposure.line(60.0) == [(0.0, 0), (30.0, 50), (30.0, 50), (60.0, 50)]


def event(kind: EventKind, account: str, reason: str | None = None) -> Event:
    return Event(kind, account, AT, reason=reason)


def test_what_is_kept_is_what_is_counted(tmp_path):
    create_ledger(tmp_path / "ledger.db")
    ledger = open_ledger(tmp_path / "ledger.db")
    officer = new_officer_key()
    kept, counting = KeptLedger(ledger, Seals(officer.public)), CountingLedger()
    number, request, pseudonym = "255081416802538", bytes(16), bytes(range(16))
    assert counting.seal(number, request, pseudonym, AT) == b""
    sealed = event(EventKind.LOOKUP, "C")._replace(
        request=request, pseudonym=pseudonym, sealed=kept.seal(number, request, pseudonym, AT)
    )
    events = [sealed] + [event(EventKind.LOOKUP, "A")] * 4_100 + [event(EventKind.CHALLENGED, "B", "session-moved")]
    for one in events:
        kept.append([one])
        counting.append([one])
    kept.finish()
    ledger.close()
    assert kept.kinds == counting.kinds == {"lookup": 4_101, "challenged": 1}
    assert kept.looked == {"A": 4_100, "C": 1}
    assert kept.stopped == {("B", "session-moved"): 1}
    reader = LedgerReader(tmp_path / "ledger.db")
    assert len(reader.events("B", limit=10)) == 1
    (key,), (row,) = reader.events("", limit=10), reader.events("C", limit=10)
    unsealer = Unsealer(officer)
    assert unsealer.learn(key.event.sealed)
    assert unsealer.open(row.event.sealed, request, pseudonym) == number
    assert len(reader.events("A", limit=1_000)) == 1_000
    first = reader.events("A", limit=1)[0].sequence
    assert first == 4_102, "after the data key and its first number"
    reader.close()


def test_alerts_are_kept_by_account():
    ledger = CountingLedger()
    ledger.append([event(EventKind.ALERTED, "A"), event(EventKind.LOOKUP, "A")])
    assert {name: len(events) for name, events in ledger.alerts.items()} == {"A": 1}
