# SPDX-License-Identifier: EUPL-1.2
"""Why the people in an answer could not be told: a closed list, for the event that says so."""

from __future__ import annotations

from enum import StrEnum


class Unread(StrEnum):
    """What stands between an answer and its people. None of it is repaired: two readers would read two things."""

    CODED = "coded"  # compressed or otherwise packed, though nothing of the kind was asked for
    KIND = "kind"  # no kind of text at all: a picture, a document, several parts, a stream of events
    CHARSET = "charset"
    BINARY = "binary"
    BROKEN = "broken"  # not the JSON it says it is, cut short, or with a name twice
    ELSEWHERE = "elsewhere"  # the people are not where the policy says
    NO_NUMBER = "no-number"  # somebody is shown without a number, or with a wrong one
    TOO_LARGE = "too-large"  # a record, or a whole without records, is longer than may be held
