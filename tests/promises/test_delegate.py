# SPDX-License-Identifier: EUPL-1.2
"""A delegate through the whole gateway: what he was given and no more, under his name, within a budget of his own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from gateway.identity.accounts import Accounts
from gateway.identity.at_rest import AtRest
from gateway.identity.database import open_database
from gateway.identity.delegates import Delegates
from gateway.identity.session import Sessions
from gateway.model import Method, Proof
from gateway.portal.cookies import SESSION_COOKIE
from support.link import Link
from support.lookups import Demo, api_request, lookup_policy, people

pytestmark = pytest.mark.system

ACCOUNT = "750012346"
BUDGETS = "{people: 5, window: 24h, past: deny}", "{people: 3, window: 24h, past: deny, per: holder}"
PAGE = b"GET / HTTP/1.1\r\naccept: application/json\r\n"


def delegate(demo: Demo, name: str) -> str:
    """The cookie of somebody who acts for the account with a card, in Infopatient."""
    engine, at = open_database(demo.house.accounts_file), datetime.now(UTC)
    until = at + timedelta(days=1)
    given = Delegates(engine).draft(ACCOUNT, name, f"3750012346/{name.upper()}", "", ["infopatient"], until, None, at)
    Delegates(engine).give(given)
    account = Accounts(engine, AtRest(bytes(32))).find(ACCOUNT)
    sessions = Sessions(engine, timedelta(hours=1), timedelta(hours=4))
    proofs = [Proof(Method.SMART_CARD, at)]
    token, _ = sessions.open(account, proofs, at, "127.0.0.1", "", delegation=given.delegation)
    engine.dispose()
    return f"{SESSION_COOKIE}={token}"


def ask(demo: Demo, cookie: str, numbers: list[str]) -> list[int]:
    with Link(demo.house.port, cookie) as link:
        return [link.ask(api_request(number)).status for number in numbers]


def test_J1_a_delegate_has_a_budget_of_his_own_within_the_accounts_also_after_a_restart(tmp_path):
    demo = Demo(tmp_path, lookup_policy(*BUDGETS))
    holder = demo.house.sign_in()
    lou, ana = delegate(demo, "Lou"), delegate(demo, "Ana")
    numbers = list(islice(people(11), 12))
    with demo.portal:
        with demo.house.serve():
            assert ask(demo, lou, numbers[:4]) == [200, 200, 200, 429]
            with Link(demo.house.port, lou) as link:
                answer = link.ask(PAGE)
                shown = link.ask(PAGE.replace(b"application/json", b"text/html"))
            assert (answer.status, b"not-delegated" in answer.body) == (403, True)
            assert (shown.status, b"Lou, pour Compte d" in shown.body) == (403, True), "the page knows who he is"
        with demo.house.serve():
            assert ask(demo, lou, numbers[3:5]) == [429, 429], "the restart has not forgotten him"
            assert ask(demo, ana, numbers[5:8]) == [200, 200, 429], "the account's budget counts everybody"
            assert ask(demo, holder, numbers[8:9]) == [429]
    events = [stored.event for stored in demo.house.events(ACCOUNT)]
    assert {one.holder for one in events if one.kind == "lookup"} == {"Lou", "Ana"}
    assert [one.holder for one in events if one.reason == "not-delegated"] == ["Lou", "Lou"]
    assert all(one.delegate for one in events if one.holder in {"Lou", "Ana"})
