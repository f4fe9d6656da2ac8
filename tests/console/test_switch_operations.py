# SPDX-License-Identifier: EUPL-1.2
"""What operators switch for everybody: the change, its event with reason and asker, and what is refused unchanged."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gateway.console.asker import asked_by
from gateway.console.switch_commands import switch_handlers
from gateway.console.switch_operations import ANNOUNCEMENTS_AT_MOST, SwitchOperations
from gateway.errors import HerseError, LedgerError
from gateway.model import Event, EventKind, Switches
from gateway.pages.announcement_words import READY_MADE
from gateway.switches import Switchboard

T0 = datetime(2026, 11, 22, 8, tzinfo=UTC)
LATER = T0 + timedelta(hours=3)
TITLES = {"infopatient": "Infopatient", "aat": "Arrêt de travail"}
TEXT = {"fr": "Bonjour", "en": "Hello"}


class Desk:
    """The operations over a real file, a clock that a test moves, and a record that it can break."""

    def __init__(self, folder):
        self.path = folder / "switches.json"
        self.board = Switchboard(self.path)
        self.now, self.events, self.broken, self.titles = T0, [], False, dict(TITLES)
        operations = SwitchOperations(self.board, self.append, lambda: self.titles)
        self.handlers = switch_handlers(operations, lambda: self.now)

    async def append(self, event):
        if self.broken:
            raise LedgerError("the disk is full")
        self.events.append(event)

    def do(self, command, **arguments):
        arguments = {name: one.isoformat() if isinstance(one, datetime) else one for name, one in arguments.items()}
        with asked_by("anne"):
            return asyncio.run(self.handlers[command](arguments))

    def close(self, teleservice="infopatient", **more):
        return self.do("teleservice.close", teleservice=teleservice, reason="vol", **more)

    def announce(self, **more):
        return self.do("notice.set", **{"until": LATER, "reason": "vol", **more})

    def stays(self, match, command, **arguments):
        """Refused with this sentence, and nothing is switched or recorded."""
        before = self.board.switches
        with pytest.raises(HerseError, match=match):
            self.do(command, **arguments)
        assert self.board.switches == before
        assert Switchboard(self.path).switches == before


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_a_teleservice_is_closed_and_opened_with_two_events(desk):
    assert desk.close(until=LATER) == {"since": T0.isoformat(), "until": LATER.isoformat()}
    closure = desk.board.closed.of("infopatient", T0)
    assert closure == ("infopatient", T0, LATER, "vol", "anne")
    desk.now += timedelta(hours=1)
    assert desk.do("teleservice.open", teleservice="infopatient", reason="fini") == {}
    assert desk.board.closed is None
    told = {"teleservice": "infopatient"}
    assert desk.events == [
        Event(
            EventKind.TELESERVICE_CLOSED,
            "",
            T0,
            reason="vol",
            details="until 2026-11-22T11:00:00+00:00; asked by anne",
            **told,
        ),
        Event(EventKind.TELESERVICE_OPENED, "", desk.now, reason="fini", details="asked by anne", **told),
    ]


def test_the_portal_is_closed_by_its_own_command_alone(desk):
    desk.stays("as teleservice; expected a text", "teleservice.close", reason="vol")
    desk.stays("as teleservice; expected a text", "teleservice.open", reason="vol")
    assert desk.do("portal.close", reason="vol") == {"since": T0.isoformat(), "until": None}
    assert desk.board.closed.of(None, T0).until is None
    assert desk.do("portal.open", reason="fini") == {}
    assert [(one.kind, one.teleservice, one.details) for one in desk.events] == [
        (EventKind.PORTAL_CLOSED, None, "until it is opened; asked by anne"),
        (EventKind.PORTAL_OPENED, None, "asked by anne"),
    ]


def test_closed_again_has_another_end_and_the_same_beginning_until_it_was_over(desk):
    desk.close(until=LATER)
    desk.now += timedelta(hours=1)
    assert desk.close() == {"since": T0.isoformat(), "until": None}
    desk.close(until=LATER)
    desk.now = LATER
    assert desk.close()["since"] == LATER.isoformat(), "what had opened by itself closes anew"
    assert len(desk.board.switches.closures) == 1


def test_what_has_opened_by_itself_is_not_closed_any_more(desk):
    desk.close(until=LATER)
    desk.now = LATER
    assert [one["closed"] for one in desk.do("teleservice.list")["teleservices"]] == [None, None]
    desk.stays(
        "'infopatient' is not closed; closed now: nothing", "teleservice.open", teleservice="infopatient", reason="x"
    )


def test_an_unknown_teleservice_is_refused_with_those_there_are(desk):
    told = "found 'infopatiant' as teleservice; expected one that the policy has: aat, infopatient"
    desk.stays(told, "teleservice.close", teleservice="infopatiant", reason="vol")
    desk.close()
    desk.stays("'aat' is not closed; closed now: infopatient", "teleservice.open", teleservice="aat", reason="x")
    desk.stays("the portal is not closed; closed now: infopatient", "portal.open", reason="x")


def test_one_that_the_policy_has_no_more_stays_closed_and_listed_and_can_be_opened(desk):
    desk.close()
    del desk.titles["infopatient"]
    closed = {"since": "2026-11-22T08:00:00+00:00", "until": None, "reason": "vol", "by": "anne"}
    assert desk.do("teleservice.list") == {
        "portal": None,
        "teleservices": [
            {"name": "aat", "title": "Arrêt de travail", "closed": None},
            {"name": "infopatient", "title": None, "closed": closed},
        ],
    }
    desk.close(until=LATER)
    desk.do("teleservice.open", teleservice="infopatient", reason="fini")
    assert desk.board.closed is None


@pytest.mark.parametrize("reason", ["", "  ", "a\x1bb", "x" * 121])
def test_every_act_asks_for_a_reason(desk, reason):
    for command, more in {
        "teleservice.close": {"teleservice": "infopatient"},
        "teleservice.open": {"teleservice": "infopatient"},
        "portal.close": {},
        "portal.open": {},
        "notice.set": {"about": "rib", "until": LATER},
        "notice.clear": {"number": None},
    }.items():
        desk.stays("as reason; expected 1 to 120", command, reason=reason, **more)
        desk.stays("found None as reason; expected a text", command, **more)
    assert desk.events == []


@pytest.mark.parametrize("until", [T0, T0 - timedelta(days=1)])
def test_an_end_that_is_past_is_refused(desk, until):
    desk.stays("as --until; expected a time after 2026-11-22T08:00", "portal.close", reason="x", until=until)
    desk.stays("as --until; expected a time after", "notice.set", reason="x", until=until, **TEXT)
    desk.stays("as --until; expected a time after", "notice.set", reason="x", since=LATER, until=LATER, **TEXT)


@pytest.mark.parametrize("until", ["soon", "2026-11-22T18:00:00", 7])
def test_an_end_without_its_offset_is_refused(desk, until):
    desk.stays("as until; expected", "portal.close", reason="x", until=until)


def test_a_ledger_that_failed_does_not_keep_a_portal_open(desk):
    desk.broken = True
    with pytest.raises(LedgerError, match="the change is made, but its event portal-closed could not be recorded"):
        desk.do("portal.close", reason="vol")
    assert desk.board.closed.of(None, T0) is not None
    assert Switchboard(desk.path).closed == desk.board.closed


def test_a_message_is_shown_between_its_times_listed_and_taken_away(desk):
    assert desk.announce(about="rib") == {"number": 1, **READY_MADE["rib"]._asdict()}
    assert desk.announce(fr=" Deux\nlignes ", en="Two", since=T0 + timedelta(hours=1))["number"] == 2
    told = desk.do("notice.list")["notices"]
    assert [(one["number"], one["shown"], one["fr"]) for one in told][1] == (2, False, "Deux lignes")
    assert told[0]["since"] == "2026-11-22T08:00:00+00:00"
    desk.now += timedelta(hours=2)
    assert [one["shown"] for one in desk.do("notice.list")["notices"]] == [True, True]
    desk.stays("there is no notice 7; found: 1, 2", "notice.clear", number=7, reason="x")
    assert desk.do("notice.clear", number=1, reason="fini") == {"cleared": 1}
    assert desk.announce(**TEXT)["number"] == 3
    assert desk.do("notice.clear", number=None, reason="fini") == {"cleared": 2}
    desk.stays("there is no notice ; found: none", "notice.clear", number=None, reason="x")
    assert [str(one.kind) for one in desk.events] == ["notice-set"] * 2 + [
        "notice-cleared",
        "notice-set",
        "notice-cleared",
    ]
    assert desk.events[1].details == (
        "notice 2, 2026-11-22T09:00:00+00:00 to 2026-11-22T11:00:00+00:00: Deux lignes; asked by anne"
    )
    assert desk.events[-1].details == "notices 2, 3; asked by anne"


def test_a_message_that_began_before_begins_now(desk):
    desk.announce(since=T0 - timedelta(days=1), **TEXT)
    assert desk.board.switches.announcements[0].since == T0


def test_texts_and_times_of_a_message_are_held_to_what_people_can_read(desk):
    desk.stays(
        "found 'xyz' as --about; expected one of: passwords, rib, 3608",
        "notice.set",
        about="xyz",
        until=LATER,
        reason="x",
    )
    desk.stays("found 401 characters as --fr", "notice.set", fr="x" * 401, en="x", until=LATER, reason="x")
    desk.stays("found 0 characters as --en", "notice.set", fr="x", en=" ", until=LATER, reason="x")
    desk.stays("found None as en; expected a text", "notice.set", fr="x", until=LATER, reason="x")
    desk.stays("found None as until; expected a text", "notice.set", about="rib", reason="x")
    desk.stays("found '1' as number of a notice", "notice.clear", number="1", reason="x")
    for _ in range(ANNOUNCEMENTS_AT_MOST):
        desk.announce(**TEXT)
    desk.stays("there are 5 notices already", "notice.set", about="rib", until=LATER, reason="x")
    desk.now = LATER
    assert desk.announce(until=LATER + timedelta(hours=1), **TEXT)["number"] == 1


def test_nothing_is_switched_where_nothing_was_asked(desk):
    assert desk.board.switches == Switches()
    assert not desk.path.exists()
