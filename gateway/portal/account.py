# SPDX-License-Identifier: EUPL-1.2
"""What a professional sees of his own account: who it is, how its means stand, and the way to everything that is set.

A delegate sees what he may do, for whom and until when, and nothing that only its holder sets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.errors import Refused
from gateway.model import Reason
from gateway.pages.activity_words import activity_words
from gateway.pages.event_words import method_name
from gateway.pages.letters import masked
from gateway.pages.profession import profession_name
from gateway.portal.acting import delegate_entries, proof_owner
from gateway.portal.answers import as_json, html, provider

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.identity.accounts import Account
    from gateway.model import Delegation
    from gateway.portal.visit import Visit


async def show_account(visit: Visit) -> Response:
    """The account, this session and its proofs."""
    session = visit.signed_in()
    account = visit.doors.accounts.find(session.subject.account or "")
    if account is None:
        raise Refused(Reason.SIGN_IN_REQUIRED)
    activity = session.subject.activity
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
                "quarantined": account.quarantined_at is not None,
                "activity": None if activity is None else activity.told,
            },
        )
    proofs = sorted(session.subject.assurance.proofs, key=lambda proof: proof.at)
    name = provider(visit)
    return html(
        visit,
        "account",
        title=account.title,
        acts=_acts(visit),
        opened_at=session.opened_at,
        activity=None if activity is None else activity_words(activity, visit.language),
        proofs=[(method_name(proof.method, visit.language, name), proof.at) for proof in proofs],
        agent=session.device,
        network=session.network or "",
        **(_kept(visit, account) if session.subject.delegation is None else _given(visit, session.subject.delegation)),
    )


def _kept(visit: Visit, account: Account) -> dict[str, Any]:
    """What is the holder's: who he is, and how each of his means stands."""
    doors, name = visit.doors, account.identifier
    return {
        "identifier": name,
        "profession": profession_name(account.profession, visit.language),
        "rpps": account.rpps,
        "holders": [holder.name for holder in account.holders],
        "has_password": account.has_password,
        "has_totp": account.has_totp,
        "passkeys": len(doors.passkeys.table.of_account(name)),
        "linked": doors.sso is not None and bool(doors.sso.links.of_account(name)),
        "mail": None if account.mail is None else masked(account.mail),
        "delegations": len(doors.delegates.of_account(name, visit.at)),
        "quarantined": account.quarantined_at is not None,
        "codes_left": doors.ways_back.recovery.left(name),
    }


def _given(visit: Visit, acting: Delegation) -> dict[str, Any]:
    """What a delegate sees: what was given to him, and until when; nothing of what is the holder's."""
    return {"teleservices": sorted(map(visit.doors.titles, acting.teleservices)), "until": acting.until}


def _acts(visit: Visit) -> bool:
    """Whether somebody gave a delegation to the account that proves this person."""
    session = visit.signed_in()
    own = proof_owner(session)
    return own is not None and bool(delegate_entries(visit, visit.doors.delegates.of_own(own, visit.at)))
