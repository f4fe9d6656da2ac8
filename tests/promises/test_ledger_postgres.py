# SPDX-License-Identifier: EUPL-1.2
"""Promise 2 with PostgreSQL as the ledger: the first account makes it, serving writes it, and when it ends, 503 until a
start; what was shown is on record.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import pytest

from gateway.ledger.read import LedgerReader
from support.link import Link
from support.lookups import Demo, Load, api_request, people
from support.off_line import CREATE, account_command, settle
from support.postgres import PASSWORD, PostgresServer
from support.servers import wait_until
from support.tls import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """Over TLS, as one on another machine would be."""
    authority = Authority(tmp_path_factory.mktemp("authority"))
    with PostgresServer(certificate=authority.issue("127.0.0.1"), authority=authority.certificate) as made:
        yield made


def answers(demo: Demo, cookie: str, numbers: Iterator[str], count: int = 5) -> set[int]:
    with Link(demo.house.port, cookie) as link:
        return {link.ask(api_request(number)).status for number in islice(numbers, count)}


def test_L4_when_the_server_ends_lookups_stop_and_nothing_was_shown_unrecorded(server, tmp_path):
    place, numbers = server.database(), people(5)
    demo = Demo(tmp_path, settings={"ledger": server.section(place, tmp_path)})
    cookies = [(account, demo.house.sign_in(account)) for account in ("750012346", "750012353") * 2]
    load = Load(demo, cookies, numbers)
    with demo.portal:
        with demo.house.serve():
            load.start()
            wait_until("some shown", lambda: load.statuses[200] > 100, 60)
            server.crash()
            wait_until("refused", lambda: load.statuses[503] > 20, 60)
            load.stop()
            server.start()
            assert answers(demo, cookies[0][1], numbers) == {503}, "for good, until a start"
        assert set(load.statuses) == {200, 503}
        assert load.received - server.shown(place) == set(), "shown, and not on record"
        with demo.house.serve():
            assert answers(demo, cookies[0][1], numbers) == {200}
            server.stop()
            server.start()
            assert answers(demo, cookies[0][1], numbers) == {503}, "a clean restart is a connection lost, too"
    ((days,),) = server.ask(place.database, "select count(*) from pg_class where relname ~ '^event_20[0-9_]*$'")
    assert days == 10


def test_the_first_account_makes_the_ledger_and_later_ones_use_it(server, tmp_path, capsys):
    place = server.database(ledger=False)
    settle(tmp_path)
    words = "".join(f'{key} = "{value}"\n' for key, value in server.section(place, tmp_path).items())
    with (tmp_path / "herse.toml").open("a") as settings:
        settings.write(f"[ledger]\n{words}")
    command = account_command(tmp_path)
    assert command(*CREATE) == 0
    assert command("lock", "750012346", "--reason", "test") == 0
    assert not (tmp_path / "state" / "ledger.db").exists()
    assert PASSWORD not in "".join(capsys.readouterr())
    reader = LedgerReader(place)
    assert {str(one.event.kind) for one in reader.events("750012346")} >= {"account-created", "account-locked"}
    reader.close()


def test_a_server_with_a_certificate_of_another_authority_is_refused(server, tmp_path):
    settings = server.section(server.database(), tmp_path)
    other = Authority(tmp_path / "other").certificate
    demo = Demo(tmp_path / "demo", settings={"ledger": settings | {"authority": str(other)}})
    code, said = demo.house.fails_to_start()
    assert code == 2
    assert "certificate verify failed" in said
    assert PASSWORD not in said
