# SPDX-License-Identifier: EUPL-1.2
"""The notes of a file, one after the other, as they were appended to it. Pure; what a note says is not looked at."""

from __future__ import annotations

from gateway.errors import HerseError

_SIGNED = "\u2014 "


def notes_in(text: str, name: str) -> list[str]:
    """The notes, each whole; HerseError for a rest that is none, such as one that was cut off."""
    notes, lines, signed = list[str](), list[str](), False
    for line in text.splitlines(keepends=True):
        if signed and not line.startswith(_SIGNED):
            notes.append("".join(lines))
            lines, signed = [], False
        if not lines and not line.strip():
            continue
        lines.append(line)
        signed = line.startswith(_SIGNED)
    if signed:
        notes.append("".join(lines))
    elif lines:
        raise HerseError(
            f"{name} ends with {lines[0].strip()[:80]!a} and no signature; expected whole checkpoints: take the file "
            "as it was sent, or leave its cut end out"
        )
    return notes
