# SPDX-License-Identifier: EUPL-1.2
"""The world that test cards live in: one PKI at one moment, RSA keys made once a session, lists as fresh as asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from gateway.demo.card_pki import STRONG, Authority, Bearer, CardPki, Draft, make_card_pki, new_key, sign
from gateway.demo.card_responder import make_list
from gateway.identity.revocation import RevocationLists

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa

    from gateway.identity.trust import CardTrust

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
CPS = Bearer("CAROLE", "PHARMACH0007512", "Pharmacien", "899700075122")
CPE = Bearer(
    "CHARLES",
    "ADMINISTRATIF-CH057880002",
    "Personnel santé ou social",
    "30B0057881/CPET0002",
    "CPE",
    ("HOPITAL DES 3 DAMES", "0B0057881"),
    "2600301752",
)
POOL = 24


@cache
def _key_at(place: int) -> rsa.RSAPrivateKey:
    return new_key()


class Keys:
    """The same RSA keys for a whole test session, in turn: making them is what is slow."""

    def __init__(self, start: int = 0) -> None:
        self._start, self._next = start, 0

    def __call__(self) -> rsa.RSAPrivateKey:
        self._next += 1
        return _key_at(self._start + self._next % POOL)


@dataclass(frozen=True)
class World:
    """One PKI at one moment, and the key of every card."""

    pki: CardPki
    at: datetime
    key: rsa.RSAPrivateKey

    def trust(self, **more: object) -> CardTrust:
        return self.pki.trust(**more)

    def lists(self, *revoked: x509.Certificate, trust: CardTrust | None = None, age: timedelta = timedelta(), **more):
        """Lists of all authorities, as fresh as `age` says, which take these certificates back."""
        lists = RevocationLists(trust or self.trust(), **more)
        for one in self.pki.authorities.values():
            if one.certificate in lists.trust.authorities():
                serials = [gone.serial_number for gone in revoked if gone.issuer == one.certificate.subject]
                lists.accept(make_list(one, self.at - age, serials), self.at)
        return lists

    def good(self, bearer: Bearer = CPS, *, test: bool = True) -> x509.Certificate:
        return self.sign(self.pki.draft(bearer, self.at, test=test))

    def sign(self, draft: Draft, authority: Authority | None = None) -> x509.Certificate:
        return sign(draft, authority or self.pki.people(STRONG), self.key)


def make_world(at: datetime = AT) -> World:
    keys = Keys()
    return World(make_card_pki(at, key=keys), at, keys())


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
