# SPDX-License-Identifier: EUPL-1.2
"""The demo as its README invites to: be the pharmacist and the doctor."""

from __future__ import annotations

import re
from itertools import groupby

import pytest
from walk.steps import INFOPATIENT, ended_at, heading, kinds, look_up

from gateway.demo.people import number_of, person
from support.walker import EVENTS, SESSION

pytestmark = pytest.mark.system

SHORT, LONG = 5, 15  # a stretch of people new to the account: short once the walk was found faster than hands
PLACES = {1: (LONG, 600), 2: (60, 86_400), 4: (400, 86_400), 10: (3000, 86_400)}  # among the budgets of the policy


def test_the_pharmacist_is_asked_for_more_counted_and_told(demo, walker):
    pharmacist, account, before = walker(), demo.account("pharmacist"), len(demo.served())
    comes_in(pharmacist, account)
    seen = sees_a_first_stretch(pharmacist)
    page = is_stopped_by_the_budget(pharmacist, seen)
    goes_on_with_a_fresh_code(pharmacist, account, page, person(seen))
    people = [number_of(index) for index in range(seen + 1)]
    served = demo.served()[before:]
    assert served[:1] == people[:1]
    assert sorted(set(served)) == sorted(people)
    reads_it_all(pharmacist, people)
    leaves(pharmacist)


def comes_in(walker, account):
    page = walker.open("/")
    assert ended_at(page) == (200, "/.herse/sign-in")
    assert SESSION not in walker.client.cookies
    page = walker.submit(page, identifier=account.identifier, password="galet-galet-galet-0000")
    assert ended_at(page) == (401, "/.herse/sign-in")
    page = walker.submit(page, password=account.password)
    assert ended_at(page) == (200, "/")
    assert account.title in page.text
    by_password = walker.cookie
    page = walker.open(INFOPATIENT)
    assert ended_at(page) == (200, "/.herse/step-up")
    page = walker.submit(page, code=account.wrong_code())
    assert ended_at(page) == (401, "/.herse/step-up")
    assert walker.cookie == by_password
    page = walker.submit(page, code=account.code())
    assert ended_at(page) == (200, INFOPATIENT), "lands where he was going"
    assert walker.cookie != by_password
    assert walker.open("/").text.count("mot de passe et code") == 1


def sees_a_first_stretch(walker):
    """How many people he saw before he was stopped."""
    first = look_up(walker, "form", number_of(0))
    assert ended_at(first) == (200, INFOPATIENT)
    assert person(0).written_number in first.text
    assert look_up(walker, "page", number_of(0)).status_code == 200, "the same person again costs nothing"
    for seen in range(1, LONG):
        answer = look_up(walker, ("form", "page", "json")[seen % 3], number_of(seen))
        if ended_at(answer)[1] == "/.herse/step-up" or answer.status_code == 401:
            assert seen >= SHORT
            return seen
        assert answer.status_code == 200
        assert person(seen).name in answer.text
        told_what_is_left(answer, seen + 1)
    return LONG


def told_what_is_left(answer, seen):
    """The budgets for new people and for people that can refuse him, whether the short stretch is asked or not."""
    policies = re.findall(r'"infopatient-(\d+)";q=(\d+);qu="([a-z-]+)";w=(\d+)', answer.headers["ratelimit-policy"])
    told = {int(place): (int(people), int(window)) for place, people, _, window in policies}
    assert {place: told[place] for place in PLACES} == PLACES
    units = {place: unit for place, _, unit, _ in policies}
    assert (units["1"], units["10"]) == ("new-people", "people")
    left = dict(re.findall(r'"infopatient-(\d+)";r=(\d+)', answer.headers["ratelimit"]))
    assert left.keys() == units.keys()
    assert [int(left[str(place)]) for place in PLACES] == [most - seen for most, _ in PLACES.values()]


