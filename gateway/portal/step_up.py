# SPDX-License-Identifier: EUPL-1.2
"""Step-up: a signed-in person proves more, gets a new session id, and goes on to what he was doing.

The proof is recorded before the session is strengthened: no session is ever stronger than the ledger tells.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from gateway.errors import Refused
from gateway.model import EventKind, Method, Reason
from gateway.pages.budget_words import past_budget
from gateway.pages.render import alert, words
from gateway.portal.acting import by_card_alone, is_another, proof_owner, proving_account
from gateway.portal.answers import again, html, provider, redirect, refuse
from gateway.portal.cookies import session_cookie
from gateway.portal.enrol import FACTORS_PATH
from gateway.portal.forms import read_form
from gateway.portal.fresh_proof import FRESH
from gateway.portal.record import happened, need_ledger, record
from gateway.portal.returning import destination
from gateway.portal.sign_in import arrived
from gateway.portal.step_up_ways import open_ways, show_ways
from gateway.portal.visit import clean_reference

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.responses import Response

    from gateway.model import Event, Proof
    from gateway.portal.visit import Visit

# What the hallway may give as `reason` in the address: it is shown above the form, from our own sentences.
ASKED_FOR: Final = frozenset(
    {
        Reason.SECOND_FACTOR_REQUIRED,
        Reason.SECOND_FACTOR_STALE,
        Reason.BUDGET_PROOF_REQUIRED,
        Reason.PROOF_TOO_OLD,
        Reason.SESSION_MOVED,
    }
)


# What to do is more than to give the proof.
_WITH_REMEDY: Final = frozenset({Reason.BUDGET_PROOF_REQUIRED, Reason.SESSION_MOVED})
_BEYOND_CODES: Final = frozenset({Method.SMART_CARD, Method.SSO_CARD, Method.SSO})
_SLIP: Final = re.compile(r"[A-Za-z0-9_-]{1,1024}")


async def show_step_up(visit: Visit) -> Response:
    """The form for a code; or what is missing: a session, a card, a code application."""
    to = visit.reference()
    reason = visit.query("reason")
    if visit.account is None:
        if visit.json:
            raise Refused(Reason.SIGN_IN_REQUIRED)
        return redirect(f"/.herse/sign-in?to={to}" if to else "/.herse/sign-in")
    if visit.query("card") or reason == Reason.CARD_REQUIRED or by_card_alone(visit):
        return _by_card(visit, to)
    if reason == Reason.METHOD_REQUIRED or (reason == Reason.BUDGET_PROOF_REQUIRED and visit.query("methods")):
        return show_ways(visit, to, asked_for(visit) if reason == Reason.BUDGET_PROOF_REQUIRED else None)
    proving = proving_account(visit)
    account = visit.doors.accounts.find(proving)
    has_passkey = proving == visit.account and bool(visit.doors.passkeys.table.of_account(proving))
    if has_passkey and account is not None and not account.has_totp:
        known, why = reason if reason in ASKED_FOR else "", visit.query("why")
        slip = f"&why={why}" if _SLIP.fullmatch(why) else ""
        return redirect(f"/.herse/step-up/passkey?to={to}&reason={known}{slip}")
    ways = other_ways(visit, proving)
    if account is None or not account.has_totp:
        return _without_code(visit, proving, to, ways)
    asked = asked_for(visit) if to else None
    return html(visit, "step_up", to=to, alert=None, asked=asked, has_passkey=has_passkey, **ways)


def _by_card(visit: Visit, to: str) -> Response:
    """The page of the card host, or of the provider, which reads cards too."""
    if visit.json or (visit.doors.card is None and visit.doors.sso is None):
        return refuse(visit, Refused(Reason.CARD_REQUIRED))
    if visit.doors.card is None:
        return redirect(f"/.herse/sso?card=1&to={to}")
    return redirect(f"/.herse/card?to={to}" if to else "/.herse/card")


def _without_code(visit: Visit, account: str, to: str, ways: dict[str, bool]) -> Response:
    """The other proof that the account has; else what is missing."""
    if visit.query("reason") in _WITH_REMEDY and open_ways(visit, to, _BEYOND_CODES):
        return show_ways(visit, to, asked_for(visit), _BEYOND_CODES)
    if visit.doors.sso is not None and visit.doors.sso.links.of_account(account) and not visit.json:
        return redirect(f"/.herse/sso?to={to}")
    if ways["may_link"]:
        return redirect(FACTORS_PATH)
    if ways["has_codes"]:
        return redirect(f"/.herse/step-up/recovery?to={to}")
    missing = Reason.ACCOUNT_QUARANTINED if ways["quarantined"] else Reason.SECOND_FACTOR_MISSING
    return refuse(visit, Refused(missing), to=to)


def other_ways(visit: Visit, account: str) -> dict[str, Any]:
    """What the page of a proof tells beside it: whether the account is in quarantine, and has codes that count.

    Whoever has just used one is led to a new application (`may_link`): what asks again is not content with a code.
    """
    back = visit.doors.ways_back
    quarantined = back.quarantines.since(account) is not None
    may_use = account == visit.account and not quarantined  # a delegate's own codes have no page here
    used_at = visit.signed_in().subject.assurance.proved_by({Method.RECOVERY})
    may_link = may_use and used_at is not None and visit.at - used_at < FRESH
    has_codes = may_use and not may_link and back.recovery.left(account) > 0
    return {"quarantined": quarantined, "has_codes": has_codes, "may_link": may_link}


def asked_for(visit: Visit) -> dict[str, str]:
    """Why a proof is asked for, in words, as the address says; figures come from the hallway's own slip alone."""
    reason, session = visit.query("reason"), visit.session
    if reason == Reason.BUDGET_PROOF_REQUIRED and visit.doors.slips is not None and session is not None:
        spent = visit.doors.slips.read(visit.query("why"), session.reference, visit.at)
        if spent is not None:
            told = past_budget(spent, visit.at, named=session.subject.holder is not None, provider=provider(visit))
            return words(told, visit.language)
    asked = Reason(reason) if reason in ASKED_FOR else Reason.SECOND_FACTOR_REQUIRED
    shown = alert(asked, visit.language, provider=provider(visit))
    return shown if asked in _WITH_REMEDY else shown | {"remedy": ""}


