# SPDX-License-Identifier: EUPL-1.2
"""Signing in on the phone or card reader while the browser waits: OpenID Connect CIBA, poll mode, which Authlib lacks.

The person sees the same two digits here and there, and says yes only if they match: a prompt he did not ask for shows
digits that he sees nowhere (push fatigue, domain 1.6).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from gateway.errors import Refused
from gateway.identity.sso_client import ProviderError
from gateway.identity.sso_identity import SsoIdentity, parse_national_id
from gateway.identity.sso_pending import PendingSignIns, browser_value
from gateway.model import Reason

if TYPE_CHECKING:
    from gateway.identity.sso import SingleSignOn

GRANT: Final = "urn:openid:params:grant-type:ciba"
_LIVES_AT_MOST: Final = timedelta(minutes=5)
_USUAL_INTERVAL: Final = 5
_INTERVAL_AT_MOST: Final = 60
_SLOWER: Final = timedelta(seconds=5)
_REQUEST_CHARACTERS: Final = 2_048


class Channel(StrEnum):
    """Where Pro Santé Connect asks the person: the e-CPS application, or the card in its reader."""

    MOBILE = "MOBILE"
    CARD = "CARD"


@dataclass(frozen=True, slots=True)
class Asked:
    """The person is being asked. `digits` are shown; `reference` and `browser` go to the browser (two places)."""

    reference: str = field(repr=False)
    browser: str = field(repr=False)
    digits: str
    ends_at: datetime
    interval: timedelta


@dataclass(slots=True)
class _Waiting:
    request: str
    national_id: str
    at: datetime
    ends_at: datetime
    interval: timedelta
    ask_from: datetime
    asking: bool = False


class Ciba:
    """Ask, then poll: never oftener than the provider allows, however often the browser does."""

    def __init__(self, sso: SingleSignOn) -> None:
        self._sso = sso
        self._waiting: PendingSignIns[_Waiting] = PendingSignIns(lifetime=_LIVES_AT_MOST)

    async def start(self, login_hint: str, channel: Channel, browser: str | None, at: datetime) -> Asked:
        """Have the provider ask the person with this national id. Refused: the `sso-…` reasons."""
        settings = self._sso.settings
        national_id = parse_national_id(login_hint, sandbox=settings.sandbox)
        endpoint = (await self._sso.provider.metadata(at)).ciba
        if endpoint is None:
            raise Refused(Reason.SSO_REFUSED)
        digits = f"{secrets.randbelow(100):02d}"
        fields = {
            "scope": settings.scope,
            "acr_values": settings.acr_values,
            "login_hint": national_id,
            "binding_message": digits,
            "channel": channel.value,
        }
        try:
            answer = await self._sso.client.post(endpoint, at, fields)
        except ProviderError:
            raise Refused(Reason.SSO_REFUSED) from None
        waiting = _read(answer, national_id, at)
        value = browser_value(browser)
        reference = self._waiting.keep(waiting, value, at)
        return Asked(reference, value, digits, waiting.ends_at, waiting.interval)

    async def poll(self, reference: str, browser: str | None, at: datetime) -> SsoIdentity | None:
        """The person once he said yes; None while he has not answered. Anything else ends it, with its reason."""
        waiting = self._waiting.find(reference, browser, at)
        if at >= waiting.ends_at:
            self._waiting.drop(reference)
            raise Refused(Reason.SSO_STATE_WRONG)
        if waiting.asking or at < waiting.ask_from:
            return None
        waiting.asking = True
        waiting.ask_from = at + waiting.interval
        try:
            identity = await self._ask(waiting, at)
        except Refused as refusal:
            # A provider that is down for a moment ends nothing.
            if refusal.reason is not Reason.SSO_UNREACHABLE:
                self._waiting.drop(reference)
            raise
        finally:
            waiting.asking = False
        if identity is not None:
            self._waiting.take(reference, browser, at)
        return identity

    async def _ask(self, waiting: _Waiting, at: datetime) -> SsoIdentity | None:
        metadata = await self._sso.provider.metadata(at)
        try:
            tokens = await self._sso.client.tokens(metadata, GRANT, at, auth_req_id=waiting.request)
        except ProviderError as error:
            if error.code == "slow_down":
                waiting.interval += _SLOWER
                waiting.ask_from = at + waiting.interval
            if error.code in {"authorization_pending", "slow_down"}:
                return None
            raise Refused(Reason.SSO_STATE_WRONG if error.code == "expired_token" else Reason.SSO_REFUSED) from None
        # The proof must be the one that we asked for, by the person that we asked.
        identity = await self._sso.identify(tokens, metadata, at, max_age=at - waiting.at)
        if identity.national_id != waiting.national_id:
            raise Refused(Reason.SSO_IDENTITY_INVALID)
        return identity


def _read(answer: dict[str, Any], national_id: str, at: datetime) -> _Waiting:
    """`auth_req_id`, `expires_in`, `interval`, each in a range that makes sense; Refused otherwise."""
    request, lives, interval = answer.get("auth_req_id"), answer.get("expires_in"), answer.get("interval")
    interval = _USUAL_INTERVAL if interval is None else interval
    if not isinstance(request, str) or not 0 < len(request) <= _REQUEST_CHARACTERS:
        raise Refused(Reason.SSO_ANSWER_INVALID)
    if not request.isascii() or not request.isprintable():
        raise Refused(Reason.SSO_ANSWER_INVALID)
    if type(lives) is not int or type(interval) is not int or lives <= 0 or not 0 <= interval <= _INTERVAL_AT_MOST:
        raise Refused(Reason.SSO_ANSWER_INVALID)
    every = timedelta(seconds=max(interval, 1))
    ends_at = at + min(timedelta(seconds=min(lives, 3_600)), _LIVES_AT_MOST)
    return _Waiting(request, national_id, at, ends_at, every, at + every)
