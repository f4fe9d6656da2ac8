# SPDX-License-Identifier: EUPL-1.2
"""What the files of the folders `state` and `keys` are called, where no room has them for itself alone."""

from __future__ import annotations

from typing import Final

LEDGER_FILE: Final = "ledger.db"
ASSERTION_KEY_FILE: Final = "assertion.pem"
AT_REST_KEY_FILE: Final = "at-rest.key"
PSEUDONYM_KEY_FILE: Final = "pseudonym.key"
OFFICER_FILE: Final = "officer.pub"
LEDGER_KEY_FILE: Final = "ledger.key"
NEWEST_FILE: Final = "newest.checkpoint"
