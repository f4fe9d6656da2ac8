# SPDX-License-Identifier: EUPL-1.2
"""From the outbox to the courier: growing waits, an end, a crash in between, and a log that holds no address."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from contextlib import closing
from datetime import timedelta

import pytest

from gateway.identity.at_rest import AtRest
from gateway.mail.courier import NotSent
from gateway.mail.delivery import Delivery
from gateway.mail.letter import Letter
from gateway.mail.outbox import Outbox
from gateway.mail.smtp import SmtpCourier, SmtpServer
from support.servers import LOOPBACK, free_port

from .conftest import LETTER, SENDER, T0
from .scripted import Scripted, served, until


class Stuck(Scripted):
    """A courier whose server never answers, until somebody hangs up; `deaf`: not even then."""

    def __init__(self, *, deaf=False):
        super().__init__()
        self.deaf = deaf
        self.began = threading.Event()

    def send(self, message):
        self.began.set()
        self.hung_up.wait(10)
        if self.deaf:
            time.sleep(2)
        raise NotSent("hung up")


def one(delivery):
    async def walk():
        return await delivery.send_one(asyncio.Event())

    return asyncio.run(walk())


def told(caplog):
    assert "exemple" not in str([vars(record) for record in caplog.records])
    assert "changé" not in str([vars(record) for record in caplog.records])
    return [(record.message, getattr(record, "why", None)) for record in caplog.records]


def test_a_letter_is_sent_once_and_leaves_the_outbox(outbox, clock, caplog):
    caplog.set_level("INFO")
    courier = Scripted()
    outbox.put(LETTER, T0)
    clock.later(minutes=3)
    delivery = Delivery(outbox, courier, SENDER, clock)
    assert one(delivery)
    assert not one(delivery)
    (message,) = courier.taken
    assert message["To"] == LETTER.to
    assert message["Date"].datetime == T0  # when it was written, not when it left
    assert outbox.count() == 0
    assert told(caplog) == [("letter-sent", None)]


def test_waits_grow_from_a_minute_to_an_hour_and_end_after_a_day(outbox, clock, caplog):
    outbox.put(LETTER, T0)
    courier = Scripted(*[NotSent("smtp 450")] * 100)
    delivery = Delivery(outbox, courier, SENDER, clock)
    waits = []
    while outbox.count():
        last = clock.now
        while not one(delivery):
            clock.later(seconds=30)
        waits.append(int((clock.now - last).total_seconds() // 60))
    assert waits[:9] == [0, 1, 2, 4, 8, 16, 32, 60, 60]
    assert timedelta(hours=24) <= clock.now - T0 <= timedelta(hours=25)
    assert told(caplog)[-1] == ("letter-given-up", "smtp 450")
    assert {name for name, _ in told(caplog)[:-1]} == {"letter-not-sent"}
    assert courier.taken == []


def test_every_try_is_the_same_message(outbox, clock):
    outbox.put(LETTER, T0)
    messages = []

    class Noting(Scripted):
        def send(self, message):
            messages.append(message.as_bytes())
            super().send(message)

    delivery = Delivery(outbox, Noting(NotSent("x"), None), SENDER, clock)
    one(delivery)
    clock.later(minutes=1)
    one(delivery)
    assert len(messages) == 2
    assert messages[0] == messages[1]


def test_a_final_answer_gives_up_at_once(outbox, clock, caplog):
    outbox.put(LETTER, T0)
    assert one(Delivery(outbox, Scripted(NotSent("smtp 550", final=True)), SENDER, clock))
    assert outbox.count() == 0
    assert told(caplog) == [("letter-given-up", "smtp 550")]


def test_one_bad_letter_holds_up_no_other(outbox, clock):
    outbox.put(LETTER, T0)
    outbox.put(Letter("b@exemple.fr", "second", "b"), T0)
    courier = Scripted(NotSent("smtp 450"))
    delivery = Delivery(outbox, courier, SENDER, clock)
    assert [one(delivery), one(delivery), one(delivery)] == [True, True, False]
    assert len(courier.taken) == 1
    assert outbox.count() == 1


def test_a_courier_that_breaks_is_tried_again(outbox, clock, caplog):
    outbox.put(LETTER, T0)
    courier = Scripted(ValueError("pharmacie@exemple.example"))
    delivery = Delivery(outbox, courier, SENDER, clock)
    one(delivery)
    assert told(caplog) == [("letter-not-sent", "ValueError")]
    clock.later(minutes=1)
    one(delivery)
    assert len(courier.taken) == 1


def test_a_letter_that_does_not_open_waits_for_its_key_and_for_a_day_at_most(path, outbox, clock, caplog):
    outbox.put(LETTER, T0)
    courier = Scripted()
    with closing(Outbox(path, AtRest(bytes(range(32))))) as other:
        delivery = Delivery(other, courier, SENDER, clock)
        one(delivery)
        assert told(caplog) == [("letter-not-sent", "SealError")]
        clock.later(hours=24)
        one(delivery)
    assert told(caplog)[-1] == ("letter-given-up", "SealError")
    assert outbox.count() == 0
    assert courier.taken == []


@pytest.mark.parametrize("deaf", [False, True])
def test_a_server_that_is_too_slow_is_left(outbox, clock, caplog, deaf):
    outbox.put(LETTER, T0)
    courier = Stuck(deaf=deaf)
    began = time.monotonic()
    one(Delivery(outbox, courier, SENDER, clock, send_seconds=0.1))
    assert time.monotonic() - began < 1.8
    assert told(caplog) == [("letter-not-sent", "too slow" if deaf else "hung up")]
    assert outbox.count() == 1


def test_a_stop_does_not_wait_for_a_slow_server_and_keeps_the_letter(outbox, clock):
    outbox.put(LETTER, T0)
    courier = Stuck()
    stop = asyncio.Event()

    async def walk():
        running = asyncio.create_task(Delivery(outbox, courier, SENDER, clock).run(stop))
        await asyncio.to_thread(courier.began.wait, 10)
        stop.set()
        await asyncio.wait_for(running, 5)

    asyncio.run(walk())
    assert courier.hung_up.is_set()
    waiting = outbox.due(T0)
    assert waiting.tries == 0  # it was not its fault


def test_what_was_put_before_a_crash_is_sent_after_it_by_a_real_server(path, clock, serving, mailbox):
    before = Outbox(path, AtRest(bytes(32)))
    before.put(LETTER, T0)
    before._connection.close()  # as a process that ends: nothing is said to anybody
    courier = SmtpCourier(SmtpServer(LOOPBACK, serving(), "none"))
    with closing(Outbox(path, AtRest(bytes(32)))) as outbox:
        served(Delivery(outbox, courier, SENDER, clock), lambda: outbox.count() == 0)
    ((_, recipients, content, _),) = mailbox.taken
    assert recipients == [LETTER.to]
    assert "C=E2=80=99est chang=C3=A9." in content.decode()


def test_a_crash_between_sending_and_noting_it_sends_again_under_the_same_id(path, clock, serving, mailbox):
    courier = SmtpCourier(SmtpServer(LOOPBACK, serving(), "none"))

    class Dies(Outbox):
        def remove(self, waiting):
            raise MemoryError

    with closing(Dies(path, AtRest(bytes(32)))) as outbox:
        outbox.put(LETTER, T0)
        with pytest.raises(MemoryError):
            one(Delivery(outbox, courier, SENDER, clock))
    with closing(Outbox(path, AtRest(bytes(32)))) as outbox:
        one(Delivery(outbox, courier, SENDER, clock))
        assert outbox.count() == 0
    first, second = (content for _, _, content, _ in mailbox.taken)
    assert first == second


def test_a_server_that_comes_back_gets_what_waited(outbox, clock, serving, mailbox):
    outbox.put(LETTER, T0)
    one(Delivery(outbox, SmtpCourier(SmtpServer(LOOPBACK, free_port(), "none")), SENDER, clock))
    clock.later(minutes=1)
    served(
        Delivery(outbox, SmtpCourier(SmtpServer(LOOPBACK, serving(), "none")), SENDER, clock),
        lambda: outbox.count() == 0,
    )
    assert len(mailbox.taken) == 1


def test_a_file_that_fails_for_a_while_is_told_and_looked_at_again(path, outbox, clock, caplog):
    outbox.put(LETTER, T0)
    courier = Scripted()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("alter table letter rename to away")

    async def walk():
        stop = asyncio.Event()
        running = asyncio.create_task(Delivery(outbox, courier, SENDER, clock).run(stop, 0.02))
        await until(lambda: caplog.records)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("alter table away rename to letter")
        await until(lambda: courier.taken)
        stop.set()
        await running

    asyncio.run(walk())
    assert told(caplog)[0] == ("outbox-unreadable", None)
