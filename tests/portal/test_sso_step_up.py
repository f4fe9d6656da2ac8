# SPDX-License-Identifier: EUPL-1.2
"""With an identity that is linked: step-up by a fresh proof, taking it away again, and signing out at the provider."""

from __future__ import annotations

from datetime import timedelta

from portal.sso_door import (
    JSON,
    LINK,
    LINKS,
    PRACTICE,
    SSO,
    STEP_UP,
    back,
    goes,
    links,
    links_by_password_and_code,
    living,
    methods,
    sets_out,
    waiting_of,
)
from portal.world import PASSWORD, PHARMACY

from gateway.identity.sso import LoggedOut
from gateway.model import EventKind, Level
from support.passkey_pages import SIGN_IN as PASSKEY_SIGN_IN
from support.passkey_pages import STEP_UP as PASSKEY_STEP_UP
from support.passkey_pages import new_key
from support.provider import LOGOUT, SUBJECT

OTHER_SUBJECT = SUBJECT.replace("550dc1c8", "0badf00d")


def by_password(door, provider):
    """Kit, whose identity is linked, signed in anew by his password alone; and that session."""
    links_by_password_and_code(door, provider)
    browser = door.browser()
    browser.sign_in(PRACTICE)
    (session,) = [one for one in living(door) if methods(one) == {"pwd"}]
    return browser, session


def test_who_has_a_passkey_may_prove_himself_by_the_provider_all_the_same(door, at_home):
    new_key(at_home, counter=0)
    to = door.returns.keep("/infopatient", door.now)
    page = at_home.get(f"{PASSKEY_STEP_UP}?to={to}").text
    form = page[page.index('action="/.herse/sso"') :]
    assert f'name="to" value="{to}"' in form[: form.index("</form>")]
    assert 'action="/.herse/sso"' not in door.browser().get(PASSKEY_SIGN_IN).text


def test_a_step_up_asks_the_provider_for_a_fresh_proof(door, provider):
    browser, session = by_password(door, provider)
    to = door.returns.keep("/infopatient", door.now)
    page = browser.get(f"{STEP_UP}?to={to}&reason=second-factor-required")
    assert f'action="{SSO}"' in page.text
    url = sets_out(browser, to)
    assert "max_age=0" in url
    provider.proved_seconds_ago = 3600  # asked for a fresh proof, it gives the old one
    answer = browser.get(back(door, provider, url))
    assert answer.status_code == 401
    assert door.events(PRACTICE)[0].reason == "sso-too-old"
    provider.proved_seconds_ago = 0
    old = browser.token
    assert goes(door, provider, browser, to).headers["location"] == "/infopatient"
    assert methods(session) == {"pwd", "psc"}
    assert session.expires_at <= door.now + timedelta(hours=4)
    assert door.sessions.find(old.encode(), door.now) is None
    event = door.events(PRACTICE)[0]
    assert (event.kind, event.method, event.session) == (EventKind.STEP_UP, "psc", session.reference)


def test_a_step_up_shortens_the_session_to_the_providers(door, provider, at_home):
    (session,) = living(door)
    session.expires_at = door.now + timedelta(hours=12)  # settings that allow more than the provider does
    asked = goes(door, provider, at_home)
    at_home.post(LINK, {"waiting": waiting_of(asked)})
    assert session.expires_at <= door.now + timedelta(hours=4)


def test_where_the_card_is_asked_for_the_phone_does_not_do(door, provider):
    browser, session = by_password(door, provider)
    to = door.returns.keep("/aat", door.now)
    shown = browser.get(f"{STEP_UP}?to={to}&reason=card-required")
    assert shown.headers["location"] == f"{SSO}?card=1&to={to}"
    assert 'name="card" value="1"' in browser.get(shown.headers["location"]).text
    answer = goes(door, provider, browser, to, card="1")
    assert answer.status_code == 401
    assert "carte" in answer.text
    assert methods(session) == {"pwd"}
    assert door.events(PRACTICE)[0].reason == "card-required"
    provider.claims = {"authMode": "CARD"}
    assert goes(door, provider, browser, to, card="1").headers["location"] == "/aat"
    assert session.subject.assurance.level is Level.CARD


def test_the_identities_of_an_account_are_shown_and_taken_away_after_a_fresh_proof(door, provider):
    browser = links_by_password_and_code(door, provider)
    elsewhere, by_password = door.browser(), door.browser()
    goes(door, provider, elsewhere)
    by_password.sign_in(PRACTICE)
    (link,) = links(door)
    assert "KIT DOC0042788" in browser.get(LINKS).text
    assert browser.get(LINKS, **JSON).json()["links"][0]["reference"] == link.reference
    asked = by_password.post(LINKS, {"link": link.reference})
    assert asked.headers["location"].startswith(STEP_UP)
    assert by_password.json(LINKS, {"link": link.reference}).json()["type"].endswith("proof-too-old")
    assert links(door) == [link], "a password alone takes nothing away"
    assert browser.json(LINKS, {"link": "0" * 16}).json()["removed"] == 0
    assert browser.post(LINKS, {"link": link.reference}).headers["location"] == LINKS
    assert links(door) == []
    assert door.events(PRACTICE)[0].kind is EventKind.SSO_UNLINKED
    assert elsewhere.get("/.herse/account").status_code == 303, "what it opened elsewhere is closed"
    assert by_password.get("/.herse/account").status_code == 200
    assert browser.get("/.herse/account").status_code == 200
    assert goes(door, provider, door.browser()).headers["location"].startswith(LINK)


