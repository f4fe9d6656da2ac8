# SPDX-License-Identifier: EUPL-1.2
"""Where a person goes after a proof: to the page he asked for, to the form he had filled in, or to the portal's home.

A form that was kept is never sent by itself: the person sees a page with one button, and the browser sends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.portal.answers import html, redirect

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.identity.session import Session
    from gateway.portal.visit import Visit


def destination(visit: Visit, to: str, session: Session) -> str:
    """The path to go on to: `/` if nothing was kept, the page of the kept form, or the path itself."""
    kept = visit.doors.returns.find(to, session.reference, visit.at) if to else None
    if kept is None:
        return "/"
    return f"/.herse/continue?to={to}" if kept.form is not None else kept.path


def carry(visit: Visit, to: str, earlier: Session | None, session: Session) -> str:
    """The reference for a new session: a form that the same person left in the session before goes along."""
    if not to or earlier is None or earlier.subject.account != session.subject.account:
        return to
    kept = visit.doors.returns.find(to, earlier.reference, visit.at)
    if kept is None or kept.form is None:
        return to
    return visit.doors.returns.keep(kept.path, kept.form, session.reference, visit.at)


async def show_continue(visit: Visit) -> Response:
    """The kept form and its button, for the session that left it; else back to the portal's home."""
    session = visit.signed_in()
    to = visit.reference()
    kept = visit.doors.returns.find(to, session.reference, visit.at) if to else None
    if kept is None or kept.form is None:
        return redirect("/")
    return html(visit, "continue", path=kept.path, fields=kept.form)
