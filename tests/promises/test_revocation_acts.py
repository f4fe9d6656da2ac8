# SPDX-License-Identifier: EUPL-1.2
"""Promise 6 for each act of a holder or an operator: what it stops is stopped by the next request, within a second.

One running gateway, an account for each act. On every account a thief has a session of his own (or a copy of the
holder's) and a kept connection, on which he has just been shown somebody.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pyotp
import pytest

from gateway.console.admin_socket import SOCKET_FILE, call
from gateway.identity.accounts import Accounts
from gateway.identity.at_rest import AtRest
from gateway.identity.database import open_database
from gateway.identity.devices import Devices, new_browser, reference_of
from gateway.identity.passkey_table import NewKey, PasskeyTable
from gateway.identity.password import PasswordHasher
from gateway.identity.session import Sessions
from gateway.model import Method, Proof
from gateway.portal.cookies import SESSION_COOKIE
from gateway.settings import read_key
from gateway.state_files import AT_REST_KEY_FILE
from support.crew import together
from support.link import Link
from support.lookups import Demo, api_request, people
from support.servers import LOOPBACK, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.raw import Answer

pytestmark = pytest.mark.system

PASSWORD = "cinq mots pour ouvrir la porte"
NEW = "grand cheval bleu mange lentement"
SESSIONS = "/.herse/account/sessions"
FACTORS = "/.herse/account/factors"
IDLE, ABSOLUTE = timedelta(minutes=30), timedelta(hours=4)
WITHIN_SECONDS = 1.0


@dataclass
class Victim:
    """One account: the cookies of its holder and of the thief, and the short names of what they are known by."""

    demo: Demo
    name: str
    holder_cookie: str
    thief_cookie: str
    device: str
    passkey: str

    def post(self, path: str, **fields: str) -> Answer:
        """A form of the gateway's own pages, sent by the holder, answered in JSON."""
        body = urlencode(fields).encode()
        head = f"POST {path} HTTP/1.1\r\norigin: {self.demo.house.origin}\r\naccept: application/json\r\n"
        head += f"content-type: application/x-www-form-urlencoded\r\ncontent-length: {len(body)}\r\n\r\n"
        with Link(self.demo.house.port, self.holder_cookie) as link:
            return link.ask(head.encode() + body)

    def end_one(self) -> Answer:
        with Link(self.demo.house.port, self.holder_cookie) as link:
            told = link.ask(f"GET {SESSIONS} HTTP/1.1\r\naccept: application/json\r\n".encode())
        (other,) = [one["reference"] for one in json.loads(told.body)["sessions"] if not one["current"]]
        return self.post(SESSIONS, session=other)

    def replace_factor(self) -> Answer:
        secret = json.loads(self.post(FACTORS).body)["secret"]
        return self.post(FACTORS, code=pyotp.TOTP(secret).now())

    def lock(self) -> None:
        socket_file = self.demo.house.ledger_file.parent / SOCKET_FILE
        wait_until("the admin socket", socket_file.exists)
        call(socket_file, "account.lock", {"identifier": self.name, "reason": "vol de mot de passe"})

    def change_password(self) -> Answer:
        return self.post("/.herse/account/password", old=PASSWORD, password=NEW)


ACTS: dict[str, Callable[[Victim], Answer | None]] = {
    "F4-sign-out-of-a-copy": lambda one: one.post("/.herse/sign-out"),
    "F4-sign-out-everywhere": lambda one: one.post(SESSIONS, all="1"),
    "others-ended": lambda one: one.post(SESSIONS, others="1"),
    "one-ended": Victim.end_one,
    "device-forgotten": lambda one: one.post("/.herse/account/devices/forget", device=one.device),
    "F9-password-changed": Victim.change_password,
    "F9-password-changed-of-a-copy": Victim.change_password,
    "F9-factor-removed": lambda one: one.post("/.herse/account/passkeys/remove", passkey=one.passkey),
    "F9-factor-replaced": Victim.replace_factor,
    "F9-locked": Victim.lock,
}
"""What the holder does, or has done. `of-a-copy`: the thief's cookie is the holder's own."""


def prepare(demo: Demo) -> dict[str, Victim]:
    """An account for each act, before the gateway starts: password, passkey, known device, two sessions."""
    at = datetime.now(UTC)
    engine = open_database(demo.house.accounts_file)
    accounts = Accounts(engine, AtRest(read_key(demo.house.folder / "keys" / AT_REST_KEY_FILE)))
    sessions, devices, keys = Sessions(engine, IDLE, ABSOLUTE), Devices(engine), PasskeyTable(engine)
    hasher = PasswordHasher(1, 10, test_cost=True)
    encoded = asyncio.run(hasher.hash(PASSWORD))
    hasher.close()
    victims = {}
    for number, act in enumerate(ACTS):
        name, browser = f"75000{number:04}", new_browser()
        account = accounts.create(name, "Pharmacie d'essai", "pharmacist", None, (), at)
        accounts.set_password(name, encoded, at)
        devices.keep(name, browser, "Firefox", at)
        device = reference_of(name, browser)
        proofs = [Proof(method, at) for method in (Method.PASSWORD, Method.TOTP, Method.PASSKEY)]
        mine, _ = sessions.open(account, proofs, at, LOOPBACK, "")
        theirs, _ = sessions.open(account, proofs, at, LOOPBACK, "", device)
        passkey = keys.add(NewKey(name.encode(), name, b"a public key", 0), "Téléphone", at).reference
        cookies = f"{SESSION_COOKIE}={mine}", f"{SESSION_COOKIE}={mine if act.endswith('copy') else theirs}"
        victims[act] = Victim(demo, name, *cookies, device, passkey)
    engine.dispose()
    return victims


@pytest.fixture(scope="module", params=[1, 4])
def victims(request, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Victim]]:
    """Before one process, and before four that share the work."""
    folder = tmp_path_factory.mktemp("acts")
    with together(folder, request.param) as settings:
        demo = Demo(folder, settings=settings, workers=request.param)
        victims = prepare(demo)
        with demo.portal, demo.house.serve():
            yield victims


@pytest.mark.parametrize("act", ACTS)
def test_what_is_stopped_is_stopped_by_the_next_request(victims, act):
    victim = victims[act]
    numbers = people(8)
    with Link(victim.demo.house.port, victim.thief_cookie) as thief:
        assert thief.ask(api_request(next(numbers))).status == 200
        served = len(victim.demo.served())
        done = ACTS[act](victim)
        since = time.monotonic()
        assert done is None or done.status == 200, done
        for _ in range(3):
            refused = thief.ask(api_request(next(numbers)))
            assert refused.status == 401
        assert time.monotonic() - since < WITHIN_SECONDS
    assert len(victim.demo.served()) == served
    assert len([account for account, *_ in victim.demo.recorded() if account == victim.name]) == 1
