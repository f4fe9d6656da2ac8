# SPDX-License-Identifier: EUPL-1.2
"""An event is a plain value: equal by content, and there is no field for a number in clear."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.model import Event, EventKind, Receipt

AT = datetime(2026, 3, 10, 9, tzinfo=UTC)


def test_events_are_equal_by_content():
    assert Event(EventKind.LOOKUP, "750012346", AT) == Event(EventKind.LOOKUP, "750012346", AT)
    assert Receipt(7).sequence == 7


def test_a_patient_has_no_other_field_than_the_pseudonym():
    names = set(Event._fields)
    assert "pseudonym" in names
    assert not names & {"nir", "patient", "number", "path", "query"}
