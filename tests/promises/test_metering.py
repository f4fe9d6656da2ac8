# SPDX-License-Identifier: EUPL-1.2
"""Budgets through the whole gateway: new people, misses, alerts, delays, networks, sessions that moved."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from gateway.counting import STRANGERS_ELSEWHERE
from gateway.metering.patient import nir_key
from gateway.model import EventKind
from support.lookups import Demo, api_request, lookup_policy, people
from support.raw import Answer, parse
from support.servers import LOOPBACK

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.system

ELSEWHERE = "127.0.1.1"  # another /24 of the same machine
MALFORMED = "185057800608437"
DAY = "window: 24h"
OTHER = """\
  second:
    title: Second
    routes: ["GET /second/{nir}"]
    assurance: mfa
    patient: {path: nir}
    budgets: [{people: 99, window: 24h, past: deny}]
    discloses: [identity]
    attestation: {reference: TEST-1, until: 2099-12-31}
"""
NUMBERS = people(404)


def nobody(number: int) -> str:
    """A sound number that the portal has nobody for."""
    canonical = f"1850578006{number:03d}"
    return f"{canonical}{nir_key(canonical):02d}"


def policy(*budgets: str, keys: str = "", more: str = "") -> str:
    """The look-ups' policy with these budgets, more keys of the teleservice, and more teleservices."""
    return lookup_policy(*(f"{{{one}}}" for one in budgets)).replace("    budgets:", f"{keys}    budgets:") + more


def ask(demo: Demo, cookie: str, number: str, *, source: str = LOOPBACK, path: str = "/api/infopatient/") -> Answer:
    """One look-up on a connection of its own, from an address."""
    line = api_request(number).replace(b"/api/infopatient/", path.encode()).partition(b"\r\n")[0]
    fields = f"Host: localhost:8443\r\nCookie: {cookie}\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
    with socket.create_connection((LOOPBACK, demo.house.port), timeout=20, source_address=(source, 0)) as wire:
        wire.sendall(line + b"\r\n" + fields.encode())
        received = b""
        while piece := wire.recv(65_536):
            received += piece
    return parse(received)[0]


def statuses(demo: Demo, cookie: str, *numbers: str, **words: str) -> list[int]:
    return [ask(demo, cookie, number, **words).status for number in numbers]


def details(demo: Demo, kind: EventKind) -> list[str | None]:
    return [one.event.details for one in demo.house.events() if one.event.kind is kind]


def test_nobodys_number_gives_its_place_back_and_counts_as_missed_also_after_a_restart(tmp_path: Path):
    demo = Demo(tmp_path, policy(f"people: 2, {DAY}, past: deny", f"missed: 4, {DAY}, past: deny"))
    cookie = demo.house.sign_in()
    one, two, three = (next(NUMBERS) for _ in range(3))
    with demo.portal:
        with demo.house.serve():
            assert statuses(demo, cookie, nobody(1), nobody(2), nobody(1)) == [404] * 3
            assert statuses(demo, cookie, one, two, three, one) == [200, 200, 429, 200]
        with demo.house.serve() as gateway:
            assert statuses(demo, cookie, three, one) == [429, 200]
            assert statuses(demo, cookie, MALFORMED, one) == [400, 200]
            assert statuses(demo, cookie, "12", one, MALFORMED) == [400, 429, 429], (
                "four misses, two of them no numbers"
            )
            gateway.kill()
        with demo.house.serve():
            assert statuses(demo, cookie, one, MALFORMED) == [429, 429]
    assert demo.shown_on_record() == {("750012346", demo.pseudonym(number)) for number in (one, two)}


def test_a_portal_that_is_not_there_keeps_the_place(tmp_path: Path):
    demo = Demo(tmp_path, policy(f"people: 1, {DAY}, past: deny", f"missed: 1, {DAY}, past: deny"))
    cookie = demo.house.sign_in()
    one, two = next(NUMBERS), next(NUMBERS)
    with demo.house.serve():
        assert statuses(demo, cookie, one, two, one) == [502, 429, 502]


