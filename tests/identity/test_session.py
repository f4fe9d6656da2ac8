# SPDX-License-Identifier: EUPL-1.2
"""Sessions: exact ends, dead tokens stay dead, and a restart keeps people signed in (faults F3, F4, F8, F9)."""

from __future__ import annotations

import logging
from datetime import timedelta
from hashlib import sha256

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import Refused
from gateway.identity import schema
from gateway.identity.binding import binding
from gateway.identity.database import reading, writing
from gateway.identity.session import Sessions
from gateway.model import Level, Method, Proof, Reason, Subject

PHARMACY = "750012346"
MINUTE = timedelta(minutes=1)
INSTANT = timedelta(microseconds=1)
IDLE, ABSOLUTE = 30 * MINUTE, 240 * MINUTE


@pytest.fixture
def sessions(engine, accounts):
    return Sessions(engine, IDLE, ABSOLUTE)


@pytest.fixture
def opened(sessions, account, t0):
    token, session = sessions.open(account, [Proof(Method.PASSWORD, t0)], t0, "192.0.2.1", "Firefox")
    return token.encode(), session


def rows(engine):
    with reading(engine) as connection:
        return connection.execute(sa.select(schema.session)).all()


def test_a_session_knows_who_it_is(opened, account, t0):
    token, session = opened
    assert session.subject.assurance.proofs == (Proof(Method.PASSWORD, t0),)
    assert session.subject == Subject(
        PHARMACY,
        account.title,
        "pharmacist",
        assurance=session.subject.assurance,
        session=session.reference,
    )
    assert (session.network, session.device, session.opened_at, session.seen_at) == ("192.0.2.1", "Firefox", t0, t0)
    assert repr(session) == f"<Session {session.reference}>"
    assert len(token) == 43


def test_only_the_hash_of_a_token_is_stored(opened, engine, database):
    token, session = opened
    assert not any(token in path.read_bytes() for path in database.parent.iterdir())
    assert [row.digest for row in rows(engine)] == [sha256(token).digest()]
    assert session.reference.encode() not in token


def test_idle_and_absolute_at_their_exact_ends(sessions, account, t0):
    token, session = sessions.open(account, [], t0, None, None)
    at = t0 + IDLE - INSTANT
    assert sessions.find(token.encode(), at) is session
    while at + IDLE <= t0 + ABSOLUTE:
        at += IDLE - INSTANT
        assert sessions.find(token.encode(), at) is session
    assert sessions.find(token.encode(), t0 + ABSOLUTE - INSTANT) is session
    assert sessions.find(token.encode(), t0 + ABSOLUTE) is None
    assert sessions.find(token.encode(), t0 + ABSOLUTE - INSTANT) is None  # never again, even if the clock steps back


def test_idle_ends_at_its_exact_moment(sessions, opened, t0):
    token, session = opened
    assert sessions.find(token, t0 + IDLE) is None
    assert session.ended
    assert sessions.find(token, t0) is None


def test_F8_prefixes_extensions_and_bit_flips_are_nobody(sessions, opened, t0):
    token, session = opened
    wrong = [token[:cut] for cut in range(43)] + [token + extra for extra in (b"=", b"A", b"\x00", b" ", token)]
    wrong += [
        token[:place] + bytes([token[place] ^ 1 << bit]) + token[place + 1 :] for place in range(43) for bit in range(8)
    ]
    wrong += [b"", session.digest, session.digest.hex().encode(), session.reference.encode(), b"x" * 10_000]
    assert {sessions.find(one, t0) for one in wrong} == {None}
    assert sessions.find(token, t0) is session


@given(st.binary(max_size=64))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_F3_a_planted_token_is_never_adopted(sessions, t0, planted):
    assert sessions.find(planted, t0) is None


def test_a_session_is_bound_to_where_it_was_opened_and_then_to_where_it_was_proved(sessions, opened, engine, t0):
    _, session = opened
    assert session.binding == binding("192.0.2.77", "Firefox") != binding("192.0.3.1", "Firefox")
    token, session = sessions.strengthen(session, Proof(Method.TOTP, t0), t0, "2001:db8::1", "Chrome")
    assert session.binding == binding("2001:db8:0:9::2", "Chrome")
    again = Sessions(engine, timedelta(minutes=30), timedelta(hours=4)).find(token.encode(), t0)
    assert (again.binding, again.network, again.device) == (session.binding, "2001:db8::1", "Chrome")
    assert binding(None, None) == binding("", "") == binding("nowhere", "")


