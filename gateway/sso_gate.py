# SPDX-License-Identifier: EUPL-1.2
"""Builds the way to Pro Santé Connect, or another provider, from its settings; asks it once before anybody is served.

Part of the builder (`app`), in a file of its own. A gateway without `[sso]` has an empty gate. A provider that cannot
be asked stops nobody; one that is not as pinned, or that does not do what the settings say, stops the start.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from gateway.errors import Refused, StartError
from gateway.identity.sso_links import SsoLinks
from gateway.identity.sso_sessions import SsoSessions
from gateway.identity.sso_settings import ClientAuth, SsoSettings
from gateway.identity.throttle import Throttle
from gateway.portal.doors import SsoDesk
from gateway.settings_sso import CALLBACK_PATH, SIGNED_OUT_PATH

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy.engine import Engine

    from gateway.identity.at_rest import AtRest
    from gateway.identity.sso import SingleSignOn
    from gateway.settings import Settings
    from gateway.settings_sso import Sso

log = logging.getLogger(__name__)

SECRET_BYTES: Final = 4_096
KEY_BYTES: Final = 65_536
LOGOUTS_PER_NETWORK: Final = 3_000
LOGOUTS_PER_MINUTE_IN_ALL: Final = 3_000


class SsoGate:
    """The provider of one gateway, if its settings have one."""

    def __init__(self, settings: Settings, engine: Engine, sealing: AtRest, clock: Callable[[], datetime]) -> None:
        """StartError if a file cannot be read, or holds no such thing."""
        self.desk: SsoDesk | None = None
        self._sso: SingleSignOn | None = None
        if settings.sso is None:
            return
        from gateway.identity.sso import SingleSignOn  # noqa: PLC0415  # who has no provider waits for no client of one
        from gateway.identity.sso_ciba import Ciba  # noqa: PLC0415
        from gateway.identity.sso_prompts import Prompts  # noqa: PLC0415

        chosen, limits, self._clock = settings.sso, settings.sign_in, clock
        self._wants_ciba = chosen.ciba
        sso = self._sso = SingleSignOn(provider_settings(chosen, settings.public.origin))
        ciba = Ciba(sso) if chosen.ciba else None
        self.desk = SsoDesk(
            sso=sso,
            links=SsoLinks(engine),
            sessions=SsoSessions(engine, sealing),
            ciba=ciba,
            name=chosen.name,
            throttle=Throttle(limits.per_account, limits.per_network, limits.per_minute_in_all),
            prompts=None if ciba is None else Prompts(ciba, sandbox=chosen.sandbox),
            logouts=Throttle(LOGOUTS_PER_NETWORK, LOGOUTS_PER_NETWORK, LOGOUTS_PER_MINUTE_IN_ALL),
        )

    async def start(self) -> None:
        """Ask the provider what it says of itself. StartError if it is not what the settings say."""
        if self._sso is None:
            return
        told = {"issuer": self._sso.settings.issuer, "sandbox": str(self._sso.settings.sandbox).lower()}
        try:
            await self._sso.start(self._clock())
            metadata = await self._sso.provider.metadata(self._clock())
        except Refused as refused:
            log.warning("sso-unreachable-at-start", extra={**told, "reason": str(refused.reason)})
            return
        except StartError:
            await self.close()
            raise
        if self._wants_ciba and metadata.ciba is None:
            await self.close()
            raise StartError(
                f"{self._sso.settings.discovery}: backchannel_authentication_endpoint: found nothing; expected an "
                "address, since sso.ciba is true. Have the provider enable CIBA for this client, or set it to false."
            )
        log.info("serving-sso", extra=told)

    async def close(self) -> None:
        """Close the connections to the provider."""
        if self._sso is not None:
            await self._sso.close()


def provider_settings(chosen: Sso, origin: str) -> SsoSettings:
    """What the client core takes, from the section `[sso]` and the public origin; secrets are read here."""
    discovery, issuer, origins = chosen.pinned
    if chosen.certificate_key is not None:
        read_secret(chosen.certificate_key, KEY_BYTES)
    return SsoSettings(
        discovery=discovery,
        issuer=issuer,
        origins=origins,
        client_id=chosen.client_id,
        redirect_uri=origin + CALLBACK_PATH,
        signed_out_uri=origin + SIGNED_OUT_PATH,
        client_auth=chosen.auth,
        client_secret=_secret(chosen),
        private_key=None if chosen.private_key_file is None else read_secret(chosen.private_key_file, KEY_BYTES),
        certificate=chosen.certificate,
        certificate_key=chosen.certificate_key,
        authority=chosen.authority,
        scope=chosen.scope,
        acr_values=chosen.acr_values,
        acr_accepted=frozenset(chosen.acr_accepted),
        algorithms=frozenset(chosen.algorithms),
        card_values=frozenset(chosen.card_values),
        national_id_claim=chosen.national_id_claim or None,
        userinfo=chosen.userinfo,
        sandbox=chosen.sandbox,
        session_lifetime=chosen.session_lifetime,
        answer_within=timedelta(seconds=chosen.answer_seconds),
        answer_bytes=chosen.answer_bytes,
        fetch_interval=timedelta(seconds=chosen.fetch_seconds),
        keys_lifetime=timedelta(minutes=chosen.keys_minutes),
        metadata_lifetime=timedelta(minutes=chosen.metadata_minutes),
    )


def read_secret(path: Path, most: int) -> bytes:
    """A file of its owner's alone, 1 to `most` bytes; StartError otherwise, which never shows what is in it."""
    try:
        with path.open("rb") as file:
            mode = path.stat().st_mode & 0o777
            found = file.read(most + 1)
    except OSError as error:
        raise StartError(f"{path}: {error.strerror}; expected the file that the section [sso] names") from None
    if mode & 0o077:
        raise StartError(f"{path} has mode {mode:04o}; expected 0600: run chmod 600 {path}")
    if not 0 < len(found) <= most:
        raise StartError(f"{path}: found {len(found)} bytes or more; expected 1 to {most}")
    return found


def _secret(chosen: Sso) -> str | None:
    """One line of text; the newline that editors put at its end is none of it."""
    if chosen.auth not in {ClientAuth.SECRET_BASIC, ClientAuth.SECRET_POST} or chosen.secret_file is None:
        return None
    try:
        text = read_secret(chosen.secret_file, SECRET_BYTES).decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        text = ""
    if not text or not text.isprintable():
        raise StartError(f"{chosen.secret_file}: expected the client's secret, one line of printable text")
    return text
