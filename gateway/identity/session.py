# SPDX-License-Identifier: EUPL-1.2
"""Who is signed in. The token is in the browser alone: here and in the database stands only its SHA-256.

All sessions live in one process and one thread (the event loop's), rebuilt from the database at start, so that a
restart keeps people signed in. `find` is on the way of every request: one hash, one lookup, two comparisons.
A strengthened session gets a new token and keeps its reference, its watchers and its absolute end.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from gateway.errors import Refused
from gateway.identity import schema
from gateway.identity.binding import binding
from gateway.identity.database import reading, writing
from gateway.identity.proofs import proofs_text
from gateway.identity.session_one import Session, session_of
from gateway.identity.session_rows import locked, row_of, stored
from gateway.identity.token import new_token, session_key
from gateway.model import Assurance, Level, Reason, Subject
from gateway.model.assurance import COUNTS_FOR

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import datetime, timedelta

    from sqlalchemy.engine import Engine

    from gateway.identity.accounts import Account
    from gateway.model import Delegation, Proof

__all__ = ["Session", "Sessions"]

_REFERENCE_BYTES = 8
_SESSION = schema.session.c


class Sessions:
    """The living sessions. `idle` without a request, or `absolute` after opening, ends one."""

    def __init__(self, engine: Engine, idle: timedelta, absolute: timedelta) -> None:
        self._engine = engine
        self._idle = idle
        self._absolute = absolute
        self._live: dict[bytes, Session] = {}
        self._of: dict[str, dict[str, Session]] = {}
        self._ended: list[bytes] = []  # digests of sessions that `find` met expired: their rows go at the next sweep
        for session in self._stored():
            self._keep(session)

    def open(  # noqa: PLR0917  # what a session is bound to
        self,
        account: Account,
        proofs: Iterable[Proof],
        at: datetime,
        network: str | None,
        device: str | None,
        browser: str | None = None,
        ends_at: datetime | None = None,
        holder: str | None = None,
        delegation: Delegation | None = None,
    ) -> tuple[str, Session]:
        """A new session, durable on return, and its token, to be given to the browser once.

        It ends at `ends_at` at the latest: no session outlives the one at the provider that it stands on, nor the
        delegation by which it is there. `holder`: who of those that use the account it is, if that was proved.
        Refused(ACCOUNT_LOCKED) if the account was locked meanwhile.
        """
        token, digest = new_token()
        subject = Subject(
            account=account.identifier,
            title=account.title,
            profession=account.profession,
            rpps=account.rpps,
            assurance=Assurance(tuple(proofs)),
            session=secrets.token_hex(_REFERENCE_BYTES),
            holder=holder if delegation is None else delegation.name,
            delegation=delegation,
        )
        end = _sooner(_sooner(at + self._absolute, ends_at), None if delegation is None else delegation.until)
        session = Session(digest, subject, at, at, end, network, device, browser)
        with writing(self._engine) as connection:
            if locked(connection, account.identifier):
                raise Refused(Reason.ACCOUNT_LOCKED)
            connection.execute(schema.session.insert().values(row_of(session)))
        self._keep(session)
        return token, session

    def find(self, token: bytes, at: datetime) -> Session | None:
        """The living session of a token, now seen; None for everything else."""
        key = session_key(token)
        return None if key is None else self.living(key, at)

    def living(self, key: bytes, at: datetime) -> Session | None:
        """As `find`, by the token's key: for whoever meets the same token again and again."""
        session = self._live.get(key)
        if session is None:
            return None
        if at >= session.expires_at or at - session.seen_at >= self._idle:
            self._ended.append(session.digest)
            self._drop(session)
            return None
        session.seen_at = at
        return session

    def strengthen(  # noqa: PLR0917  # what a proof brings
        self,
        session: Session,
        proof: Proof,
        at: datetime,
        network: str | None,
        device: str | None,
        ends_at: datetime | None = None,
        holder: str | None = None,
    ) -> tuple[str, Session]:
        """Add or renew a proof: the old token is dead, the new one is returned with the same session, bound to here.

        A password alone moves no session: it stays bound to where its stronger proofs were given. `holder`: as `open`.
        Refused(SIGN_IN_REQUIRED) if the session has ended meanwhile.
        """
        if session.ended:
            raise Refused(Reason.SIGN_IN_REQUIRED)
        token, digest = new_token()
        named, assurance = holder or session.subject.holder, session.subject.assurance.with_proof(proof)
        subject = replace(session.subject, assurance=assurance, holder=named)
        until = _sooner(session.expires_at, ends_at)
        if proof.method not in COUNTS_FOR[Level.MFA]:
            network, device = session.network, session.device
        values = {"digest": digest, "proofs": proofs_text(assurance), "seen_at": at, "expires_at": until}
        change = schema.session.update().where(_SESSION.digest == session.digest)
        change = change.values(**values, network=network, device=device, holder=named)
        with writing(self._engine) as connection:
            stands = connection.execute(change).rowcount == 1
        if not stands:  # ended by another process that holds the database
            self._drop(session)
            raise Refused(Reason.SIGN_IN_REQUIRED)
        del self._live[session.digest]
        session.digest = digest
        session.subject, session.expires_at = subject, until
        session.network, session.device, session.binding = network, device, binding(network, device)
        session.seen_at = session.written_at = at
        if proof.method in COUNTS_FOR[Level.MFA]:
            session.suspected, session.unanswered, session.strangers = False, 0, 0
        self._live[digest] = session
        return token, session

    def end(self, session: Session, at: datetime) -> None:  # noqa: ARG002  # every act is told its time
        """Dead from this moment, in memory first; durable on return. Ending twice does nothing."""
        self._drop(session)
        self._delete([session.digest])

    def end_all(self, identifier: str, at: datetime) -> int:  # noqa: ARG002  # every act is told its time
        """End every session of an account (canonical identifier), and every one that its owner has as a delegate.

        Returns how many.
        """
        sessions = self.standing_on(identifier)
        for session in sessions:
            self._drop(session)
        with writing(self._engine) as connection:
            connection.execute(schema.session.delete().where(_SESSION.account == identifier))
        self._delete([one.digest for one in sessions])
        return len(sessions)

    def end_many(self, identifiers: Collection[str] | None, at: datetime) -> dict[str, int]:  # noqa: ARG002  # as above
        """As `end_all`, of these accounts at once (None: of all): how many ended, by the account they were opened on.

        All are dead in memory before the first row is written.
        """
        wanted = None if identifiers is None else frozenset(identifiers)
        sessions = [one for one in self._live.values() if wanted is None or _stands_on(one, wanted)]
        ended = Counter(one.subject.account or "" for one in sessions)
        for session in sessions:
            self._drop(session)
        rows = schema.session.delete()
        with writing(self._engine) as connection:
            if wanted is None:
                connection.execute(rows)
            elif wanted:
                of_account = rows.where(_SESSION.account == sa.bindparam("name"))
                connection.execute(of_account, [{"name": name} for name in wanted])
        self._delete([one.digest for one in sessions])
        return dict(ended)

    def of_account(self, identifier: str) -> list[Session]:
        """The living sessions of an account, oldest first. Some may be past their time until the next sweep."""
        return list(self._of.get(identifier, {}).values())

    def standing_on(self, identifier: str) -> list[Session]:
        """As `of_account`, and every session that the account's owner has elsewhere, as a delegate."""
        given = ((one, one.subject.delegation) for one in self._live.values())
        acting = [one for one, delegation in given if delegation is not None and delegation.own == identifier]
        return [*self.of_account(identifier), *acting]

    def watch(self, session: Session, callback: Callable[[], None]) -> None:
        """See Session."""
        session.watch(callback)

    def unwatch(self, session: Session, callback: Callable[[], None]) -> None:
        """See Session."""
        session.unwatch(callback)

    def sweep(self, at: datetime) -> int:
        """End what is past its time, and write back when each was last seen; returns how many ended."""
        expired = [one for one in self._live.values() if at >= one.expires_at or at - one.seen_at >= self._idle]
        for session in expired:
            self._drop(session)
        gone, self._ended = [*self._ended, *(session.digest for session in expired)], []
        self._delete(gone)
        seen = [one for one in self._live.values() if one.seen_at != one.written_at]
        if seen:
            change = schema.session.update().where(_SESSION.digest == sa.bindparam("key"))
            rows = [{"key": one.digest, "seen_at": one.seen_at} for one in seen]
            with writing(self._engine) as connection:
                connection.execute(change.values(seen_at=sa.bindparam("seen_at")), rows)
            for session in seen:
                session.written_at = session.seen_at
        return len(gone)

    def _keep(self, session: Session) -> None:
        self._live[session.digest] = session
        self._of.setdefault(session.subject.account or "", {})[session.reference] = session

    def _drop(self, session: Session) -> None:
        """Out of memory, and tell the watchers."""
        if session.ended:
            return
        self._live.pop(session.digest, None)
        account = session.subject.account or ""
        siblings = self._of[account]
        del siblings[session.reference]
        if not siblings:
            del self._of[account]
        session.finish()

    def _delete(self, digests: list[bytes]) -> None:
        if digests:
            with writing(self._engine) as connection:
                connection.execute(
                    schema.session.delete().where(_SESSION.digest == sa.bindparam("key")),
                    [{"key": digest} for digest in digests],
                )

    def _stored(self) -> list[Session]:
        with reading(self._engine) as connection:
            return [session_of(row, self._absolute) for row in connection.execute(stored())]


def _sooner(end: datetime, other: datetime | None) -> datetime:
    return end if other is None else min(end, other)


def _stands_on(session: Session, identifiers: frozenset[str]) -> bool:
    """Whether it is of one of these accounts, or its owner's elsewhere, as a delegate."""
    delegation = session.subject.delegation
    return session.subject.account in identifiers or (delegation is not None and delegation.own in identifiers)
