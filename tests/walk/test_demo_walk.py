# SPDX-License-Identifier: EUPL-1.2
"""The demo as its README invites to: be the pharmacist, the doctor, and the robot with the leaked password."""

from __future__ import annotations

import re

import pytest

from gateway.demo.people import number_of, person
from support.walker import EVENTS, SESSION

pytestmark = pytest.mark.system

INFOPATIENT = "/infopatient"
FIRST_STRETCH = 15
ATTEMPTS_BEFORE_THE_WAIT = 5
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND")


def ended_at(answer):
    return answer.status_code, answer.url.path


def heading(answer):
    return re.search(r"<h1>(.*?)</h1>", answer.text)[1]


def kinds(events):
    return [event["kind"] for event in events]


def look_up(walker, way, number):
    """One person by the form, by the page or by the JSON."""
    if way == "form":
        return walker.submit(walker.open(INFOPATIENT), nir=number)
    return walker.open(f"{INFOPATIENT}/{number}") if way == "page" else walker.ask(f"/api{INFOPATIENT}/{number}")


def test_the_pharmacist_is_asked_for_more_counted_and_told(demo, walker):
    pharmacist, account = walker(), demo.account("pharmacist")
    people = [number_of(index) for index in range(FIRST_STRETCH + 2)]
    comes_in(pharmacist, account)
    sees_a_first_stretch(pharmacist, people[:FIRST_STRETCH])
    page = is_stopped_by_the_budget(pharmacist, people[FIRST_STRETCH])
    goes_on_with_a_fresh_code(pharmacist, account, page, person(FIRST_STRETCH))
    assert demo.served()[:1] == people[:1]
    assert sorted(set(demo.served())) == sorted(people[: FIRST_STRETCH + 1])
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


def sees_a_first_stretch(walker, people):
    first = look_up(walker, "form", people[0])
    assert ended_at(first) == (200, INFOPATIENT)
    assert person(0).written_number in first.text
    assert look_up(walker, "page", people[0]).status_code == 200, "the same person again costs nothing"
    for place, number in enumerate(people[1:], 1):
        answer = look_up(walker, ("form", "page", "json")[place % 3], number)
        assert answer.status_code == 200
        assert person(place).name in answer.text
        left = [int(word) for word in re.findall(r";r=(\d+)", answer.headers["ratelimit"])]
        assert left == [14 - place, 59 - place, 199 - place, 399 - place]
    assert re.findall(r";q=(\d+);w=(\d+)", answer.headers["ratelimit-policy"])[0] == ("15", "600")


def is_stopped_by_the_budget(walker, number):
    refused = look_up(walker, "json", number)
    assert refused.status_code == 401
    assert refused.json()["type"] == "urn:herse:reason:budget-proof-required"
    told = 'Bearer error="insufficient_user_authentication", acr_values="mfa", max_age="0"'
    assert refused.headers["www-authenticate"] == told  # RFC 9470, 3
    page = look_up(walker, "form", number)
    assert ended_at(page) == (200, "/.herse/step-up")
    assert "beaucoup de patients différents" in page.text
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
    events = walker.events()
    assert kinds(events) == [
        *("account-created", "password-set", "factor-added"),
        *("sign-in-failed", "device-new", "sign-in", "challenged", "step-up-failed", "step-up", "lookup"),
        *("challenged", "challenged", "lookup", "step-up", "lookup"),
    ]
    assert [event["people"] for event in events if event["kind"] == "lookup"] == [FIRST_STRETCH, 1, 1]
    assert {event["reason"] for event in events if event["kind"] == "challenged"} == {
        "second-factor-required",
        "budget-proof-required",
    }
    assert [event["method"] for event in events if event["kind"] == "step-up"] == ["otp", "otp"]
    assert {(event["network"], "Firefox" in event["device"]) for event in events[3:]} == {("127.0.0.1", True)}
    told = walker.open(EVENTS).text + walker.ask(EVENTS).text
    assert f"Infopatient\u202f: {FIRST_STRETCH} personnes" in told.replace("\u00a0", "\u202f")
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


def test_the_robot_with_the_leaked_password_sees_nobody(demo, walker):
    robot, account = walker(), demo.account("leaked")
    served = demo.served()
    robot.sign_in(account)
    assert robot.open("/").status_code == 200
    tries = tries_everything(robot)
    page = robot.open(INFOPATIENT)
    for _ in range(ATTEMPTS_BEFORE_THE_WAIT):
        page = robot.submit(page, code=account.wrong_code())
        assert page.status_code == 401
    page = robot.submit(page, code=account.wrong_code())
    assert (page.status_code, heading(page)) == (429, "Confirmez votre identité")
    assert 0 < int(page.headers["retry-after"]) <= 60
    assert robot.submit(page, code=account.code()).status_code == 429, "not even a right code, while the wait runs"
    tries |= tries_everything(robot)
    assert demo.served() == served
    assert tries <= {303, 400, 401, 403, 501}
    events = kinds(robot.events())[3:]
    assert events[:2] == ["device-new", "sign-in"]
    assert events.count("step-up-failed") == ATTEMPTS_BEFORE_THE_WAIT
    assert events.count("challenged") > 10
    assert events.count("refused") > 10
    assert set(events) == {"device-new", "sign-in", "challenged", "refused", "step-up-failed"}


def tries_everything(robot):
    """Every path and method that shows people, in a few disguises; gives the statuses that came back."""
    numbers = (number_of(index) for index in range(400_000, 410_000))
    found = set()
    for method in METHODS:
        for path in (f"/infopatient/{next(numbers)}", f"/api/infopatient/{next(numbers)}", "/patients", "/aat"):
            found.add(robot.ask(path, method).status_code)
    paths = [
        INFOPATIENT.upper(),
        "/infopatient",
        "/api//infopatient",
        "/./infopatient",
        "/infopatient;a=1",
        "/%69nfopatient",
    ]
    for path in paths:
        found.add(robot.ask(f"{path}/{next(numbers)}").status_code)
    disguises = [
        {"x-original-url": "/"},
        {"x-http-method-override": "OPTIONS"},
        {"herse-assertion": "eyJhbGciOiJub25lIn0.e30."},
        {"authorization": "Bearer x"},
        {"x-forwarded-for": "127.0.0.1"},
    ]
    for headers in disguises:
        found.add(robot.ask(f"/api/infopatient/{next(numbers)}", **headers).status_code)
    dates = {"debut": "2026-11-02", "fin": "2026-11-03"}
    found.add(robot.send(INFOPATIENT, {"nir": next(numbers)}).status_code)
    found.add(robot.send("/aat", {"nir": next(numbers), **dates}).status_code)
    return found


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
    again = demo.kill_portal()
    page = doctor.open("/paiements")
    assert (page.status_code, heading(page)) == (502, "Le portail ne répond pas")
    assert "Référence" in page.text
    told = doctor.ask("/paiements")
    assert (told.status_code, told.json()["type"]) == (502, "urn:herse:reason:portal-unreachable")
    assert doctor.open(EVENTS).status_code == 200, "the gateway's own pages stay"
    with again:
        assert doctor.open("/paiements").status_code == 200


def test_every_page_has_its_guards(demo, walker):
    doctor = walker().sign_in(demo.account("gp"))
    for path in ("/.herse/sign-in", "/.herse/account", EVENTS, "/nowhere", "/.herse/nowhere", "/aat"):
        headers = doctor.open(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["strict-transport-security"].startswith("max-age=")
