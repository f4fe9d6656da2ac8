# SPDX-License-Identifier: EUPL-1.2
"""An activity tells what is known of it, and is the same again from that."""

from __future__ import annotations

from gateway.model import Activity


def test_only_what_is_known_is_told():
    activity = Activity(profession="21", structure="PHARMACIE DU PONT", siret="11122233300019")
    assert activity.told == {"profession": "21", "structure": "PHARMACIE DU PONT", "siret": "11122233300019"}
    assert Activity(**activity.told) == activity
    assert Activity().told == {}
