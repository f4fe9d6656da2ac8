# SPDX-License-Identifier: EUPL-1.2
"""The pages on which a professional sees, adds, names and removes the passkeys of his account.

Adding and removing need a proof of the last minutes; each is told to the ledger before it is done. With a key go the
other sessions that were proved by a passkey: nobody knows which of them the lost one opened.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

from gateway.errors import Refused
from gateway.identity.passkey_table import LONGEST_NAME, MOST, parse_name
from gateway.model import EventKind, Method
from gateway.pages import when
from gateway.pages.headers import with_script
from gateway.portal.answers import again, as_json, html, redirect
from gateway.portal.forms import read_form
from gateway.portal.fresh_proof import may_change_factors, prove_first
from gateway.portal.record import happened, need_ledger, record

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.portal.visit import Visit

PASSKEYS_PATH: Final = "/.herse/account/passkeys"
SCRIPT_PATH: Final = "/.herse/static/passkey.js"


def script_guards(visit: Visit) -> tuple[tuple[bytes, bytes], ...]:
    """The guards of a page that runs our one script."""
    return with_script(f"{visit.doors.origin}{SCRIPT_PATH}")


async def show_passkeys(visit: Visit) -> Response:
    """The keys of the account, and, after a fresh proof, the form for another."""
    values = _values(visit)
    if visit.json:
        times = ("added_at", "last_used_at")
        plain = [{key: _plain(one[key]) if key in times else one[key] for key in one} for one in values["passkeys"]]
        shown = {"account": visit.account, "passkeys": plain, "may_change": values["may_change"]}
        return as_json(visit, {**shown, "options": values["options"]})
    return html(visit, "passkeys", guards=script_guards(visit), alert=None, **_for_page(values))


async def add_passkey(visit: Visit) -> Response:
    """A key that the browser made, under the name its owner gives it. Without one: prove first, or see the page."""
    fields = await read_form(visit)
    session = visit.signed_in()
    need_ledger(visit)
    if not may_change_factors(visit):
        return prove_first(visit, PASSKEYS_PATH)
    if "credential" not in fields:
        return await show_passkeys(visit) if visit.json else redirect(PASSKEYS_PATH)
    account, keys = session.subject.account or "", visit.doors.passkeys
    try:
        name = parse_name(fields.get("name", ""))
        key = keys.check_new(account, fields["credential"], session.reference, visit.at)
    except Refused as refused:
        return _once_more(visit, refused)
    await record(visit, happened(visit, EventKind.FACTOR_ADDED, account, session=session, method=Method.PASSKEY))
    visit.signed_in()
    try:
        added = await asyncio.to_thread(keys.table.add, key, name, visit.at)
    except Refused as refused:
        return _once_more(visit, refused)
    if visit.json:
        return as_json(visit, {"account": account, "passkey": added.reference, "name": added.name})
    return redirect(PASSKEYS_PATH)


async def rename_passkey(visit: Visit) -> Response:
    """Another name for one of the account's keys."""
    fields = await read_form(visit)
    session = visit.signed_in()
    try:
        name = parse_name(fields.get("name", ""))
    except Refused as refused:
        return _once_more(visit, refused)
    account = session.subject.account or ""
    renamed = visit.doors.passkeys.table.rename(account, fields.get("passkey", ""), name)
    return as_json(visit, {"account": account, "renamed": int(renamed)}) if visit.json else redirect(PASSKEYS_PATH)


async def remove_passkey(visit: Visit) -> Response:
    """Take one of the account's keys away; other sessions that were proved by a passkey end with it."""
    fields = await read_form(visit)
    session = visit.signed_in()
    need_ledger(visit)
    if not may_change_factors(visit):
        return prove_first(visit, PASSKEYS_PATH)
    account, keys = session.subject.account or "", visit.doors.passkeys
    reference, removed = fields.get("passkey", ""), False
    if any(one.reference == reference for one in keys.table.of_account(account)):
        await record(visit, happened(visit, EventKind.FACTOR_REMOVED, account, session=session, method=Method.PASSKEY))
        visit.signed_in()
        removed = keys.table.remove(account, reference)
        for other in visit.doors.sessions.standing_on(account):
            if other is not session and any(p.method is Method.PASSKEY for p in other.subject.assurance.proofs):
                visit.doors.sessions.end(other, visit.at)
    return as_json(visit, {"account": account, "removed": int(removed)}) if visit.json else redirect(PASSKEYS_PATH)


def _once_more(visit: Visit, refused: Refused) -> Response:
    return again(visit, "passkeys", refused, guards=script_guards(visit), **_for_page(_values(visit)))


def _values(visit: Visit) -> dict[str, Any]:
    """What the page shows. `options` are for the browser's authenticators, and there only if a key may be added."""
    session = visit.signed_in()
    account = session.subject.account or ""
    found = visit.doors.passkeys.table.of_account(account)
    may_change = may_change_factors(visit)
    options = None
    if may_change and len(found) < MOST:
        options = visit.doors.passkeys.adding(account, session.subject.title, session.reference, visit.at)
    shown = [
        {"reference": one.reference, "name": one.name, "added_at": one.added_at, "last_used_at": one.last_used_at}
        for one in found
    ]
    return {"passkeys": shown, "may_change": may_change, "options": options}


def _for_page(values: dict[str, Any]) -> dict[str, Any]:
    options = None if values["options"] is None else json.dumps(values["options"])
    return {**values, "options": options, "longest": LONGEST_NAME, "most": MOST}


def _plain(at: Any) -> str | None:
    return None if at is None else when.iso(at)
