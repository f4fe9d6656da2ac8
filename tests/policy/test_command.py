# SPDX-License-Identifier: EUPL-1.2
"""`herse policy check | explain | test`, and the demo policy that people learn from."""

import argparse
from pathlib import Path

import pytest

from gateway.cli.policy import add_parser
from gateway.policy.cases import Outcome, load_cases, run_cases
from gateway.policy.load import load_policy

POLICIES = Path(__file__).parents[2] / "policies"
DEMO = POLICIES / "demo.yaml"
SMALL = """\
version: 1
portal: house
title: House
teleservices:
  home: {title: Home, routes: [GET /], assurance: password}
  other: {title: Other, routes: [GET /other], assurance: card}
"""

DELEGATE = ("--as", "A-1", "--delegate", "home")
IN_MAY = ("--day", "2026-05-31")


def run(*args: str | Path) -> int:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers(required=True))
    parsed = parser.parse_args(["policy", *map(str, args)])
    code = parsed.run(parsed)
    assert isinstance(code, int)
    return code


@pytest.fixture
def small(tmp_path: Path) -> Path:
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    return file


def cases(file: Path, *lines: str) -> Path:
    beside = file.with_suffix(".cases.yaml")
    beside.write_text("version: 1\nportal: house\ncases:\n" + "".join(f"  - {{{line}}}\n" for line in lines))
    return beside


def test_the_demo_policy_passes_its_cases_and_they_touch_every_rule() -> None:
    policy = load_policy(DEMO.read_text("utf-8"), "demo.yaml")
    report = run_cases(policy, load_cases((POLICIES / "demo.cases.yaml").read_text("utf-8"), "demo.cases.yaml", policy))
    assert [result for result in report.results if result.outcome is not Outcome.PASS] == []
    assert report.untouched == ()


def test_check_says_what_a_file_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", DEMO) == 0
    assert "no fault (amelipro-demo: 10 teleservices, 15 routes, policy " in capsys.readouterr().out


