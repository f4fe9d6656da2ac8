# SPDX-License-Identifier: EUPL-1.2
"""The mail room of a whole gateway: `herse serve` sends what waits, to a folder or to a real server."""

from __future__ import annotations

import asyncio
import email
import email.policy
from datetime import UTC, datetime

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Debugging

from gateway.app import Gateway
from gateway.errors import StartError
from gateway.identity.at_rest import AtRest
from gateway.mail.letter import Letter
from gateway.post_office import open_outbox
from gateway.settings import load_settings, read_key
from gateway.state_files import AT_REST_KEY_FILE
from support.house import House
from support.servers import LOOPBACK, free_port

LETTER = Letter("pharmacie@exemple.example", "Bonjour", "C\u2019est \u00e9crit.\n")
NOWHERE = "http://127.0.0.1:9"


def put(house):
    """As a command does while no server runs."""
    outbox = open_outbox(house.folder / "state", AtRest(read_key(house.folder / "keys" / AT_REST_KEY_FILE)))
    outbox.put(LETTER, datetime.now(UTC))
    outbox.close()


def served(house, done):
    """Run what runs beside the listener until `done`."""
    gateway = Gateway(load_settings(house.settings_file), test_cost=True)

    async def walk():
        stop = asyncio.Event()
        running = asyncio.create_task(gateway.run_beside(stop))
        for _ in range(500):
            if done():
                break
            await asyncio.sleep(0.02)
        stop.set()
        await running

    try:
        asyncio.run(walk())
        return gateway.post.outbox.count()
    finally:
        gateway.close()


def test_without_the_section_letters_lie_in_the_state_folder_and_the_log_says_so(tmp_path, caplog):
    house = House(tmp_path, NOWHERE)
    put(house)
    letters = tmp_path / "state" / "letters"
    assert served(house, lambda: list(letters.glob("*.eml"))) == 0
    (file,) = letters.iterdir()
    found = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert (found["To"], found["From"]) == (LETTER.to, "herse@herse.invalid")
    assert found.get_content().replace("\r\n", "\n") == LETTER.text
    assert [one.folder for one in caplog.records if one.message == "letters-stay-here"] == ["letters"]


def test_a_folder_of_the_settings(tmp_path):
    house = House(tmp_path, NOWHERE, settings={"mail": {"from": "herse@portail.example", "folder": "out"}})
    put(house)
    assert served(house, lambda: list((tmp_path / "out").glob("*.eml"))) == 0
    assert not (tmp_path / "state" / "letters").exists()


class Taking(Debugging):
    def __init__(self):
        super().__init__()
        self.taken = []

    async def handle_DATA(self, server, session, envelope):
        self.taken.append((envelope.mail_from, envelope.rcpt_tos))
        return "250 taken"


def test_a_server_of_the_settings(tmp_path):
    handler = Taking()
    server = Controller(handler, hostname=LOOPBACK, port=free_port())
    server.start()
    try:
        smtp = {"from": "herse@portail.example", "smtp": f"{LOOPBACK}:{server.port}", "tls": "none"}
        house = House(tmp_path, NOWHERE, settings={"mail": smtp})
        put(house)
        assert served(house, lambda: handler.taken) == 0
    finally:
        server.stop()
    assert handler.taken == [("herse@portail.example", [LETTER.to])]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"user": "herse", "password_file": "nothing"}, r"mail\.password_file"),
        ({"authority": "nothing.pem"}, r"mail\.authority"),
    ],
)
def test_a_file_that_is_not_there_stops_the_start(tmp_path, values, told):
    smtp = {"from": "herse@portail.example", "smtp": "mail.example:587"}
    house = House(tmp_path, NOWHERE, settings={"mail": smtp | values})
    with pytest.raises(StartError, match=told):
        Gateway(load_settings(house.settings_file))


def test_an_outbox_of_another_version_stops_the_start(tmp_path):
    house = House(tmp_path, NOWHERE)
    (tmp_path / "state" / "mail.db").write_bytes(b"of somebody else" * 300)
    with pytest.raises(StartError, match="cannot be opened as an outbox"):
        Gateway(load_settings(house.settings_file))
