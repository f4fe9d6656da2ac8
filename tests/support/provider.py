# SPDX-License-Identifier: EUPL-1.2
"""An OpenID Connect provider in the shape of Pro Santé Connect, in threads of the test's process, honest until told.

Two servers, since its authorization host is not its issuer's; its own discovery path; RS256; code with PKCE, userinfo,
CIBA, logout. It checks its client by the letter. Each hostile act is a switch: what it would say, changed.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import http.client
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus, urlencode, urlsplit

from joserfc import jws, jwt
from joserfc.jwk import Key, RSAKey

from gateway.identity.sso_settings import SsoSettings
from support.practice import CABINET, working_in
from support.provider_server import Answer, Seen, serve_in_thread

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Self

REALM: Final = "/auth/realms/esante-wallet"
DISCOVERY: Final = f"{REALM}/.well-known/wallet-openid-configuration"
OPENID: Final = f"{REALM}/protocol/openid-connect"
TOKEN, USERINFO, JWKS = f"{OPENID}/token", f"{OPENID}/userinfo", f"{OPENID}/certs"
CIBA, LOGOUT, AUTHORIZE = f"{OPENID}/ext/ciba/auth", f"{OPENID}/logout", "/auth"
CLIENT_ID, CLIENT_SECRET = "herse%tests", "s:cret%+/ é"
CALLBACK = "https://portail.example/.herse/sso/callback"
NATIONAL_ID = "899700427885"
SUBJECT = f"f:550dc1c8-d97b-4b1e-ac8c-8eb4471cf9dd:{NATIONAL_ID}"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
DROP: Final = object()
"""The value of a change that takes a name away."""


@functools.lru_cache(maxsize=8)
def rsa_key(kid: str) -> RSAKey:
    """One key per name and process: they are slow to make."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


