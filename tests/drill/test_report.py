# SPDX-License-Identifier: EUPL-1.2
"""What a drill prints and draws: the keys that others read, and a drawing that anybody can read."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from gateway.drill.ending import Ended
from gateway.drill.honest import Honest
from gateway.drill.plot import draw
from gateway.drill.professionals import Busiest
from gateway.drill.report import Report, lasting
from gateway.drill.scenarios import Outcome

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def outcomes() -> list[Outcome]:
    without = [(0.0, 0), (3_600.0, 20_000), (90_000.0, 510_000)]
    return [
        Outcome("leaked-passwords", 510_000, 0, None, None, [(0.0, 0), (86_400.0, 0)], without),
        Outcome("stolen-<fast>", 510_000, 190, 42.5, 600.0, [(0.0, 0), (30.0, 100), (600.0, 190)], without),
        Outcome(
            "resident-malware",
            14_000,
            4_000,
            90_000.0,
            None,
            [(0.0, 0), (2e6, 4_000)],
            without,
            {"exposed_if_frozen_within_a_working_day": 700},
        ),
    ]


@pytest.fixture
def report(outcomes) -> Report:
    honest = Honest(10, 30, 22, 5_000, 0, 0.12345, 1, 2, 3, 17, {"session-moved": 4}, Busiest(300, "gp", 7, 0, 1))
    return Report("amelipro-2022", "19 accounts", 7, "abcd", outcomes, honest)


def test_the_json_has_the_keys_that_others_read(report):
    told = json.loads(report.as_json())
    assert (told["drill"], told["seed"]) == ("amelipro-2022", 7)
    keys = ("name", "exposed_without", "exposed", "first_alert_seconds", "stopped_seconds")
    assert [tuple(one[key] for key in keys) for one in told["scenarios"]] == [
        ("leaked-passwords", 510_000, 0, None, None),
        ("stolen-<fast>", 510_000, 190, 42.5, 600.0),
        ("resident-malware", 14_000, 4_000, 90_000.0, None),
    ]
    assert told["scenarios"][2]["exposed_if_frozen_within_a_working_day"] == 700
    honest = told["honest"]
    assert {key: honest[key] for key in ("accounts", "days", "denied")} == {"accounts": 10, "days": 30, "denied": 0}
    assert honest["challenges_mean_per_month"] == 0.12345
    assert honest["challenges_p999_per_month"] == 1


def test_the_text_tells_the_same(report):
    lines = report.as_text().splitlines()
    fast = next(line for line in lines if "stolen" in line)
    assert fast.split()[1:] == ["510,000", "190", "42", "s", "10.0", "min"]
    assert any(line.split()[:2] == ["denied", "0"] for line in lines)
    assert any("session-moved" in line for line in lines)


def test_how_it_ended_is_told_in_both(report):
    report.outcomes[1].incident = Ended("2027-01-05-1", 19, 3, 190, 0, 190, 0, 0, 0, 0)
    report.outcomes[2].incident = Ended("2027-02-04-1", 19, 0, 9_000, 4_000, 4_002, 2, 1, 4, 700)
    told = json.loads(report.as_json())["scenarios"]
    assert ("incident" in told[0], told[1]["incident"]["exact"], told[2]["incident"]["exact"]) == (False, True, False)
    assert (told[1]["incident"]["people_listed"], told[2]["incident"]["missing"]) == (190, 2)
    text = report.as_text()
    assert "incident 2027-01-05-1: 190 people listed, 190 served to the robot: exactly these\n" in text
    assert (
        "9,000 people listed (4,000 of them claimed by the holders), 4,002 served to the robot: 2 MISSING, 1 TOO MANY, "
        "4 WITH OTHER LOOK-UPS; the alerts alone would have missed 700"
    ) in text
    report.outcomes[0].incident = Ended(None, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    assert "no incident: no alert" in report.as_text()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "-"), (0.0, "0 s"), (119, "119 s"), (120, "2.0 min"), (7_200, "2.0 h"), (172_800, "2.0 days")],
)
def test_lengths_of_time_are_told_in_their_unit(seconds, words):
    assert lasting(seconds) == words


def test_the_drawing_is_sound_and_says_what_it_shows(outcomes):
    root = ET.fromstring(draw("amelipro-2022: A & B", outcomes))
    assert root.get("role") == "img"
    title, told = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert root.get("aria-labelledby") == f"{title.get('id')} {told.get('id')}"
    assert "A & B" in title.text
    assert "leaked-passwords: 0 with Herse, 510,000 without." in told.text
    texts = [one.text for one in root.iter(f"{SVG}text")]
    assert {"1 h", "1 day", "100,000", "different people exposed (log scale)", "190 / 510,000"} <= set(texts)


def test_lines_stay_inside_and_rise(outcomes):
    root = ET.fromstring(draw("x", outcomes))
    lines = [line.get("points").split() for line in root.iter(f"{SVG}polyline")]
    assert len(lines) == 5  # nobody was exposed by leaked passwords: no line for it
    for points in lines:
        places = [tuple(map(float, point.split(","))) for point in points]
        assert all(84 <= x <= 760 and 64 <= y <= 480 for x, y in places)
        assert places == sorted(places, key=lambda place: (place[0], -place[1]))


def test_times_stand_in_their_order_and_apart(outcomes):
    root = ET.fromstring(draw("x", outcomes))
    words = ("1 s", "1 min", "1 h", "1 day", "1 week", "4 weeks")
    places = {one.text: float(one.get("x")) for one in root.iter(f"{SVG}text")}
    marks = [places[word] for word in words]
    assert all(after - before > 5 for before, after in pairwise(marks))
    assert marks[2] < (84 + 760) / 2 + 60 < marks[4]


def test_a_drawing_of_nothing_is_one_too():
    assert ET.fromstring(draw("x", [])).tag == f"{SVG}svg"
