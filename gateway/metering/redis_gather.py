# SPDX-License-Identifier: EUPL-1.2
"""What Redis's keys should hold, worked out from the look-ups of the ledger. Knows no connection."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.metering.redis_plan import keys_of, plan
from gateway.metering.tally import microseconds
from gateway.model import Counts, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from gateway.metering.redis_plan import Plan, Site
    from gateway.model import Meter, PastLook

_BUCKETS, _RING, _DAY = 60, 64, 86_400_000  # as in redis_hit.lua
_KINDS: Final = (Counts.PEOPLE, Counts.NEW, Counts.MISSED)


class Found(NamedTuple):
    """By key: of each pseudonym the latest moment (microseconds); of each bucket its stretch and count; how long it
    lasts, in milliseconds.
    """

    people: dict[bytes, dict[bytes, int]]
    buckets: dict[bytes, dict[str, tuple[int, int]]]
    lasts: dict[bytes, int]


def gather(
    looks: Iterable[PastLook],
    at: datetime,
    meters: Mapping[str, Meter],
    network_of: Callable[[str], str],
    *,
    together: bool,
) -> Found:
    """What the keys should hold. Under a clock that ran ahead, rows from the future count as now."""
    now, found = microseconds(at), Found(defaultdict(dict), defaultdict(dict), {})
    plans = {one: plan(meter, one, Level.NONE, together=together) for one, meter in meters.items()}
    before: dict[tuple[str, str, bytes], int] = {}
    for look in looks:
        planned = plans.get(look.teleservice)
        if planned is not None:
            moment = min(microseconds(look.at), now)
            of = (look.account, look.teleservice, look.pseudonym)
            last = before.get(of)
            if not look.missed:
                before[of] = moment
            _count(found, planned, look, (moment, last), network=network_of(look.network or ""), now=now)
    return found


def _count(
    found: Found, planned: Plan, look: PastLook, when: tuple[int, int | None], *, network: str, now: int
) -> None:
    moment, last = when
    new = planned.known > 0 and not look.missed and (last is None or moment - last >= planned.known)
    for part in planned.parts:
        for site in part.sites:
            keys = keys_of((site,), look.account, look.teleservice, look.holder, network)
            if site.bucketed:
                _count_in_buckets(found, site, keys, (look.missed, new, moment, last), now)
                continue
            told = ((not look.missed, site.people), (new, site.new), (look.missed, site.missed))
            for key, (counts, kept) in zip(keys[:3], told, strict=True):
                if counts and moment > now - kept:
                    members = found.people[key]
                    members[look.pseudonym] = max(moment, members.get(look.pseudonym, 0))
                    found.lasts[key] = kept // 1000 + _DAY


def _count_in_buckets(
    found: Found, site: Site, keys: list[bytes], look: tuple[bool, bool, int, int | None], now: int
) -> None:
    missed, new, moment, last = look
    for kind, length in site.draws:
        free = last is not None and last > moment - length
        counts = missed if kind is Counts.MISSED else not missed and not free and (new or kind is Counts.PEOPLE)
        if counts and moment > now - length:
            key = keys[_KINDS.index(kind)]
            stretch = moment // -(-length // _BUCKETS)
            name = f"{length}:{stretch % _RING}"
            of, total = found.buckets[key].get(name, (stretch, 0))
            found.buckets[key][name] = (stretch, total + 1 if of == stretch else 1)
            found.lasts[key] = max(length // 1000 + _DAY, found.lasts.get(key, 0))
