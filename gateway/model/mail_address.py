# SPDX-License-Identifier: EUPL-1.2
"""What a mail address may look like, for every room that meets one. Pure: text in, yes or no out.

Stricter than RFC 5321 on purpose: ASCII alone (no look-alike letters), no quoted names, no comments, no numbers in
place of a domain, at least two labels. So it can stand in a header, an SMTP command and a page as it is.
"""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 254  # RFC 5321, 4.5.3.1.3: a path of 256 with its angle brackets
_LONGEST_NAME: Final = 64
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9!#$%&'*+/=?^_`{|}~-]*(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN: Final = re.compile(rf"(?:{_LABEL}\.)+(?=[A-Za-z]){_LABEL}")


def is_mail_address(text: str) -> bool:
    """Whether it is one: `name@domain.example`, exactly one `@`, nothing around it."""
    name, _, domain = text.partition("@")
    return (
        len(text) <= LONGEST
        and len(name) <= _LONGEST_NAME
        and _NAME.fullmatch(name) is not None
        and _DOMAIN.fullmatch(domain) is not None
    )
