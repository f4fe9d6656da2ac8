# SPDX-License-Identifier: EUPL-1.2
"""The list of an incident is exactly whom the portal gave away: through a gateway that serves, by its commands.

A thief's account and an honest one look people up at once. The incident is opened over the running gateway and freezes
the thief; its list, opened with the officer's key, is compared with what the portal wrote down, and with what he got.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from gateway.cli.main import main
from gateway.incident.proofs import check_folder
from gateway.ledger.tree_rows import open_tree_store
from gateway.model import EventKind
from support.lookups import Demo, Load, people
from support.servers import wait_until

pytestmark = pytest.mark.system

THIEF, HONEST = "750012346", "130005671"
LOOKUPS = 200
PASSWORD = "officer of the test"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return Demo(tmp_path_factory.mktemp("incident"))


def served_to(demo, account):
    """The numbers that the portal gave away to requests of this account, by its own log."""
    requests = {request for one, request, _ in demo.recorded() if one == account}
    lines = [line.split("\t") for line in demo.served_log.read_text("ascii").splitlines()]
    assert {request for request, _ in lines} == {request for _, request, _ in demo.recorded()}
    return {number for request, number in lines if request in requests}


def all_signed(demo):
    """Whether nothing is in the ledger that is not signed; what is not yet cannot be proved to anybody."""
    with closing(open_tree_store(demo.house.ledger_file, writes=False)) as store:
        head, last = store.head(), store.settled()
        return head is not None and head.last_sequence >= last


def test_the_list_is_whom_the_portal_gave_away(demo, tmp_path, capsys):
    cookies = [(THIEF, demo.house.sign_in(THIEF))] * 2 + [(HONEST, demo.house.sign_in(HONEST))]
    load, config = Load(demo, cookies, people(5)), ("--config", str(demo.house.settings_file))
    began = datetime.now(UTC)
    (tmp_path / "officer.key").write_text(demo.house.officer.text(PASSWORD, memory_kib=8, passes=1), encoding="ascii")
    (tmp_path / "password").write_text(PASSWORD)
    with demo.portal, demo.house.serve():
        load.start()
        wait_until("enough look-ups", lambda: load.statuses[200] >= LOOKUPS)
        load.stop()
        span = ("--from", began.isoformat(), "--to", (began + timedelta(hours=1)).isoformat())
        assert main(["incident", "open", "--account", THIEF, *span, "--reason", "robot", "--freeze", *config]) == 0
        number = capsys.readouterr().out.split()[1].rstrip(":")
        shown, load.statuses = set(load.received), Counter()
        load.start()
        wait_until("the thief is stopped", lambda: sum(load.statuses.values()) - load.statuses[200] > 5)
        load.stop()
        assert {one for one in load.received - shown if one[0] == THIEF} == set()
        wait_until("all is signed", lambda: all_signed(demo))
        out = tmp_path / "list.jsonl"
        key = ("--key", str(tmp_path / "officer.key"), "--password-file", str(tmp_path / "password"))
        assert main(["incident", "export", number, "--out", str(out), *key, *config]) == 0
        assert main(["incident", "exposed", number, "--json", *config]) == 0
        assert main(["incident", "notify", number, "--out", str(tmp_path / "drafts"), *config]) == 0
        assert main(["ledger", "key", *config]) == 0
    printed = capsys.readouterr().out
    verifier, proofs = printed.splitlines()[-1], tmp_path / "drafts" / "7-plainte-preuves"
    proved = check_folder(proofs, [verifier])
    looked = sum(one.event.kind is EventKind.LOOKUP for one in demo.house.events(THIEF))
    assert (proofs / "leaves.txt").read_text("utf-8").count('"lookup"') == looked <= proved.events
    listed = {json.loads(line)["nir"] for line in out.read_text("utf-8").splitlines()}
    assert listed == served_to(demo, THIEF)
    assert {(THIEF, demo.pseudonym(one)) for one in listed} == {one for one in shown if one[0] == THIEF}
    assert not listed & served_to(demo, HONEST)
    told = json.JSONDecoder().raw_decode(printed[printed.index("{") :])[0]
    assert told["people"] == len(listed) >= LOOKUPS / 3
    assert f"{len(listed)} personnes différentes" in (tmp_path / "drafts" / "1-anssi-cert-fr.txt").read_text("utf-8")
    kinds = [str(one.event.kind) for one in demo.house.events(THIEF)]
    assert [kind for kind in kinds if kind.startswith(("incident-", "account-locked"))] == [
        *("account-locked", "incident-opened", "incident-exported", "incident-examined", "incident-drafted")
    ]
