# SPDX-License-Identifier: EUPL-1.2
"""The device behind a User-Agent: cleaned for storage, shortened for reading.

A User-Agent is text from outside: it is never believed, only shown to the account's holder so that he may say
"that was not me". Cleaned text is one line of printable ASCII (a forged value cannot forge a second log line).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.pages.language import Language

LONGEST: Final = 160

_BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python-", "Python"),
    ("Python/", "Python"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)


def clean_device(user_agent: bytes) -> str:
    """At most 160 printable ASCII characters; everything else becomes `?`."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "?" for byte in user_agent[:LONGEST]).strip()  # noqa: PLR2004  # printable ASCII


def readable_device(text: str | None, language: Language) -> str:
    """`Firefox sur Windows`; what is not recognised is shown as it came, shortened; nothing is `appareil inconnu`."""
    if not text:
        return "appareil inconnu" if language == "fr" else "unknown device"
    known = recognised_device(text, language)
    return known or (text if len(text) <= 40 else text[:39] + "…")  # noqa: PLR2004  # what fits a table cell


def recognised_device(text: str, language: Language) -> str | None:
    """`Firefox sur Windows`, in our own words alone; None if neither browser nor system is recognised."""
    browser = next((name for mark, name in _BROWSERS if mark in text), None)
    system = next((name for mark, name in _SYSTEMS if mark in text), None)
    if browser and system:
        return f"{browser} {'sur' if language == 'fr' else 'on'} {system}"
    return browser or system
