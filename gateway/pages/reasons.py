# SPDX-License-Identifier: EUPL-1.2
"""The one table of reasons: what a person is told for each `Reason`, and its HTTP status.

Pages, problem documents and « Mes derniers événements » all read this table. It is total: a reason without an
explanation, or with two, is found by the tests before anybody meets it.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from gateway.pages import (
    reasons_access,
    reasons_card,
    reasons_card_way,
    reasons_mail,
    reasons_passkey,
    reasons_password,
    reasons_sign_in,
    reasons_sso,
    reasons_ways_back,
    reasons_wire,
)

if TYPE_CHECKING:
    from gateway.model import Reason
    from gateway.pages.explanation import Explanation

PARTS: Final = (
    reasons_access.EXPLANATIONS,
    reasons_wire.EXPLANATIONS,
    reasons_sign_in.EXPLANATIONS,
    reasons_passkey.EXPLANATIONS,
    reasons_mail.EXPLANATIONS,
    reasons_password.EXPLANATIONS,
    reasons_sso.EXPLANATIONS,
    reasons_card.EXPLANATIONS,
    reasons_card_way.EXPLANATIONS,
    reasons_ways_back.EXPLANATIONS,
)

EXPLANATIONS: Final[dict[Reason, Explanation]] = dict(chain.from_iterable(part.items() for part in PARTS))


def explanation(reason: Reason) -> Explanation:
    """The one explanation of a reason."""
    return EXPLANATIONS[reason]


def status(reason: Reason) -> int:
    """The HTTP status of a reason."""
    return EXPLANATIONS[reason].status
