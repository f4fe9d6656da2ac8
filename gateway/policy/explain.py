# SPDX-License-Identifier: EUPL-1.2
"""A decision and its trace as text for people at a terminal. Decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.policy.checks import budget_text
from gateway.policy.criteria import method_words
from gateway.policy.durations import duration_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.model import Decision, TraceLine

LEGEND = "hit: fits   miss: does not fit   may: would fit after signing in or proving more"


def explanation(decision: Decision) -> str:
    """The table of `decision.trace`, a legend, and the verdict with what it asks for and obliges to."""
    return "\n".join([*_table(decision.trace), "", LEGEND, "", *_verdict(decision)])


def _table(trace: tuple[TraceLine, ...]) -> Iterator[str]:
    rows = [("rule", "criterion", "match", "detail")]
    before = ""
    for line in trace:
        rows.append(("" if line.rule == before else line.rule, line.criterion, line.match.value, line.detail))
        before = line.rule
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        yield "  ".join((*cells, row[3]))


def _verdict(decision: Decision) -> Iterator[str]:
    rule = "no teleservice" if decision.rule is None else f"teleservice {decision.rule}"
    yield f"verdict: {decision.effect.value.upper()} {decision.reason} ({rule}, policy {decision.digest})"
    if decision.observed:
        yield f"on trial, so not enforced: {', '.join(decision.observed)}"
    challenge = decision.challenge
    if challenge is not None:
        age = "" if challenge.max_age is None else f", proved at most {duration_text(challenge.max_age)} ago"
        methods = f" by {method_words(challenge.methods)}" if challenge.methods else ""
        yield f"asks for: {challenge.level.name.lower()}{methods}{age}"
    if decision.meter is not None:
        patient = decision.meter.patient
        if patient is not None:
            yield f"counts: the patient in {patient.place} {patient.name}"
        if decision.answers is not None:
            yield "counts: everybody whom the answer shows"
        yield from (f"budget: {budget_text(budget)}" for budget in decision.meter.budgets)
    if decision.record is not None:
        yield f"records: {', '.join(decision.record.categories)}"
