# SPDX-License-Identifier: EUPL-1.2
"""In which of his activities somebody works, where the provider tells several: asked once his account is known.

The choice is a place in his own list, as the provider told it and as it waits in his browser: nothing else is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.errors import Refused
from gateway.model import Reason
from gateway.pages.activity_words import activity_words
from gateway.portal.answers import again, as_json, html
from gateway.portal.forms import read_form
from gateway.portal.record import need_ledger
from gateway.portal.sso_entry import ACTIVITY_PATH, enter_in
from gateway.portal.sso_waiting import browser_of, desk_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.portal.sso_waiting import Proved
    from gateway.portal.visit import Visit


async def show_activities(visit: Visit) -> Response:
    """The activities of the identity that waits."""
    reference = visit.query("waiting")
    waiting = _find(visit, reference)
    if visit.json:
        listed = enumerate(waiting.identity.activities)
        told = [{"place": str(place), "activity": one.told} for place, one in listed]
        return as_json(visit, {"activities": told, "waiting": reference, "next": ACTIVITY_PATH})
    return html(visit, "sso_activity", alert=None, **_shown(visit, waiting, reference))


async def choose_activity(visit: Visit) -> Response:
    """One of them."""
    fields = await read_form(visit)
    need_ledger(visit)
    reference = fields.get("waiting", "")
    waiting = _find(visit, reference)
    places = {str(place): one for place, one in enumerate(waiting.identity.activities)}
    chosen = places.get(fields.get("activity", ""))
    if chosen is None:
        unread = Refused(Reason.MALFORMED_REQUEST)
        return again(visit, "sso_activity", unread, **_shown(visit, waiting, reference))
    desk_of(visit).waiting.choosing.drop(reference)
    return await enter_in(visit, waiting, chosen)


def _find(visit: Visit, reference: str) -> Proved:
    return desk_of(visit).waiting.choosing.find(reference, browser_of(visit), visit.at)


def _shown(visit: Visit, waiting: Proved, reference: str) -> dict[str, Any]:
    activities = [activity_words(one, visit.language) for one in waiting.identity.activities]
    return {"activities": activities, "waiting": reference}
