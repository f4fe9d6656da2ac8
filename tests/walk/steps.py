# SPDX-License-Identifier: EUPL-1.2
"""What walks share: looking somebody up, and reading where one is. No tests."""

from __future__ import annotations

import re

INFOPATIENT = "/infopatient"


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
