# SPDX-License-Identifier: EUPL-1.2
"""Problem documents (RFC 9457): valid JSON for every reason, in both languages, with the remedy."""

from __future__ import annotations

import json
import re

import pytest

from gateway.model import Reason
from gateway.pages.language import LANGUAGES
from gateway.pages.problem import PROBLEM_TYPE, problem
from gateway.pages.reasons import status


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_makes_a_valid_problem(reason, language):
    document = json.loads(problem(reason, language, instance="5f3a"))
    assert set(document) == {"type", "title", "status", "detail", "remedy", "instance"}
    assert re.fullmatch(r"urn:herse:reason:[a-z]+(-[a-z]+)*", document["type"])
    assert document["type"].endswith(str(reason))
    assert document["status"] == status(reason)
    assert document["instance"] == "urn:herse:request:5f3a"
    assert all(isinstance(document[name], str) and document[name] for name in ("title", "detail", "remedy"))


def test_extra_members_are_added_but_replace_nothing():
    document = json.loads(problem(Reason.BUDGET_EXHAUSTED, "en", extra={"retry_after": 60, "status": 200, "type": "x"}))
    assert document["retry_after"] == 60
    assert document["status"] == 429
    assert document["type"] == "urn:herse:reason:budget-exhausted"
    assert "instance" not in document


def test_the_status_may_follow_the_answer():
    assert json.loads(problem(Reason.NO_TELESERVICE, "fr", status=404))["status"] == 404
    assert PROBLEM_TYPE == "application/problem+json"
