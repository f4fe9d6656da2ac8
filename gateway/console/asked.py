# SPDX-License-Identifier: EUPL-1.2
"""What an operation was asked with: values of JSON from the admin socket, each of its type or refused in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.errors import HerseError


def text_of(refused: type[HerseError], asked: dict[str, Any], name: str) -> str:
    """A text; `refused` if it is none, or not there."""
    value = asked.get(name)
    if not isinstance(value, str):
        raise refused(f"found {value!a} as {name}; expected a text")
    return value


def texts_of(refused: type[HerseError], asked: dict[str, Any], name: str) -> list[str]:
    """Texts, none if they are not there; `refused` if they are anything else."""
    values = asked.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise refused(f"found {values!a} as {name}; expected a list of texts")
    return values
