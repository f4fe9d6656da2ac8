# SPDX-License-Identifier: EUPL-1.2
"""The portal's door: what is no assertion of the gateway gets 401 and no data, whatever else the request says."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from gateway.demo.assertion import AssertionCheck, AssertionRefused, KeyCache, KeysUnavailable, Visitor
from gateway.demo.people import person

ISSUER = "https://localhost:8443"
AUDIENCE = "http://127.0.0.1:9080"
NUMBER = person(0).number


def segment(value: object) -> bytes:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def unsigned(voucher, alg: str) -> str:
    head = segment(voucher.header(alg=alg))
    return b".".join((head, segment(voucher.claims()), b"AAAA" if alg != "none" else b"")).decode()


def hmac_with_public_key(voucher) -> str:
    signing_input = segment(voucher.header(alg="HS256")) + b"." + segment(voucher.claims())
    signature = hmac.digest(voucher.key.as_pem(private=False), signing_input, hashlib.sha256)
    return (signing_input + b"." + segment(signature)).decode()


def flipped(token: str) -> str:
    head, claims, signature = token.split(".")
    return f"{head}.{claims}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def own_key(voucher) -> str:
    """Signed by a key that the token brings along itself."""
    other = ECKey.generate_key("P-256")
    return voucher.assertion(key=other, header={"jwk": other.as_dict(private=False)})


def grafted(voucher) -> str:
    """The signature of one assertion under the claims of another."""
    head, _, signature = voucher.assertion().split(".")
    return f"{head}.{segment(voucher.claims(acr='card')).decode()}.{signature}"


def claims_are_a_list(voucher) -> str:
    return jws.serialize_compact(voucher.header(), b"[1]", voucher.key, algorithms=["ES256"])


REFUSED = {
    "wrong key": lambda v: v.assertion(key=ECKey.generate_key("P-256")),
    "unknown kid": lambda v: v.assertion(header={"kid": "another"}),
    "no kid": lambda v: v.assertion(header={"kid": ...}),
    "kid is a number": lambda v: b".".join((segment(v.header(kid=1)), segment(v.claims()), b"AAAA")).decode(),
    "header is a list": lambda v: b".".join((segment(["alg", "typ", "kid"]), segment(v.claims()), b"AAAA")).decode(),
    "own key": own_key,
    "alg none": lambda v: unsigned(v, "none"),
    "alg None": lambda v: unsigned(v, "None"),
    "alg none with something as signature": lambda v: unsigned(v, "none") + "AAAA",
    "alg es256": lambda v: unsigned(v, "es256"),
    "HS256 with the public key": hmac_with_public_key,
    "RS256": lambda v: v.assertion(key=RSAKey.generate_key(2048), header={"alg": "RS256"}),
    "typ of another kind": lambda v: v.assertion(header={"typ": "at+jwt"}),
    "no typ": lambda v: v.assertion(header={"typ": ...}),
    "crit": lambda v: b".".join((segment(v.header(crit=["exp"])), segment(v.claims()), b"AAAA")).decode(),
    "changed signature": lambda v: flipped(v.assertion()),
    "signature grafted": grafted,
    "two parts": lambda v: v.assertion().rpartition(".")[0],
    "four parts": lambda v: v.assertion() + ".AAAA",
    "padding": lambda v: v.assertion() + "==",
    "bearer": lambda v: "Bearer " + v.assertion(),
    "not base64": lambda _: "a.b.ü",
    "empty": lambda _: "",
    "too long": lambda v: v.assertion(name="x" * 9000),
    "claims are a list": claims_are_a_list,
    "wrong aud": lambda v: v.assertion(aud="http://127.0.0.1:9081"),
    "aud a list": lambda v: v.assertion(aud=[AUDIENCE, "http://other"]),
    "no aud": lambda v: v.assertion(aud=...),
    "wrong iss": lambda v: v.assertion(iss="https://localhost:8444"),
    "no iss": lambda v: v.assertion(iss=...),
    "expired": lambda v: v.assertion(exp=int(v.claims()["iat"])),
    "no exp": lambda v: v.assertion(exp=...),
    "exp is text": lambda v: v.assertion(exp="9999999999"),
    "exp is true": lambda v: v.assertion(exp=True),
    "exp is infinite": lambda v: v.assertion(exp=float("inf")),
    "exp is not a number": lambda v: v.assertion(exp=float("nan")),
    "iat in the future": lambda v: v.assertion(iat=v.claims()["iat"] + 6),
    "no iat": lambda v: v.assertion(iat=...),
    "no sub": lambda v: v.assertion(sub=...),
    "empty sub": lambda v: v.assertion(sub=""),
    "sub a list": lambda v: v.assertion(sub=["750012346"]),
    "no sid": lambda v: v.assertion(sid=...),
    "no profession": lambda v: v.assertion(profession=None),
    "no name": lambda v: v.assertion(name=...),
    "acr unknown": lambda v: v.assertion(acr="none"),
}


def test_the_ordinary_assertion_is_believed(portal):
    answer = portal.ask("GET", f"/api/infopatient/{NUMBER}")
    assert answer.status_code == 200
    assert answer.json()["nir"] == NUMBER


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_gateway_did_not_sign_for_this_portal_is_refused(case, portal, served_file):
    token = REFUSED[case](portal.voucher).encode()
    answer = portal.ask("GET", f"/api/infopatient/{NUMBER}", vouched=False, headers=[(b"Herse-Assertion", token)])
    assert answer.status_code == 401
    assert "this portal answers only behind its gateway" in answer.text
    assert NUMBER not in answer.text
    assert served_file.read_bytes() == b""


def test_no_assertion_two_assertions_and_other_names(portal):
    path, good = f"/api/infopatient/{NUMBER}", portal.voucher.assertion()
    for headers in (
        [],
        [("Herse-Assertion", good), ("Herse-Assertion", good)],
        [("Herse-Assertion", good), ("herse-assertion", "")],
        [("Herse-Assertion", f"{good}, {good}")],
        [("Authorization", f"Bearer {good}")],
        [("Herse_Assertion", good)],
        [("X-Herse-Assertion", good), ("X-Forwarded-User", "750012346")],
    ):
        assert portal.ask("GET", path, vouched=False, headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/accueil"),
        ("POST", "/infopatient"),
        ("GET", f"/infopatient/{NUMBER}"),
        ("HEAD", f"/infopatient/{NUMBER}"),
        ("GET", "/patients"),
        ("GET", "/paiements"),
        ("POST", "/depot"),
        ("GET", "/telechargements/50mio"),
        ("GET", "/evenements-serveur?count=1"),
        ("GET", "/nowhere"),
        ("GET", "/ws"),
        ("OPTIONS", "/accueil"),
    ],
)
def test_every_path_but_the_static_ones_is_behind_the_door(method, path, portal):
    assert portal.ask(method, path, vouched=False).status_code == 401


@pytest.mark.parametrize("path", ["/static/../accueil", "/static/%2e%2e/accueil", "/static//accueil", "/Static/"])
def test_A_no_spelling_walks_around_the_door(path, portal):
    answer = portal.ask("GET", path, vouched=False)
    assert answer.status_code in {401, 404}
    assert "Pharmacie du Pont" not in answer.text


def test_the_static_files_need_no_assertion(portal):
    answer = portal.ask("GET", "/static/portail.css", vouched=False)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/css")


def checked(cache: KeyCache, token: str, at) -> Visitor:
    return asyncio.run(AssertionCheck(cache, ISSUER, AUDIENCE).visitor([token.encode()], at))


class Source:
    """A JWK set that counts how often it is read, and fails when told to."""

    def __init__(self, *vouchers) -> None:
        self.vouchers = list(vouchers)
        self.reads = 0
        self.fault: Exception | None = None

    def __call__(self) -> dict:
        self.reads += 1
        if self.fault is not None:
            raise self.fault
        return {"keys": [key for voucher in self.vouchers for key in voucher.jwks()["keys"]]}


def test_claims_become_a_visitor(voucher, portal):
    visitor = checked(KeyCache(voucher.jwks), voucher.assertion(acr="card", rpps="10000000009"), portal.at)
    assert visitor == Visitor("750012346", "Pharmacie du Pont", "pharmacist", "card", "s-1")


def test_keys_are_read_when_first_needed_and_then_for_unknown_kids_at_most_every_30_s(voucher, portal):
    source, at = Source(voucher), portal.at
    cache = KeyCache(source)
    assert source.reads == 0
    for _ in range(3):
        checked(cache, voucher.assertion(), at)
    assert source.reads == 1
    for seconds, reads in ((1, 1), (29, 1), (30, 2), (31, 2), (60, 3)):
        with pytest.raises(AssertionRefused, match="unknown key"):
            checked(cache, voucher.assertion(header={"kid": "new"}), at + timedelta(seconds=seconds))
        assert source.reads == reads


def test_a_new_key_is_learned_and_an_old_one_forgotten(voucher, portal):
    new, source, later = type(voucher)(), Source(voucher), portal.at + timedelta(seconds=40)
    cache = KeyCache(source)
    checked(cache, voucher.assertion(), portal.at)
    source.vouchers = [new]
    checked(cache, new.assertion(), later)
    with pytest.raises(AssertionRefused, match="unknown key"):
        checked(cache, voucher.assertion(), later)


def test_a_gateway_that_is_not_up_yet_is_asked_again_a_second_later(voucher, portal):
    source, at = Source(voucher), portal.at
    cache = KeyCache(source)
    source.fault = OSError("connection refused")
    for _ in range(2):
        with pytest.raises(KeysUnavailable, match="refused"):
            checked(cache, voucher.assertion(), at)
    assert source.reads == 1
    source.fault = None
    checked(cache, voucher.assertion(), at + timedelta(seconds=1))
    source.fault = ValueError("not JSON")
    checked(cache, voucher.assertion(), at + timedelta(seconds=40))  # the known key still holds


def test_many_at_once_read_the_keys_once(voucher, portal):
    source = Source(voucher)
    check = AssertionCheck(KeyCache(source), ISSUER, AUDIENCE)
    token = [voucher.assertion().encode()]

    async def walk() -> None:
        await asyncio.gather(*(check.visitor(token, portal.at) for _ in range(20)))

    asyncio.run(walk())
    assert source.reads == 1


def test_a_set_of_odd_keys_helps_nobody(voucher, portal):
    own = voucher.jwks()["keys"][0]
    for keys in (
        [{**own, "use": "enc"}],
        [{**own, "kid": 1}],
        [{"kty": "oct", "k": "AAAA", "kid": voucher.kid}],
        [ECKey.generate_key("P-384").as_dict(private=False) | {"kid": voucher.kid}],
        [{**voucher.key.as_dict(private=True), "kid": voucher.kid}],
    ):
        with pytest.raises(AssertionRefused, match="unknown key"):
            checked(KeyCache(lambda keys=keys: {"keys": keys}), voucher.assertion(), portal.at)
    for broken in ({"keys": ["x"]}, {"keys": [{**own, "x": "?"}]}, {"keys": 1}):
        with pytest.raises(KeysUnavailable):
            checked(KeyCache(lambda broken=broken: broken), voucher.assertion(), portal.at)


def test_the_portal_says_so_while_it_has_no_keys(portal):
    portal.fault = OSError("connection refused")
    answer = portal.ask("GET", "/accueil")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert "Pharmacie" not in answer.text