def is_stopped_by_the_budget(walker, seen):
    refused = look_up(walker, "json", number_of(seen))
    assert refused.status_code == 401
    told = refused.json()
    assert told["type"] == "urn:herse:reason:budget-proof-required"
    budget, short = told["budget"], {"people": SHORT, "window_seconds": 86_400}
    kind = {"counts": "new", "per": "holder", "past": "challenge"}
    assert budget == kind | (short if seen < LONG else {"people": LONG, "window_seconds": 600})
    assert 0 < told["retry_after"] <= budget["window_seconds"]
    what = f"{budget['people']} nouveaux patients en {'24 heures' if seen < LONG else '10 minutes'}"
    assert what in told["detail"]
    challenge = 'Bearer error="insufficient_user_authentication", acr_values="mfa", max_age="0"'
    assert refused.headers["www-authenticate"] == challenge  # RFC 9470, 3
    page = look_up(walker, "form", number_of(seen))
    assert ended_at(page) == (200, "/.herse/step-up")
    assert what in page.text, "the person reads what the program was told"
    assert "Sinon, la consultation suivante est possible dans" in page.text
    assert str(page.url).count(str(budget["window_seconds"])) == 0, "and not from the address"
    assert look_up(walker, "json", number_of(0)).status_code == 200, "whom he has seen, he still sees"
    return page


def goes_on_with_a_fresh_code(walker, account, page, expected):
    page = walker.submit(page, code=account.code())
    assert ended_at(page) == (200, "/.herse/continue")
    assert expected.number not in page.text, "kept, and not shown"
    page = walker.submit(page, press=("work", "send"))
    assert ended_at(page) == (200, "/.herse/continue")
    assert expected.written_number in page.text


def reads_it_all(walker, people):
    every = walker.events()
    alerts = [event["reason"] for event in every if event["kind"] == "alerted"]
    assert set(alerts) <= {"risk-elevated", "risk-high"}
    events = [event for event in every if event["kind"] != "alerted"]
    assert [kind for kind, _ in groupby(kinds(events))] == [
        *("account-created", "password-set", "factor-added"),
        *("sign-in-failed", "device-new", "sign-in", "challenged", "step-up-failed", "step-up", "lookup"),
        *("challenged", "lookup", "step-up", "lookup"),
    ]
    looked = [list(group) for kind, group in groupby(events, lambda event: event["kind"]) if kind == "lookup"]
    assert [sum(event["people"] for event in group) for group in looked] == [len(people) - 1, 1, 1]
    assert {event["reason"] for event in events if event["kind"] == "challenged"} == {
        "second-factor-required",
        "budget-proof-required",
    }
    assert [event["method"] for event in events if event["kind"] == "step-up"] == ["otp", "otp"]
    assert {(event["network"], "Firefox" in event["device"]) for event in events[3:]} == {("127.0.0.1", True)}
    told = walker.open(EVENTS).text + walker.ask(EVENTS).text
    assert re.search(r"Infopatient\u00a0: \d+ personnes consultées", told)
    assert ("ctivité inhabituelle signalée au support" in told) is bool(alerts)
    for index, number in enumerate(people):
        for spelling in (number, person(index).written_number, person(index).name.upper()):
            assert spelling not in told.upper(), "never who was looked up"


def leaves(walker):
    signed_in = walker.cookie
    page = walker.submit(walker.open("/"))
    assert ended_at(page) == (200, "/.herse/sign-out")
    assert heading(page) == "Vous êtes déconnecté"
    assert walker.cookie is None
    old = {"cookie": f"{SESSION}={signed_in}"}
    assert walker.ask("/", **old).status_code == 401
    assert walker.ask(EVENTS, **old).status_code == 401


