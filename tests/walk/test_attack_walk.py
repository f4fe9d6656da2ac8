# SPDX-License-Identifier: EUPL-1.2
"""The demo attacked as its README invites to: a robot with a leaked password, and one with a code as well."""

from __future__ import annotations

import time
from email import message_from_bytes, policy

import pytest
from walk.steps import INFOPATIENT, heading, kinds, look_up

from gateway.demo.people import number_of, person
from support.servers import wait_until
from support.walker import EVENTS

pytestmark = pytest.mark.system

ATTEMPTS_BEFORE_THE_WAIT = 5
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND")


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
    every = robot.events()[3:]
    assert [event["reason"] for event in every if event["kind"] == "alerted"] == ["unanswered"]
    events = [kind for kind in kinds(every) if kind != "alerted"]
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


def test_whom_a_robot_uses_is_told_by_letter_without_a_figure(demo, walker):
    doctor, account = walker().sign_in(demo.account("gp"), code=True), demo.account("gp")
    for index in range(200_000, 200_004):
        assert look_up(doctor, "json", number_of(index)).status_code == 200
        time.sleep(0.06)  # of what comes faster still, not all is noted
    time.sleep(1.1)  # a look every second tells whether it is hands
    assert look_up(doctor, "json", number_of(200_004)).status_code == 200
    assert "risk-high" in {event["reason"] for event in doctor.events() if event["kind"] == "alerted"}
    assert "beaucoup de l\u2019usage de ce compte" in doctor.open(EVENTS).text
    found = []

    def arrived():
        for file in sorted((demo.folder / "demo" / "state" / "letters").glob("*.eml")):
            letter = message_from_bytes(file.read_bytes(), policy=policy.default)
            if letter["subject"] == "Activité inhabituelle sur votre compte":
                found.append(letter)
        return bool(found)

    wait_until("the letter about the alert", arrived)
    assert found[0]["to"] == "ines.riviere@example.org"
    text = found[0].get_content()
    assert account.title in text
    for spelling in (number_of(200_000), person(200_000).name, "risk", "patients in"):
        assert spelling not in text
