# SPDX-License-Identifier: EUPL-1.2
"""The policy in force: a file loaded only with cases that all pass, and swapped in whole when it changes while serving.

Part of the builder (`app`), in a file of its own. What a policy means is the room policy's business.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.errors import ConfigurationError, Fault, HerseError
from gateway.metering.decoys import Decoys, load_decoys
from gateway.policy.cases import load_cases, run_cases
from gateway.policy.load import load_policy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from gateway.enforcement import Enforcement
    from gateway.model import Meter, Subject
    from gateway.policy.rules import Policy

log = logging.getLogger(__name__)


class PolicyWatch:
    """Swaps a changed policy in whole once it is checked and tested; a bad one leaves the old in force and says so."""

    def __init__(  # its doors
        self,
        file: Path,
        hallway: Enforcement,
        know: Callable[[Policy], Awaitable[None]],
    ) -> None:
        """`know` hears of each policy before it is in force: what it is to count must be known by then."""
        self._file = file
        self._hallway = hallway
        self._know = know
        self._seen = self._stamp()

    def _stamp(self) -> tuple[tuple[int, int] | None, ...]:
        found: list[tuple[int, int] | None] = []
        for path in (self._file, cases_file(self._file)):
            try:
                stat = path.stat()
            except OSError:
                found.append(None)
            else:
                found.append((stat.st_mtime_ns, stat.st_size))
        return tuple(found)

    async def look(self) -> None:
        """Look once. Files and ledger are read in a thread: a large one takes seconds."""
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        in_force = self._hallway.policy.digest
        try:
            policy = await asyncio.to_thread(load_tested_policy, self._file)
            await self._know(policy)
        except HerseError as error:
            log.error("policy-refused", extra={"in_force": in_force, "faults": str(error)})  # noqa: TRY400
            return
        self._hallway.policy = policy
        log.info("policy-in-force", extra={"digest": policy.digest, "before": in_force})


def longest_window(policy: Policy) -> timedelta:
    """How far back the ledger must be read for the budgets of a policy, and for who is new to an account."""
    nothing = timedelta(0)
    longest = max((budget.window for rule in policy.rules for budget in rule.budgets), default=nothing)
    return longest + max((rule.known_for or nothing for rule in policy.rules), default=nothing)


def meters_of(policy: Policy) -> dict[str, Meter]:
    """The budgets of a policy by teleservice."""
    return {
        rule.name: rule.meter(next((route.patient for route in rule.routes if route.patient is not None), None))
        for rule in policy.rules
        if rule.metered
    }


def titles_of(policy: Policy) -> dict[str, str]:
    """The teleservices of a policy, and what each is called."""
    return {rule.name: rule.title for rule in policy.rules}


def open_to(policy: Policy, subject: Subject) -> list[str]:
    """The teleservices that open to this subject if enough is proved, in the order of the file."""
    return [
        rule.name
        for rule in policy.rules
        if not rule.anonymous
        and (rule.accounts is None or subject.account in rule.accounts)
        and (rule.professions is None or subject.profession in rule.professions)
    ]


def cases_file(policy_file: Path) -> Path:
    """Where the cases of a policy file lie."""
    return policy_file.with_suffix(".cases.yaml")


def load_tested_policy(file: Path) -> Policy:
    """Load a policy whose cases all pass; ConfigurationError with every fault otherwise."""
    policy = load_policy(_text(file), str(file))
    beside = cases_file(file)
    report = run_cases(policy, load_cases(_text(beside), str(beside), policy))
    faults = [
        Fault(str(beside), None, result.case.name, result.detail, "a case that passes")
        for result in report.results
        if result.outcome.value in {"FAIL", "ERROR"}
    ]
    if faults:
        raise ConfigurationError(faults)
    return policy


def load_decoys_of(file: Path | None, pseudonym: Callable[[str], bytes]) -> Decoys:
    """The decoys of a file; none without one."""
    text, name = ("", "") if file is None else (_text(file), str(file))
    return load_decoys(text, name, pseudonym)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        found = error.strerror if isinstance(error, OSError) else "bytes that are not UTF-8"
        raise ConfigurationError([Fault(str(path), None, "(file)", str(found), "a readable text file")]) from None
