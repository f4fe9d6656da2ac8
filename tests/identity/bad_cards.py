# SPDX-License-Identifier: EUPL-1.2
"""Bad cards by name: certificate, chain and key, the trust and lists they meet, and the reason each is refused with.

`make_world` builds the PKI once; `bad_cards(world)` the table. The pure check and the listener walk the same table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from identity.card_world import AT, CPE, CPS, DAY, POOL, Keys, World, der, make_world

from gateway.demo.card_pki import (
    ELEMENTARY,
    ORGANISATIONS,
    STRONG,
    Authority,
    Draft,
    make_card_pki,
    sign,
    usage,
)
from gateway.demo.card_responder import LIST_LIFE, make_answer, make_list
from gateway.identity.card import CARD_NUMBER, CARD_TYPE, CATEGORY, PRINCIPAL_NAME
from gateway.identity.ocsp import read_answer
from gateway.identity.revocation import RevocationError, RevocationLists
from gateway.identity.trust import CardTrust
from gateway.model import Reason

__all__ = ["AT", "CPE", "CPS", "DAY", "SUBJECTS", "BadCard", "Keys", "World", "bad_cards", "der", "make_world"]


@dataclass(frozen=True)
class BadCard:
    """`trust` and `lists` are those of a healthy sandbox unless the case is about them."""

    certificate: bytes
    reason: Reason
    trust: CardTrust
    lists: RevocationLists
    chain: tuple[bytes, ...] = ()


def rdn(*pairs: tuple) -> x509.RelativeDistinguishedName:
    """(type, text) or (type, text, string type), as many as given, in one RDN."""
    made = [x509.NameAttribute(kind, text, *more) for kind, text, *more in pairs]
    return x509.RelativeDistinguishedName(made)


COUNTRY = rdn((NameOID.COUNTRY_NAME, "FR"))
TITLE = rdn((NameOID.TITLE, "Pharmacien"))
CN = (NameOID.COMMON_NAME, CPS.common_name)
SN = (NameOID.SURNAME, CPS.family_name)
GN = (NameOID.GIVEN_NAME, CPS.given_name)
SUBJECTS = {
    "NUL in the family name": [COUNTRY, TITLE, rdn(CN, (NameOID.SURNAME, "PHARMACH\0X"), GN)],
    "NUL in the national id": [COUNTRY, TITLE, rdn((NameOID.COMMON_NAME, "899700075122\0"), SN, GN)],
    "NUL in an attribute nobody reads": [COUNTRY, rdn((NameOID.LOCALITY_NAME, "A\0B")), TITLE, rdn(CN, SN, GN)],
    "common name repeated in the RDN": [COUNTRY, TITLE, rdn(CN, (NameOID.COMMON_NAME, "810000000009"), SN, GN)],
    "common name repeated in another RDN": [COUNTRY, TITLE, rdn(CN, SN, GN), rdn((CN[0], "810000000009"))],
    "serial number repeated": [
        COUNTRY, rdn((NameOID.SERIAL_NUMBER, "1")), rdn((NameOID.SERIAL_NUMBER, "2")), TITLE, rdn(CN, SN, GN),
    ],
    "names in RDNs of their own": [COUNTRY, TITLE, rdn(CN), rdn(SN), rdn(GN)],
    "two RDNs of several values": [
        rdn((NameOID.COUNTRY_NAME, "FR"), (NameOID.LOCALITY_NAME, "X")), TITLE, rdn(CN, SN, GN),
    ],
    "a fourth value in the RDN": [COUNTRY, TITLE, rdn(CN, SN, GN, (NameOID.PSEUDONYM, "X"))],
    "service card": [
        COUNTRY, rdn((NameOID.TITLE, "Carte de service santé ou social")),
        rdn((NameOID.PSEUDONYM, "EMPLOYE000000018"), (NameOID.COMMON_NAME, "3760021832/000000018")),
    ],
    "name as BMPString": [COUNTRY, TITLE, rdn(CN, (*SN, _ASN1Type.BMPString), GN)],
    "national id as T61String": [COUNTRY, TITLE, rdn((*CN, _ASN1Type.T61String), SN, GN)],
    "national id as UniversalString": [COUNTRY, TITLE, rdn((*CN, _ASN1Type.UniversalString), SN, GN)],
    "comma and equals sign in the name": [COUNTRY, TITLE, rdn(CN, (NameOID.SURNAME, "X,CN=810000000009"), GN)],
    "direction mark in the name": [COUNTRY, TITLE, rdn(CN, (NameOID.SURNAME, "X\u202eY"), GN)],
    "no title": [COUNTRY, rdn(CN, SN, GN)],
    "no country": [TITLE, rdn(CN, SN, GN)],
    "another country": [rdn((NameOID.COUNTRY_NAME, "BE")), TITLE, rdn(CN, SN, GN)],
    "bad Luhn": [COUNTRY, TITLE, rdn((NameOID.COMMON_NAME, "810003456789"), SN, GN)],
    "digits of another script": [COUNTRY, TITLE, rdn((NameOID.COMMON_NAME, "8\u0661" + "0" * 10), SN, GN)],
    "staff id on a professional's card": [COUNTRY, TITLE, rdn((NameOID.COMMON_NAME, CPE.common_name), SN, GN)],
}  # fmt: skip


def bad_cards(world: World) -> dict[str, BadCard]:
    """The whole table."""
    return {**_by_path(world), **_by_time(world), **_by_purpose(world), **_by_content(world), **_by_revocation(world)}


def _by_path(world: World) -> dict[str, BadCard]:
    pki, draft = world.pki, world.pki.draft(CPS, world.at)
    other = make_card_pki(world.at, key=Keys(POOL))
    impostor, people = other.people(STRONG), pki.people(ELEMENTARY)
    organisations = pki.authorities[STRONG, ORGANISATIONS]
    own = Authority("", pki.people(STRONG).certificate, world.key)
    itself = Authority("", _self_named(world, draft.subject), world.key)
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    critical = replace(draft, extensions=draft.with_extension(unknown, critical=True))
    lazy = replace(draft, extensions=draft.with_extension(usage(digital_signature=True), critical=False))
    impostors = (impostor.certificate, other.root(STRONG).certificate)
    made = {
        "authority of the same name, other key": (world.sign(draft, impostor), impostors),
        "signed by its own key in the authority's name": (world.sign(draft, own), ()),
        "self-issued, subject and issuer equal": (world.sign(draft, itself), ()),
        "self-issued in the authority's name": (world.sign(replace(draft, subject=own.certificate.subject), own), ()),
        "intermediate missing": (world.sign(draft, people), ()),
        "intermediate sent, but not among ours": (world.sign(draft, people), (people.certificate,)),
        "authority of organisations": (world.sign(draft, organisations), (organisations.certificate,)),
        "signed by the root itself": (world.sign(draft, pki.root(STRONG)), ()),
        "unknown critical extension": (world.sign(critical), ()),
        "key of 1024 bits": (sign(draft, pki.people(STRONG), weak), ()),
        "key usage not critical": (world.sign(lazy), ()),
    }
    trust, lists = world.trust(), world.lists()
    return {
        name: BadCard(der(one), Reason.CARD_NOT_TRUSTED, trust, lists, tuple(der(above) for above in chain))
        for name, (one, chain) in made.items()
    }


def _self_named(world: World, name: x509.Name) -> x509.Certificate:
    builder = x509.CertificateBuilder(name, name, world.key.public_key(), 7, world.at, world.at + DAY)
    return builder.sign(world.key, hashes.SHA256())


def _by_time(world: World) -> dict[str, BadCard]:
    at, draft = world.at, world.pki.draft(CPS, world.at)
    expired = world.sign(replace(draft, not_before=at - 1000 * DAY, not_after=at - timedelta(seconds=1)))
    early = world.sign(replace(draft, not_before=at + DAY))
    return {
        "expired": BadCard(der(expired), Reason.CARD_EXPIRED, world.trust(), world.lists()),
        "not yet valid": BadCard(der(early), Reason.CARD_NOT_YET_VALID, world.trust(), world.lists()),
    }


def _by_purpose(world: World) -> dict[str, BadCard]:
    pki, draft = world.pki, world.pki.draft(CPS, world.at)
    oid = ExtendedKeyUsageOID

    def purposes(*kinds: x509.ObjectIdentifier) -> Draft:
        return replace(draft, extensions=draft.with_extension(x509.ExtendedKeyUsage(kinds)))

    def uses(**what: bool) -> Draft:
        return replace(draft, extensions=draft.with_extension(usage(**what), critical=True))

    policy = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.3.6.1.4.1.1"), None)])
    host = x509.SubjectAlternativeName([x509.DNSName("portail.example")])
    server = replace(purposes(oid.SERVER_AUTH), extensions=purposes(oid.SERVER_AUTH).with_extension(host))
    drafts = {
        "signature certificate": uses(digital_signature=True, content_commitment=True),
        "no digital signature": uses(content_commitment=True),
        "an authority's key usage": uses(digital_signature=True, authority=True),
        "an authority": replace(draft, extensions=draft.with_extension(x509.BasicConstraints(ca=True, path_length=0))),
        "no key usage": replace(draft, extensions=draft.without_extension(x509.KeyUsage.oid)),
        "no extended key usage": replace(draft, extensions=draft.without_extension(x509.ExtendedKeyUsage.oid)),
        "only for mail": purposes(oid.EMAIL_PROTECTION),
        "only for Windows sign-in": purposes(oid.SMARTCARD_LOGON),
        "for any use": purposes(oid.CLIENT_AUTH, oid.ANY_EXTENDED_KEY_USAGE),
        "client and server": purposes(oid.CLIENT_AUTH, oid.SERVER_AUTH),
        "a host name": replace(draft, extensions=draft.with_extension(host)),
        "wrong policy": replace(draft, extensions=draft.with_extension(policy)),
        "software certificate": _private(draft, CATEGORY, b"\x04\x01\x83"),
    }
    made = {name: world.sign(one) for name, one in drafts.items()}
    made["server certificate"] = world.sign(server, pki.authorities[ELEMENTARY, ORGANISATIONS])
    trust, lists = world.trust(), world.lists()
    return {name: BadCard(der(one), Reason.CARD_NOT_FOR_SIGN_IN, trust, lists) for name, one in made.items()}


def _private(draft: Draft, kind: x509.ObjectIdentifier, value: bytes) -> Draft:
    return replace(draft, extensions=draft.with_extension(x509.UnrecognizedExtension(kind, value)))


def _by_content(world: World) -> dict[str, BadCard]:
    trust, lists, draft = world.trust(), world.lists(), world.pki.draft(CPS, world.at)
    good = der(world.good())
    blobs = {
        "not a certificate": b"hello",
        "empty": b"",
        "cut short": good[:-1],
        "followed by a byte": good + b"\0",
        "too large": good + b"\0" * 20_000,
        "no category": der(world.sign(replace(draft, extensions=draft.without_extension(CATEGORY)))),
        "category of two bytes": der(world.sign(_private(draft, CATEGORY, b"\x04\x02\x80\x80"))),
        "card type out of the table": der(world.sign(_private(draft, CARD_TYPE, b"\x02\x01\x04"))),
        "card number of another shape": der(world.sign(_private(draft, CARD_NUMBER, b"\x13\x03a b"))),
    }
    table = {name: BadCard(blob, Reason.CARD_MALFORMED, trust, lists) for name, blob in blobs.items()}
    table["chain with what is no certificate"] = BadCard(good, Reason.CARD_MALFORMED, trust, lists, (b"hello",))
    table["chain without end"] = BadCard(good, Reason.CARD_MALFORMED, trust, lists, (good,) * 9)
    identities = {name: replace(draft, subject=x509.Name(rdns)) for name, rdns in SUBJECTS.items()}
    other = x509.OtherName(PRINCIPAL_NAME, b"\x0c\x19810000000009@carte-cps.fr")
    identities["principal name of another"] = replace(
        draft, extensions=draft.with_extension(x509.SubjectAlternativeName([other]))
    )
    for name, one in identities.items():
        table[name] = BadCard(der(world.sign(one)), Reason.CARD_IDENTITY_INVALID, trust, lists)
    return {**table, **_in_production(world)}


def _in_production(world: World) -> dict[str, BadCard]:
    """Shapes of the sandbox shown to a production gateway, once with a foreign and once with a trusted authority."""
    trust = world.trust(sandbox=False)
    lists, nobody = world.lists(trust=trust), CardTrust((), (), sandbox=False)
    adeli = replace(CPS, common_name="0B0A010446")
    card, letters = der(world.good()), der(world.good(adeli, test=False))
    return {
        "test card in production": BadCard(card, Reason.CARD_TEST_NOT_ALLOWED, nobody, RevocationLists(nobody)),
        "test card of a trusted authority": BadCard(card, Reason.CARD_TEST_NOT_ALLOWED, trust, lists),
        "test number in production": BadCard(letters, Reason.CARD_IDENTITY_INVALID, trust, lists),
    }


def _by_revocation(world: World) -> dict[str, BadCard]:
    pki, at, trust, card = world.pki, world.at, world.trust(), world.good()
    issuer, root = pki.people(STRONG), pki.root(STRONG)
    by_answer = world.lists()
    by_answer.keep_answer(read_answer(make_answer(issuer, card, at, revoked=True), card, issuer.certificate, at))
    rolled_back = world.lists(card)
    forged, delta = RevocationLists(trust), RevocationLists(trust)
    for lists in (forged, delta):
        lists.accept(make_list(root, at), at)
    own = Authority("", issuer.certificate, world.key)
    share = (x509.DeltaCRLIndicator(1), True)
    _refuses(rolled_back, make_list(issuer, at - DAY), at)
    _refuses(forged, make_list(own, at), at)
    _refuses(delta, make_list(issuer, at, extensions=[share]), at)
    no_root = RevocationLists(trust)
    no_root.accept(make_list(issuer, at), at)
    revoked, stale = Reason.CARD_REVOKED, Reason.CARD_REVOCATION_STALE
    cases = {
        "revoked by the list": (revoked, world.lists(card)),
        "revoked by a list past its end": (revoked, world.lists(card, age=2 * LIST_LIFE)),
        "revoked by OCSP": (revoked, by_answer),
        "revoked, then an older list": (revoked, rolled_back),
        "list past its end": (stale, world.lists(age=LIST_LIFE + timedelta(seconds=1))),
        "list past its end and its grace": (stale, world.lists(age=LIST_LIFE + 2 * DAY, grace=DAY)),
        "no list at all": (stale, RevocationLists(trust)),
        "no list of the root": (stale, no_root),
        "only a forged list": (stale, forged),
        "only a delta": (stale, delta),
        "authority revoked by its root": (Reason.CARD_NOT_TRUSTED, world.lists(issuer.certificate)),
    }
    return {name: BadCard(der(card), reason, trust, lists) for name, (reason, lists) in cases.items()}


def _refuses(lists: RevocationLists, crl: bytes, at: datetime) -> None:
    try:
        lists.accept(crl, at)
    except RevocationError:
        return
    raise AssertionError("a list that had to be refused was kept")
