# SPDX-License-Identifier: EUPL-1.2
"""An account that signs in by the gateway's own pages, over a bare connection: its password, its codes, its forms.

No assertions here.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pyotp

from gateway.identity.accounts import Accounts
from gateway.identity.at_rest import AtRest
from gateway.identity.database import open_database
from gateway.identity.otp import Factors
from gateway.identity.password import PasswordHasher
from gateway.portal.cookies import SESSION_COOKIE
from gateway.settings import read_key
from gateway.state_files import AT_REST_KEY_FILE

if TYPE_CHECKING:
    from support.house import House
    from support.raw import Answer

NAME, PASSWORD = "750012346", "cinq mots pour ouvrir la porte"  # of a house that lives as long as a test


def form(path: str, origin: str, **fields: str) -> bytes:
    """A form as our own pages send it."""
    body = urlencode(fields).encode()
    head = f"POST {path} HTTP/1.1\r\norigin: {origin}\r\naccept: text/html\r\n"
    head += f"content-type: application/x-www-form-urlencoded\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def with_password(house: House) -> pyotp.TOTP:
    """An account that can sign in; gives its authenticator."""
    at, totp = datetime.now(UTC), pyotp.TOTP(pyotp.random_base32())
    engine = open_database(house.accounts_file)
    at_rest = AtRest(read_key(house.folder / "keys" / AT_REST_KEY_FILE))
    accounts, hasher = Accounts(engine, at_rest), PasswordHasher(1, 1, test_cost=True)
    accounts.create(NAME, "Pharmacie d'essai", "pharmacist", None, (), at)
    accounts.set_password(NAME, asyncio.run(hasher.hash(PASSWORD)), at)
    Factors(engine, at_rest).add_totp(NAME, totp.secret, at)
    hasher.close()
    engine.dispose()
    return totp


def cookie_of(answer: Answer) -> str:
    """The session that an answer begins, as the Cookie field has it."""
    (own,) = [value for value in answer.all(b"set-cookie") if value.startswith(SESSION_COOKIE.encode() + b"=")]
    return own.partition(b";")[0].decode()
