# SPDX-License-Identifier: EUPL-1.2
"""What a professional sees of his own account: who it is, what this session has proved, which sessions are open.

Everything shown or ended here belongs to the signed-in account; a reference of anybody else's session finds nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.errors import Refused
from gateway.model import EventKind, Reason
from gateway.pages import when
from gateway.pages.event_words import method_name
from gateway.pages.profession import profession_name
from gateway.portal.answers import as_json, html, redirect
from gateway.portal.forms import read_form
from gateway.portal.record import happened, record

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.identity.session import Session
    from gateway.portal.visit import Visit


async def show_account(visit: Visit) -> Response:
    """The account, this session and its proofs."""
    session = visit.signed_in()
    account = visit.doors.accounts.find(session.subject.account or "")
    if account is None:
        raise Refused(Reason.SIGN_IN_REQUIRED)
    if visit.json:
        level = session.subject.assurance.level.name.lower()
        return as_json(
            visit,
            {
                "account": account.identifier,
                "title": account.title,
                "profession": account.profession,
                "assurance": level,
                "totp": account.has_totp,
            },
        )
    proofs = sorted(session.subject.assurance.proofs, key=lambda proof: proof.at)
    return html(
        visit,
        "account",
        title=account.title,
        identifier=account.identifier,
        profession=profession_name(account.profession, visit.language),
        rpps=account.rpps,
        holders=[holder.name for holder in account.holders],
        has_totp=account.has_totp,
        opened_at=session.opened_at,
        proofs=[(method_name(proof.method, visit.language), proof.at) for proof in proofs],
        agent=session.device,
        network=session.network or "",
    )


async def show_sessions(visit: Visit) -> Response:
    """The open sessions of the account, newest first."""
    session = visit.signed_in()
    found = sorted(_own(visit), key=lambda one: one.opened_at, reverse=True)
    shown = [_shown(one, session) for one in found]
    if visit.json:
        times = ("opened_at", "seen_at")
        plain = [{key: when.iso(value) if key in times else value for key, value in one.items()} for one in shown]
        return as_json(visit, {"account": session.subject.account, "sessions": plain})
    return html(visit, "sessions", sessions=shown)


async def end_sessions(visit: Visit) -> Response:
    """End one other session of the account by its reference, or all others."""
    fields = await read_form(visit)
    current = visit.signed_in()
    others = [one for one in _own(visit) if one is not current]
    if fields.get("others") != "1":
        others = [one for one in others if one.reference == fields.get("session")]
    for one in others:
        visit.doors.sessions.end(one, visit.at)
    if others:
        account = current.subject.account or ""
        await record(visit, *(happened(visit, EventKind.SIGN_OUT, account, session=one) for one in others))
    if visit.json:
        return as_json(visit, {"account": current.subject.account, "ended": len(others)})
    return redirect("/.herse/account/sessions")


def _own(visit: Visit) -> list[Session]:
    return visit.doors.sessions.of_account(visit.signed_in().subject.account or "")


def _shown(one: Session, current: Session) -> dict[str, Any]:
    return {
        "reference": one.reference,
        "current": one is current,
        "opened_at": one.opened_at,
        "seen_at": one.seen_at,
        "network": one.network or "",
        "device": one.device or "",
    }
