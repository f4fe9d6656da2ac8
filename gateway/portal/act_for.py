# SPDX-License-Identifier: EUPL-1.2
"""A delegate with an account of his own chooses for whom he acts: a session on the holder's account takes its place.

What he proved goes along with its times, its place and its end; nothing is proved by choosing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import Refused
from gateway.model import Reason
from gateway.pages import when
from gateway.portal.acting import delegate_entries, open_acting
from gateway.portal.answers import as_json, html
from gateway.portal.cookies import session_cookie
from gateway.portal.forms import read_form
from gateway.portal.record import need_ledger
from gateway.portal.sign_in import arrived

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.portal.acting import Entry
    from gateway.portal.visit import Visit


async def show_act_for(visit: Visit) -> Response:
    """The accounts on which this person may act; by whose wish, and until when."""
    found = [(one.key, one.account.title, one.given.until) for one in _entries(visit) if one.given is not None]
    if visit.json:
        told = [{"delegation": key, "title": title, "until": when.iso(until)} for key, title, until in found]
        return as_json(visit, {"accounts": told})
    return html(visit, "act_for", accounts=found)


async def act_for(visit: Visit) -> Response:
    """One of them is chosen."""
    fields = await read_form(visit)
    own = visit.signed_in()
    need_ledger(visit)
    chosen = [one for one in _entries(visit) if one.given is not None and one.key == fields.get("delegation")]
    if not chosen or chosen[0].given is None:
        raise Refused(Reason.DELEGATION_ENDED)
    token, session = await open_acting(visit, chosen[0].account, chosen[0].given, own.subject.assurance.proofs, own)
    return arrived(visit, session, "/", session_cookie(visit.doors, token))


def _entries(visit: Visit) -> list[Entry]:
    """By what was given to the account that is signed in, or to the one behind a session that acts already."""
    subject = visit.signed_in().subject
    own = subject.account if subject.delegation is None else subject.delegation.own
    return delegate_entries(visit, visit.doors.delegates.of_own(own or "", visit.at))
