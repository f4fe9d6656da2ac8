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
from gateway.portal import (
    account,
    act_for,
    card,
    delegates,
    events,
    mail_change,
    own_password,
    passkey_proof,
    passkeys,
    password_change,
    recovery,
    returning,
    sessions,
    sign_in,
    sso,
    sso_activity,
    sso_backchannel,
    sso_entry,
    sso_link,
    sso_phone,
    step_up,
)
from gateway.portal.acting import OPEN_TO_DELEGATES
from gateway.portal.answers import answer, redirect, refuse
from gateway.portal.doors import Doors
from gateway.portal.enrol import Enrolment
from gateway.portal.pending_secrets import PendingSecrets
from gateway.portal.reset import Reset
from gateway.portal.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    Page: TypeAlias = Callable[[Visit], Awaitable[Response]]
    Table: TypeAlias = dict[str, tuple[Page, Page | None]]

__all__ = ["Doors", "build_portal"]

log = logging.getLogger(__name__)

PREFIX: Final = "/.herse"


def build_portal(doors: Doors) -> Starlette:
    """The application for every path under `/.herse/`. Each call has its own state; one per process."""
    enrolment = Enrolment(PendingSecrets())
    routes = [
        Route(
            PREFIX + path,
            _endpoint(doors, show, submit, delegates_too=path in OPEN_TO_DELEGATES),
            methods=["GET"] if submit is None else ["GET", "POST"],
        )
        for path, (show, submit) in (_ways_in(enrolment, Reset()) | _account_pages(enrolment)).items()
    ]
    ended = _endpoint(doors, sso_backchannel.backchannel_logout, None)
    routes.append(Route(f"{PREFIX}/sso/backchannel-logout", ended, methods=["POST"]))

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


def _ways_in(enrolment: Enrolment, reset: Reset) -> Table:
    """Pages of who is not signed in yet, or proves more, or leaves; and what is for everybody."""
    return {
        "/sign-in": (sign_in.show_sign_in, sign_in.sign_in),
        "/step-up": (step_up.show_step_up, step_up.step_up),
        "/sign-in/passkey": (passkey_proof.show_sign_in, passkey_proof.sign_in),
        "/step-up/passkey": (passkey_proof.show_step_up, passkey_proof.step_up),
        "/card": (card.show_card, card.start_card),
        "/card/back": (card.card_back, card.choose_account),
        "/sso": (sso.show_sso, sso.start_sso),
        "/sso/callback": (sso.sso_back, None),
        "/sso/choose": (sso_entry.show_choices, sso_entry.choose),
        "/sso/activity": (sso_activity.show_activities, sso_activity.choose_activity),
        "/sso/link": (sso_link.show_link, sso_link.link),
        "/sso/phone": (sso_phone.show_phone, sso_phone.ask_phone),
        "/continue": (returning.show_continue, returning.confirm),
        "/sign-out": (sign_in.show_sign_out, sign_in.sign_out),
        "/signed-out": (sign_in.show_sign_out, None),
        "/enrol": (enrolment.show_enrol, enrolment.enrol),
        "/reset": (reset.show_ask, reset.ask),
        "/reset/new": (reset.show_new, reset.set_new),
        "/step-up/recovery": (recovery.show_use, recovery.use_code),
        "/password": (password_change.show_change, password_change.change),
        "/jwks.json": (_jwks, None),
        "/static/{name}": (_static, None),
    }


def _account_pages(enrolment: Enrolment) -> Table:
    """Pages of who is signed in, about his account."""
    return {
        "/account/recovery": (recovery.show_recovery, recovery.make_codes),
        "/account": (account.show_account, None),
        "/account/events": (events.show_events, None),
        "/account/delegates": (delegates.show_delegates, delegates.give),
        "/account/delegates/end": (delegates.show_delegates, delegates.end),
        "/act-for": (act_for.show_act_for, act_for.act_for),
        "/account/factors": (enrolment.show_factors, enrolment.change_factors),
        "/account/passkeys": (passkeys.show_passkeys, passkeys.add_passkey),
        "/account/passkeys/rename": (passkeys.show_passkeys, passkeys.rename_passkey),
        "/account/passkeys/remove": (passkeys.show_passkeys, passkeys.remove_passkey),
        "/account/mail": (mail_change.show_mail, mail_change.ask_change),
        "/account/mail/cancel": (mail_change.show_mail, mail_change.drop_change),
        "/account/mail/confirm": (mail_change.show_confirm, mail_change.confirm),
        "/account/password": (own_password.show_own_password, own_password.change_own_password),
        "/account/sso": (sso_link.show_links, sso_link.unlink),
        "/account/sessions": (sessions.show_sessions, sessions.end_sessions),
        "/account/devices/forget": (sessions.show_sessions, sessions.forget_device),
    }


def _endpoint(
    doors: Doors, show: Page, submit: Page | None, *, delegates_too: bool = True
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        visit = Visit(doors, request)
        page = submit if request.method == "POST" and submit is not None else show
        try:
            # The same for everybody: no cookie can take the style off a page, or keep somebody signed in.
            if page not in (_jwks, _static, sso_backchannel.backchannel_logout):
                visit.identify()
            if not delegates_too:
                visit.for_the_holder()
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
    to = visit.doors.returns.keep(target, visit.at)
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