async def step_up(visit: Visit) -> Response:
    """A code in, a stronger session out."""
    fields = await read_form(visit)
    session = visit.signed_in()
    need_ledger(visit)
    account = session.subject.account or ""
    to = clean_reference(fields.get("to", ""))
    try:
        proof = visit.doors.sign_in.by_totp(proving_account(visit), fields.get("code", ""), visit.network, visit.at)
    except Refused as refused:
        return await _failed(visit, refused, account, to)
    token = await strengthen(visit, proof)
    return arrived(visit, session, destination(visit, to, session), session_cookie(visit.doors, token))


async def strengthen(
    visit: Visit, proof: Proof, *before: Event, ends_at: datetime | None = None, holder: str | None = None
) -> str:
    """Record the proof (after the events `before`), then renew the session; returns the new token.

    `holder`: the name of the person, where the proof tells it; the caller sees to it that the session is not another's.

    It ends the account's quarantine, or is Refused(ACCOUNT_QUARANTINED). Refused if the session ended meanwhile, by a
    reset too: what that began is not ended by what was proved before.
    """
    session = visit.signed_in()
    account = session.subject.account or ""
    own, quarantines = proof_owner(session), visit.doors.ways_back.quarantines
    proved = None if own is None else quarantines.ended_by(own, (proof,))
    told = [happened(visit, EventKind.STEP_UP, account, session=session, method=proof.method)]
    if own is not None and proved is not None:
        told.append(happened(visit, EventKind.QUARANTINE_ENDED, own, session=session, method=proof.method))
    told = [event if holder is None else event._replace(holder=holder) for event in told]
    await record(visit, *before, *told)
    session = visit.signed_in()
    if is_another(session.subject, holder):  # who was named meanwhile
        raise Refused(Reason.SIGN_IN_REQUIRED)
    if own is not None and proved is not None:
        quarantines.end(own)
    token, _ = visit.doors.sessions.strengthen(session, proof, visit.at, visit.network, visit.device, ends_at, holder)
    return token


async def _failed(visit: Visit, refused: Refused, account: str, to: str) -> Response:
    if refused.reason is not Reason.THROTTLED:
        failure = happened(
            visit,
            EventKind.STEP_UP_FAILED,
            account,
            session=visit.session,
            method=Method.TOTP,
            reason=refused.reason,
        )
        await record(visit, failure)
    if refused.reason is Reason.SECOND_FACTOR_MISSING:
        return refuse(visit, refused, to=to)
    proving = proving_account(visit)
    has_passkey = proving == visit.account and bool(visit.doors.passkeys.table.of_account(proving))
    return again(visit, "step_up", refused, to=to, asked=None, has_passkey=has_passkey, **other_ways(visit, proving))
