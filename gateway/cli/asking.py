# SPDX-License-Identifier: EUPL-1.2
"""Who types a command, for the record: the person behind sudo where there is one. A word of honour, no proof: whoever
may run commands on the state could write another.
"""

from __future__ import annotations

import os
import pwd


def asked_by() -> str:
    """The name of the Unix user."""
    behind = os.environ.get("SUDO_USER", "")
    if behind and behind.isprintable():
        return behind
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"uid {os.geteuid()}"
