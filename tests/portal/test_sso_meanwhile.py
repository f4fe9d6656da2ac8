# SPDX-License-Identifier: EUPL-1.2
"""What happens elsewhere while a proof by the provider is put on record; and which person it was who proved himself."""

from __future__ import annotations

import pytest
from portal.sso_door import (
    LINKS,
    PRACTICE,
    back,
    goes,
    links,
    links_and_leaves,
    links_by_password_and_code,
    living,
    methods,
    sets_out,
)

from gateway.identity.sso import LoggedOut
from gateway.model import EventKind, Method, Proof
from support.provider import SUBJECT


@pytest.fixture
def held(failing, provider, opened):
    """The world whose ledger can be told to wait, with Kit's identity linked and nobody signed in."""
    return links_and_leaves(opened(failing), provider)


def test_a_sign_out_at_the_provider_finds_a_session_that_is_still_being_recorded(held, provider):
    browser = held.browser()
    path = back(held, provider, sets_out(browser))
    found = []

    def sign_out():
        found.extend(held.doors.sso.sessions.living(LoggedOut(provider.issuer, SUBJECT, None), held.sessions))
        for one in found:
            held.sessions.end(one, held.now)

    held.meanwhile(browser.client.get(path), sign_out, seconds=1)
    assert len(found) == 1
    assert living(held) == []


def test_a_session_that_ends_meanwhile_takes_no_identity_away(held, provider):
    browser = held.browser()
    goes(held, provider, browser)
    (link,) = links(held)
    request = browser.post_soon(LINKS, {"link": link.reference})
    answer = held.meanwhile(request, lambda: held.sessions.end_all(PRACTICE, held.now))
    assert answer.headers["location"].startswith("/.herse/sign-in?to=")
    assert links(held) == [link]


def test_an_identity_names_its_holder(door, provider):
    browser = links_by_password_and_code(door, provider)
    (session,) = living(door)
    assert session.subject.holder == "Camille Durand", "by the step-up of the session that linked it"
    browser.post("/.herse/sign-out")
    goes(door, provider, browser)
    (session,) = living(door)
    assert session.subject.holder == "Camille Durand"
    assert door.events(PRACTICE)[0].holder == "Camille Durand"


def test_the_identity_of_another_holder_opens_a_session_of_his_own(door, provider):
    links_and_leaves(door, provider)
    browser = door.browser()
    browser.sign_in(PRACTICE)
    (hugos,) = living(door)
    card = Proof(Method.SMART_CARD, door.now)
    token, _ = door.sessions.strengthen(hugos, card, door.now, hugos.network, hugos.device, holder="Hugo Marchand")
    browser.plant(token)
    goes(door, provider, browser)
    assert hugos.ended
    (session,) = living(door)
    assert (session.subject.holder, methods(session)) == ("Camille Durand", {"psc"})
    assert (EventKind.SIGN_OUT, "Hugo Marchand") in [(one.kind, one.holder) for one in door.events(PRACTICE)]
