# SPDX-License-Identifier: EUPL-1.2
"""`herse policy check | explain | test`: reads files, prints, and turns outcomes into exit codes. Decides nothing.

Exit codes: 0 all well, 1 a case failed, 2 the question could not be answered (a file with faults, a case that is none).
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.errors import ConfigurationError, Fault, Refused
from gateway.model import AccessRequest, Level
from gateway.policy.cases import AT, LEVELS, Outcome, load_cases, run_cases, subject_at
from gateway.policy.durations import parse_duration
from gateway.policy.evaluate import evaluate
from gateway.policy.explain import explanation
from gateway.policy.load import load_policy
from gateway.policy.target import canonical
from gateway.policy.tree import MAX_BYTES

if TYPE_CHECKING:
    import argparse
    from datetime import timedelta

    from gateway.policy.rules import Policy

_CASES_SUFFIX = ".cases.yaml"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `policy` and its verbs. Each sets `run`, a function from the parsed arguments to an exit code."""
    policy = subparsers.add_parser("policy", help="check, explain and test policy files")
    verbs = policy.add_subparsers(dest="verb", required=True)

    check = verbs.add_parser("check", help="tell every fault of a policy file; exit 2 if there is one")
    check.add_argument("file", type=Path, metavar="FILE")
    check.set_defaults(run=run_check)

    explain = verbs.add_parser("explain", help="show how each criterion of each rule meets a request")
    explain.add_argument("file", type=Path, metavar="FILE")
    explain.add_argument(
        "--as", dest="account", type=str.upper, metavar="ACCOUNT", help="who asks (nobody signed in if left out)"
    )
    explain.add_argument("--profession", metavar="P", help="such as pharmacist or physician")
    explain.add_argument("--assurance", choices=[*LEVELS], default="password", metavar="LEVEL", help=", ".join(LEVELS))
    explain.add_argument("--proved-ago", type=_ago, default="0s", metavar="D", help="how long ago, such as 5m or 4h")
    explain.add_argument("--upgrade", action="store_true", help="the request asks for a WebSocket")
    explain.add_argument("method", metavar="METHOD")
    explain.add_argument("url", metavar="URL", help="a path such as /infopatient, or a whole URL")
    explain.set_defaults(run=run_explain)

    test = verbs.add_parser("test", help="run the cases beside a policy file")
    test.add_argument("file", type=Path, metavar="FILE")
    test.add_argument("--cases", type=Path, metavar="FILE", help=f"default: FILE with {_CASES_SUFFIX}")
    test.set_defaults(run=run_test)


def run_check(args: argparse.Namespace) -> int:
    """Load the file and say what it holds."""
    try:
        policy = _policy(args.file)
    except ConfigurationError as error:
        return _tell(error)
    routes = sum(len(rule.routes) for rule in policy.rules)
    held = f"{policy.name}: {len(policy.rules)} teleservices, {routes} routes, policy {policy.digest}"
    print(f"{args.file}: no fault ({held})")
    return 0


def run_explain(args: argparse.Namespace) -> int:
    """Judge one request and show how it came about."""
    try:
        policy = _policy(args.file)
    except ConfigurationError as error:
        return _tell(error)
    subject = subject_at(args.account, args.profession, LEVELS[args.assurance], AT - args.proved_ago)
    try:
        path, _ = canonical(_target(args.url))
    except Refused as refused:
        print(f"verdict: DENY {refused.reason} (before any rule: this target has another spelling, or is none)")
        return 0
    request = AccessRequest(subject, args.method, path, AT, args.upgrade)
    who = "nobody signed in" if subject.account is None else f"{subject.account} ({_worth(subject.assurance.level)})"
    print(f"{args.method} as {who}\n")
    print(explanation(evaluate(policy, request, explain=True)))
    return 0


def run_test(args: argparse.Namespace) -> int:
    """Run the cases and report each of them."""
    file = args.cases or args.file.with_suffix(_CASES_SUFFIX)
    try:
        policy = _policy(args.file)
        report = run_cases(policy, load_cases(_read(file), str(file), policy))
    except ConfigurationError as error:
        return _tell(error)
    for result in report.results:
        print(f"{result.outcome:<8}{result.case.name}{': ' if result.detail else ''}{result.detail}")
    for name in report.untouched:
        print(f"warning: no case touches the teleservice `{name}`: add one to {file}")
    print(", ".join(f"{report.count(outcome)} {outcome}" for outcome in Outcome))
    return report.exit_code


def _policy(file: Path) -> Policy:
    return load_policy(_read(file), str(file))


def _read(file: Path) -> str:
    """The text of a file, of which no more than the loader takes is read. Raises ConfigurationError."""
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1).decode("utf-8")
    except OSError as error:
        found, expected = error.strerror or str(error), "a file that can be read"
    except UnicodeDecodeError as error:
        found, expected = f"bytes that are not UTF-8 at {error.start}", "text in UTF-8"
    raise ConfigurationError([Fault(str(file), None, "file", found, expected)])


def _tell(error: ConfigurationError) -> int:
    for fault in error.faults:
        print(fault, file=sys.stderr)
    return 2


def _ago(text: str) -> timedelta:
    try:
        return parse_duration(text, shortest=parse_duration("1s") * 0)
    except ValueError as error:
        raise ArgumentTypeError(f"expected {error}") from None


def _worth(level: Level) -> str:
    return "nothing proved" if level is Level.NONE else level.name.lower()


def _target(url: str) -> bytes:
    """The request target in a URL: what comes after scheme and host, by no other parser than ours."""
    scheme, found, rest = url.partition("://")
    if not found or scheme not in {"http", "https"}:
        return os.fsencode(url)
    return os.fsencode(f"/{rest.partition('/')[2]}")
