# SPDX-License-Identifier: EUPL-1.2
"""The files of the project, as a commit would hold them, and their parsed Python."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """One Python file: where it is below the root, its text, its tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def in_gateway(self) -> bool:
        """Part of what is installed."""
        return self.path.parts[0] == "gateway"

    def functions(self) -> Iterator[tuple[str, int, int]]:
        """(name, line, length in lines) of every function and method."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.name, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1


def committed() -> list[Path]:
    """Every file that is tracked, or would be by `git add .`, below the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [Path(name) for name in sorted(set(listed.stdout.split("\0"))) if name and (ROOT / name).is_file()]


@cache
def python_sources() -> tuple[Source, ...]:
    """All Python files of the project."""
    found = []
    for path in committed():
        if path.suffix == ".py":
            text = (ROOT / path).read_text(encoding="utf-8")
            found.append(Source(path, text, ast.parse(text, str(path))))
    return tuple(found)


def dotted(node: ast.expr) -> str:
    """`pytest.mark.skip` from its nodes; empty for anything but names and dots."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""