def test_alerts_trials_and_delays_let_look_ups_go_on_and_are_on_record(tmp_path: Path):
    demo = Demo(
        tmp_path,
        policy(
            f"people: 1, {DAY}, past: alert",
            f"people: 2, {DAY}, past: deny, observe: true",
            f"people: 2, {DAY}, past: challenge, observe: true",
            f"new: 3, {DAY}, past: delay, delay: 1s",
        ),
    )
    cookie = demo.house.sign_in()
    with demo.portal, demo.house.serve():
        numbers = [next(NUMBERS) for _ in range(4)]
        assert statuses(demo, cookie, *numbers[:3]) == [200] * 3
        began = time.monotonic()
        assert statuses(demo, cookie, numbers[3]) == [200]
        assert time.monotonic() - began >= 1
        began = time.monotonic()
        assert statuses(demo, cookie, *numbers) == [200] * 4
        assert time.monotonic() - began < 1, "whom the account has seen waits for nothing"
    assert details(demo, EventKind.ALERTED) == ["past 1 people per 1d, then alert"]
    observed = [
        "would have denied: 2 people per 1d, then deny, observed only",
        "would have challenged: 2 people per 1d, then challenge, observed only",
    ]
    assert details(demo, EventKind.OBSERVED) == observed * 2


def test_what_is_told_is_told_beside_a_refusal_too(tmp_path: Path):
    demo = Demo(tmp_path, policy(f"people: 1, {DAY}, past: alert", f"people: 1, {DAY}, past: deny"))
    cookie = demo.house.sign_in()
    with demo.portal, demo.house.serve():
        assert statuses(demo, cookie, *(next(NUMBERS) for _ in range(3))) == [200, 429, 429]
    assert details(demo, EventKind.ALERTED) == ["past 1 people per 1d, then alert"], "once a window"


def test_a_moved_session_shows_whom_the_account_knows_and_three_strangers_until_it_asks_for_another(tmp_path: Path):
    demo = Demo(tmp_path, policy(f"people: 99, {DAY}, past: deny", keys="    moved: new-people\n    known_for: 30d\n"))
    cookie, other = demo.house.sign_in(), demo.house.sign_in()
    known, second, *strangers = (next(NUMBERS) for _ in range(2 + STRANGERS_ELSEWHERE))
    with demo.portal, demo.house.serve():
        assert statuses(demo, cookie, known) == [200]
        asked = [one for stranger in strangers for one in (known, stranger, stranger)]
        assert set(statuses(demo, cookie, *asked, source=ELSEWHERE)) == {200}
        refused = ask(demo, cookie, second, source=ELSEWHERE)
        assert refused.status == 401
        assert b"session-moved" in refused.body
        assert b'acr_values="mfa", max_age="0"' in (refused.get(b"www-authenticate") or b"")
        assert statuses(demo, cookie, known, source=ELSEWHERE) == [401], "whoever asked is somebody else: nobody at all"
        assert statuses(demo, cookie, known, second) == [200, 200], "the holder goes on where he was"
        assert statuses(demo, other, known, source=ELSEWHERE) == [200], "his other session is not suspected"
    assert demo.shown_on_record() == {("750012346", demo.pseudonym(number)) for number in (known, second, *strangers)}


def test_a_moved_session_shows_three_strangers_of_many_that_are_asked_for_at_once(tmp_path: Path):
    demo = Demo(tmp_path, policy(f"people: 99, {DAY}, past: deny", keys="    moved: new-people\n"))
    cookie = demo.house.sign_in()
    with demo.portal, demo.house.serve(), ThreadPoolExecutor(12) as pool:
        asked = pool.map(
            lambda number: statuses(demo, cookie, number, source=ELSEWHERE), [next(NUMBERS) for _ in range(36)]
        )
        found = [status for one in asked for status in one]
    assert sorted(set(found)) == [200, 401]
    assert found.count(200) == STRANGERS_ELSEWHERE
    assert len(demo.shown_on_record()) == STRANGERS_ELSEWHERE


