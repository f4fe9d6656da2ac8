# SPDX-License-Identifier: EUPL-1.2
"""Who may enter by a proof, and as whom: the holder of an account, or a delegate whom its holder let in.

A delegate's session stands on the holder's account, under the delegate's own name and with his own proofs. It keeps an
account in use, since its holder chose for how long; it never wakes one that sleeps, nor ends its quarantine: those ask
for the holder. What only a holder may do is not open to it: `OPEN_TO_DELEGATES` names the few of our own pages that
are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.errors import Refused
from gateway.identity.dormancy import asleep
from gateway.model import EventKind, Reason
from gateway.portal.known_device import KnownDevice
from gateway.portal.opening import enter, record_opening
from gateway.portal.record import happened

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.identity.accounts import Account
    from gateway.identity.card import CardHolder
    from gateway.identity.delegates import Given
    from gateway.identity.session import Session
    from gateway.identity.sso_identity import SsoIdentity
    from gateway.model import Proof, Subject
    from gateway.portal.visit import Visit

ACT_FOR_PATH: Final = "/.herse/act-for"
EMPLOYEE: Final = "employee"
"""The profession of who has an account only to act for others."""
OPEN_TO_DELEGATES: Final = frozenset(
    {
        *("/sign-in", "/sign-in/passkey", "/sign-out", "/signed-out", "/card", "/card/back", "/step-up", "/continue"),
        *("/act-for", "/account", "/enrol", "/password", "/reset", "/reset/new", "/jwks.json", "/static/{name}"),
    }
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One way in: the account, the name of the person, and by which delegation if he is no holder."""

    account: Account
    name: str
    given: Given | None = None

    @property
    def key(self) -> str:
        """What a form calls it: an account's identifier in capitals, a delegation's reference in small letters."""
        return self.account.identifier if self.given is None else self.given.reference

    def continues(self, subject: Subject) -> bool:
        """Whether it is this account, in this very part, that is signed in to already."""
        acting = None if subject.delegation is None else subject.delegation.reference
        return subject.account == self.account.identifier and acting == (self.given and self.given.reference)


def holder_entries(accounts: Iterable[Account], card: CardHolder) -> list[Entry]:
    """The holder's own accounts, under the name that the account knows him by."""
    return [Entry(one, holder_name(one, card) or "") for one in accounts]


def holder_name(account: Account, person: CardHolder | SsoIdentity) -> str | None:
    """The name that the account knows this person by, else the one of his proof; None: his proof tells no number."""
    printed = f"{person.given_name} {person.family_name}".title()
    known = (one.name for one in account.holders if one.rpps == person.rpps)
    return None if person.rpps is None else next(known, printed)


def is_another(subject: Subject, name: str | None) -> bool:
    """Whether it is another holder of the same account who is signed in, as far as is known."""
    return None not in {subject.holder, name} and subject.holder != name


def delegate_entries(visit: Visit, given: Iterable[Given]) -> list[Entry]:
    """What was given to a delegate, on accounts that are there and may be entered."""
    found = ((visit.doors.accounts.find(one.account), one) for one in given)
    return [Entry(account, one.name, one) for account, one in found if account is not None and not account.locked]


def proof_owner(session: Session) -> str | None:
    """The account of which a proof in this session says something; None: a delegate by card has none here."""
    subject = session.subject
    return subject.account if subject.delegation is None else subject.delegation.own


def proving_account(visit: Visit) -> str:
    """Whose factors count in this session: the account's, or a delegate's own. Refused(CARD_REQUIRED): his card's."""
    owner = proof_owner(visit.signed_in())
    if owner is None:
        raise Refused(Reason.CARD_REQUIRED)
    return owner


def by_card_alone(visit: Visit) -> bool:
    """Whether it is a delegate who came by his card, and has no other proof here."""
    return proof_owner(visit.signed_in()) is None


async def open_acting(
    visit: Visit, account: Account, given: Given, proofs: tuple[Proof, ...], own: Session | None = None
) -> tuple[str, Session]:
    """A delegate's session, recorded as a sign-in on the holder's account; the browser's earlier one ends.

    `own`: the session that the proofs were given in. The new one is bound to where that is, ends when it would have,
    and with the provider's; if that is over meanwhile, so is this: Refused(SIGN_IN_REQUIRED).
    Refused(ACCOUNT_ASLEEP). LedgerError: the new session is ended again and no token leaves.
    """
    if asleep(account, visit.at):
        raise Refused(Reason.ACCOUNT_ASLEEP)
    sessions, desk = visit.doors.sessions, visit.doors.sso
    browser = KnownDevice(visit, account.identifier, given.reference)
    place = (visit.network, visit.device) if own is None else (own.network, own.device)
    ends_at = None if own is None else own.expires_at
    bound = (visit.at, *place, browser.reference, ends_at)
    token, session = sessions.open(account, proofs, *bound, delegation=given.delegation)
    if own is not None and desk is not None:
        desk.sessions.hand_on(own.reference, session.reference)
    method = "+".join(proof.method for proof in proofs)
    kinds = [EventKind.DEVICE_NEW] * (browser.known is None) + [EventKind.SIGN_IN]
    events = [happened(visit, kind, account.identifier, session=session, method=method) for kind in kinds]
    await record_opening(visit, session, *events)
    if own is not None and own.ended:
        sessions.end(session, visit.at)
        raise Refused(Reason.SIGN_IN_REQUIRED)
    enter(visit, account, session, browser)
    return token, session
