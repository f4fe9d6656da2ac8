# SPDX-License-Identifier: EUPL-1.2
"""Errors that cross rooms say where, what was found and what is expected, and a refusal carries its reason."""

from __future__ import annotations

from gateway.errors import ConfigurationError, Fault, HerseError, Refused, UnreadableError
from gateway.model import Reason
from gateway.model.unread import Unread


def test_a_refusal_carries_its_reason_and_wait():
    refused = Refused(Reason.THROTTLED, retry_after_seconds=60)
    assert (refused.reason, refused.retry_after_seconds, str(refused)) == (Reason.THROTTLED, 60, "throttled")
    assert isinstance(refused, HerseError)


def test_an_answer_that_cannot_be_read_says_why():
    error = UnreadableError(Unread.CODED)
    assert (error.why, str(error)) == (Unread.CODED, "coded")


def test_all_faults_are_told_at_once():
    faults = [
        Fault("policy.yaml", 7, "teleservices.x.order", "`one`", "a whole number"),
        Fault("herse.toml", None, "public.origin", "nothing", "an origin"),
    ]
    error = ConfigurationError(faults)
    assert str(error).splitlines() == [
        "policy.yaml:7: teleservices.x.order: found `one`; expected a whole number",
        "herse.toml: public.origin: found nothing; expected an origin",
    ]
    assert error.faults == faults
