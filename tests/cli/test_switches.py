# SPDX-License-Identifier: EUPL-1.2
"""`herse teleservice | portal | notice | account sign-out` as they are typed, off line: what is printed, what stays."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from gateway.cli.main import main
from gateway.identity.session import Sessions
from gateway.ledger.read import LedgerReader
from gateway.state_files import LEDGER_FILE
from support.lookups import CASES, lookup_policy
from support.off_line import CREATE, PHARMACY, accounts, kinds, settle

PARIS = r"2\d{3}-\d\d-\d\d \d\d:\d\d\+0[12]:00"


@pytest.fixture
def folder(tmp_path):
    folder = settle(tmp_path)
    (folder / "policy.yaml").write_text(lookup_policy(), encoding="utf-8")
    (folder / "policy.cases.yaml").write_text(CASES, encoding="utf-8")
    return folder


@pytest.fixture
def herse(folder, capsys):
    """Type a command: its code, what it printed, what it complained of."""

    def run(*words):
        code = main([*words, "--config", str(folder / "herse.toml")])
        told = capsys.readouterr()
        return code, told.out, told.err

    assert run("account", *CREATE)[0] == 0
    return run


def events(folder):
    reader = LedgerReader(folder / "state" / LEDGER_FILE)
    try:
        return [one.event for one in reversed(reader.events("", limit=100))]
    finally:
        reader.close()


def test_a_teleservice_from_closing_to_opening(herse, folder):
    code, out, _ = herse("teleservice", "close", "infopatient", "--reason", "vol", "--until", "3d")
    assert code == 0
    assert re.fullmatch(
        rf"Teleservice infopatient is closed since {PARIS}, until {PARIS}\. In force within a second; "
        r"what is under way ends by itself\.\n",
        out,
    )
    code, out, _ = herse("teleservice", "list")
    assert code == 0
    assert re.fullmatch(rf"home         open\ninfopatient  closed since {PARIS}, until {PARIS} \(vol, by .+\)\n", out)
    code, out, _ = herse("teleservice", "open", "infopatient", "--reason", "fini")
    assert (code, out) == (0, "Teleservice infopatient is open again.\n")
    assert herse("teleservice", "list")[1] == "home         open\ninfopatient  open\n"
    closed, opened = events(folder)
    assert (closed.kind, closed.teleservice, closed.reason) == ("teleservice-closed", "infopatient", "vol")
    assert re.fullmatch(r"until 2\d{3}-.*\+00:00; asked by .+", closed.details)
    assert (opened.kind, opened.reason) == ("teleservice-opened", "fini")


def test_the_portal_and_a_teleservice_that_the_policy_has_no_more(herse, folder):
    herse("teleservice", "close", "home", "--reason", "vol")
    assert herse("portal", "close", "--reason", "vol")[0] == 0
    text = lookup_policy()
    (folder / "policy.yaml").write_text(text.replace("  home:", "  accueil:"), encoding="utf-8")
    code, out, _ = herse("teleservice", "list")
    assert code == 0
    lines = out.splitlines()
    assert re.fullmatch(rf"The whole portal is closed since {PARIS}, until it is opened \(vol, by .+\)\.", lines[0])
    assert lines[1:3] == ["accueil      open", "infopatient  open"]
    assert lines[3].startswith("home         closed since ")
    assert lines[3].endswith("; the policy in force has no such teleservice (any more)")
    assert herse("portal", "open", "--reason", "x")[:2] == (0, "The portal is open again.\n")
    assert herse("teleservice", "open", "home", "--reason", "x")[0] == 0
    assert json.loads((folder / "state" / "switches.json").read_text())["closed"] == []


def test_what_cannot_be_closed_is_a_sentence_and_exit_1(herse, folder):
    code, _, err = herse("teleservice", "close", "infopatiant", "--reason", "vol")
    assert (code, err) == (
        1,
        "herse: found 'infopatiant' as teleservice; expected one that the policy has: home, infopatient\n",
    )
    code, _, err = herse("portal", "close", "--reason", "vol", "--until", "2020-01-01T10:00")
    assert code == 1
    assert "found 2020-01-01T09:00:00+00:00 as --until; expected a time after" in err
    assert herse("portal", "open", "--reason", "x")[2] == "herse: the portal is not closed; closed now: nothing\n"
    assert herse("portal", "close", "--reason", " ")[0] == 1
    with pytest.raises(SystemExit):
        herse("portal", "close")
    assert events(folder) == []
    (folder / "policy.yaml").write_text("x: 1\n")
    assert herse("teleservice", "close", "home", "--reason", "vol")[0] == 2
    (folder / "state" / "switches.json").write_text("{}")
    code, _, err = herse("portal", "close", "--reason", "vol")
    assert code == 2
    assert "switches.json does not tell what is closed ('version' is missing)" in err


def test_notices_from_setting_to_clearing(herse):
    assert herse("notice", "list")[1] == "There is no notice.\n"
    code, out, _ = herse("notice", "set", "--about", "rib", "--until", "7d", "--reason", "vol")
    assert code == 0
    assert out.startswith("Notice 1 is set:\n\n    Nous ne vous demandons jamais un RIB complet")
    own = ["--fr", "Demain", "--en", "Tomorrow", "--from", "1d", "--until", "2d"]
    assert herse("notice", "set", *own, "--reason", "vol")[0] == 0
    code, out, _ = herse("notice", "list")
    assert re.search(rf"^1: shown, {PARIS} to {PARIS} \(vol\)$", out, re.MULTILINE)
    assert re.search(rf"^2: to come, {PARIS} to {PARIS} \(vol\)\n    Demain\n    Tomorrow$", out, re.MULTILINE)
    assert herse("notice", "clear", "1", "--reason", "fini")[1] == "Notices taken away: 1.\n"
    assert herse("notice", "clear", "1", "--reason", "fini")[2] == "herse: there is no notice 1; found: 2\n"
    assert herse("notice", "clear", "--all", "--reason", "fini")[0] == 0


@pytest.mark.parametrize("words", [[], ["--fr", "x"], ["--about", "rib", "--fr", "x", "--en", "y"]])
def test_a_notice_is_ready_made_or_whole(herse, words):
    code, _, err = herse("notice", "set", *words, "--until", "1d", "--reason", "x")
    assert (code, err) == (2, "herse: expected either --about, or both --fr and --en; nothing is shown\n")


def sign_in(folder, count):
    engine, ours = accounts(folder)
    sessions, at = Sessions(engine, timedelta(minutes=30), timedelta(hours=4)), datetime.now(UTC)
    for _ in range(count):
        sessions.open(ours.find(PHARMACY), [], at, None, None)
    engine.dispose()


def test_sign_out_of_names_of_a_list_and_of_all(herse, folder):
    sign_in(folder, 2)
    code, out, _ = herse("account", "sign-out", PHARMACY, "--reason", "vol")
    assert (code, out) == (0, "Signed out: sessions ended: 2, of accounts: 1.\n")
    sign_in(folder, 1)
    (folder / "list.txt").write_text(f"# who\n{PHARMACY}  # the one\n\nNOBODY\n", encoding="utf-8-sig")
    code, out, err = herse("account", "sign-out", "--file", str(folder / "list.txt"), "--reason", "vol")
    assert (code, out) == (1, "")
    assert err == (
        "herse: Signed out: sessions ended: 1, of accounts: 1. These are no accounts, and nothing was done about them:"
        " NOBODY\n"
    )
    sign_in(folder, 3)
    code, out, _ = herse("account", "sign-out", "--all", "--reason", "vol")
    assert (code, out) == (0, "Everybody is signed out: sessions ended: 3, of accounts: 1.\n")
    assert kinds(folder)[1:] == [("sessions-ended", "vol")] * 3


def test_a_list_that_is_longer_than_a_command_is_sent_in_parts(herse, folder):
    sign_in(folder, 1)
    names = [f"NOBODY-{number}" for number in range(2_500)]
    (folder / "list.txt").write_text("\n".join([*names, PHARMACY]), encoding="utf-8")
    code, _, err = herse("account", "sign-out", "--file", str(folder / "list.txt"), "--reason", "vol")
    assert code == 1
    assert "sessions ended: 1, of accounts: 1." in err
    assert "NOBODY-2499" in err


def test_a_sign_out_that_is_not_clear_is_exit_2(herse, folder):
    for words in ([], [PHARMACY, "--all"], ["--all", "--file", "x"]):
        code, _, err = herse("account", "sign-out", *words, "--reason", "vol")
        assert (code, err) == (2, "herse: expected one of: accounts by name, --file, --all; nobody is signed out\n")
    code, _, err = herse("account", "sign-out", "--file", "not-there", "--reason", "vol")
    assert (code, err) == (
        2,
        "herse: not-there: found No such file or directory; expected a text file with one account a line\n",
    )
    (folder / "list.txt").write_text("# nobody\n")
    code, _, err = herse("account", "sign-out", "--file", str(folder / "list.txt"), "--reason", "vol")
    assert code == 2
    assert "found no name; expected one account a line. Nobody is signed out." in err
    (folder / "list.txt").write_bytes(b"\xff")
    assert (
        "bytes that are not UTF-8"
        in herse("account", "sign-out", "--file", str(folder / "list.txt"), "--reason", "v")[2]
    )


def test_an_account_is_frozen_and_thawed_by_the_acts_that_lock_and_unlock_it(herse, folder):
    sign_in(folder, 1)
    assert herse("account", "freeze", PHARMACY, "--reason", "vol")[1] == (
        f"Account {PHARMACY} is locked; sessions ended: 1.\n"
    )
    assert herse("account", "thaw", PHARMACY, "--reason", "fini")[0] == 0
    assert kinds(folder)[1:] == [("account-locked", "vol"), ("account-unlocked", "fini")]
    with pytest.raises(SystemExit):
        herse("account", "freeze", PHARMACY)