def test_a_password_moves_no_session(sessions, account, engine, t0):
    """Or a stolen cookie and a password would make a card that was proved elsewhere count where the thief is."""
    proof = Proof(Method.SMART_CARD, t0)
    _, session = sessions.open(account, [proof], t0, "192.0.2.77", "Firefox")
    token, session = sessions.strengthen(session, Proof(Method.PASSWORD, t0), t0, "203.0.113.9", "Chrome")
    assert session.binding == binding("192.0.2.77", "Firefox")
    again = Sessions(engine, timedelta(minutes=30), timedelta(hours=4)).find(token.encode(), t0)
    assert again.binding == session.binding


def test_F3_strengthen_gives_a_new_token_and_kills_the_old(sessions, opened, engine, t0):
    token, session = opened
    later = t0 + 10 * MINUTE
    before = session.subject
    new, same = sessions.strengthen(session, Proof(Method.TOTP, later), later, None, None)
    assert same is session
    assert sessions.find(token, later) is None
    assert sessions.find(new.encode(), later) is session
    assert before.assurance.level is Level.PASSWORD
    assert session.subject.assurance.level is Level.MFA
    assert session.subject.session == session.reference == before.session
    assert [row.digest for row in rows(engine)] == [session.digest]


def test_strengthen_never_restarts_the_absolute_clock(sessions, account, t0):
    token, session = sessions.open(account, [], t0, None, None)
    at = t0
    while at + 29 * MINUTE < t0 + ABSOLUTE:
        at += 29 * MINUTE
        token, _ = sessions.strengthen(session, Proof(Method.TOTP, at), at, None, None)
    assert sessions.find(token.encode(), t0 + ABSOLUTE - INSTANT) is session
    assert sessions.find(token.encode(), t0 + ABSOLUTE) is None


def test_strengthen_of_an_ended_session_is_refused(sessions, opened, engine, account, t0):
    _, session = opened
    sessions.end(session, t0)
    with pytest.raises(Refused) as refused:
        sessions.strengthen(session, Proof(Method.TOTP, t0), t0, None, None)
    assert refused.value.reason is Reason.SIGN_IN_REQUIRED
    token, other = sessions.open(account, [], t0, None, None)
    with writing(engine) as connection:
        connection.execute(schema.session.delete())  # as an off line lock would
    with pytest.raises(Refused):
        sessions.strengthen(other, Proof(Method.TOTP, t0), t0, None, None)
    assert sessions.find(token.encode(), t0) is None


def test_F4_an_ended_session_is_dead_at_once_and_after_a_restart(sessions, opened, engine, t0):
    token, session = opened
    sessions.end(session, t0)
    sessions.end(session, t0)
    assert sessions.find(token, t0) is None
    assert Sessions(engine, IDLE, ABSOLUTE).find(token, t0) is None
    assert sessions.of_account(PHARMACY) == []


def test_F9_all_sessions_of_an_account_end_and_no_other(sessions, accounts, account, engine, t0):
    other = accounts.create("OTHER", "Cabinet", "nurse", None, (), t0)
    ours = [sessions.open(account, [], t0, None, None) for _ in range(3)]
    theirs, _ = sessions.open(other, [], t0, None, None)
    assert sessions.of_account(PHARMACY) == [session for _, session in ours]
    assert sessions.end_all(PHARMACY, t0) == 3
    assert sessions.end_all(PHARMACY, t0) == 0
    assert [sessions.find(token.encode(), t0) for token, _ in ours] == [None] * 3
    assert sessions.find(theirs.encode(), t0) is not None
    assert len(rows(engine)) == 1


