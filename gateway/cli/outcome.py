# SPDX-License-Identifier: EUPL-1.2
"""How a command on the state ends: a sentence for whoever typed it, and a number for the script that ran it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gateway.errors import ConfigurationError, HerseError, StartError

if TYPE_CHECKING:
    from collections.abc import Callable


def told(act: Callable[[], str]) -> int:
    """Print what an act says. 0: done; 1: refused, with a sentence; 2: settings or state not usable."""
    try:
        said = act()
        if said:  # what was written as it came ends where it ends
            print(said)
    except (ConfigurationError, StartError) as error:
        print(f"herse: {error}", file=sys.stderr)
        return 2
    except HerseError as error:
        print(f"herse: {error}", file=sys.stderr)
        return 1
    return 0