def test_check_tells_every_fault(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small.write_text(SMALL.replace("House", "no").replace("card", "mfa, fresh_for: 22:30"))
    assert run("check", small) == 2
    told = capsys.readouterr()
    assert told.out == ""
    quotes = "(in quotes if YAML would read something else)"
    key, duration = "teleservices.other.fresh_for", "a duration such as 30s, 15m, 4h or 7d"
    assert told.err.splitlines() == [
        f"{small}:3: title: found `no`, which YAML reads as bool; expected text {quotes}",
        f"{small}:6: {key}: found `22:30`, which YAML reads as int; expected {duration} {quotes}",
    ]


def test_files_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    binary = tmp_path / "b.yaml"
    binary.write_bytes(b"version: \xff")
    big = tmp_path / "big.yaml"
    big.write_bytes(b"#" * 2_000_000)
    for file, told in (
        (tmp_path / "none.yaml", "No such file"),
        (tmp_path, "directory"),
        (binary, "UTF-8"),
        (big, "bytes"),
    ):
        for verb in ("check", "test"):
            assert run(verb, file) == 2
            assert told in capsys.readouterr().err
        assert run("explain", file, "GET", "/") == 2
        assert told in capsys.readouterr().err


def test_explain_shows_each_criterion_and_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    args = ("--as", "750012346", "--profession", "pharmacist", "--assurance", "mfa", "--proved-ago", "5h")
    assert run("explain", DEMO, *args, "GET", "https://portal.example/infopatient/1?x=1") == 0
    told = capsys.readouterr().out
    assert told.startswith("GET as 750012346 (mfa)\n")
    assert "profession  hit    wants pharmacist or physician; found pharmacist" in told
    assert "freshness   may    wants mfa proved at most 4h ago; found mfa proved 5h ago" in told
    assert "profession  miss   wants physician; found pharmacist" in told
    assert "hit: fits   miss: does not fit   may: would fit" in told
    assert "verdict: CHALLENGE second-factor-stale (teleservice infopatient, policy " in told


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("GET", "/accueil"), "GET as nobody signed in\n"),
        (("GET", "/accueil"), "verdict: CHALLENGE sign-in-required (teleservice home"),
        (("--as", "a-1", "GET", "http://portal.example"), "GET as A-1 (password)\n"),
        (("--as", "A-1", "GET", "http://portal.example"), "verdict: PERMIT permitted (teleservice home"),
        (("--as", "A-1", "--assurance", "none", "GET", "/"), "GET as A-1 (nothing proved)\n"),
        (("--as", "A-1", "--methods", "psc", "GET", "/accueil"), "GET as A-1 (mfa)\n"),
        (("--as", "A-1", "--methods", "hwk,sc", "GET", "/accueil"), "GET as A-1 (card)\n"),
        ((*DELEGATE, "GET", "/accueil"), "GET as a delegate of A-1 (password)\n"),
        ((*DELEGATE, "GET", "/accueil"), "verdict: PERMIT permitted (teleservice home"),
        (("--as", "A-1", "--delegate", "static,aat", "GET", "/accueil"), "verdict: DENY not-delegated"),
        ((*DELEGATE, "--until", "2026-05-31", *IN_MAY, "GET", "/accueil"), "verdict: PERMIT permitted"),
        ((*DELEGATE, "--until", "2026-05-30", *IN_MAY, "GET", "/accueil"), "verdict: DENY delegation-ended"),
        (("--as", "A-1", "--upgrade", "GET", "/ws"), "verdict: PERMIT permitted (teleservice conversation"),
        (("--as", "A-1", "--upgrade", "GET", "/"), "verdict: DENY upgrade-not-allowed"),
        (("GET", "/static/../accueil"), "verdict: DENY path-ambiguous (before any rule"),
        (("GET", "https://portal.example//accueil"), "verdict: DENY path-ambiguous"),
        (("GET", "ftp://portal.example/accueil"), "verdict: DENY malformed-request"),
        (("GET", "/\udcff"), "verdict: DENY malformed-request"),
    ],
)
def test_explain_for_all_kinds_of_people_and_urls(
    args: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("explain", DEMO, *args) == 0
    assert told in capsys.readouterr().out


@pytest.mark.parametrize(
    "args",
    [
        ("--proved-ago", "yesterday"),
        ("--assurance", "sms"),
        ("--methods", "pwd,sms"),
        ("--day", "9999-12-31"),
        ("--until", "tomorrow"),
    ],
)
def test_explain_refuses_what_it_does_not_know(args: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        run("explain", DEMO, *args, "GET", "/")
    assert left.value.code == 2
    assert args[0] in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--methods", "pwd"), "found --methods without --as; expected the account"),
        (("--delegate", "home"), "found --delegate without --as; expected the account"),
        (("--as", "A-1", "--until", "2026-05-31"), "found --until without --delegate"),
        (
            ("--as", "A-1", "--delegate", "home,nope"),
            "the teleservice 'nope' in --delegate; expected some of home,",
        ),
        (("--as", "A-1", "--delegate", ""), "found the teleservice '' in --delegate; expected some of home,"),
    ],
)
def test_explain_refuses_what_does_not_fit_together(
    args: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("explain", DEMO, *args, "GET", "/") == 2
    printed = capsys.readouterr()
    assert told in printed.err
    assert not printed.out


def test_explain_asks_for_today_unless_a_day_is_named(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An attestation whose day is over explains as it serves."""
    ended = "attestation: {reference: A-1, until: 2020-12-31}, discloses: [identity], uncounted: why,"
    small.write_text(SMALL.replace("title: Other,", f"title: Other, {ended}").replace("card", "mfa"))
    asked = ("--as", "A-1", "--assurance", "mfa")
    assert run("explain", small, *asked, "GET", "/other") == 0
    assert "verdict: CHALLENGE card-required" in capsys.readouterr().out
    assert run("explain", small, *asked, "--day", "2020-12-31", "GET", "/other") == 0
    assert "verdict: PERMIT permitted (teleservice other" in capsys.readouterr().out


def test_test_reports_each_case(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    beside = cases(
        small, "name: a, request: GET /, expect: challenge", "name: b, request: GET /, expect: deny, skip: why"
    )
    assert run("test", small) == 0
    assert capsys.readouterr().out.splitlines() == [
        "PASS    a",
        "SKIPPED b: why",
        f"warning: no case touches the teleservice `other`: add one to {beside}",
        "1 PASS, 0 FAIL, 1 SKIPPED, 0 ERROR",
    ]


def test_the_exit_code_of_test(small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases(small, "name: a, request: GET /, expect: deny", "name: b, request: GET /other, expect: challenge")
    assert run("test", small) == 1
    assert "FAIL    a: found challenge (sign-in-required) by rule home, expected deny" in capsys.readouterr().out
    cases(small, "name: a, request: GET, expect: deny", "name: b, request: GET /, expect: deny")
    assert run("test", small) == 2
    assert "ERROR   a: found the request `GET`" in capsys.readouterr().out
    assert run("test", small, "--cases", tmp_path / "none.yaml") == 2
    assert "none.yaml: file: found No such file" in capsys.readouterr().err
    cases(small, "name: a, request: GET /, expect: maybe")
    assert run("test", small) == 2
    assert "small.cases.yaml:4: cases[0].expect: found `maybe`" in capsys.readouterr().err
