# SPDX-License-Identifier: EUPL-1.2
"""Sessions over two processes, on one real database: what the desk does is so for the worker, heard or not."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import Refused
from gateway.identity.accounts import Accounts
from gateway.identity.at_rest import AtRest
from gateway.identity.database import create_database, open_database
from gateway.identity.session_desk import GONE, PROVED, DeskSessions
from gateway.identity.session_worker import QUIET_SECONDS, WorkerSessions
from gateway.identity.token import session_key
from gateway.model import Method, Proof, Reason

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
IDLE, ABSOLUTE = timedelta(minutes=30), timedelta(hours=4)
SECOND = timedelta(seconds=1)
NAME = "750012346"


@dataclass
class Two:
    """A desk and a worker, with the word between them held until it is `passed`."""

    desk: DeskSessions
    worker: WorkerSessions
    path: object
    account: object
    now: float = 0.0

    def __post_init__(self):
        self.changes = []
        self.desk.told = self.changes.append

    def passed(self):
        changes, self.changes[:] = list(self.changes), []
        for change in changes:
            self.worker.changed(change)
        self.desk.heard(self.worker.tick())
        self.worker.saw(self.desk.tick(), self.now)

    def open(self, at=AT):
        token, session = self.desk.open(self.account, [Proof(Method.PASSWORD, at)], at, "127.0.0.1", "")
        return key(token), session


def key(token):
    return session_key(token.encode())


@pytest.fixture
def two(tmp_path):
    path = tmp_path / "accounts.db"
    engine = create_database(path)
    account = Accounts(engine, AtRest(b"k" * 32)).create(NAME, "Essai", "pharmacist", None, (), AT)
    other = open_database(path)
    made = Two(DeskSessions(engine, IDLE, ABSOLUTE), None, path, account)
    made.worker = WorkerSessions(other, IDLE, ABSOLUTE, lambda: made.now)
    made.worker.came([], 0.0)
    yield made
    made.worker.close()
    other.dispose()
    engine.dispose()


def test_a_session_is_known_without_a_word(two):
    found, session = two.open()
    seen = two.worker.living(found, AT + SECOND)
    assert seen.subject == session.subject
    assert two.worker.living(found, AT + SECOND) is seen
    assert two.worker.living(b"x" * 32, AT) is None


def test_what_the_desk_ends_is_ended_and_never_comes_back(two):
    found, session = two.open()
    cut = []
    two.worker.watch(two.worker.living(found, AT), lambda: cut.append(1))
    two.worker.unwatch(two.worker.living(found, AT), cut.clear)
    two.desk.end(session, AT)
    assert two.changes == [(GONE, found, b""), (GONE, found, b"")]
    two.passed()
    assert cut == [1]
    assert two.worker.living(found, AT) is None
    with closing(sqlite3.connect(two.path)) as database:  # as if the row were still being removed
        database.execute("create table again as select * from session")
    assert two.worker.living(found, AT) is None


def test_what_is_read_while_its_row_is_being_removed_does_not_live_on(two):
    found, session = two.open()
    two.desk._drop(session)  # told, and not yet removed
    two.passed()
    assert two.worker.living(found, AT) is None


def test_without_the_desk_the_database_is_asked_each_time(two):
    found, _ = two.open()
    assert two.worker.living(found, AT) is not None
    two.now += QUIET_SECONDS + 0.01
    with closing(sqlite3.connect(two.path)) as database:
        database.execute("delete from session")
        database.commit()
    assert two.worker.living(found, AT) is None


def test_a_word_that_was_read_late_is_as_old_as_it_is(two):
    found, _ = two.open()
    assert two.worker.living(found, AT) is not None
    with closing(sqlite3.connect(two.path)) as database:
        database.execute("delete from session")
        database.commit()
    two.now += 5
    two.worker.saw([], two.now - QUIET_SECONDS - 0.01)
    assert two.worker.living(found, AT) is None


def test_a_desk_that_is_heard_is_believed(two):
    found, _ = two.open()
    assert two.worker.living(found, AT) is not None
    two.now += QUIET_SECONDS - 0.01
    with closing(sqlite3.connect(two.path)) as database:
        database.execute("delete from session")
        database.commit()
    assert two.worker.living(found, AT) is not None
    two.worker.went()
    assert two.worker.living(found, AT) is None


def test_where_nobody_can_tell_nobody_is_signed_in(two):
    found, _ = two.open()
    assert two.worker.living(found, AT) is not None
    with closing(sqlite3.connect(two.path)) as database:
        database.execute("alter table session rename to lost")
    assert two.worker.living(found, AT) is not None
    two.worker.went()
    with pytest.raises(Refused) as refused:
        two.worker.living(found, AT)
    assert refused.value.reason is Reason.BUSY


def test_a_new_proof_moves_the_session_and_what_lives_with_it(two):
    found, session = two.open()
    cut = []
    seen = two.worker.living(found, AT)
    two.worker.watch(seen, lambda: cut.append(1))
    token, _ = two.desk.strengthen(session, Proof(Method.TOTP, AT), AT, "10.0.0.1", "Firefox")
    assert two.changes == [(PROVED, found, key(token))]
    two.passed()
    assert two.worker.living(found, AT) is None
    assert two.worker.living(key(token), AT) is seen
    assert seen.subject == session.subject
    assert seen.binding == session.binding
    assert cut == []
    two.desk.end_all(NAME, AT)
    two.passed()
    assert cut == [1]


def test_what_another_ended_behind_the_desk_is_told_when_it_finds_out(two):
    found, session = two.open()
    assert two.worker.living(found, AT) is not None
    with closing(sqlite3.connect(two.path)) as database:
        database.execute("delete from session")
        database.commit()
    with pytest.raises(Refused):
        two.desk.strengthen(session, Proof(Method.TOTP, AT), AT, None, None)
    two.passed()
    assert two.worker.living(found, AT) is None


def test_a_locked_account_has_no_session(two):
    found, _ = two.open()
    with closing(sqlite3.connect(two.path)) as database:
        database.execute("update account set locked_at = ?", (1,))
        database.commit()
    assert two.worker.living(found, AT) is None


def test_idle_is_what_nobody_has_seen(two):
    found, session = two.open()
    assert two.worker.living(found, AT + 20 * 60 * SECOND) is not None
    two.passed()
    two.desk.sweep(AT + 31 * 60 * SECOND)
    assert not session.ended, "the worker saw it"
    assert two.desk.living(found, AT + 49 * 60 * SECOND) is not None
    two.passed()
    assert two.worker.living(found, AT + 78 * 60 * SECOND) is not None, "and the desk saw it"
    assert two.worker.living(found, AT + 78 * 60 * SECOND + IDLE) is None
    two.passed()
    two.desk.sweep(AT + 78 * 60 * SECOND + IDLE + SECOND)
    assert not session.ended, "a worker may not have said so yet"
    two.desk.sweep(AT + 78 * 60 * SECOND + IDLE + 2 * SECOND)
    assert session.ended


def test_what_others_saw_counts_also_where_the_session_was_not_asked_for_yet(two):
    found, _ = two.open()
    two.desk.living(found, AT + 29 * 60 * SECOND)  # and not written down yet
    two.passed()
    assert two.worker.living(found, AT + 31 * 60 * SECOND) is not None
    with closing(WorkerSessions(two.desk._engine, IDLE, ABSOLUTE, lambda: two.now)) as late:
        late.came(two.desk.unwritten(), two.now)
        assert late.living(found, AT + 31 * 60 * SECOND) is not None
    with closing(WorkerSessions(two.desk._engine, IDLE, ABSOLUTE, lambda: two.now)) as late:
        late.came(two.desk.unwritten(), two.now)
        late.sweep(AT + 31 * 60 * SECOND)
        assert late._elsewhere == {}


def test_the_end_of_a_session_needs_no_word(two):
    found, _ = two.open()
    cut = []
    two.worker.watch(two.worker.living(found, AT), lambda: cut.append(1))
    session = two.worker.living(found, AT)
    session.seen_at = AT + ABSOLUTE
    assert two.worker.living(found, AT + ABSOLUTE) is None
    two.worker.sweep(AT + ABSOLUTE)
    assert cut == [1]


def test_a_suspicion_goes_round_until_a_fresh_proof(two):
    found, session = two.open()
    two.worker.living(found, AT).suspected = True
    two.passed()
    assert session.suspected
    assert [one for one, _, suspected in two.desk.unwritten() if suspected] == [found]
    late = WorkerSessions(two.desk._engine, IDLE, ABSOLUTE, lambda: two.now)
    with closing(late):
        late.came(two.desk.unwritten(), two.now)
        assert late.living(found, AT).suspected
    token, _ = two.desk.strengthen(session, Proof(Method.TOTP, AT), AT, None, None)
    two.passed()
    assert not session.suspected
    assert not two.worker.living(key(token), AT).suspected
    session.suspected = True
    two.desk.living(key(token), AT)
    two.passed()
    assert two.worker.living(key(token), AT).suspected
    token, _ = two.desk.strengthen(session, Proof(Method.PASSWORD, AT), AT, None, None)
    two.passed()
    assert two.worker.living(key(token), AT).suspected, "a password alone ends no suspicion"


def test_a_desk_that_comes_back_is_told_what_was_seen_and_streams_are_looked_at(two):
    (stays, _), (goes, _) = two.open(), two.open()
    cut = []
    for one in (stays, goes):
        two.worker.watch(two.worker.living(one, AT + SECOND), lambda one=one: cut.append(one))
    two.worker.went()
    with closing(sqlite3.connect(two.path)) as database:
        database.execute("delete from session where digest = ?", (goes,))
        database.commit()
    assert two.worker.came([], two.now) == [(stays, AT + SECOND, False)]
    assert cut == [goes]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_in_whatever_order_the_worker_lets_in_whom_the_desk_would(two, seed):
    chance, at = random.Random(seed), AT
    known = {}
    for _ in range(120):
        at += chance.choice((SECOND, SECOND, 60 * SECOND, 600 * SECOND))
        act = chance.randrange(6)
        living = [name for name, session in known.items() if session is not None and not session.ended]
        if act == 0 or not living:
            name, session = two.open(at)
            known[name] = session
        elif act == 1:
            two.desk.end(known[chance.choice(living)], at)
        elif act == 2:
            name = chance.choice(living)
            token, session = two.desk.strengthen(known[name], Proof(Method.TOTP, at), at, None, None)
            known[name], known[key(token)] = None, session
        elif act == 3:
            two.worker.went()
            two.worker.came(two.desk.unwritten(), two.now)
        elif act == 4:
            two.desk.sweep(at)
        two.passed()
        name = chance.choice(list(known))
        expected = known[name] is not None and not known[name].ended and at - known[name].seen_at < IDLE
        assert (two.worker.living(name, at) is not None) == expected
        two.passed()