def test_nobody_takes_anothers_identity_away(door, provider):
    links_by_password_and_code(door, provider)
    (link,) = links(door)
    stranger = door.browser()
    stranger.sign_in(PHARMACY)
    stranger.step_up(door.code(PHARMACY))
    assert stranger.json(LINKS, {"link": link.reference}).json()["removed"] == 0
    assert links(door) == [link]


def test_what_opens_the_account_is_proved_before_its_password_is_changed(door, provider):
    links_by_password_and_code(door, provider)
    with door.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM factor")
    browser = door.browser()
    browser.sign_in(PRACTICE)
    form = {"old": PASSWORD, "password": "grand cheval bleu mange lentement"}
    assert browser.post("/.herse/account/password", form).headers["location"].startswith(STEP_UP)


def test_a_phones_session_ends_with_the_one_that_the_provider_names(door, provider):
    """Back-Channel Logout 1.0, 2.7: by `sub` and by `sid`. CIBA brings no `sid`."""
    links_by_password_and_code(door, provider)
    (session,) = [one for one in living(door) if "psc" in methods(one)]
    with door.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE sso_session SET sid = NULL")
    kept, issuer = door.doors.sso.sessions, provider.issuer
    assert kept.living(LoggedOut(issuer, SUBJECT, "6fd1a9c6"), door.sessions) == [session]
    assert kept.living(LoggedOut(issuer, OTHER_SUBJECT, "6fd1a9c6"), door.sessions) == []
    assert kept.living(LoggedOut(issuer, None, "6fd1a9c6"), door.sessions) == []


def test_what_the_provider_ends_finds_our_sessions(door, provider):
    browser = links_by_password_and_code(door, provider)
    by_password = door.browser()
    by_password.sign_in(PRACTICE)
    (session,) = [one for one in living(door) if "psc" in methods(one)]
    kept, issuer = door.doors.sso.sessions, provider.issuer
    for told in (LoggedOut(issuer, SUBJECT, None), LoggedOut(issuer, None, "6fd1a9c6")):
        assert kept.living(told, door.sessions) == [session]
    for told in (
        LoggedOut(issuer, OTHER_SUBJECT, "6fd1a9c6"),
        LoggedOut(issuer, SUBJECT, "other"),
        LoggedOut("https://evil.example", SUBJECT, None),
        LoggedOut(issuer, None, None),
    ):
        assert kept.living(told, door.sessions) == []
    with door.engine.begin() as connection:
        (sealed,) = connection.exec_driver_sql("SELECT id_token FROM sso_session").one()
    assert kept.id_token(session.reference).count(".") == 2
    assert kept.id_token(session.reference).encode() not in sealed
    door.sessions.end(session, door.now)
    assert kept.living(LoggedOut(issuer, SUBJECT, None), door.sessions) == []
    assert browser.get("/.herse/account").status_code == 303


def test_after_our_sign_out_there_is_the_way_to_sign_out_there_too(door, provider):
    browser, other = links_by_password_and_code(door, provider), door.browser()
    answer = browser.post("/.herse/sign-out")
    assert living(door) == []
    page = browser.get(answer.headers["location"]).text
    assert f'href="{provider.origin}{LOGOUT}?id_token_hint=' in page
    assert LOGOUT not in other.get(answer.headers["location"]).text
    back_here = browser.get("/.herse/signed-out?state=whatever")
    assert back_here.status_code == 200
    assert LOGOUT not in back_here.text
    by_password = door.browser()
    by_password.sign_in(PRACTICE)
    assert by_password.get("/.herse/signed-out").status_code == 200
    assert len(living(door)) == 1, "the page that they come back to does nothing"
    assert by_password.post("/.herse/sign-out").headers["location"] == "/.herse/sign-out"


def test_a_provider_that_is_down_keeps_nobody_signed_in(door, provider):
    browser = links_by_password_and_code(door, provider)
    door.later(hours=25)
    for session in living(door):
        session.expires_at, session.seen_at = door.now + timedelta(hours=1), door.now
    provider.metadata = {"issuer": "https://evil.example"}
    assert browser.post("/.herse/sign-out").headers["location"] == "/.herse/sign-out"
    assert living(door) == []


def test_the_holder_is_told_by_mail_what_opens_his_account(door, provider):
    door.doors.mail_addresses.set(PRACTICE, "cabinet@exemple.test")
    browser = links_by_password_and_code(door, provider)
    browser.post(LINKS, {"link": links(door)[0].reference})
    subjects = [letter.subject for letter in door.outbox.letters]
    assert any("a été lié à votre compte" in subject for subject in subjects)
    assert "plus lié à votre compte" in subjects[-1]
