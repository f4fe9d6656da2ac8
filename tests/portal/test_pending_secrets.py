# SPDX-License-Identifier: EUPL-1.2
"""Secrets that wait to be confirmed: one per session, for a while, and never too many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.portal.pending_secrets import LIFETIME, PendingSecrets

T0 = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def test_a_secret_belongs_to_one_session_and_goes_with_time():
    pending = PendingSecrets()
    pending.keep("s", "FIRST", T0)
    pending.keep("s", "SECOND", T0)
    assert pending.find("s", T0) == "SECOND"
    assert pending.find("t", T0) is None
    assert pending.find("s", T0 + LIFETIME - timedelta(seconds=1)) == "SECOND"
    assert pending.find("s", T0 + LIFETIME) is None
    pending.drop("s")
    pending.drop("s")
    assert pending.find("s", T0) is None


def test_the_oldest_makes_room():
    pending = PendingSecrets(most=2)
    for name in ("a", "b", "c"):
        pending.keep(name, "SECRET", T0)
    assert [pending.find(name, T0) for name in ("a", "b", "c")] == [None, "SECRET", "SECRET"]


def test_K2_it_prints_no_secret():
    pending = PendingSecrets()
    pending.keep("s", "SECRET", T0)
    assert repr(pending) == "<PendingSecrets 1>"
