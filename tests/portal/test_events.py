# SPDX-License-Identifier: EUPL-1.2
"""« Mes derniers événements » as page and as JSON: own events only, never a number, filters, paging."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.ledger.event import Cursor
from gateway.model import EventKind
from gateway.pages.event_words import GROUPS

EVENTS = "/.herse/account/events"
PHARMACY = "750012346"
DOCTOR = "751234567"
FIELDS = {
    "holder",
    "delegate",
    "sequence",
    "at",
    "kind",
    "teleservice",
    "people",
    "reason",
    "network",
    "device",
    "method",
    "session",
}


def told(browser, query=""):
    return browser.get(EVENTS + query, accept="application/json").json()


def test_a_page_tells_what_happened_newest_first(world, signed_in):
    world.later(minutes=5)
    for person in (b"a" * 16, b"b" * 16, b"a" * 16):
        world.look_up(person)
    world.note(EventKind.REFUSED, teleservice="infopatient", reason="budget-exhausted", network="192.0.2.14")
    page = signed_in.get(EVENTS)
    assert page.headers["content-language"] == "fr"
    order = ["Infopatient\u00a0: accès refusé", "limite protège", "2 personnes consultées", "Connexion</strong>"]
    places = [page.text.index(words) for words in order]
    assert places == sorted(places)
    assert 'datetime="2026-11-22T08:05:00Z">9\u00a0h\u00a005 <span>dimanche 22 novembre 2026' in page.text
    for words in ("192.0.2.14", "Firefox sur Windows", "mot de passe"):
        assert words in page.text


def test_the_page_speaks_English_to_who_prefers_it(world, signed_in):
    world.look_up(b"a" * 16)
    page = signed_in.get(EVENTS, accept_language="en-GB,en")
    assert (page.headers["content-language"], '<html lang="en">' in page.text) == ("en", True)
    assert "Infopatient: 1 person looked up" in page.text


def test_JSON_has_the_same_lines(world, signed_in):
    world.look_up(b"a" * 16, network="192.0.2.14")
    document = told(signed_in)
    assert set(document) == {"account", "events", "next"}
    assert (document["account"], document["next"]) == (PHARMACY, None)
    first = document["events"][0]
    assert set(first) == FIELDS
    assert (first["kind"], first["people"], first["teleservice"]) == ("lookup", 1, "infopatient")
    assert first["at"] == "2026-11-22T08:00:00Z"


def test_V822_nobody_sees_the_events_of_another_account(world, signed_in):
    world.look_up(b"c" * 16, DOCTOR, network="203.0.113.99")
    (stored,) = world.reader.events(DOCTOR)
    foreign = stored.sequence
    for query in (
        "",
        f"?account={DOCTOR}",
        f"?identifier={DOCTOR}",
        f"?before={Cursor(stored.event.at, foreign + 1)}",
        f"?before={stored.cursor}",
        "?group=look-ups",
    ):
        assert "203.0.113.99" not in signed_in.get(EVENTS + query).text
        document = told(signed_in, query)
        assert document["account"] == PHARMACY
        assert foreign not in [event["sequence"] for event in document["events"]]


def test_K2_no_pseudonym_leaves(world, signed_in):
    secret = b"0123456789abcdef"
    world.look_up(secret)
    for text in (signed_in.get(EVENTS).text, signed_in.get(EVENTS, accept="application/json").text):
        assert secret.hex() not in text
        assert secret.decode() not in text


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_of_kinds_is_chosen(world, signed_in, group):
    for kind in EventKind:
        world.note(kind, teleservice="aat")
    kinds = {event["kind"] for event in told(signed_in, f"?group={group}")["events"]}
    assert kinds == {str(kind) for kind in GROUPS[group]}
    assert f'value="{group}" selected' in signed_in.get(f"{EVENTS}?group={group}").text


def test_days_are_days_in_Paris(world, signed_in):
    world.now = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)  # the 21st in Paris
    world.look_up(b"a" * 16)
    world.now = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
    assert [event["kind"] for event in told(signed_in, "?from=2026-11-21&to=2026-11-21")["events"]] == ["lookup"]
    assert told(signed_in, "?from=2026-11-20&to=2026-11-20")["events"] == []
    assert "Aucun événement" in signed_in.get(f"{EVENTS}?to=2026-11-20").text


def test_pages_go_on_by_cursor_and_keep_the_filter(world, signed_in):
    for _ in range(120):
        world.later(seconds=1)
        world.note(EventKind.STEP_UP)
        world.note(EventKind.REFUSED, reason="no-teleservice")
    signed_in.get("/.herse/account")
    seen, query = [], "?group=sign-ins&from=2026-11-22"
    while query:
        page = signed_in.get(EVENTS + query).text
        document = told(signed_in, query)
        seen += [event["sequence"] for event in document["events"]]
        older = re.search(r'href="/.herse/account/events(\?[^"]*)" rel="next"', page)
        assert (older is None) == (document["next"] is None)
        query = older.group(1).replace("&amp;", "&") if older else ""
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == len(set(seen)) == 121


@pytest.mark.parametrize(
    "query",
    [
        "?group=all",
        "?group=look-ups&group=refusals",
        "?before=x",
        "?before=1",
        "?before=0-0",
        "?before=-1",
        "?before=-1-1",
        "?before=1-99999999999999999999",
        "?before=99999999999999999-1",
        "?before=1-\uff11",
        "?from=2026-13-01",
        "?from=20261122",
        "?to=0001-01-01",
        "?to=9999-12-31",
        "?from=2026-11-22'--",
    ],
)
def test_what_is_no_filter_is_told_so(signed_in, query):
    page = signed_in.get(EVENTS + query)
    assert page.status_code == 400
    assert 'role="alert"' in page.text
    assert signed_in.get(EVENTS + query, accept="application/json").status_code == 400


def test_without_a_session_a_person_signs_in_and_a_program_gets_a_problem(world, browser):
    answer = browser.get(f"{EVENTS}?group=refusals")
    to = answer.headers["location"].removeprefix("/.herse/sign-in?to=")
    assert browser.sign_in(to=to).headers["location"] == f"{EVENTS}?group=refusals"
    refused = world.browser().get(EVENTS, accept="application/json")
    assert (refused.status_code, refused.json()["type"]) == (401, "urn:herse:reason:sign-in-required")


def test_K1_what_a_client_sent_stays_text(world, browser):
    browser.client.headers["user-agent"] = "<script>alert(1)</script>"
    browser.sign_in()
    world.look_up(b"a" * 16, device="\u202eevil\n<b>")
    page = browser.get(EVENTS).text
    assert "<script>" not in page
    assert "<b>" not in page
    assert "\u202e" not in page


def test_a_ledger_that_cannot_be_read_is_503(world, signed_in):
    world.reader.close()
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        (Path(world.reader._database.name).parent / name).unlink(missing_ok=True)
    assert signed_in.get(EVENTS).status_code == 503
