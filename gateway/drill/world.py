# SPDX-License-Identifier: EUPL-1.2
"""The world that drills are judged in: `world.json` read strictly, and its distributions as numbers to draw from.

A file with an unknown key, a missing one, a share outside 0 to 1 or shares that do not add up gives no world. Who is
drawn is told elsewhere; `LogNormal` says how a figure is.
"""

from __future__ import annotations

import math
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from gateway.errors import ConfigurationError, Fault

if TYPE_CHECKING:
    from random import Random

WORLD_FILE: Final = "world.json"
_Z_HIGH: Final = 3.090232306167813  # of the standard normal: 99.9 % lie below
_Z_LOW: Final = -2.3263478740408408  # and 1 % below this
_WHOLE: Final = 1.0
_SLACK: Final = 1e-9

Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Positive: TypeAlias = Annotated[float, Field(gt=0)]
Clock: TypeAlias = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class LogNormal(_Part):
    """A log-normal by its median and one far point: either what 99.9 % stay below, or what 1 % stay below."""

    p50: Positive
    p99_9: Positive | None = None
    p1: Positive | None = None

    @cached_property
    def mu(self) -> float:
        """Mean of the logarithm."""
        return math.log(self.p50)

    @cached_property
    def sigma(self) -> float:
        """Standard deviation of the logarithm; 0 where only the median is told."""
        if self.p99_9 is not None:
            return math.log(self.p99_9 / self.p50) / _Z_HIGH
        return 0.0 if self.p1 is None else math.log(self.p1 / self.p50) / _Z_LOW

    def draw(self, rng: Random) -> float:
        """One value."""
        return rng.lognormvariate(self.mu, self.sigma)


class Weekdays(_Part):
    """How busy each day of the week is."""

    mon: Positive
    tue: Positive
    wed: Positive
    thu: Positive
    fri: Positive
    sat: Positive
    sun: Positive

    @property
    def factors(self) -> tuple[float, ...]:
        """Monday first."""
        return (self.mon, self.tue, self.wed, self.thu, self.fri, self.sat, self.sun)


class Epidemic(_Part):
    """So many weeks in which everybody sees more people."""

    weeks: Annotated[int, Field(ge=0)]
    factor: Positive


class Kind(_Part):
    """One kind of professional; `assurance` tells by what share of its holders prove themselves how."""

    kind: str
    share: Share
    people_per_day: LogNormal
    new_people_share: LogNormal
    hours: Annotated[list[Clock], Field(min_length=2, max_length=2)]
    holders: Annotated[int, Field(ge=1)]
    assurance: dict[Literal["password+otp", "psc", "card"], Share]

    @cached_property
    def begins(self) -> int:
        """Seconds after local midnight."""
        return _seconds(self.hours[0])

    @cached_property
    def lasts(self) -> int:
        """Seconds of a working day; a night runs into the next morning."""
        return (_seconds(self.hours[1]) - self.begins) % 86_400


class Renewals(_Part):
    """A list of known people worked through in one go."""

    per_month: Positive
    people: Annotated[int, Field(ge=1)]
    seconds_between: Positive


class Habits(_Part):
    """What honest people do, all kinds alike."""

    seconds_between_lookups_busy: LogNormal
    repeat_same_person_within_minutes_share: Share
    typing_error_share: LogNormal
    changes_network_per_month: LogNormal
    replaces_device_per_year: Annotated[float, Field(ge=0)]
    locum_weeks_per_year: Annotated[float, Field(ge=0)]
    works_through_a_list_of_renewals: Renewals


class Robot(_Part):
    """One robot. `seconds_between` is a pace of its own, or that of honest people."""

    name: str
    seconds_between: Positive | Literal["honest_habits"]
    known_people_share: Share = 0.0
    unknown_number_share: Share = 0.0
    hours: Literal["holder"] | None = None
    people_per_answer: Annotated[int, Field(ge=1)] = 1
    days: Annotated[int, Field(ge=1)] | None = None
    extra_people_share_of_holder_volume: Positive | None = None
    same_device_and_network: bool = False


class Stolen(_Part):
    """What a thief holds: a session that has some of its four hours left."""

    seconds_left_of_four_hours: LogNormal
    same_network_share: Share
    same_client_headers_share: Share


class World(_Part):
    """The whole file."""

    about: str
    weekday_factor: Weekdays
    epidemic: Epidemic
    professionals: Annotated[list[Kind], Field(min_length=1)]
    overseas_share: Share
    honest_habits: Habits
    robots: list[Robot]
    stolen_session: Stolen

    def robot(self, name: str) -> Robot:
        """The robot of that name; KeyError if there is none."""
        return {robot.name: robot for robot in self.robots}[name]


def read_world(text: str, file: str) -> World:
    """The world in a text; ConfigurationError with every fault. `file` names it in faults."""
    try:
        world = World.model_validate_json(text)
    except ValidationError as error:
        raise ConfigurationError(
            [
                Fault(file, None, ".".join(map(str, one["loc"])) or "file", ascii(one["input"])[:60], one["msg"])
                for one in error.errors(include_url=False)
            ]
        ) from None
    faults = [
        Fault(file, None, key, f"shares that make {total:g}", "shares that make 1")
        for key, total in _totals(world)
        if abs(total - _WHOLE) > _SLACK
    ]
    if faults:
        raise ConfigurationError(faults)
    return world


@cache
def load_world() -> World:
    """The world that Herse ships."""
    return read_world(files(__package__).joinpath(WORLD_FILE).read_text("utf-8"), WORLD_FILE)


def _totals(world: World) -> list[tuple[str, float]]:
    kinds = world.professionals
    parts = [(f"professionals.{kind.kind}.assurance", math.fsum(kind.assurance.values())) for kind in kinds]
    return [("professionals", math.fsum(kind.share for kind in kinds)), *parts]


def _seconds(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60