def test_sessions_of_many_accounts_end_at_once_and_no_other(sessions, accounts, account, engine, t0):
    one, other = (accounts.create(name, "Cabinet", "nurse", None, (), t0) for name in ("ONE", "OTHER"))
    ours = [sessions.open(each, [], t0, None, None)[0] for each in (account, account, one)]
    theirs, _ = sessions.open(other, [], t0, None, None)
    assert sessions.end_many(["NOBODY"], t0) == sessions.end_many([], t0) == {}
    assert sessions.end_many([PHARMACY, "ONE"], t0) == {PHARMACY: 2, "ONE": 1}
    assert [sessions.find(token.encode(), t0) for token in ours] == [None] * 3
    assert sessions.find(theirs.encode(), t0) is not None
    assert len(rows(engine)) == 1
    assert sessions.end_many(None, t0) == {"OTHER": 1}
    assert sessions.end_many(None, t0) == {}
    assert rows(engine) == []


def test_F9_no_session_opens_for_an_account_locked_meanwhile(sessions, accounts, account, engine, t0):
    token, _ = sessions.open(account, [], t0, None, None)
    accounts.lock(PHARMACY, t0)
    with pytest.raises(Refused) as refused:
        sessions.open(account, [], t0, None, None)
    assert refused.value.reason is Reason.ACCOUNT_LOCKED
    assert Sessions(engine, IDLE, ABSOLUTE).find(token.encode(), t0) is None


def test_a_restart_keeps_people_signed_in(sessions, opened, engine, t0):
    _, session = opened
    at = t0 + 5 * MINUTE
    token, _ = sessions.strengthen(session, Proof(Method.TOTP, at), at, "192.0.2.1", "Firefox")
    again = Sessions(engine, IDLE, ABSOLUTE).find(token.encode(), at + MINUTE)
    assert again.subject == session.subject
    assert again.reference == session.reference
    assert (again.opened_at, again.expires_at, again.network, again.device) == (
        t0,
        t0 + ABSOLUTE,
        "192.0.2.1",
        "Firefox",
    )


def test_a_restart_with_stricter_settings_shortens_sessions(sessions, opened, engine, t0):
    token, _ = opened
    assert Sessions(engine, IDLE, 10 * MINUTE).find(token, t0 + 10 * MINUTE) is None


def test_a_sweep_ends_the_expired_and_writes_back_the_seen(sessions, account, engine, t0):
    idle, _ = sessions.open(account, [], t0, None, None)
    found, _ = sessions.open(account, [], t0, None, None)
    alive, session = sessions.open(account, [], t0, None, None)
    at = t0 + 29 * MINUTE
    sessions.find(alive.encode(), at)
    assert sessions.sweep(at) == 0
    assert {row.seen_at for row in rows(engine)} == {t0, at}
    assert sessions.find(found.encode(), t0 + IDLE) is None
    assert sessions.sweep(t0 + IDLE) == 2
    assert [row.digest for row in rows(engine)] == [session.digest]
    assert sessions.find(idle.encode(), t0) is None
    assert Sessions(engine, IDLE, ABSOLUTE).find(alive.encode(), t0 + IDLE) is not None


def test_watchers_are_called_once_when_the_session_ends(sessions, opened, t0):
    _, session = opened
    calls = []
    sessions.watch(session, first := lambda: calls.append("first"))
    sessions.watch(session, lambda: calls.append("second"))
    sessions.watch(session, lambda: calls.append("third"))
    sessions.strengthen(session, Proof(Method.TOTP, t0), t0, None, None)
    sessions.unwatch(session, first)
    sessions.unwatch(session, first)
    assert calls == []
    sessions.end(session, t0)
    sessions.end(session, t0)
    assert calls == ["second", "third"]
    sessions.watch(session, lambda: calls.append("late"))
    assert calls == ["second", "third", "late"]


@pytest.mark.parametrize("end", [
    lambda sessions, session, t0: sessions.end_all(PHARMACY, t0),
    lambda sessions, session, t0: sessions.end_many(None, t0),
    lambda sessions, session, t0: sessions.sweep(t0 + IDLE),
    lambda sessions, session, t0: sessions.sweep(t0 + ABSOLUTE),
])  # fmt: skip
def test_every_end_is_watched_and_one_failing_watcher_stops_no_other(sessions, opened, t0, end, caplog):
    _, session = opened
    calls = []

    def fails():
        raise ZeroDivisionError

    sessions.watch(session, fails)
    sessions.watch(session, lambda: calls.append(1))
    with caplog.at_level(logging.ERROR):
        end(sessions, session, t0)
    assert calls == [1]
    assert session.reference in caplog.text
