# SPDX-License-Identifier: EUPL-1.2
"""What the same robot would have taken without Herse: hour by hour at its own pace, until the list or the attack ends.

Nothing stands in its way then, so every try but those for nobody's number shows its people, and no try tells more than
the one before: walking half a million of them would give the same figure. A test walks a short list and compares.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from gateway.drill.simulation import DAY

if TYPE_CHECKING:
    from gateway.drill.world import Habits, Kind, Robot

_HOUR: Final = 3600
_FIRST_SECONDS: Final = (0, 1, 10, 60, 300, 1200)
_WORKING_DAYS: Final = 6 / 7


def tries_a_day(robot: Robot, habits: Habits, kind: Kind) -> float:
    """How often one robot asks on one account in a day."""
    hours = DAY if robot.hours is None else kind.lasts * _WORKING_DAYS
    between = robot.seconds_between
    if isinstance(between, str):
        gap = habits.seconds_between_lookups_busy
        between = math.exp(gap.mu + gap.sigma**2 / 2)  # the mean of a log-normal
    return hours / between


def taken_without(  # noqa: PLR0917  # the robot, then the world it meets
    robot: Robot, habits: Habits, kind: Kind, accounts: int, people: int, days: float
) -> list[tuple[float, int]]:
    """(seconds since the attack began, people), the last one at its end."""
    fresh = (1 - robot.known_people_share) * (1 - robot.unknown_number_share) * robot.people_per_answer
    each_second = accounts * tries_a_day(robot, habits, kind) * fresh / DAY
    hours = math.ceil(days * DAY / _HOUR)
    times = (*_FIRST_SECONDS, *range(_HOUR, _HOUR * (hours + 1), _HOUR))
    grown = [(float(seconds), min(people, int(each_second * seconds))) for seconds in times]
    through = people / each_second
    return [one for one in grown if one[0] < through] + [(through, people)] if through < days * DAY else grown
