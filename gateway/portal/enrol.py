# SPDX-License-Identifier: EUPL-1.2
"""Enrolment: an out-of-band activation code opens a session, and only a fresh proof links a code application.

A password alone, or a mailbox, never gets here: whoever stole a password cannot bring his own second factor.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from gateway.errors import Refused
from gateway.identity.otp import matching_step, new_secret, provisioning_uri
from gateway.identity.password import TooWeak
from gateway.model import EventKind, Method, Reason
from gateway.pages.password_words import advice
from gateway.pages.qr import qr
from gateway.portal.answers import again, as_json, html, redirect, refuse
from gateway.portal.cookies import session_cookie
from gateway.portal.forms import read_form
from gateway.portal.fresh_proof import may_change_factors, prove_first
from gateway.portal.record import happened, need_ledger, note_failure, record, record_password
from gateway.portal.sign_in import LONGEST_SHOWN, arrived, open_session

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.identity.session import Session
    from gateway.portal.pending_secrets import PendingSecrets
    from gateway.portal.visit import Visit

FACTORS_PATH: Final = "/.herse/account/factors"
ACCOUNT_PATH: Final = "/.herse/account"
ISSUER: Final = "Herse"


class Enrolment:
    """The pages of activation and of the code application; they share the secrets that wait to be confirmed."""

    def __init__(self, pending: PendingSecrets) -> None:
        self._pending = pending

    async def show_enrol(self, visit: Visit) -> Response:
        """The form for an activation code."""
        return html(visit, "enrol", typed="", alert=None)

    async def enrol(self, visit: Visit) -> Response:
        """Activation code and new password in; a new session out, older ones of the account ended."""
        fields = await read_form(visit)
        need_ledger(visit)
        identifier, told = fields.get("identifier", ""), partial(record_password, visit)
        try:
            account = await visit.doors.sign_in.by_invitation(
                identifier, fields.get("code", ""), fields.get("password", ""), visit.network, visit.at, told
            )
        except Refused as refused:
            if refused.reason not in {Reason.PASSWORD_TOO_WEAK, Reason.PASSWORD_BREACHED}:
                note_failure(visit, EventKind.SIGN_IN_FAILED, identifier, Method.INVITATION, refused.reason)
            if refused.reason is Reason.ACCOUNT_ASLEEP:
                return refuse(visit, refused)
            weak = advice(refused.weaknesses, visit.language) if isinstance(refused, TooWeak) else []
            return again(visit, "enrol", refused, typed=identifier[:LONGEST_SHOWN], advice=weak)
        visit.doors.sessions.end_all(account.identifier, visit.at)
        token, session = await open_session(visit, account, (Method.PASSWORD, Method.INVITATION))
        self._pending.keep(session.reference, new_secret(), visit.at)
        return arrived(visit, session, FACTORS_PATH, session_cookie(visit.doors, token))

    async def show_factors(self, visit: Visit) -> Response:
        """The state of the code application; or the secret that waits to be confirmed."""
        session = visit.signed_in()
        fresh = may_change_factors(visit)
        secret = self._pending.find(session.reference, visit.at) if fresh else None
        if secret is not None:
            return _show_secret(visit, session, secret, None)
        account = visit.doors.accounts.find(session.subject.account or "")
        has_totp = account is not None and account.has_totp
        if visit.json:
            return as_json(visit, {"account": session.subject.account, "totp": has_totp, "may_add": fresh})
        return html(visit, "factors", has_totp=has_totp, may_add=fresh)

    async def change_factors(self, visit: Visit) -> Response:
        """Without a code: begin, with a new secret. With a code: confirm it, and link the application."""
        fields = await read_form(visit)
        session = visit.signed_in()
        need_ledger(visit)
        if not may_change_factors(visit):
            return prove_first(visit, FACTORS_PATH)
        if "code" not in fields:
            secret = new_secret()
            self._pending.keep(session.reference, secret, visit.at)
            return _show_secret(visit, session, secret, None) if visit.json else redirect(FACTORS_PATH)
        return await self._confirm(visit, session, fields["code"])

    async def _confirm(self, visit: Visit, session: Session, code: str) -> Response:
        secret = self._pending.find(session.reference, visit.at)
        if secret is None:
            return refuse(visit, Refused(Reason.FORM_FORGED))
        if matching_step(secret, code, visit.at) is None:
            refused = Refused(Reason.CODE_WRONG)
            return _show_secret(visit, session, secret, refused)
        self._pending.drop(session.reference)
        account = session.subject.account or ""
        await record(
            visit,
            happened(visit, EventKind.FACTOR_ADDED, account, session=session, method=Method.TOTP),
            happened(visit, EventKind.STEP_UP, account, session=session, method=Method.TOTP),
        )
        visit.signed_in()
        proof = visit.doors.factors.enrol_totp(account, secret, code, visit.at)
        for other in visit.doors.sessions.standing_on(account):  # proved by the application that this one replaces
            if other is not session and any(one.method is Method.TOTP for one in other.subject.assurance.proofs):
                visit.doors.sessions.end(other, visit.at)
        token, _ = visit.doors.sessions.strengthen(session, proof, visit.at, visit.network, visit.device)
        return arrived(visit, session, ACCOUNT_PATH, session_cookie(visit.doors, token))


def _show_secret(visit: Visit, session: Session, secret: str, refused: Refused | None) -> Response:
    uri = provisioning_uri(secret, session.subject.account or "", ISSUER)
    if visit.json and refused is None:
        return as_json(visit, {"account": session.subject.account, "secret": secret, "uri": uri})
    title = "Code QR de l'application" if visit.language == "fr" else "QR code of the application"
    grouped = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    picture = qr(uri, title)
    if refused is None:
        return html(visit, "enrol_totp", alert=None, qr=picture, secret=grouped, uri=uri)
    return again(visit, "enrol_totp", refused, qr=picture, secret=grouped, uri=uri)
