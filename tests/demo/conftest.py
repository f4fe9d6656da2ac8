# SPDX-License-Identifier: EUPL-1.2
"""For the tests of the stand-in portal: somebody who signs assertions as the gateway would, and a portal in memory."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from gateway.demo.app import build_demo
from gateway.demo.assertion import AssertionCheck, KeyCache
from gateway.demo.served import ServedLog

ISSUER = "https://localhost:8443"
AUDIENCE = "http://127.0.0.1:9080"
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


class Voucher:
    """The gateway's signing side: one key, its JWK set, and assertions with anything about them changed."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256")
        self.kid = self.key.thumbprint()

    def jwks(self) -> dict:
        return {"keys": [{**self.key.as_dict(private=False), "kid": self.kid, "use": "sig", "alg": "ES256"}]}

    def claims(self, at: datetime = AT, **changed) -> dict:
        usual = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "750012346",
            "name": "Pharmacie du Pont",
            "profession": "pharmacist",
            "acr": "mfa",
            "sid": "s-1",
            "iat": int(at.timestamp()),
            "exp": int((at + timedelta(seconds=120)).timestamp()),
        }
        return {name: value for name, value in {**usual, **changed}.items() if value is not ...}

    def header(self, **changed) -> dict:
        usual = {"alg": "ES256", "typ": "JWT", "kid": self.kid}
        return {name: value for name, value in {**usual, **changed}.items() if value is not ...}

    def assertion(self, at: datetime = AT, *, key: object = None, header: dict | None = None, **changed) -> str:
        """A signed assertion; a claim or header field given as `...` is left out."""
        fields = self.header(**(header or {}))
        return jwt.encode(
            fields, self.claims(at, **changed), key or self.key, algorithms=[fields["alg"]], default_type=None
        )


class Portal:
    """The portal in memory: one request at a time, as the gateway would send it."""

    def __init__(self, voucher: Voucher, served: ServedLog) -> None:
        self.voucher = voucher
        self.at = AT
        self.served = served
        self.fault: Exception | None = None

    def _fetch(self) -> dict:
        if self.fault is not None:
            raise self.fault
        return self.voucher.jwks()

    def ask(self, method: str, path: str, *, vouched: bool = True, headers=(), **more) -> httpx.Response:
        fields = list(headers)
        if vouched:
            fields.append(("Herse-Assertion", self.voucher.assertion(self.at)))

        async def walk() -> httpx.Response:
            check = AssertionCheck(KeyCache(self._fetch), ISSUER, AUDIENCE)
            transport = httpx.ASGITransport(build_demo(check, self.served, lambda: self.at))
            async with httpx.AsyncClient(transport=transport, base_url=AUDIENCE) as client:
                return await client.request(method, path, headers=fields, **more)

        return asyncio.run(walk())


@pytest.fixture(scope="session")
def voucher() -> Voucher:
    return Voucher()


@pytest.fixture
def served_file(tmp_path):
    return tmp_path / "served.log"


@pytest.fixture
def portal(voucher, served_file):
    served = ServedLog(served_file)
    yield Portal(voucher, served)
    served.close()
