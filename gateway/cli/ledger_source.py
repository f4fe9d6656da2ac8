# SPDX-License-Identifier: EUPL-1.2
"""Which ledger a command of `herse ledger` is about, and by which public keys it was signed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.cli.ledger_files import text_of
from gateway.errors import StartError
from gateway.ledger_key import signing_key
from gateway.settings import load_settings

if TYPE_CHECKING:
    import argparse

    from gateway.ledger.place import Place
    from gateway.ledger.tree_rows import TreeRows

CHECKPOINT_SUFFIX: Final = ".checkpoint"


def add_source(parser: argparse.ArgumentParser) -> argparse._MutuallyExclusiveGroup:
    """Where the ledger is, one way of several; others may be added to them."""
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--config", type=Path, metavar="FILE", help="the settings of the gateway")
    where.add_argument("--file", type=Path, metavar="FILE", help="a copy of ledger.db")
    return where


def add_keys(parser: argparse.ArgumentParser) -> None:
    """By which public keys it was signed."""
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="KEY",
        help="public key, or a file with it, repeated after a change",
    )


def keys_of(arguments: argparse.Namespace) -> list[str]:
    """The public keys that were given; without one, that of the gateway whose settings were."""
    found = [line for key in arguments.key for line in _key_lines(key)]
    if found:
        return found
    config = getattr(arguments, "config", None)
    if config is None:
        raise StartError("no --key; expected the public key that `herse ledger key` prints on the gateway")
    return [signing_key(load_settings(config)).verifier().text()]


def _key_lines(text: str) -> list[str]:
    path = Path(text)
    if "+" in text and not path.exists():
        return [text]
    return [line for line in text_of(path).splitlines() if line.strip()]


def store_of(arguments: argparse.Namespace) -> TreeRows:
    """The ledger that was asked for, to read."""
    place: Place = arguments.file if arguments.file is not None else load_settings(arguments.config).ledger_place()
    if isinstance(place, Path) and not place.is_file():
        raise StartError(f"no ledger at {place}; expected the file ledger.db of a gateway, or a copy of it")
    from gateway.ledger.tree_rows import open_tree_store  # noqa: PLC0415  # its databases, where one is asked for

    return open_tree_store(place, writes=False)


def head_of(store: TreeRows) -> tuple[str | None, int]:
    """The newest signed checkpoint, None: nothing was signed; and how many leaves it has."""
    head = store.head()
    return (None, 0) if head is None else (head.note, head.size)


def checkpoint_of(export: Path) -> Path:
    """Beside an export lies the checkpoint it ends with."""
    return export.with_name(export.name + CHECKPOINT_SUFFIX)