@pytest.mark.parametrize("path", ["/aat", "/patients"])
def test_the_doctor_is_told_that_the_card_is_needed(demo, walker, path):
    doctor = walker().sign_in(demo.account("gp"))
    served = demo.served()
    page = doctor.open(path)
    assert (*ended_at(page), heading(page)) == (200, "/.herse/card", "Carte CPS ou CPE")
    assert "le support de votre portail" in page.text
    refused = doctor.ask(path)
    assert refused.status_code == 401
    assert 'acr_values="card"' in refused.headers["www-authenticate"]
    assert refused.json()["remedy"]
    assert doctor.events()[-1]["reason"] == "card-required"
    assert demo.served() == served


def test_a_form_waits_for_the_code_and_for_its_own_session_only(demo, walker):
    doctor, other, account = walker(), walker(), demo.account("gp")
    doctor.sign_in(account)
    other.sign_in(demo.account("pharmacist"))
    someone = person(77_000)
    sent = doctor.send(INFOPATIENT, {"nir": someone.written_number})
    assert sent.status_code == 303
    assert someone.number not in sent.headers["location"]
    page = doctor.submit(doctor.open(sent.headers["location"]), code=account.code())
    assert ended_at(page) == (200, "/.herse/continue")
    assert "Infopatient" in page.text
    assert someone.number not in page.text.replace(" ", "")
    assert ended_at(other.open(str(page.url.copy_with(host=None, scheme=None, port=None)))) == (200, "/")
    before = doctor.open(EVENTS).text
    sent = doctor.submit(page, press=("work", "send"))
    assert someone.name in sent.text
    assert doctor.submit(page, press=("work", "send")).status_code == 409, "once"
    assert doctor.open(EVENTS).text.count("1 personne") == before.count("1 personne") + 1


def test_a_program_is_told_in_headers_and_problem_details(demo, walker):
    program = walker("en")
    for path in ("/", "/infopatient", EVENTS):
        answer = program.ask(path)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"]
        assert answer.json()["type"] == "urn:herse:reason:sign-in-required"
    program.sign_in(demo.account("leaked"))
    answer = program.ask(f"/api/infopatient/{number_of(1)}")
    assert answer.status_code == 401
    challenge = 'Bearer error="insufficient_user_authentication", acr_values="mfa", max_age="14400"'
    assert answer.headers["www-authenticate"] == challenge
    assert answer.json()["teleservice"] == "infopatient"
    answer = program.ask("/patients")
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:herse:reason:profession-not-allowed")
    assert answer.headers["content-language"] == "en"
    assert (program.ask("/nowhere").status_code, program.ask("/.herse/nowhere").status_code) == (403, 404)


def test_a_program_that_guesses_is_told_to_wait(walker):
    program = walker()
    guesses = [
        program.send(
            "/.herse/sign-in", {"identifier": "nobody-here", "password": f"guess {place}"}, accept="application/json"
        )
        for place in range(6)
    ]
    assert [guess.status_code for guess in guesses] == [401] * 5 + [429]
    assert 0 < int(guesses[-1].headers["retry-after"]) <= 60
    assert guesses[-1].json()["type"] == "urn:herse:reason:throttled"
    assert guesses[-1].headers["content-type"] == "application/problem+json"


def test_a_portal_that_is_down_is_told_and_found_again(demo, walker):
    doctor = walker().sign_in(demo.account("gp"))
    with demo.without_portal():
        page = doctor.open("/paiements")
        assert (page.status_code, heading(page)) == (502, "Le portail ne répond pas")
        assert "Référence" in page.text
        told = doctor.ask("/paiements")
        assert (told.status_code, told.json()["type"]) == (502, "urn:herse:reason:portal-unreachable")
        assert doctor.open(EVENTS).status_code == 200, "the gateway's own pages stay"
    assert doctor.open("/paiements").status_code == 200


def test_every_page_has_its_guards(demo, walker):
    doctor = walker().sign_in(demo.account("gp"))
    for path in ("/.herse/sign-in", "/.herse/account", EVENTS, "/nowhere", "/.herse/nowhere", "/aat"):
        headers = doctor.open(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["strict-transport-security"].startswith("max-age=")