def test_a_network_has_a_budget_over_all_its_accounts_also_after_a_restart(tmp_path: Path):
    demo = Demo(tmp_path, policy(f"people: 2, {DAY}, past: deny, per: network"))
    one, other = demo.house.sign_in("750012346"), demo.house.sign_in("750012353")
    numbers = [next(NUMBERS) for _ in range(3)]
    with demo.portal:
        with demo.house.serve():
            assert [*statuses(demo, one, numbers[0]), *statuses(demo, other, numbers[1])] == [200, 200]
            refused = ask(demo, one, numbers[2])
            assert refused.status == 429
            assert refused.get(b"ratelimit") is None, "what others use of it is not told"
        with demo.house.serve():
            assert statuses(demo, other, numbers[2], numbers[0]) == [429, 200]


def test_a_denial_that_lasts_closes_other_teleservices(tmp_path: Path):
    demo = Demo(tmp_path, policy("people: 1, window: 1s, past: deny, for: 3s, closes: [second]", more=OTHER))
    cookie, other = demo.house.sign_in(), demo.house.sign_in("750012353")
    one = next(NUMBERS)
    with demo.portal, demo.house.serve():
        assert statuses(demo, cookie, one, path="/second/") == [404]
        assert statuses(demo, cookie, one, next(NUMBERS)) == [200, 429]
        time.sleep(1.1)
        assert statuses(demo, cookie, one) == [429], "the window has passed, the denial goes on"
        assert statuses(demo, cookie, one, path="/second/") == [429]
        assert statuses(demo, other, one, path="/second/") == [404]
        time.sleep(2)
        assert statuses(demo, cookie, one) == [200]
        assert statuses(demo, cookie, one, path="/second/") == [404]


def test_who_is_new_is_still_new_or_known_after_a_restart(tmp_path: Path):
    demo = Demo(tmp_path, policy(f"new: 2, {DAY}, past: deny", keys="    known_for: 30d\n"))
    cookie = demo.house.sign_in()
    numbers = [next(NUMBERS) for _ in range(3)]
    with demo.portal:
        with demo.house.serve() as gateway:
            assert statuses(demo, cookie, *numbers) == [200, 200, 429]
            gateway.kill()
        with demo.house.serve():
            assert statuses(demo, cookie, *numbers) == [200, 200, 429]


def test_a_decoy_is_refused_in_every_spelling_and_leaves_the_account_at_high_risk(tmp_path: Path):
    budgets = policy(f"people: 99, {DAY}, past: deny", f"new: 1, {DAY}, past: challenge, risk: high")
    demo = Demo(tmp_path, budgets, settings={"policy": {"decoys": "decoys.txt"}})
    (demo.house.folder / "decoys.txt").write_text(f"{MALFORMED}\n1850578006000  # order 000\n", encoding="ascii")
    cookie, other = demo.house.sign_in(), demo.house.sign_in("750012353")
    with demo.portal, demo.house.serve():
        assert statuses(demo, cookie, next(NUMBERS), next(NUMBERS)) == [200, 200]
        for spelling in (MALFORMED, "1850578006000", f"1850578006000{nir_key('1850578006000'):02d}"):
            refused = ask(demo, cookie, spelling)
            assert (refused.status, b"decoy" in refused.body) == (403, False)
        assert statuses(demo, cookie, next(NUMBERS)) == [401], "at high risk two new people are one too many"
        assert statuses(demo, other, next(NUMBERS), next(NUMBERS)) == [200, 200]
    assert details(demo, EventKind.ALERTED) == ["asked for a decoy, a number that nobody has"] * 3
