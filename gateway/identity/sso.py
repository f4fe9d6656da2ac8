# SPDX-License-Identifier: EUPL-1.2
"""Signing in through Pro Santé Connect, or any OpenID Connect provider by settings: begin, finish, sign out.

The order of steps and nothing else: what is pinned lies in sso_settings, checks in sso_tokens and sso_identity, the
wire in sso_wire and sso_client. No token but the ID token (for signing out) outlives `finish`.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from gateway.errors import Refused
from gateway.identity.sso_callback import read_callback
from gateway.identity.sso_client import Client, ProviderError
from gateway.identity.sso_identity import SsoIdentity, identity_of
from gateway.identity.sso_json import read_object
from gateway.identity.sso_metadata import Provider
from gateway.identity.sso_pending import PendingSignIns, browser_value, new_value
from gateway.identity.sso_tokens import (
    ISSUED_WITHIN,
    Claims,
    Expected,
    check_id_token,
    check_logout_token,
    check_userinfo,
    read_head,
    verify_signature,
)
from gateway.identity.sso_wire import Transport, fetch
from gateway.model import Reason

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from gateway.identity.sso_metadata import Metadata
    from gateway.identity.sso_settings import SsoSettings
    from gateway.identity.sso_tokens import Head

_LOGOUTS_KEPT: Final = 10_000
_JWT_TYPE: Final = "application/jwt"


@dataclass(frozen=True, slots=True)
class Begun:
    """`url`: where the browser goes, with `state` in it. `browser`: the value for its `__Host-` cookie, ten minutes."""

    url: str
    state: str
    browser: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """The provider ended a session (`sid`), or all of a subject if it names no session."""

    issuer: str
    subject: str | None
    sid: str | None


@dataclass(frozen=True, slots=True)
class _SignIn:
    nonce: str
    verifier: str
    max_age: timedelta
    at: datetime


class SingleSignOn:
    """One provider. Every answer is a value, or Refused with one of the `sso-…` reasons."""

    def __init__(self, settings: SsoSettings) -> None:
        self.settings = settings
        self._transport = Transport(settings)
        self.provider = Provider(settings, self._transport)
        self.client = Client(settings, self._transport)
        self._pending: PendingSignIns[_SignIn] = PendingSignIns()
        self._logouts: OrderedDict[str, datetime] = OrderedDict()

    async def start(self, at: datetime) -> None:
        """At the start of the server: StartError if the provider is not as pinned, Refused if it cannot be asked.

        The latter keeps nobody from starting: it is asked again when somebody signs in.
        """
        await self.provider.start(at)

    async def close(self) -> None:
        """Close the connections to the provider."""
        await self._transport.close()

    async def begin(self, browser: str | None, at: datetime, max_age: timedelta | None = None) -> Begun:
        """Send a browser to the provider. `max_age`: how old its proof may be; older ones are asked for anew."""
        metadata = await self.provider.metadata(at)
        lifetime = self.settings.session_lifetime
        sign_in = _SignIn(new_value(), new_value(), lifetime if max_age is None else min(max_age, lifetime), at)
        value = browser_value(browser)
        more = {"acr_values": self.settings.acr_values} if self.settings.acr_values else {}
        if max_age is not None:
            more["max_age"] = str(int(max_age.total_seconds()))
        state = self._pending.keep(sign_in, value, at)
        url = self.client.authorization_url(
            metadata, state=state, nonce=sign_in.nonce, verifier=sign_in.verifier, **more
        )
        return Begun(url, state, value)

    async def finish(self, query: str, browser: str | None, at: datetime) -> SsoIdentity:
        """The browser came back with this query. Once per `begin`, whatever comes of it."""
        answer = read_callback(query)
        sign_in = self._pending.take(answer.get("state"), browser, at)
        metadata = await self.provider.metadata(at)
        code = self._code(answer, metadata)
        try:
            tokens = await self.client.tokens(
                metadata,
                "authorization_code",
                at,
                code=code,
                code_verifier=sign_in.verifier,
                redirect_uri=self.settings.redirect_uri,
            )
        except ProviderError:
            raise Refused(Reason.SSO_REFUSED) from None
        # An older proof than asked for is one that was old already when we asked.
        max_age = min(sign_in.max_age + (at - sign_in.at), self.settings.session_lifetime)
        return await self.identify(tokens, metadata, at, nonce=sign_in.nonce, max_age=max_age, code=code)

    async def identify(
        self,
        tokens: Claims,
        metadata: Metadata,
        at: datetime,
        *,
        max_age: timedelta,
        nonce: str | None = None,
        code: str | None = None,
    ) -> SsoIdentity:
        """The person behind an answer of the token endpoint, everything checked."""
        access_token, kind, id_token = (tokens.get(name) for name in ("access_token", "token_type", "id_token"))
        if not isinstance(access_token, str) or not isinstance(kind, str) or not isinstance(id_token, str):
            raise Refused(Reason.SSO_ANSWER_INVALID)
        if kind.lower() != "bearer" or not access_token.isascii() or not access_token.isprintable():
            raise Refused(Reason.SSO_ANSWER_INVALID)
        head, signed = await self._verified(id_token, at)
        expected = Expected(nonce=nonce, max_age=max_age, access_token=access_token, code=code)
        claims = check_id_token(head, signed, self.settings, expected, at)
        userinfo = await self._userinfo(metadata, access_token, at)
        return identity_of(claims, userinfo, id_token, self.settings)

    async def logout_url(self, id_token: str, at: datetime) -> tuple[str, str] | None:
        """Where the browser goes to sign out there too, and the `state` it may bring back; None if there is no such.

        Pro Santé Connect may come back without the state: the page it comes back to must do nothing.
        """
        end_session = (await self.provider.metadata(at)).end_session
        if end_session is None:
            return None
        state = new_value()
        told = {
            "id_token_hint": id_token,
            "client_id": self.settings.client_id,
            "post_logout_redirect_uri": self.settings.signed_out_uri,
            "state": state,
        }
        return f"{end_session}{'&' if '?' in end_session else '?'}{urlencode(told)}", state

    async def logged_out(self, logout_token: str, at: datetime) -> LoggedOut:
        """The provider says, server to server, that somebody signed out. Each token works once."""
        head, signed = await self._verified(logout_token, at)
        claims = check_logout_token(head, signed, self.settings, at)
        self._use_once(claims["jti"], at)
        return LoggedOut(self.settings.issuer, claims.get("sub"), claims.get("sid"))

    async def _verified(self, token: str, at: datetime) -> tuple[Head, Claims]:
        head = read_head(token, self.settings)
        key = await self.provider.key(at, head.kid, head.algorithm)
        return head, verify_signature(token, head, key)

    async def _userinfo(self, metadata: Metadata, access_token: str, at: datetime) -> Claims:
        """Plain or signed: what it is, its content type says."""
        if metadata.userinfo is None:
            return {}
        answer = await fetch(self._transport, self.settings, metadata.userinfo, token=access_token)
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != _JWT_TYPE:
            return read_object(answer.content)
        head, claims = await self._verified(answer.content.decode("ascii", "replace"), at)
        return check_userinfo(head, claims, self.settings, at)

    def _code(self, answer: dict[str, str], metadata: Metadata) -> str:
        """The code of a right answer; `iss` first: another provider's answer must not even be an error (RFC 9207)."""
        issuer = answer.get("iss")
        if issuer != metadata.issuer and (issuer is not None or metadata.names_itself):
            raise Refused(Reason.SSO_ANSWER_INVALID)
        code, error = answer.get("code"), answer.get("error")
        if error is not None and code is None:
            raise Refused(Reason.SSO_REFUSED)
        if error is not None or not code:
            raise Refused(Reason.SSO_ANSWER_INVALID)
        return code

    def _use_once(self, jti: str, at: datetime) -> None:
        """Remember a logout token for as long as it could come again; with no room left, refuse."""
        while self._logouts and at - next(iter(self._logouts.values())) > 2 * ISSUED_WITHIN:
            self._logouts.popitem(last=False)
        if jti in self._logouts or len(self._logouts) >= _LOGOUTS_KEPT:
            raise Refused(Reason.SSO_ANSWER_INVALID)
        self._logouts[jti] = at
