# SPDX-License-Identifier: EUPL-1.2
"""What waits for a proof: sealed, its own session's alone, sent by one of any number, and never again after a crash."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from gateway.errors import Refused
from gateway.identity import schema
from gateway.identity.accounts import Accounts
from gateway.identity.at_rest import AtRest, SealError
from gateway.identity.database import create_database, open_database, reading, writing
from gateway.identity.kept_work import LIFETIME, REMEMBERED, KeptWork, Owner, State, Work, is_work
from gateway.model import Reason

T0 = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
KEY = bytes(range(32))
OURS, THEIRS, OTHER = Owner("750012346", "s1"), Owner("750012346", "s2"), Owner("751234567", "s1")
WORK = Work(
    "POST", b"/aat?nir=185057800608491", ((b"accept", b"*/*"), (b"x-\xe9", b"1")), b"a=1&b=\xff\n{}", "/aat/new"
)


@pytest.fixture
def engine(tmp_path):
    engine = create_database(tmp_path / "accounts.db")
    for account in {OURS.account, OTHER.account}:
        Accounts(engine, AtRest(KEY)).create(account, "Cabinet", "pharmacist", None, (), T0)
    yield engine
    engine.dispose()


@pytest.fixture
def kept(engine):
    return KeptWork(engine, AtRest(KEY))


def keep(kept, owner=OURS, at=T0, work=WORK):
    return kept.keep(work, "aat", 2, owner, at)


def state(kept, reference, owner=OURS, at=T0):
    found = kept.find(reference, owner, at)
    return None if found is None else found.state


def rows(engine):
    with reading(engine) as connection:
        return connection.execute(sa.select(schema.kept_work)).all()


def test_it_comes_back_byte_for_byte_and_tells_what_it_is(kept):
    reference = keep(kept)
    assert is_work(reference)
    assert kept.open(reference, OURS, T0) == WORK
    found = kept.find(reference, OURS, T0)
    assert (found.state, found.teleservice, found.pieces, found.back) == (State.WAITING, "aat", 2, "/aat/new")
    assert found.until == T0 + LIFETIME
    assert "185057800608491" not in repr(found) + repr(WORK)


def test_another_session_or_account_never_finds_opens_sends_or_gives_it_up(kept):
    reference = keep(kept)
    for stranger in (THEIRS, OTHER):
        assert kept.find(reference, stranger, T0) is None
        assert kept.open(reference, stranger, T0) is None
        assert not kept.begin(reference, stranger, T0)
        assert not kept.give_up(reference, stranger, T0)
    assert state(kept, reference) is State.WAITING
    assert kept.find("work-unknown", OURS, T0) is None


def test_nothing_of_it_stands_in_the_files_in_clear(kept, tmp_path):
    keep(kept, work=Work("POST", b"/aat/185057800608491", ((b"x", b"SECRET-FIELD"),), b"SECRET-BODY", "/SECRET-BACK"))
    raw = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"750012346" in raw
    for secret in (b"185057800608491", b"SECRET-FIELD", b"SECRET-BODY", b"SECRET-BACK"):
        assert secret not in raw


def test_a_sealed_request_opens_in_its_own_row_and_session_only(kept, engine):
    first, second = keep(kept), keep(kept, THEIRS)
    with writing(engine) as connection:
        sealed = connection.scalar(sa.select(schema.kept_work.c.body).where(schema.kept_work.c.reference == first))
        change = schema.kept_work.update().where(schema.kept_work.c.reference == second)
        connection.execute(change.values(body=sealed))
    with pytest.raises(SealError):
        kept.open(second, THEIRS, T0)
    with writing(engine) as connection:
        change = schema.kept_work.update().where(schema.kept_work.c.reference == first)
        connection.execute(change.values(session=THEIRS.session))
    with pytest.raises(SealError):
        kept.open(first, THEIRS, T0)


def test_of_forty_threads_one_sends(kept):
    reference, won, gate = keep(kept), [], threading.Barrier(40)

    def confirm():
        gate.wait()
        if kept.begin(reference, OURS, T0):
            won.append(1)

    threads = [threading.Thread(target=confirm) for _ in range(40)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert won == [1]
    assert state(kept, reference) is State.SENDING
    assert kept.open(reference, OURS, T0) is None


@pytest.mark.parametrize("end", [State.SENT, State.UNKNOWN, State.GIVEN_UP, State.EXPIRED])
def test_what_is_over_is_erased_and_never_begins_again(kept, engine, end):
    reference = keep(kept)
    if end is State.GIVEN_UP:
        assert kept.give_up(reference, OURS, T0)
    elif end is State.EXPIRED:
        assert kept.sweep(T0 + LIFETIME) == 1
    else:
        assert kept.begin(reference, OURS, T0)
        assert rows(engine)[0].body is not None, "until it is known what became of it"
        if end is State.SENT:
            kept.sent(reference, 201, T0)
        else:
            kept.unknown(reference, T0)
    found = kept.find(reference, OURS, T0)
    assert (found.state, found.status) == (end, 201 if end is State.SENT else None)
    assert rows(engine)[0].body is None
    assert not kept.begin(reference, OURS, T0)
    assert not kept.give_up(reference, OURS, T0)
    kept.back_to_waiting(reference, T0)
    kept.sent(reference, 500, T0)
    kept.unknown(reference, T0)
    assert kept.recover(T0) == 0
    assert state(kept, reference) is end
    assert kept.open(reference, OURS, T0) is None


def test_it_waits_again_only_after_it_was_marked_and_nothing_went(kept):
    reference = keep(kept)
    assert kept.begin(reference, OURS, T0)
    kept.back_to_waiting(reference, T0)
    assert kept.open(reference, OURS, T0) == WORK
    assert kept.begin(reference, OURS, T0)


def test_what_was_being_sent_when_the_house_fell_has_an_unknown_outcome(kept, engine, tmp_path):
    sending, waiting = keep(kept), keep(kept)
    assert kept.begin(sending, OURS, T0)
    engine.dispose()
    again = open_database(tmp_path / "accounts.db")
    restarted = KeptWork(again, AtRest(KEY))
    assert restarted.recover(T0 + INSTANT) == 1
    assert state(restarted, sending) is State.UNKNOWN
    assert not restarted.begin(sending, OURS, T0)
    assert restarted.open(waiting, OURS, T0) == WORK
    assert [row.body is None for row in rows(again) if row.reference == sending] == [True]
    again.dispose()


def test_fifteen_minutes_exactly_and_a_day_later_it_is_forgotten(kept, engine):
    reference, last = keep(kept), T0 + LIFETIME - INSTANT
    assert kept.sweep(last) == 0
    assert kept.open(reference, OURS, last) == WORK
    for late in (T0 + LIFETIME, T0 + LIFETIME + INSTANT):
        assert kept.open(reference, OURS, late) is None
        assert not kept.begin(reference, OURS, late)
        assert state(kept, reference, at=late) is State.EXPIRED
    assert kept.sweep(T0 + LIFETIME) == 1
    assert rows(engine)[0].body is None
    kept.sweep(T0 + LIFETIME + REMEMBERED - INSTANT)
    assert len(rows(engine)) == 1
    kept.sweep(T0 + LIFETIME + REMEMBERED)
    assert rows(engine) == []


def test_the_oldest_of_a_session_makes_room_and_no_other_session_pays(kept):
    theirs = keep(kept, THEIRS)
    ours = [keep(kept, at=T0 + number * INSTANT) for number in range(6)]
    assert [state(kept, one) for one in ours] == [State.EXPIRED] + [State.WAITING] * 5
    assert state(kept, theirs, THEIRS) is State.WAITING


def test_bytes_are_bounded_in_all_and_given_back(engine):
    kept = KeptWork(engine, AtRest(KEY), most_bytes=3000)
    large = Work("POST", b"/aat", (), b"x" * 1300)
    first, _ = keep(kept, work=large), keep(kept, THEIRS, work=large)
    with pytest.raises(Refused) as refused:
        keep(kept, OTHER, work=large)
    assert refused.value.reason is Reason.BUSY
    assert len(rows(engine)) == 2, "nothing of it was left"
    kept.give_up(first, OURS, T0)
    assert state(kept, keep(kept, OTHER, work=large), OTHER) is State.WAITING
    later = T0 + LIFETIME
    assert state(kept, keep(kept, OTHER, later, large), OTHER, later) is State.WAITING, "what is late makes room"


def test_it_goes_along_to_the_next_session_of_the_same_account_only(kept):
    reference = keep(kept)
    kept.carry(reference, OURS, OTHER)
    kept.carry(reference, THEIRS, OURS)
    assert kept.open(reference, OURS, T0) == WORK
    kept.carry(reference, OURS, THEIRS)
    assert kept.find(reference, OURS, T0) is None
    assert kept.open(reference, THEIRS, T0) == WORK
    assert kept.find(reference, THEIRS, T0).back == "/aat/new"
    assert kept.begin(reference, THEIRS, T0)
    kept.carry(reference, THEIRS, OURS)
    assert kept.find(reference, OURS, T0) is None, "what is on its way stays where it is"
