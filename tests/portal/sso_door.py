# SPDX-License-Identifier: EUPL-1.2
"""For the tests of Pro Santé Connect's pages: a world with the stand-in provider, and people on their way. No tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from gateway.identity.accounts import Holder
from gateway.identity.at_rest import AtRest
from gateway.identity.sso import SingleSignOn
from gateway.identity.sso_ciba import Ciba
from gateway.identity.sso_links import SsoLinks
from gateway.identity.sso_sessions import SsoSessions
from gateway.identity.throttle import Throttle
from gateway.portal.app import build_portal
from gateway.portal.doors import SsoDesk
from support.provider import NATIONAL_ID, settings_for

SSO, CALLBACK, LINK = "/.herse/sso", "/.herse/sso/callback", "/.herse/sso/link"
CHOOSE, LINKS, STEP_UP = "/.herse/sso/choose", "/.herse/account/sso", "/.herse/step-up"
COOKIE = "__Host-herse-sso"
KIT = NATIONAL_ID[1:]
PRACTICE, BRANCH = "750033003", "750033011"
JSON = {"accept": "application/json"}


def open_sso_door(world, provider, *, name="Pro Santé Connect", throttle=None, **changes):
    """The same world with this provider; Kit holds a practice with a password and a code application."""
    world.now = datetime.now(UTC)
    add(world, PRACTICE)
    sso = SingleSignOn(settings_for(provider, **changes))
    world.doors = replace(
        world.doors,
        sso=SsoDesk(
            sso=sso,
            links=SsoLinks(world.engine),
            sessions=SsoSessions(world.engine, AtRest(bytes(range(32)))),
            ciba=Ciba(sso),
            name=name,
            throttle=throttle or Throttle(per_account=1000, per_network=10_000),
        ),
    )
    world.app = build_portal(world.doors)
    return world


def add(world, identifier, rpps=KIT):
    """An account of Kit's, with the usual password and a code application."""
    world.add(identifier)
    with world.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE holder SET rpps = ? WHERE account = ?", (rpps, identifier))
    assert world.accounts.find(identifier).holders == (Holder("Camille Durand", rpps),)


def sets_out(browser, to="", **fields):
    """Press the button; gives the address at the provider that the page leads to."""
    answer = browser.post(SSO, {"to": to, **fields})
    assert answer.status_code == 303, answer.text
    page = browser.get(answer.headers["location"])
    assert page.status_code == 200
    url = page.headers["refresh"].removeprefix("0; url=")
    assert f'href="{url.replace("&", "&amp;")}"' in page.text
    return url


def back(world, provider, url):
    """What a browser that went there comes back to; the time has gone on meanwhile."""
    query = provider.visit(url)
    world.now = max(world.now, datetime.now(UTC))
    return f"{CALLBACK}?{query}"


def goes(world, provider, browser, to="", *, headers=None, **fields):
    """There and back again; the answer of the callback."""
    return browser.get(back(world, provider, sets_out(browser, to, **fields)), **(headers or {}))


def waiting_of(answer):
    """The reference that the address of this redirect carries."""
    return parse_qs(urlsplit(answer.headers["location"]).query)["waiting"][0]


def links_by_password_and_code(world, provider, identifier=PRACTICE):
    """Kit links his identity to an account, the long way; gives the browser."""
    browser = world.browser()
    browser.sign_in(identifier)
    assert browser.step_up(world.code(identifier)).status_code == 303
    answer = goes(world, provider, browser)
    assert answer.headers["location"].startswith(f"{LINK}?waiting="), answer.text
    done = browser.post(LINK, {"waiting": waiting_of(answer)})
    assert done.status_code == 303, done.text
    return browser


def links_and_leaves(world, provider):
    """The same, and nobody is signed in any more; gives the world."""
    links_by_password_and_code(world, provider)
    for session in living(world):
        world.sessions.end(session, world.now)
    return world


def links(world, identifier=PRACTICE):
    return world.doors.sso.links.of_account(identifier)


def living(world, identifier=PRACTICE):
    return world.sessions.of_account(identifier)


def methods(session):
    return {str(proof.method) for proof in session.subject.assurance.proofs}
