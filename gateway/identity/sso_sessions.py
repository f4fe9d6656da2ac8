# SPDX-License-Identifier: EUPL-1.2
"""Which session of the provider stands behind which of ours: to end ours when that one ends, and to end that one too;
and which activity of the person, of those that the provider tells, ours is in.

Rows go with our session (the database sees to it). The ID token is kept for signing out at the provider alone, sealed
and bound to its session.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from gateway.identity import schema
from gateway.identity.database import reading, writing
from gateway.identity.session_rows import activity_text

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from gateway.identity.at_rest import AtRest
    from gateway.identity.session import Session, Sessions
    from gateway.identity.sso import LoggedOut
    from gateway.identity.sso_identity import SsoIdentity
    from gateway.model import Activity

_ROW = schema.sso_session.c
_SESSION = schema.session.c


class SsoSessions:
    """The provider's sessions behind ours. One of ours may stand on several, if another person proved himself in it."""

    def __init__(self, engine: Engine, at_rest: AtRest) -> None:
        self._engine = engine
        self._at_rest = at_rest

    def note(self, session: str, identity: SsoIdentity) -> None:
        """This session (reference) stands on this identity from now on, durably on return."""
        row = {
            "session": session,
            "issuer": identity.issuer,
            "subject": identity.subject,
            "sid": identity.sid,
            "id_token": self._at_rest.seal(identity.id_token.encode(), _token_of(session)),
        }
        same = _ROW.session == session, _ROW.issuer == identity.issuer, _ROW.subject == identity.subject
        with writing(self._engine) as connection:
            connection.execute(schema.sso_session.delete().where(*same, _ROW.sid.is_not_distinct_from(identity.sid)))
            connection.execute(schema.sso_session.insert().values(row))

    def works_in(self, session: Session, activity: Activity | None) -> None:
        """The person works in this one of his activities from now on; None: what he proved himself by tells none."""
        if activity == session.subject.activity or session.ended:
            return
        change = schema.session.update().where(_SESSION.digest == session.digest)
        with writing(self._engine) as connection:
            connection.execute(change.values(activity=activity_text(activity)))
        session.subject = replace(session.subject, activity=activity)

    def hand_on(self, earlier: str, later: str) -> None:
        """The later session (reference) stands on all that the earlier one stands on."""
        query = sa.select(_ROW.issuer, _ROW.subject, _ROW.sid, _ROW.id_token).where(_ROW.session == earlier)
        with writing(self._engine) as connection:
            for row in connection.execute(query.order_by(_ROW.id)).all():
                plain = self._at_rest.open(row.id_token, _token_of(earlier))
                values = {**row._mapping, "id_token": self._at_rest.seal(plain, _token_of(later))}  # noqa: SLF001  # SQLAlchemy's public name for it
                connection.execute(schema.sso_session.insert().values(session=later, **values))

    def id_token(self, session: str) -> str | None:
        """The latest ID token of this session (reference), for signing out at the provider; None: it stands on none."""
        query = sa.select(_ROW.id_token).where(_ROW.session == session).order_by(_ROW.id.desc()).limit(1)
        with reading(self._engine) as connection:
            sealed = connection.scalar(query)
        return None if sealed is None else self._at_rest.open(sealed, _token_of(session)).decode()

    def living(self, told: LoggedOut, sessions: Sessions) -> list[Session]:
        """The sessions that stand on what the provider ended, and must end too: one session, or all of a subject.

        Where it names both, those of the subject that we know no session of (phones bring none) end with the one named:
        nobody can say that it was another (Back-Channel Logout 1.0, 2.7).
        """
        found = self._matching(told)
        accounts = sorted({account for _, account in found})
        return [one for name in accounts for one in sessions.of_account(name) if (one.reference, name) in found]

    def of_identity(self, issuer: str, subject: str) -> set[str]:
        """The references of the sessions, of any account, that stand on this identity."""
        query = _joined().where(_ROW.issuer == issuer, _ROW.subject == subject)
        with reading(self._engine) as connection:
            return {row.session for row in connection.execute(query)}

    def _matching(self, told: LoggedOut) -> set[tuple[str, str]]:
        if told.sid is None and told.subject is None:
            return set()
        query = _joined().where(_ROW.issuer == told.issuer)
        if told.sid is not None and told.subject is not None:
            query = query.where(sa.or_(_ROW.sid == told.sid, _ROW.sid.is_(None)))
        elif told.sid is not None:
            query = query.where(_ROW.sid == told.sid)
        if told.subject is not None:
            query = query.where(_ROW.subject == told.subject)
        with reading(self._engine) as connection:
            return {(row.session, row.account) for row in connection.execute(query)}


def _joined() -> sa.Select[tuple[str, str]]:
    return sa.select(_ROW.session, _SESSION.account).join(schema.session, _SESSION.reference == _ROW.session)


def _token_of(session: str) -> str:
    """What a sealed ID token is bound to."""
    return f"sso-session/{session}"
