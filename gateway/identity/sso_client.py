# SPDX-License-Identifier: EUPL-1.2
"""We as the provider's client: the authorization address, and the calls that carry our credential, by Authlib's core
async client over httpx.

A fresh Authlib client for each call: it keeps the last token that it saw, and the next caller would go on with it.
"""

from __future__ import annotations

import base64
import secrets
import warnings
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus, urlencode

from authlib.deprecate import AuthlibDeprecationWarning
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from gateway.errors import Refused, StartError
from gateway.identity.sso_json import read_object
from gateway.identity.sso_settings import ClientAuth
from gateway.identity.sso_wire import calling, refuse_status
from gateway.model import Reason

with warnings.catch_warnings():
    # Authlib 1.9 prefers a successor of httpx, and says so at each import.
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.base_client import OAuthError
    from authlib.integrations.httpx_client import AsyncOAuth2Client

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from datetime import datetime

    import httpx

    from gateway.identity.sso_metadata import Metadata
    from gateway.identity.sso_settings import SsoSettings
    from gateway.identity.sso_wire import Transport

    Prepared = tuple[str, MutableMapping[str, str], Any]

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS: Final = 60
_OK = 200
_SAYS_NO: Final = frozenset({400, 401, 403})


class ProviderError(Exception):
    """The provider's `error` code (RFC 6749 5.2), for the caller to read; anything longer is not kept."""

    def __init__(self, code: str) -> None:
        super().__init__(code[:64])
        self.code = code


class Client:
    """Our side of the provider's endpoints. StartError if the private key cannot be used."""

    def __init__(self, settings: SsoSettings, transport: Transport) -> None:
        self._settings = settings
        self._transport = transport
        self._key = _private_key(settings.private_key) if settings.client_auth is ClientAuth.PRIVATE_KEY else None

    def authorization_url(self, metadata: Metadata, *, state: str, nonce: str, verifier: str, **more: str) -> str:
        """Where the browser goes to sign in: code flow, PKCE by S256 always."""
        authlib = self._authlib(None)
        url, _ = authlib.create_authorization_url(
            metadata.authorization,
            state=state,
            code_verifier=verifier,
            nonce=nonce,
            scope=self._settings.scope,
            redirect_uri=self._settings.redirect_uri,
            **more,
        )
        return str(url)

    async def tokens(self, metadata: Metadata, grant_type: str, at: datetime, **fields: str) -> dict[str, Any]:
        """Ask the token endpoint; ProviderError if it answers with an `error`, else Refused."""

        async def send(authlib: Any) -> Any:
            return await authlib.fetch_token(metadata.token, grant_type=grant_type, **fields)

        return await self._posted(at, send)

    async def post(self, url: str, at: datetime, fields: dict[str, str]) -> dict[str, Any]:
        """POST a form to another endpoint that wants our credential; the object it answers."""

        async def send(authlib: Any) -> dict[str, Any]:
            how = authlib.client_auth(authlib.token_endpoint_auth_method)
            answer = _judged(await authlib.post(url, data=fields, auth=how))
            found = read_object(answer.content)
            if "error" in found:
                raise OAuthError(error=found["error"])
            return found

        return await self._posted(at, send)

    async def _posted(self, at: datetime, send: Callable[[Any], Awaitable[Any]]) -> dict[str, Any]:
        try:
            async with calling(self._settings):
                return dict(await send(self._authlib(at)))
        except OAuthError as error:
            if not isinstance(error.error, str) or not error.error:
                raise Refused(Reason.SSO_ANSWER_INVALID) from None
            raise ProviderError(error.error) from None

    def _authlib(self, at: datetime | None) -> Any:
        authlib = AsyncOAuth2Client(
            client_id=self._settings.client_id,
            client_secret=self._settings.client_secret,
            token_endpoint_auth_method=self._settings.client_auth.value,
            redirect_uri=self._settings.redirect_uri,
            code_challenge_method="S256",
            transport=self._transport,
            trust_env=False,
            follow_redirects=False,
            timeout=None,  # `calling` ends it
        )
        authlib.register_compliance_hook("access_token_response", _judged)
        authlib.register_client_auth_method((ClientAuth.SECRET_BASIC.value, _basic))
        authlib.register_client_auth_method((ClientAuth.TLS.value, _only_named))
        if at is not None and self._key is not None:
            signed = self._assertion(self._key, at)
            authlib.register_client_auth_method((ClientAuth.PRIVATE_KEY.value, _signed_by(signed)))
        return authlib

    def _assertion(self, key: RSAKey | ECKey, at: datetime) -> str:
        """RFC 7523, with the issuer as the only audience: no other server can use it."""
        now = int(at.timestamp())
        algorithm = "ES256" if isinstance(key, ECKey) else "RS256"
        claims = {
            "iss": self._settings.client_id,
            "sub": self._settings.client_id,
            "aud": self._settings.issuer,
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
        }
        header = {"alg": algorithm, "kid": key.thumbprint()}
        return jwt.encode(header, claims, key, algorithms=[algorithm])


def _judged(answer: httpx.Response) -> httpx.Response:
    """Only 200, or an error's own status with an object, is read further; nothing said twice in it."""
    if answer.status_code not in _SAYS_NO | {_OK}:
        refuse_status(answer.status_code)
    found = read_object(answer.content)
    # Authlib makes numbers of these two, of whatever they are.
    lives = [found[name] for name in ("expires_in", "expires_at") if name in found]
    if (answer.status_code == _OK) == ("error" in found) or not all(type(one) is int for one in lives):
        raise Refused(Reason.SSO_ANSWER_INVALID)
    return answer


def _basic(auth: Any, method: str, uri: str, headers: MutableMapping[str, str], body: Any) -> Prepared:  # noqa: ARG001  # Authlib's shape
    """RFC 6749 2.3.1 encodes both parts first; Authlib's own does not, and a `%` or `:` in a secret would break."""
    pair = f"{quote_plus(auth.client_id)}:{quote_plus(auth.client_secret)}"
    headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return uri, headers, body


def _only_named(auth: Any, method: str, uri: str, headers: MutableMapping[str, str], body: Any) -> Prepared:  # noqa: ARG001
    """RFC 8705: the TLS certificate proves us; the form says who we are."""
    return uri, headers, _with(body, {"client_id": auth.client_id})


def _signed_by(assertion: str) -> Callable[..., Prepared]:
    def prepare(auth: Any, method: str, uri: str, headers: MutableMapping[str, str], body: Any) -> Prepared:  # noqa: ARG001
        proof = {"client_id": auth.client_id, "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        return uri, headers, _with(body, proof)

    return prepare


def _with(body: bytes, fields: dict[str, str]) -> bytes:
    return b"&".join(part for part in (body, urlencode(fields).encode()) if part)


def _private_key(pem: bytes | None) -> RSAKey | ECKey:
    for kind in (ECKey, RSAKey):
        try:
            key = kind.import_key(pem or b"")
            if key.is_private:
                return key
        except (JoseError, ValueError, TypeError):
            continue
    raise StartError("sso private_key: the file holds no private RSA or P-256 key in PEM; make one and register it")
