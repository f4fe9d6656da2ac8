# SPDX-License-Identifier: EUPL-1.2
"""The small marks of good print, so that sentences can be written in the source with plain keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.pages.language import Language

_NO_BREAK: Final = "\u00a0"
_APOSTROPHE: Final = "\u2019"
_SPACED: Final = re.compile(r" (?=[;:!?»])|(?<=«) ")


def typeset(text: str, language: Language) -> str:
    """Typographic apostrophes; 36 08 kept together; in French no-break spaces before `; : ! ? »` and after `«`."""
    text = text.replace("'", _APOSTROPHE).replace("36 08", f"36{_NO_BREAK}08")
    return _SPACED.sub(_NO_BREAK, text) if language == "fr" else text
