# SPDX-License-Identifier: EUPL-1.2
"""Before what protects an account is changed: a strong proof of the last minutes, from here; else the way to give one.

A password alone, or a mailbox, is none: whoever stole one cannot bring a second factor of his own.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from gateway.errors import Refused
from gateway.identity.binding import binding
from gateway.model import Method, Reason
from gateway.portal.answers import redirect, refuse

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.portal.visit import Visit

FRESH: Final = timedelta(minutes=15)
_OPENS: Final = frozenset(
    {
        Method.INVITATION,
        Method.TOTP,
        Method.PASSKEY,
        Method.RECOVERY,
        Method.SMART_CARD,
        Method.SSO,
        Method.SSO_CARD,
    }
)


def may_change_factors(visit: Visit) -> bool:
    """Whether a proof of `_OPENS` was given less than 15 minutes ago, and from where this visit comes.

    Never in quarantine: such a proof ends it first, or counts for nothing.
    """
    session = visit.signed_in()
    if visit.doors.ways_back.quarantines.since(session.subject.account or "") is not None:
        return False
    return session.binding == binding(visit.network, visit.device) and any(
        proof.method in _OPENS and timedelta(0) <= visit.at - proof.at < FRESH
        for proof in session.subject.assurance.proofs
    )


def prove_first(visit: Visit, path: str) -> Response:
    """To the step-up, and from there back to the page `path`; a program is told what is missing."""
    if visit.json:
        return refuse(visit, Refused(Reason.PROOF_TOO_OLD))
    to = visit.doors.returns.keep(path, visit.at, signed_in=True)
    return redirect(f"/.herse/step-up?to={to}&reason={Reason.PROOF_TOO_OLD}")
