# SPDX-License-Identifier: EUPL-1.2
"""For all tests: no socket leaves this machine, and property tests are judged by what they find, not by the clock."""

from __future__ import annotations

import ipaddress
import socket
import sys
from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("herse", deadline=None, print_blob=True)
hypothesis.settings.load_profile("herse")

# Whatever takes longest begins first, or one process would still be at it when the others have nothing left to do.
# With `--dist loadfile --no-loadscope-reorder` (make pytest) this order is kept; files that are not named follow.
LONGEST = (
    "browser/test_pages.py",
    "workers/test_desk.py",
    "ledger/test_durability.py",
    "workers/test_budgets.py",
    "workers/test_supervisor.py",
    "browser/test_switches.py",
    "promises/test_timing.py",
    "browser/test_other_sites.py",
    "browser/test_passkeys.py",
    "promises/test_revocation.py",
    "browser/test_delegate.py",
    "promises/test_ledger_unsealed.py",
    "browser/test_ways_back.py",
    "browser/test_walk.py",
    "browser/test_sso.py",
    "drill/test_command.py",
    "ground/test_bench.py",
    "workers/test_ledger_faults.py",
    "cli/test_agent.py",
    "browser/test_card.py",
    "workers/test_ledger_postgres.py",
    "metering/test_redis_failover.py",
    "promises/test_restore.py",
    "walk/test_sso_walk.py",
    "identity/test_sso_node.py",
    "ledger/test_postgres_faults.py",
    "ground/test_sources.py",
    "promises/test_path_spellings.py",
    "workers/test_watch.py",
    "workers/test_lists.py",
    "promises/test_revocation_acts.py",
    "promises/test_closing.py",
    "promises/test_attack_of_2022.py",
    "policy/test_two_evaluators.py",
    "cli/test_incident.py",
    "browser/test_budget_pages.py",
    "identity/test_sso_tokens.py",
    "metering/test_redis_faults.py",
    "promises/test_kept_right.py",
    "promises/test_start_faults.py",
    "promises/test_metering.py",
    "promises/test_lists.py",
    "promises/test_lists_scripted.py",
    "promises/test_tamper_evident.py",
    "promises/test_power_cut.py",
    "promises/test_served_is_recorded.py",
    "walk/test_demo_walk.py",
    "walk/test_attack_walk.py",
    "test_card_gate.py",
    "test_sso_gate.py",
)
_TESTS = Path(__file__).parent
_PLACES = {_TESTS / name: place for place, name in enumerate(LONGEST)}

_left: list[str] = []


class LeftLoopbackError(Exception):
    """A test tried to talk to another machine."""


def _is_loopback(host: object) -> bool:
    if host in {"localhost", b"localhost", None, ""}:
        return True
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _guard(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook: it sees every connect of this process's Python sockets, and stands for the whole run.

    Sockets of uvloop and of child processes are not seen; the tests that start those give them loopback addresses.
    """
    if event in {"socket.connect", "socket.sendto"}:
        link, address = arguments
        if not isinstance(link, socket.socket) or link.family not in {socket.AF_INET, socket.AF_INET6}:
            return
        host = address[0] if isinstance(address, tuple) else address
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if not _is_loopback(host):
        _left.append(f"{event} {host!r}")
        raise LeftLoopbackError(f"tests talk to loopback only, not to {host!r}")


sys.addaudithook(_guard)


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: _PLACES.get(item.path, len(_PLACES)))


def pytest_unconfigure():
    """Workers of xdist end without what is registered for the end of a process."""
    postgres = sys.modules.get("support.postgres")
    if postgres is not None:
        postgres.remove_the_server()
    warm = sys.modules.get("support.warm")
    if warm is not None:
        warm.end()


@pytest.fixture(autouse=True)
def _loopback_only():
    """Fails the test that tried, even if the code under test swallowed the refusal."""
    _left.clear()
    yield
    tried, _left[:] = list(_left), []
    if tried:
        pytest.fail("left loopback: " + ", ".join(tried))


@pytest.fixture
def left_loopback() -> list[str]:
    """What the guard refused so far in this test; for the guard's own test, which clears it."""
    return _left
