# SPDX-License-Identifier: EUPL-1.2
"""Secrets that a person types: unseen at a terminal, else one line of standard input each. Never an argument."""

from __future__ import annotations

import sys
from getpass import getpass

from gateway.errors import HerseError


def read_secret(what: str) -> str:
    """One secret; HerseError if there is none to read."""
    at_terminal = sys.stdin.isatty()
    typed = getpass(f"{what}: ") if at_terminal else sys.stdin.readline().rstrip("\n").removesuffix("\r")
    if not typed:
        raise HerseError(f"no {what.lower()} was typed; expected one line of standard input for it. Nothing is done.")
    return typed
