# SPDX-License-Identifier: EUPL-1.2
"""Prompts on the phone, between the page that waits and the provider that asks (sso_ciba).

Whoever is typed in is asked, known to us or not: nothing here looks an account up, so that nothing can tell. A prompt
belongs to the browser that asked for it; asking again there gives the same one.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from hmac import compare_digest
from typing import TYPE_CHECKING, Final

from gateway.errors import Refused
from gateway.identity.sso_ciba import Channel
from gateway.identity.sso_identity import parse_national_id
from gateway.identity.sso_pace import Pace, Said
from gateway.identity.sso_pending import PendingSignIns
from gateway.identity.throttle import Throttle
from gateway.model import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.identity.sso_ciba import Asked, Ciba
    from gateway.identity.sso_identity import SsoIdentity

PER_NETWORK: Final = 30
"""Prompts in fifteen minutes from one network: a hospital shares one."""
PER_MINUTE_IN_ALL: Final = 60
_RPPS_DIGITS: Final = 11


@dataclass(frozen=True, slots=True)
class Prompt:
    """One person is being asked. `to`: where the browser goes afterwards."""

    person: str
    asked: Asked
    to: str


class Prompts:
    """Ask and wait, at a pace that wears nobody out."""

    def __init__(self, ciba: Ciba, *, sandbox: bool = False, throttle: Throttle | None = None) -> None:
        self._ciba = ciba
        self._sandbox = sandbox
        # The person has a pace of his own, which is stricter than this one could be.
        self._throttle = throttle or Throttle(PER_NETWORK, PER_NETWORK, PER_MINUTE_IN_ALL)
        self._pace = Pace()
        self._kept: PendingSignIns[Prompt] = PendingSignIns()
        self._open: OrderedDict[str, tuple[str, Prompt]] = OrderedDict()

    def person(self, typed: str) -> str:
        """The national id that a person typed: his RPPS number, or the id itself. Refused(RPPS_MALFORMED)."""
        text = typed.replace(" ", "").upper()
        if len(text) == _RPPS_DIGITS and text.isascii() and text.isdigit():
            text = f"8{text}"
        try:
            return parse_national_id(text, sandbox=self._sandbox)
        except Refused:
            raise Refused(Reason.RPPS_MALFORMED) from None

    async def ask(self, person: str, to: str, browser: str | None, network: str, at: datetime) -> tuple[str, Prompt]:
        """Have this person asked, or find the prompt that is open in this browser: (reference, prompt).

        Refused: THROTTLED, BUSY, and the `sso-…` reasons of the provider.
        """
        still = self._still_open(person, browser, at)
        if still is not None:
            return still
        self._throttle.hit(person, network)
        self._pace.begin(person, at)
        try:
            asked = await self._ciba.start(person, Channel.MOBILE, browser, at)
        except Refused as refused:
            if refused.reason is Reason.SSO_REFUSED:  # it was there, and asks nobody of this id
                self._pace.ended(person, Said.NOTHING, at)
            else:
                self._pace.unasked(person)
            raise
        self._pace.opened(person, asked.ends_at)
        prompt = Prompt(person, asked, to)
        reference = self._kept.keep(prompt, asked.browser, at)
        self._open[person] = (reference, prompt)
        self._open.move_to_end(person)
        return reference, prompt

    def find(self, reference: str, browser: str | None, at: datetime) -> Prompt:
        """The prompt that this browser waits for; Refused(SSO_STATE_WRONG) if there is none, or no longer."""
        return self._kept.find(reference, browser, at)

    async def poll(self, reference: str, browser: str | None, at: datetime) -> SsoIdentity | None:
        """The person once he said yes, None while he has not answered; Refused once it is over."""
        prompt = self.find(reference, browser, at)
        try:
            identity = await self._ciba.poll(prompt.asked.reference, browser, at)
        except Refused as refused:
            if refused.reason is not Reason.SSO_UNREACHABLE:
                said = Said.NO if refused.reason is Reason.SSO_REFUSED else Said.NOTHING
                self._end(reference, prompt, said, at)
            raise
        if identity is not None:
            self._end(reference, prompt, Said.YES, at)
        return identity

    def _end(self, reference: str, prompt: Prompt, said: Said, at: datetime) -> None:
        self._kept.drop(reference)
        if self._open.get(prompt.person, ("", prompt))[0] == reference:
            del self._open[prompt.person]
            self._pace.ended(prompt.person, said, at)

    def _still_open(self, person: str, browser: str | None, at: datetime) -> tuple[str, Prompt] | None:
        while self._open and at >= next(iter(self._open.values()))[1].asked.ends_at:
            self._open.popitem(last=False)
        reference, prompt = self._open.get(person, ("", None))
        if prompt is None or browser is None or not compare_digest(prompt.asked.browser.encode(), browser.encode()):
            return None
        return None if at >= prompt.asked.ends_at else (reference, prompt)
