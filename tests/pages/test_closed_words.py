# SPDX-License-Identifier: EUPL-1.2
"""What a closure says to a professional and to a program: what, since when, until when; and messages to all."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from gateway.model import Announcement, Closure, Decision, Effect, Reason
from gateway.pages.announcement_words import READY_MADE, shown
from gateway.pages.answers import refusal
from gateway.pages.closed_words import closed_members, closed_words
from gateway.pages.render import page

AT = datetime(2026, 11, 22, 8, 5, tzinfo=UTC)
LOOKS = Closure("infopatient", AT, AT + timedelta(hours=2), "vol de données", "anne")
PORTAL = Closure(None, AT, None, "vol de données", "anne")


def plain(text):
    return text.replace("\u00a0", " ").replace("\u2019", "'")


def test_a_teleservice_is_named_with_its_two_times():
    told = closed_words(LOOKS, "Infopatient")
    assert plain(told.title("fr")) == "Infopatient : téléservice fermé"
    assert plain(told.sentence("fr")) == (
        "Le téléservice « Infopatient » est fermé depuis le dimanche 22 novembre 2026, 9 h 05. "
        "Réouverture prévue : dimanche 22 novembre 2026, 11 h 05."
    )
    assert plain(told.sentence("en")) == (
        "The service “Infopatient” has been closed since Sunday 22 November 2026, 09:05. "
        "It is to open again on Sunday 22 November 2026, 11:05."
    )
    assert "36 08" in plain(told.remedy("fr"))


def test_the_portal_says_that_the_account_stays_open():
    told = closed_words(PORTAL, "")
    assert plain(told.sentence("fr")) == (
        "Tout le portail est fermé depuis le dimanche 22 novembre 2026, 9 h 05. "
        "L'heure de réouverture n'est pas encore connue."
    )
    assert told.sentence("en").endswith("It is not known yet when it opens again.")
    assert "Votre compte et vos derniers événements restent consultables" in plain(told.remedy("fr"))
    assert told.way.href == "/.herse/account/events"


def test_a_program_is_told_the_same():
    assert closed_members(LOOKS) == {
        "closed_since": "2026-11-22T08:05:00Z",
        "closed_until": "2026-11-22T10:05:00Z",
    }
    assert closed_members(PORTAL) == {"closed_since": "2026-11-22T08:05:00Z"}


@pytest.mark.parametrize("accept", [b"text/html", b"application/json"])
def test_a_refusal_of_a_closure_has_its_retry_after_and_never_the_operators_reason(accept):
    decision = Decision(
        Effect.DENY, "infopatient", (Reason.TELESERVICE_CLOSED,), retry_after_seconds=7_200, closed=LOOKS
    )
    status, fields, body = refusal(decision, accept, b"fr", "0" * 32, told=closed_words(LOOKS, "Infopatient"))
    assert status == 503
    assert (b"retry-after", b"7200") in fields
    assert b"vol de donn" not in body
    assert b"anne" not in body
    assert b"Attente" not in body
    if accept == b"application/json":
        assert json.loads(body)["closed_until"] == "2026-11-22T10:05:00Z"


def test_messages_are_shown_newest_first_in_the_language_of_the_reader():
    older = Announcement(1, AT, AT + timedelta(days=1), "L'ancien", "The old one", "why", "anne")
    newer = older._replace(number=2, since=AT + timedelta(hours=1), fr="<b>le nouveau</b>", en="the new one")
    told = shown([older, newer], "fr")
    assert [one["text"] for one in told] == ["<b>le nouveau</b>", "L\u2019ancien"]
    assert told[0]["day"] == "dimanche 22 novembre 2026"
    assert [one["text"] for one in shown([older, newer], "en")] == ["the new one", "The old one"]
    html = page("signed_out", "fr", provider="", announcements=told).decode()
    assert "&lt;b&gt;le nouveau" in html
    assert '<time datetime="2026-11-22T09:05:00Z">Dimanche 22 novembre 2026</time>' in html
    assert html.count('aria-label="Message aux professionnels"') == 2
    assert "Message aux professionnels" not in page("signed_out", "fr", provider="").decode()


@pytest.mark.parametrize("about", READY_MADE)
def test_ready_made_messages_are_there_in_both_languages_and_one_line(about):
    text = READY_MADE[about]
    assert text.fr != text.en
    for one in text:
        assert one == " ".join(one.split())
        assert one.endswith(".")
        assert len(one) <= 400
