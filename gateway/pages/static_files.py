# SPDX-License-Identifier: EUPL-1.2
"""The few files that pages refer to, read once, named by a closed list: no path of a request ever reaches the disk."""

from __future__ import annotations

from hashlib import blake2b
from importlib.resources import files
from typing import Final

_TYPES: Final = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".js": "text/javascript; charset=utf-8"}


def _load() -> dict[str, tuple[bytes, str]]:
    folder = files("gateway.pages") / "static"
    found = sorted(folder.iterdir(), key=lambda file: file.name)
    return {file.name: (file.read_bytes(), _TYPES[file.name[file.name.rindex(".") :]]) for file in found}


_FILES: Final = _load()


def static(name: str) -> tuple[bytes, str]:
    """Content and content type of one file; `KeyError` if there is none of that name."""
    return _FILES[name]


def address(name: str) -> str:
    """Where a page finds the file. The digest changes with the content, so a browser never shows an old style sheet."""
    content, _ = static(name)
    return f"/.herse/static/{name}?{blake2b(content, digest_size=6).hexdigest()}"
