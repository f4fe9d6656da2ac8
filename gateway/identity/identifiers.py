# SPDX-License-Identifier: EUPL-1.2
"""The shapes of identifiers: account and RPPS numbers, names that a person typed. Pure: text in, canonical text out.

An account is a practice, often shared: its identifier is an AM number (9 digits), a FINESS number (9 characters) or
a name that the operator chose. Only the shape is checked: AM numbers have no published checksum, nor have Corsican
FINESS numbers.
"""

from __future__ import annotations

import re

from gateway.errors import HerseError, Refused
from gateway.model import Reason

PROFESSIONS = ("pharmacist", "physician", "nurse", "dentist", "midwife", "physiotherapist", "employee", "other")
_IDENTIFIER = re.compile(r"[A-Z0-9][A-Z0-9-]{2,31}")
_RPPS = re.compile(r"[0-9]{11}")
_LONGEST_LABEL = 120


class AccountError(HerseError):
    """An operator's act on an account cannot be done; the sentence says why and what to do."""


def canonical_identifier(text: str) -> str:
    """One form for every spelling (spaces, case) of an account; Refused(CREDENTIALS_WRONG) if none can be called so.

    ASCII is checked first: `upper()` would turn some foreign letters and full-width forms into ours.
    """
    if text.isascii():
        canonical = text.replace(" ", "").upper()
        if _IDENTIFIER.fullmatch(canonical):
            return canonical
    raise Refused(Reason.CREDENTIALS_WRONG)


def parse_identifier(text: str) -> str:
    """`canonical_identifier` for operators: AccountError with a sentence."""
    try:
        return canonical_identifier(text)
    except Refused:
        raise AccountError(
            f"found {text!a} as identifier; expected an AM or FINESS number (9 characters), "
            "or 3 to 32 letters, digits and hyphens"
        ) from None


def parse_rpps(text: str) -> str:
    """An RPPS number: 11 digits, the last one by Luhn (spaces allowed); AccountError otherwise."""
    digits = text.replace(" ", "")
    if not _RPPS.fullmatch(digits) or _luhn(digits):
        raise AccountError(
            f"found {text!a} as RPPS number; expected 11 digits, the last one by Luhn. Compare it with the card."
        )
    return digits


def _luhn(digits: str) -> int:
    """Luhn sum modulo 10, from the right: 0 for a right number."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value  # noqa: PLR2004  # Luhn: two digits count as their sum
    return total % 10


def parse_profession(text: str) -> str:
    """One of PROFESSIONS; AccountError otherwise."""
    if text not in PROFESSIONS:
        raise AccountError(f"found {text!a} as profession; expected one of: {', '.join(PROFESSIONS)}")
    return text


def parse_label(text: str, what: str) -> str:
    """A title, a name or a reason that people will read: 1 to 120 printable characters, in one line."""
    label = " ".join(text.split())
    if not 0 < len(label) <= _LONGEST_LABEL or not label.isprintable():
        raise AccountError(f"found {text!a} as {what}; expected 1 to {_LONGEST_LABEL} printable characters in one line")
    return label
