# SPDX-License-Identifier: EUPL-1.2
"""Every command that opens a ledger to read events puts the question on record, or stands here with why it need not.

That the record comes first, and that without it nothing is told, is shown by the tests of the commands.
"""

from __future__ import annotations

import ast

from support.sources import python_sources

READERS = {"open_exposure", "open_trace", "open_tree_store", "store_of", "LedgerReader", "open_place"}
RECORDERS = {"on_record", "noted"}
WITHOUT = {
    "gateway/cli/account_report.py": "whether an event is the account's own, for a report that is itself on record",
    "gateway/cli/ledger_source.py": "opens it for the commands below, each of which stands here or records",
    "gateway/cli/ledger_check.py": "shows no event: whether all are as they were signed, and where the first is not",
    "gateway/cli/off_line.py": "asks the tree alone, whether the ledger goes on from what was kept of it",
    "gateway/cli/ledger_retention.py": "counts events by class and shows none; what it deletes is on record by itself",
    "gateway/cli/incident.py": "incident.open and incident.change are recorded themselves, before look-ups are counted",
}


def imported(source) -> set[str]:
    nodes = (node for node in ast.walk(source.tree) if isinstance(node, ast.ImportFrom))
    return {alias.name for node in nodes for alias in node.names}


def readers() -> dict[str, set[str]]:
    found = {str(one.path): imported(one) for one in python_sources() if str(one.path).startswith("gateway/cli/")}
    return {path: names for path, names in found.items() if names & READERS}


def test_whoever_reads_events_of_a_ledger_puts_it_on_record():
    assert [path for path, names in readers().items() if path not in WITHOUT and not names & RECORDERS] == []


def test_the_commands_that_read_are_found():
    found = set(readers())
    assert {"gateway/cli/ledger_trace.py", "gateway/cli/ledger_proof.py", "gateway/cli/incident_list.py"} <= found
    assert set(WITHOUT) <= found, "what need not must still read"
