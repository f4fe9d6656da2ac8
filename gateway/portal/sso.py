# SPDX-License-Identifier: EUPL-1.2
"""To Pro Santé Connect and back: set out by a button, come back with an answer that counts once, in this browser alone.

A form's own redirect may not leave our origin (`form-action`), so the button leads to a page of ours, which leads on
by a refresh and shows the link too. Nothing of the answer is looked at before the errand that it belongs to is found.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from gateway.errors import Refused
from gateway.identity.sso_callback import read_callback
from gateway.model import EventKind, Method, Reason
from gateway.portal.answers import again, as_json, html, redirect
from gateway.portal.forms import read_form
from gateway.portal.record import happened, need_ledger, record
from gateway.portal.sso_entry import enter
from gateway.portal.sso_waiting import Errand, browser_of, desk_of, sso_cookie, start_values
from gateway.portal.visit import clean_reference

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.portal.visit import Visit

SSO_PATH: Final = "/.herse/sso"
_QUIET: Final = frozenset({Reason.THROTTLED, Reason.BUSY})


async def show_sso(visit: Visit) -> Response:
    """The button; or, for a browser that has pressed it, the page that leads on to the provider."""
    desk, reference = desk_of(visit), visit.query("waiting")
    if not reference:
        errand = Errand(visit.reference(), visit.query("card") == "1", anew=visit.query("activity") == "anew")
        return html(visit, "sso_start", alert=None, **start_values(visit, errand))
    errand = desk.waiting.errands.find(reference, browser_of(visit), visit.at)
    refresh = ((b"refresh", f"0; url={errand.url}".encode("ascii")),)
    return html(visit, "sso_leave", headers=refresh, href=errand.url)


async def start_sso(visit: Visit) -> Response:
    """Set out. Whoever is signed in has to prove afresh there, however long ago he signed in at the provider."""
    desk = desk_of(visit)
    fields = await read_form(visit)
    need_ledger(visit)
    anew = fields.get("activity") == "anew"
    errand = Errand(clean_reference(fields.get("to", "")), fields.get("card") == "1", anew=anew)
    try:
        who = visit.account or browser_of(visit) or visit.form_token  # nobody yet: counted by network
        desk.throttle.hit(f"{Method.SSO}/{who}", visit.network)
        max_age = None if visit.account is None else timedelta(0)
        begun = await desk.sso.begin(browser_of(visit), visit.at, max_age)
    except Refused as refused:
        return await _failed(visit, refused, errand)
    desk.waiting.errands.keep(replace(errand, url=begun.url), begun.browser, visit.at, begun.state)
    headers = sso_cookie(begun.browser)
    if visit.json:
        return as_json(visit, {"next": begun.url}, headers=headers)
    return redirect(f"{SSO_PATH}?waiting={begun.state}", headers)


async def sso_back(visit: Visit) -> Response:
    """Back from the provider: the errand is taken, the answer is judged, and whoever it proves enters."""
    desk, browser = desk_of(visit), browser_of(visit)
    need_ledger(visit)
    query = visit.request.scope["query_string"].decode("latin-1")
    errand = Errand()
    try:
        errand = desk.waiting.errands.take(read_callback(query).get("state"), browser, visit.at)
        identity = await desk.sso.finish(query, browser, visit.at)
        return await enter(visit, identity, errand)
    except Refused as refused:
        return await _failed(visit, refused, errand)


async def _failed(visit: Visit, refused: Refused, errand: Errand) -> Response:
    """The button once more, with what was wrong above it and the other ways in below; recorded where it is known."""
    if visit.account is not None and refused.reason not in _QUIET:
        failed = EventKind.STEP_UP_FAILED
        told = happened(visit, failed, visit.account, session=visit.session, method=Method.SSO, reason=refused.reason)
        await record(visit, told)
    return again(visit, "sso_start", refused, **start_values(visit, errand))
