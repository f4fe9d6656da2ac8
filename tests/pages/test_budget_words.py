# SPDX-License-Identifier: EUPL-1.2
"""What is said past a budget: what was counted, when a place comes back, the way on; and never a figure of others."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from gateway.model import Budget, Counts, Level, Method, Past, Quota, Risk, Scope, Spent
from gateway.pages.budget_words import budget_members, near, past_budget
from gateway.pages.explanation import CONFIRM, EVENTS, MEANS

AT = datetime(2026, 11, 22, 13, 25, 30, tzinfo=UTC)  # 14:25:30 in Paris
MINUTES, HOUR, DAY = timedelta(minutes=10), timedelta(hours=1), timedelta(days=1)
NEW = Budget(15, MINUTES, Past.CHALLENGE, Counts.NEW, Scope.HOLDER)
PEOPLE = Budget(3000, DAY, Past.DENY)
MISSED = Budget(60, DAY, Past.DENY, Counts.MISSED, lasts=timedelta(hours=12), closes=("aat", "patients"))


def told(budget: Budget, seconds: int = 400, **more):
    values = {"named": False} | {name: more.pop(name) for name in ("named", "closed", "provider") if name in more}
    return past_budget(Spent(budget, seconds, **more), AT, **values)


def spaced(text: str) -> str:
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("budget", "fr", "en"),
    [
        (NEW, "de 15 nouveaux patients en 10 minutes.", "of 15 new patients in 10 minutes."),
        (PEOPLE, "de 3 000 patients différents en 24 heures.", "of 3,000 different patients in 24 hours."),
        (
            Budget(12, MINUTES, Past.CHALLENGE, Counts.MISSED),
            "de 12 numéros inexacts ou inconnus en 10 minutes.",
            "of 12 numbers that are wrong or unknown in 10 minutes.",
        ),
        (Budget(1, HOUR, Past.DENY), "de 1 patient en 1 heure.", "of 1 patient in 1 hour."),
        (Budget(2, timedelta(days=30), Past.DENY), "en 30 jours.", "in 30 days."),
        (Budget(2, timedelta(seconds=90), Past.DENY), "en 90 secondes.", "in 90 seconds."),
        (Budget(2, timedelta(seconds=1), Past.DENY), "en 1 seconde.", "in 1 second."),
    ],
)
def test_what_was_counted_is_said_with_its_window(budget, fr, en):
    assert fr in spaced(told(budget).fr)
    assert en in told(budget).en


def test_it_is_you_only_where_it_is_known_that_it_was_you():
    assert told(NEW, named=True).fr.startswith("Vous avez atteint")
    assert told(NEW, named=True).en.startswith("You have reached")
    assert told(NEW).fr.startswith("Ce compte a atteint")
    assert told(PEOPLE, named=True).en.startswith("This account has reached")


def test_a_challenge_says_how_to_go_on_and_when_a_place_comes_back():
    words = told(NEW)
    assert words.status == 401
    assert "Nous vérifions que c'est bien vous." in words.fr
    assert words.remedy_fr.startswith("Saisissez un nouveau code : vous continuez aussitôt.")
    assert "Sinon, la consultation suivante est possible dans 7 minutes, à 14 h 33." in spaced(words.remedy_fr)
    assert "Else the next look-up is possible in 7 minutes, at 14:33." in words.remedy_en
    assert "Les patients que ce compte connaît déjà restent accessibles." in words.remedy_fr
    assert "appelez le support tout de suite" in words.remedy_fr
    assert words.way is CONFIRM


def test_where_there_is_a_place_already_no_time_is_said():
    assert "possible" not in told(NEW, 0).remedy_fr
    assert "possible" not in told(PEOPLE, 0).remedy_en


def test_named_methods_are_said_strongest_first_and_lead_to_their_choice():
    words = told(NEW, methods=(Method.SSO, Method.SMART_CARD), provider="Plage")
    assert words.remedy_fr.startswith("Confirmez avec votre carte CPS ou CPE, ou Plage : ")
    assert words.remedy_en.startswith("Confirm with your CPS or CPE card, or Plage: ")
    assert words.way is MEANS
    for method in (Method.SSO_CARD, Method.PASSKEY, Method.TOTP, Method.PASSWORD):
        assert re.match(r"Confirmez avec \S+.* : vous", told(NEW, methods=(method,)).remedy_fr)


def test_a_denial_says_when_it_ends_and_whom_one_still_sees():
    words = told(PEOPLE, 20 * 3600)
    assert words.status == 429
    assert "Elle protège les données des patients" in words.fr
    assert "La consultation suivante est possible le lundi 23 novembre 2026 à 10 h 26." in spaced(words.remedy_fr)
    assert "The next look-up is possible on Monday 23 November 2026 at 10:26." in words.remedy_en
    assert "Les patients déjà consultés restent accessibles." in words.remedy_fr
    assert words.way is EVENTS


def test_a_denial_that_lasts_says_so_and_what_else_it_closes():
    words = told(MISSED, 12 * 3600, closed=("Arrêts de travail", "Patientèle"))
    assert "arrêtées dans ce téléservice, ainsi que dans : Arrêts de travail, Patientèle ;" in words.remedy_fr
    assert "stopped in this service, and in: Arrêts de travail, Patientèle; they resume on Monday" in words.remedy_en
    assert "Vérifiez les numéros" in words.remedy_fr
    assert "restent accessibles" not in words.remedy_fr, "while it lasts nobody is shown"
    alone = told(Budget(5, DAY, Past.DENY, lasts=HOUR), 3600)
    assert "dans ce téléservice ; elles reprennent à 15 h 26." in spaced(alone.remedy_fr)
    assert "restent accessibles" not in alone.remedy_fr


@pytest.mark.parametrize(
    ("under", "fr", "href"),
    [
        (Level.CARD, "Avec votre carte CPS ou CPE, cette limite ne s'applique pas.", "/.herse/step-up?card=1"),
        (Level.MFA, "Avec un code à 6 chiffres ou une clé d'accès, cette limite", "/.herse/step-up"),
    ],
)
def test_what_a_stronger_proof_lifts_is_said_with_the_way_there(under, fr, href):
    words = told(Budget(150, DAY, Past.DENY, Counts.NEW, under=under))
    assert fr in words.remedy_fr
    assert (words.way.href, words.way.keeps) == (href, False)
    assert fr in told(Budget(150, DAY, Past.CHALLENGE, Counts.NEW, under=under)).remedy_fr
    assert "ne s'applique pas" not in told(PEOPLE).remedy_fr


def test_a_limit_of_unusual_use_says_that_it_is_one():
    lower = "la limite est plus basse que d'habitude"
    assert lower in told(Budget(5, DAY, Past.CHALLENGE, risk=Risk.ELEVATED)).fr
    assert lower not in told(NEW).fr


@pytest.mark.parametrize("past", [Past.CHALLENGE, Past.DENY])
@pytest.mark.parametrize("per", [Scope.NETWORK, Scope.SERVICE])
def test_of_a_shared_limit_no_figure_is_told(per, past):
    words = told(Budget(1234, timedelta(hours=7), past, per=per), 0)
    assert not re.search(r"\d", words.fr + words.en + words.remedy_fr + words.remedy_en)
    assert "patients déjà" not in words.remedy_fr
    assert budget_members(Spent(Budget(1234, HOUR, past, per=per), 60)) == {
        "budget": {"counts": "people", "per": str(per), "past": str(past)},
        "retry_after": 60,
    }


def test_programs_are_told_the_figures_as_members():
    assert budget_members(Spent(NEW, 400)) == {
        "budget": {"counts": "new", "per": "holder", "past": "challenge", "people": 15, "window_seconds": 600},
        "retry_after": 400,
    }


def test_a_limit_that_no_proof_lifts_is_announced_when_it_is_near():
    roomy, short = Quota(PEOPLE, 31, 60), Quota(Budget(150, DAY, Past.DENY, Counts.NEW), 30, 60)
    challenge = Quota(Budget(60, DAY, Past.CHALLENGE, Counts.NEW), 1, 60)
    assert near(NEW, (roomy, short, challenge)) == short
    assert near(NEW, (roomy._replace(left=29), short)) == roomy._replace(left=29)
    assert near(NEW, (roomy, challenge)) is None
    assert near(PEOPLE, (roomy,)) is None, "itself"
    words = told(NEW, near=short)
    assert "s'arrêtent à 150 nouveaux patients en 24 heures : il en reste 30." in words.remedy_fr
    assert "stop at 150 new patients in 24 hours: 30 left." in words.remedy_en
