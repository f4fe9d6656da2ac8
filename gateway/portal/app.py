# SPDX-License-Identifier: EUPL-1.2
"""The gateway's own pages as one Starlette application: the table of paths, and the one place where failures end.

Every page runs inside `_endpoint`: who is asking is found first, a refusal becomes its page or problem document, a
ledger that failed becomes 503, and anything unforeseen becomes 500 without a word of what it was.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Final, TypeAlias

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from gateway.errors import LedgerError, Refused
from gateway.ledger.event import LedgerUnreadable
from gateway.model import Reason
from gateway.pages.headers import SECURITY_HEADERS, STATIC_HEADERS
from gateway.pages.static_files import static
from gateway.portal import account, card, events, passkey_proof, passkeys, password_change, returning, sign_in, step_up
from gateway.portal.answers import answer, redirect, refuse
from gateway.portal.doors import Doors
from gateway.portal.enrol import Enrolment
from gateway.portal.pending_secrets import PendingSecrets
from gateway.portal.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    Page: TypeAlias = Callable[[Visit], Awaitable[Response]]

__all__ = ["Doors", "build_portal"]

log = logging.getLogger(__name__)

PREFIX: Final = "/.herse"


def build_portal(doors: Doors) -> Starlette:
    """The application for every path under `/.herse/`. Each call has its own state; one per process."""
    enrolment = Enrolment(PendingSecrets())
    table: dict[str, tuple[Page, Page | None]] = {
        "/sign-in": (sign_in.show_sign_in, sign_in.sign_in),
        "/step-up": (step_up.show_step_up, step_up.step_up),
        "/sign-in/passkey": (passkey_proof.show_sign_in, passkey_proof.sign_in),
        "/step-up/passkey": (passkey_proof.show_step_up, passkey_proof.step_up),
        "/card": (card.show_card, card.start_card),
        "/card/back": (card.card_back, card.choose_account),
        "/continue": (returning.show_continue, None),
        "/sign-out": (sign_in.show_sign_out, sign_in.sign_out),
        "/enrol": (enrolment.show_enrol, enrolment.enrol),
        "/password": (password_change.show_change, password_change.change),
        "/account": (account.show_account, None),
        "/account/events": (events.show_events, None),
        "/account/factors": (enrolment.show_factors, enrolment.change_factors),
        "/account/passkeys": (passkeys.show_passkeys, passkeys.add_passkey),
        "/account/passkeys/rename": (passkeys.show_passkeys, passkeys.rename_passkey),
        "/account/passkeys/remove": (passkeys.show_passkeys, passkeys.remove_passkey),
        "/account/sessions": (account.show_sessions, account.end_sessions),
        "/jwks.json": (_jwks, None),
        "/static/{name}": (_static, None),
    }
    routes = [
        Route(
            PREFIX + path,
            _endpoint(doors, show, submit),
            methods=["GET"] if submit is None else ["GET", "POST"],
        )
        for path, (show, submit) in table.items()
    ]

    async def not_ours(request: Request, error: Exception) -> Response:
        """No such page (404), or not by this method (405)."""
        visit = Visit(doors, request)
        status = error.status_code if isinstance(error, HTTPException) else 404
        reason = Reason.NO_TELESERVICE if status == 404 else Reason.NOT_IMPLEMENTED  # noqa: PLR2004  # RFC 9110
        allowed = (error.headers or {}).get("Allow") if isinstance(error, HTTPException) else None
        headers = () if allowed is None else ((b"allow", allowed.encode()),)
        return refuse(visit, Refused(reason), status=status, headers=headers)

    app = Starlette(routes=routes, exception_handlers={HTTPException: not_ours})
    app.router.redirect_slashes = False
    return app


def _endpoint(doors: Doors, show: Page, submit: Page | None) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        visit = Visit(doors, request)
        page = submit if request.method == "POST" and submit is not None else show
        try:
            if page not in (_jwks, _static):  # the same for everybody: no cookie can take the style off a page
                visit.identify()
            return await page(visit)
        except Refused as refused:
            return _refused(visit, refused)
        except (LedgerError, LedgerUnreadable):
            log.warning("a page was refused: the ledger cannot be written or read")
            return refuse(visit, Refused(Reason.LEDGER_UNAVAILABLE))
        except HTTPException:
            raise
        except Exception:
            log.exception("a page failed: %s", request.scope["path"])
            return refuse(visit, Refused(Reason.INTERNAL_ERROR))

    return endpoint


def _refused(visit: Visit, refused: Refused) -> Response:
    """A person who has to sign in first is sent there and comes back to the page; everything else is told."""
    if refused.reason is not Reason.SIGN_IN_REQUIRED or visit.json:
        return refuse(visit, refused)
    scope = visit.request.scope
    target = scope["path"]
    if visit.request.method != "POST" and scope["query_string"]:
        target = f"{target}?{scope['query_string'].decode('latin-1')}"
    to = visit.doors.returns.keep(target, None, None, visit.at)
    return redirect(f"/.herse/sign-in?to={to}")


async def _jwks(visit: Visit) -> Response:
    """The public keys of the assertion that the portal behind us verifies."""
    body = json.dumps(visit.doors.jwks()).encode()
    return answer(body, "application/jwk-set+json", 200, (), SECURITY_HEADERS)


async def _static(visit: Visit) -> Response:
    """Style sheet and images."""
    try:
        content, content_type = static(visit.request.path_params["name"])
    except KeyError:
        raise HTTPException(404) from None
    return answer(content, content_type, 200, (), STATIC_HEADERS)