def changed(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with these changes; DROP takes a name away."""
    return {name: value for name, value in {**base, **changes}.items() if value is not DROP}


def sign(claims: Mapping[str, Any], key: Key, header: Mapping[str, Any] | None = None, algorithm: str = "RS256") -> str:
    """A signed JWT as Keycloak would write it."""
    head = changed({"alg": algorithm, "typ": "JWT", "kid": key.kid}, header or {})
    return jwt.encode(head, dict(claims), key, algorithms=[algorithm])


@dataclass
class StandInProvider:
    """The provider. The switches stand first; `answers` replaces whole endpoints by path."""

    metadata: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    person: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    back: Callable[[list[tuple[str, str]]], list[tuple[str, str]]] = lambda pairs: pairs
    make_id_token: Callable[[dict[str, Any], RSAKey], str] = sign
    key: RSAKey = field(default_factory=lambda: rsa_key("first"))
    published: list[dict[str, Any]] | None = None
    signs_userinfo: bool = False
    proved_seconds_ago: int = 2
    ciba_says: str = "authorization_pending"
    callback: str = CALLBACK
    client_key: Key | None = None
    tls: ssl.SSLContext | None = None
    seen: list[Seen] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._lock = threading.Lock()
        self._codes: dict[str, dict[str, str]] = {}
        self._asked: dict[str, dict[str, str]] = {}
        self._servers = [serve_in_thread(self.serve, self.tls), serve_in_thread(self.serve, self.tls)]
        scheme = "https" if self.tls else "http"
        self.origin, self.wallet = (f"{scheme}://127.0.0.1:{one.server_address[1]}" for one in self._servers)
        self.issuer = self.origin + REALM
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self._servers:
            one.shutdown()
            one.server_close()

    def count(self, path: str) -> int:
        """How often this path was asked for."""
        return sum(one.path == path for one in self.seen)

    def document(self) -> dict[str, Any]:
        """The discovery document."""
        paths = {"token": TOKEN, "userinfo": USERINFO, "end_session": LOGOUT, "backchannel_authentication": CIBA}
        honest = {
            "issuer": self.issuer,
            "authorization_endpoint": self.wallet + AUTHORIZE,
            "jwks_uri": self.origin + JWKS,
            **{f"{name}_endpoint": self.origin + path for name, path in paths.items()},
            "code_challenge_methods_supported": ["plain", "S256"],
            "id_token_signing_alg_values_supported": ["PS384", "ES384", "RS384", "HS256", "RS256", "none"],
            "authorization_response_iss_parameter_supported": True,
            "acr_values_supported": ["0", "0"],
        }
        return changed(honest, self.metadata)

    def jwks(self) -> dict[str, Any]:
        """Its public keys."""
        published = [self.key.as_dict(private=False)] if self.published is None else self.published
        return {"keys": published}

    def id_claims(self, nonce: str | None, access_token: str) -> dict[str, Any]:
        """What an honest ID token says now."""
        now = int(time.time())
        digest = hashlib.sha256(access_token.encode()).digest()
        honest = {
            "exp": now + 120,
            "iat": now,
            "auth_time": now - self.proved_seconds_ago,
            "jti": secrets.token_hex(8),
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "azp": CLIENT_ID,
            "sub": SUBJECT,
            "typ": "ID",
            "nonce": nonce,
            "at_hash": base64url(digest[:16]),
            "sid": "6fd1a9c6",
            "acr": "eidas3",
            "authMode": "CARD",
            "preferred_username": NATIONAL_ID,
        }
        return changed(honest, {"nonce": DROP} if nonce is None else {})

    def userinfo(self) -> dict[str, Any]:
        """What it tells of the person."""
        honest = {
            "sub": SUBJECT,
            "SubjectNameID": NATIONAL_ID,
            "preferred_username": NATIONAL_ID,
            "given_name": "KIT",
            "family_name": "DOC0042788",
            "codeCivilite": "M",
            "SubjectRefPro": working_in(CABINET),
        }
        return changed(honest, self.person)

    def logout_token(self, **changes: Any) -> str:
        """A back-channel logout token."""
        now = int(time.time())
        honest = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 120,
            "jti": secrets.token_hex(8),
            "sub": SUBJECT,
            "sid": "6fd1a9c6",
            "events": {LOGOUT_EVENT: {}},
        }
        return sign(changed(honest, changes), self.key, {"typ": "logout+jwt"})

    def visit(self, url: str) -> str:
        """A browser follows the address and is signed in there; the query that it brings back."""
        parts = urlsplit(url)
        link = http.client.HTTPConnection(parts.netloc, timeout=10)
        link.request("GET", f"{parts.path}?{parts.query}")
        answer = link.getresponse()
        location = answer.getheader("Location") or ""
        link.close()
        return urlsplit(location).query

    def serve(self, seen: Seen, certificate: bool) -> Answer:
        """One request, judged and answered."""
        with self._lock:
            self.seen.append(seen)
            if seen.path in self.answers:
                return self.answers[seen.path]
            if seen.path == AUTHORIZE:
                return self._authorize(seen.fields)
            if seen.path in {TOKEN, CIBA} and not self._knows_client(seen, certificate):
                return _json({"error": "invalid_client"}, 401)
            serving = {
                DISCOVERY: lambda: _json(self.document()),
                JWKS: lambda: _json(self.jwks()),
                TOKEN: lambda: self._token(seen.fields),
                USERINFO: lambda: self._userinfo(seen.header.get("authorization", "")),
                CIBA: lambda: self._ask(seen.fields),
            }.get(seen.path)
            return Answer(404) if serving is None else serving()

    def _authorize(self, asked: dict[str, str]) -> Answer:
        honest = asked.get("code_challenge_method") == "S256" and asked.get("response_type") == "code"
        if not honest or asked.get("client_id") != CLIENT_ID or asked.get("redirect_uri") != self.callback:
            self.faults.append(f"authorization request {asked}")
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        pairs = [("state", asked["state"]), ("session_state", "6fd1a9c6"), ("iss", self.issuer), ("code", code)]
        return Answer(302, b"", {"Location": f"{self.callback}?{urlencode(self.back(pairs))}"})

    def _token(self, form: dict[str, str]) -> Answer:
        if form.get("grant_type") == "authorization_code":
            asked = self._codes.pop(form.get("code", ""), None)
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            proof = base64url(digest)
            if asked is None or proof != asked["code_challenge"] or form.get("redirect_uri") != self.callback:
                return _json({"error": "invalid_grant"}, 400)
            return self._grant(asked.get("nonce"))
        if form.get("auth_req_id") not in self._asked:
            return _json({"error": "invalid_grant"}, 400)
        if self.ciba_says != "yes":
            return _json({"error": self.ciba_says}, 400)
        self._asked.pop(form["auth_req_id"])
        return self._grant(None)

    def _grant(self, nonce: str | None) -> Answer:
        access_token = secrets.token_urlsafe(16)
        id_token = self.make_id_token(changed(self.id_claims(nonce, access_token), self.claims), self.key)
        honest = {"access_token": access_token, "token_type": "Bearer", "expires_in": 120, "id_token": id_token}
        return _json(changed(honest, self.tokens))

    def _userinfo(self, authorization: str) -> Answer:
        if not authorization.startswith("Bearer "):
            return Answer(401)
        if not self.signs_userinfo:
            return _json(self.userinfo())
        token = sign({"iss": self.issuer, "aud": CLIENT_ID, **self.userinfo()}, self.key)
        return Answer(body=token.encode(), header={"Content-Type": "application/jwt;charset=utf-8"})

    def _ask(self, form: dict[str, str]) -> Answer:
        request = secrets.token_urlsafe(16)
        self._asked[request] = form
        return _json(changed({"auth_req_id": request, "expires_in": 120, "interval": 5}, self.tokens))

    def _knows_client(self, seen: Seen, certificate: bool) -> bool:
        """By the secret in the header or form, by a signed assertion, or by the TLS certificate."""
        if self.client_key is not None:
            claims = jwt.decode(seen.fields["client_assertion"], self.client_key, algorithms=["RS256", "ES256"]).claims
            return bool(claims["aud"] == self.issuer and claims["sub"] == CLIENT_ID and claims["exp"] > time.time())
        if certificate:
            return seen.fields.get("client_id") == CLIENT_ID and "client_secret" not in seen.fields
        if "authorization" in seen.header:
            pair = base64.b64decode(seen.header["authorization"].removeprefix("Basic ")).decode()
            name, _, secret = pair.partition(":")
            return (unquote_plus(name), unquote_plus(secret)) == (CLIENT_ID, CLIENT_SECRET)
        return (seen.fields.get("client_id"), seen.fields.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)


def _json(value: Mapping[str, Any], status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode())


def forge(header: Mapping[str, Any] | bytes, payload: bytes, key: RSAKey) -> str:
    """A token with a header that no library would write, signed right by RS256."""
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    text = f"{base64url(head)}.{base64url(payload)}"
    return f"{text}.{base64url(jws.JWSRegistry.algorithms['RS256'].sign(text.encode(), key))}"


def settings_for(provider: StandInProvider, **changes: Any) -> SsoSettings:
    """The settings of a client of this provider."""
    usual: dict[str, Any] = {
        "discovery": provider.origin + DISCOVERY,
        "issuer": provider.issuer,
        "origins": frozenset({provider.origin, provider.wallet}),
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uri": CALLBACK,
        "signed_out_uri": "https://portail.example/.herse/signed-out",
        "sandbox": True,
    }
    return SsoSettings(**(usual | changes))


def base64url(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
