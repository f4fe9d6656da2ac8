# SPDX-License-Identifier: EUPL-1.2
"""How an assurance is written into the database and read back: a JSON list of method and time."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from gateway.model import Assurance, Method, Proof


def proofs_text(assurance: Assurance) -> str:
    """`[["pwd", "2026-11-23T08:00:00+00:00"], …]`, in the order in which the proofs were given."""
    return json.dumps([[str(proof.method), proof.at.isoformat()] for proof in assurance.proofs])


def assurance_of(text: str) -> Assurance:
    """The assurance that `proofs_text` wrote; ValueError for what it did not write."""
    return Assurance(
        tuple(Proof(Method(method), datetime.fromisoformat(at).astimezone(UTC)) for method, at in json.loads(text))
    )
