# SPDX-License-Identifier: EUPL-1.2
"""A session as a row of the database, and whether one may be opened: nothing is written here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from gateway.identity import schema
from gateway.identity.proofs import assurance_of, proofs_text
from gateway.model import Activity, Delegation, Subject

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from gateway.identity.session import Session


def locked(connection: Connection, identifier: str) -> bool:
    """Whether nobody signs in to this account."""
    account = schema.account.c
    open_ = sa.select(sa.literal(1)).where(account.identifier == identifier, account.locked_at.is_(None))
    return connection.scalar(open_) is None


def row_of(session: Session) -> dict[str, Any]:
    """A session as its row."""
    return {
        "digest": session.digest,
        "reference": session.reference,
        "account": session.subject.account,
        "proofs": proofs_text(session.subject.assurance),
        "opened_at": session.opened_at,
        "seen_at": session.seen_at,
        "expires_at": session.expires_at,
        "network": session.network,
        "device": session.device,
        "browser": session.browser,
        "holder": session.subject.holder,
        "delegation": None if session.subject.delegation is None else session.subject.delegation.reference,
        "activity": activity_text(session.subject.activity),
    }


def activity_text(activity: Activity | None) -> str | None:
    """An activity as its column."""
    return None if activity is None else json.dumps(activity.told, ensure_ascii=False)


def stored() -> sa.Select[Any]:
    """All sessions with what their subjects are made of, but for those of locked accounts and of ended delegations."""
    own = schema.account.alias()
    account, session, delegation = schema.account.c, schema.session.c, schema.delegation.c
    given = (delegation.name, delegation.teleservices, delegation.until, delegation.own, delegation.revoked_at)
    return (
        sa.select(schema.session, account.title, account.profession, account.rpps, *given)
        .join(schema.account, account.identifier == session.account)
        .outerjoin(schema.delegation, delegation.reference == session.delegation)
        .outerjoin(own, own.c.identifier == delegation.own)
        .where(account.locked_at.is_(None), delegation.revoked_at.is_(None), own.c.locked_at.is_(None))
        .order_by(session.opened_at)
    )


def subject_of(row: Any) -> Subject:
    """The subject of a row of `stored`."""
    delegation = None
    if row.delegation is not None:
        teleservices = frozenset(json.loads(row.teleservices))
        delegation = Delegation(row.delegation, row.name, teleservices, row.until, row.own)
    return Subject(
        account=row.account,
        title=row.title,
        profession=row.profession,
        rpps=row.rpps,
        holder=row.holder,
        assurance=assurance_of(row.proofs),
        session=row.reference,
        delegation=delegation,
        activity=None if row.activity is None else Activity(**json.loads(row.activity)),
    )
