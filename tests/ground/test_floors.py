# SPDX-License-Identifier: EUPL-1.2
"""Versions below which a published advisory bites. Held for what is installed and for what the locks would install.

An audit tool that cannot reach its database answers "nothing known"; a list of floors does not.
"""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version

import pytest
from packaging.version import Version

from support.sources import ROOT

# Each: the lowest version that is fit, and why. Packages Herse does not use now are here for the day it does.
FLOORS = {
    "aiohttp": ("3.14.3", "several request smuggling advisories"),
    "argon2-cffi": ("25.1", "the maintained binding"),
    "authlib": ("1.9.0", "CVE-2026-114619, CVE-2026-41425, CVE-2026-27962, CVE-2026-28498"),
    "cryptography": ("50", "CVE-2026-69248 wildcard escapes permittedSubtrees, CVE-2026-34073"),
    "h11": ("0.16", "CVE-2025-43859 chunked framing"),
    "httptools": ("0.9", "llhttp 9"),
    "jinja2": ("3.1.6", "CVE-2025-27516 sandbox"),
    "joserfc": ("1.8", "JOSE checks that were moved out of Authlib"),
    "limits": ("5.8", "the version whose hit() was measured exact"),
    "pyjwt": ("2.12", "crit header"),
    "pyyaml": ("6.0.3", "the version the policy loader was written against"),
    "setuptools": ("78.1.1", "CVE-2025-47273 path traversal"),
    "starlette": ("1.3.1", "CVE-2026-48710, CVE-2026-54282, CVE-2026-54283, CVE-2026-48817"),
    "uvicorn": ("0.54", "the protocol host the listener was written against"),
}
IN_USE = set(FLOORS) - {"aiohttp", "authlib", "pyjwt", "setuptools"}


def below(versions: dict[str, str]) -> list[str]:
    """What stands below its floor, with the reason for the floor."""
    return [
        f"{name} {versions[name]}: at least {floor} ({why})"
        for name, (floor, why) in FLOORS.items()
        if name in versions and Version(versions[name]) < Version(floor)
    ]


def locked(lock: str) -> dict[str, str]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    return {name.lower(): number for name, number in re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE)}


def installed() -> dict[str, str]:
    found = {}
    for name in FLOORS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def test_a_version_below_its_floor_is_seen():
    assert below({"starlette": "1.3.0"})
    assert below({"starlette": "1.3.1", "h11": "0.16.0"}) == []


def test_what_is_installed_stands_above_its_floor():
    assert below(installed()) == []
    assert set(installed()) >= IN_USE


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt", "requirements-build.txt"])
def test_what_the_locks_would_install_stands_above_its_floor(lock):
    assert below(locked(lock)) == []


def test_the_locks_agree_with_each_other():
    runtime, everything = locked("requirements.txt"), locked("requirements-dev.txt")
    assert set(runtime) >= IN_USE
    assert {name: everything.get(name) for name in runtime} == runtime
    build = locked("requirements-build.txt")
    assert {name: everything.get(name) for name in build} == build
