# SPDX-License-Identifier: EUPL-1.2
"""plot: a sound drawing whose line rises from nobody to everybody, within its frame."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from gateway.incident.exposed import exposed
from gateway.incident.plot import draw
from gateway.pages.drawing import BOTTOM, LEFT, RIGHT, TOP
from support.incident_rows import incident, look, span

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("count", [1, 2, 7, 200])
def test_the_line_rises_from_nobody_to_everybody(count):
    looks = [
        look(1, place * 300, "A<12", sequence=place)._replace(pseudonym=bytes([place]) * 16) for place in range(count)
    ]
    root = ET.fromstring(draw(incident(), exposed(looks, span("A<12"))))
    (line,) = root.iter(f"{SVG}polyline")
    places = [tuple(map(float, point.split(","))) for point in line.get("points").split()]
    assert all(LEFT <= x <= RIGHT and TOP <= y <= BOTTOM for x, y in places)
    assert places == sorted(places, key=lambda place: (place[0], -place[1]))
    assert (places[0], places[-1]) == ((LEFT, BOTTOM), (RIGHT, TOP))
    texts = [one.text for one in root.iter(f"{SVG}text")]
    assert {"A<12", f"{count:,} people", "time (Paris)", f"{count:,}", "0"} <= set(texts)
    assert "20/11 13:00" in texts
    assert root.get("aria-labelledby") == "incident-title incident-desc"


def test_accounts_that_do_not_fit_are_counted():
    looks = [look(place, place, f"A{place:02}") for place in range(19)]
    root = ET.fromstring(draw(incident(), exposed(looks, span("A"))))
    texts = [one.text for one in root.iter(f"{SVG}text")]
    assert "and 11 more" in texts
    assert {"A00", "A07"} <= set(texts)
    assert "A08" not in texts


def test_nobody_can_be_drawn_too():
    assert ET.fromstring(draw(incident(), exposed([], span()))).tag == f"{SVG}svg"
