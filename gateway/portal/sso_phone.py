# SPDX-License-Identifier: EUPL-1.2
"""Signing in, or proving more, on the phone: ask for it, wait with two digits in sight, be somebody.

Nothing is looked up before the person has said yes: an RPPS number that we know and one that we do not are asked alike.
The page that waits asks again by itself, without script, and can be told not to.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, Final

from gateway.errors import Refused
from gateway.identity.sso_identity import rpps_of
from gateway.model import EventKind, Method, Reason
from gateway.portal.answers import again, as_json, html, redirect
from gateway.portal.forms import read_form
from gateway.portal.record import happened, need_ledger
from gateway.portal.sign_in import LONGEST_SHOWN
from gateway.portal.sso_entry import enter
from gateway.portal.sso_waiting import Errand, browser_of, desk_of, sso_cookie
from gateway.portal.visit import clean_reference

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.identity.sso_prompts import Prompt, Prompts
    from gateway.portal.visit import Visit

PHONE_PATH: Final = "/.herse/sso/phone"
_ACCEPTED: Final = 202
_ENDED_BY_HIM: Final = frozenset({Reason.SSO_REFUSED, Reason.SSO_IDENTITY_INVALID, Reason.SSO_TOO_OLD})


async def show_phone(visit: Visit) -> Response:
    """The form; or, for the browser that waits, whether the person has said yes by now."""
    prompts = _prompts(visit)
    reference = clean_reference(visit.query("wait"))
    if reference:
        return await _look(visit, prompts, reference)
    return _form(visit, visit.reference())


async def ask_phone(visit: Visit) -> Response:
    """Have the person asked, then wait: for whom is typed in, or for the one person of the account signed in."""
    prompts = _prompts(visit)
    fields = await read_form(visit)
    need_ledger(visit)
    to, typed = clean_reference(fields.get("to", "")), fields.get("identifier", "")
    own = _people(visit)
    if not typed and len(own) == 1:
        typed = own[0]["rpps"]
    try:
        person = prompts.person(typed)
        reference, prompt = await prompts.ask(person, to, browser_of(visit), visit.network, visit.at)
    except Refused as refused:
        return _form(visit, to, typed=typed[:LONGEST_SHOWN], refused=refused)
    headers = sso_cookie(prompt.asked.browser)
    waiting = f"{PHONE_PATH}?wait={reference}"
    if visit.json:
        return as_json(visit, _told(prompt, waiting), _ACCEPTED, headers)
    return redirect(waiting, headers)


async def _look(visit: Visit, prompts: Prompts, reference: str) -> Response:
    """One look: enter, wait on, or why not."""
    browser = browser_of(visit)
    prompt = prompts.find(reference, browser, visit.at)
    need_ledger(visit)
    try:
        identity = await prompts.poll(reference, browser, visit.at)
        if identity is not None:
            return await enter(visit, identity, Errand(prompt.to))
    except Refused as refused:
        if refused.reason is not Reason.SSO_UNREACHABLE:  # for a moment: what is open on the phone still counts
            _note_ending(visit, prompt, refused.reason)
            return _form(visit, prompt.to, typed=rpps_of(prompt.person) or "", refused=refused)
    return _waiting(visit, prompt, reference)


def _waiting(visit: Visit, prompt: Prompt, reference: str) -> Response:
    here = f"{PHONE_PATH}?wait={reference}"
    if visit.json:
        return as_json(visit, _told(prompt, here), _ACCEPTED)
    calm = visit.query("calm") == "1"
    every = ceil(prompt.asked.interval.total_seconds())
    headers = () if calm else ((b"refresh", b"%d" % every),)
    shown: dict[str, Any] = {
        "digits": prompt.asked.digits,
        "ends_at": prompt.asked.ends_at,
        "to": prompt.to,
        "reference": reference,
    }
    return html(visit, "sso_phone_wait", headers=headers, calm=calm, **shown)


def _form(visit: Visit, to: str, *, typed: str = "", refused: Refused | None = None) -> Response:
    shown: dict[str, Any] = {"to": to, "typed": typed, "people": _people(visit), "name": desk_of(visit).name}
    if refused is not None:
        return again(visit, "sso_phone", refused, **shown)
    return html(visit, "sso_phone", alert=None, **shown)


def _people(visit: Visit) -> list[dict[str, str]]:
    """Who may prove himself for the account that is signed in: its holders with their RPPS numbers, once each."""
    account = None if visit.account is None else visit.doors.accounts.find(visit.account)
    if account is None:
        return []
    found = {one.rpps: one.name for one in account.holders if one.rpps is not None}
    if account.rpps is not None:
        found.setdefault(account.rpps, account.title)
    return [{"rpps": rpps, "name": name} for rpps, name in found.items()]


def _told(prompt: Prompt, waiting: str) -> dict[str, object]:
    return {
        "digits": prompt.asked.digits,
        "next": waiting,
        "interval": ceil(prompt.asked.interval.total_seconds()),
        "ends_at": prompt.asked.ends_at.isoformat(),
    }


def _note_ending(visit: Visit, prompt: Prompt, reason: Reason) -> None:
    """What the person himself turned down, told to the accounts that he holds: he may not have asked for it.

    Not waited for: an answer that took a commit longer would tell that there is an account.
    """
    if reason not in _ENDED_BY_HIM:
        return
    rpps = rpps_of(prompt.person)
    held = [] if rpps is None else visit.doors.accounts.of_person(rpps)
    others = [one.identifier for one in held if one.identifier != visit.account]
    failed = [happened(visit, EventKind.SIGN_IN_FAILED, one, method=Method.SSO, reason=reason) for one in others]
    if visit.account is not None:
        failing = EventKind.STEP_UP_FAILED
        failed.append(happened(visit, failing, visit.account, session=visit.session, method=Method.SSO, reason=reason))
    if failed:
        visit.doors.ledger.append(failed)


def _prompts(visit: Visit) -> Prompts:
    """The way to ask. Refused(SSO_NOT_SET_UP) where the provider asks nobody on his phone."""
    prompts = desk_of(visit).prompts
    if prompts is None:
        raise Refused(Reason.SSO_NOT_SET_UP)
    return prompts
