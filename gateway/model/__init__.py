# SPDX-License-Identifier: EUPL-1.2
"""The words the rooms exchange: plain frozen values, no I/O, no clock, nothing a framework would know.

Each word has one meaning in code, logs, policy files and README. Names come from XACML and AuthZEN (subject, action,
resource, effect, obligation), OpenID Connect and RFC 8176 (amr), RFC 9470 (step-up) and the field itself (teleservice).
Times are called `at` and are aware UTC. What is made for each request is a named tuple, the cheapest value to make.
"""

from __future__ import annotations

from gateway.model.activity import Activity
from gateway.model.assurance import ANONYMOUS, Assurance, Delegation, Level, Method, Proof, Subject
from gateway.model.budget import Budget, Counts, Meter, Past, Quota, Risk, Scope, Spent
from gateway.model.decision import (
    AccessRequest,
    Challenge,
    Decision,
    Match,
    PatientLocator,
    Place,
    Record,
    TraceLine,
)
from gateway.model.event import AlertReason, Event, EventKind, PastLook, Receipt
from gateway.model.reason import Effect, Reason
from gateway.model.signal import Finding, Signal, risk_of
from gateway.model.switch import Announcement, Closure, Switches

__all__ = [
    "ANONYMOUS",
    "AccessRequest",
    "Activity",
    "AlertReason",
    "Announcement",
    "Assurance",
    "Budget",
    "Challenge",
    "Closure",
    "Counts",
    "Decision",
    "Delegation",
    "Effect",
    "Event",
    "EventKind",
    "Finding",
    "Level",
    "Match",
    "Meter",
    "Method",
    "Past",
    "PastLook",
    "PatientLocator",
    "Place",
    "Proof",
    "Quota",
    "Reason",
    "Receipt",
    "Record",
    "Risk",
    "Scope",
    "Signal",
    "Spent",
    "Subject",
    "Switches",
    "TraceLine",
    "risk_of",
]
