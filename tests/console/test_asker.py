# SPDX-License-Identifier: EUPL-1.2
"""Who asks: the kernel's word for the user, within what he asked for and nowhere else; every event is signed so."""

from __future__ import annotations

import asyncio
import os
import pwd
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.console.admin_socket import call, serve_admin
from gateway.console.asker import asked_by, asker, unix_user
from gateway.console.record import Record
from gateway.errors import LedgerError
from gateway.model import Event, EventKind

AT = datetime(2026, 11, 22, 8, tzinfo=UTC)
ME = pwd.getpwuid(os.geteuid()).pw_name


def test_nobody_asks_outside_of_what_was_asked_for():
    assert asker() is None
    with asked_by("anne"):
        assert asker() == "anne"
    assert asker() is None


def test_a_user_is_named_and_one_without_a_name_by_his_number():
    assert re.fullmatch(rf"(\w+ as )?{ME}", unix_user(os.getpid(), os.geteuid()))
    assert unix_user(0, 4_000_000_000 - 1) == "uid 3999999999", "a process that is not there signed in as nobody"


def test_the_server_asks_the_kernel_who_sent_a_command(tmp_path):
    path = tmp_path / "admin.sock"

    async def walk():
        listening = await serve_admin(path, {"who": lambda _: {"who": asker()}})
        try:
            return await asyncio.to_thread(call, path, "who", {})
        finally:
            await listening.close()

    assert asyncio.run(walk()) == {"who": unix_user(os.getpid(), os.geteuid())}
    assert asker() is None


def recorded(*events, fails=False):
    found = []

    async def append(event):
        if fails:
            raise LedgerError("the disk is full")
        found.append(event)

    asyncio.run(Record(append, None)(*events))
    return found


def test_an_event_says_who_asked_beside_what_it_told_already():
    plain, detailed = Event(EventKind.INVITED, "P1", AT), Event(EventKind.PORTAL_CLOSED, "", AT, details="until noon")
    assert recorded(plain) == [plain]
    with asked_by("anne as root"):
        assert [one.details for one in recorded(plain, detailed)] == [
            "asked by anne as root",
            "until noon; asked by anne as root",
        ]


@pytest.mark.parametrize(("account", "what"), [("P1", "the change to account P1"), ("", "the change")])
def test_a_change_whose_event_is_lost_is_said_to_stand(account, what):
    with pytest.raises(LedgerError, match=f"^{what} is made, but its event invited could not be recorded: the disk"):
        recorded(Event(EventKind.INVITED, account, AT), fails=True)


def test_the_login_is_read_where_the_machine_notes_it():
    found = Path(f"/proc/{os.getpid()}/loginuid").read_text(encoding="ascii")
    named = unix_user(os.getpid(), os.geteuid())
    assert (" as " in named) == (int(found) not in {0xFFFFFFFF, os.geteuid()})
