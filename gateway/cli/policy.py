# SPDX-License-Identifier: EUPL-1.2
"""`herse policy check | explain | test`: reads files, prints, and turns outcomes into exit codes. Decides nothing.

Exit codes: 0 all well, 1 a case failed, 2 the question could not be answered (a file with faults, a case that is none).
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentTypeError
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.nouns import NOUNS
from gateway.errors import ConfigurationError, Fault, Refused
from gateway.model import AccessRequest, Level
from gateway.policy.cases import LEVELS, METHODS, Outcome, delegated, load_cases, proved, run_cases, subject_at
from gateway.policy.checks import trials
from gateway.policy.durations import parse_day, parse_duration
from gateway.policy.evaluate import evaluate
from gateway.policy.explain import explanation
from gateway.policy.load import load_policy
from gateway.policy.target import canonical
from gateway.policy.tree import MAX_BYTES

if TYPE_CHECKING:
    import argparse
    from datetime import date, timedelta

    from gateway.model import Method, Subject
    from gateway.policy.rules import Policy

_CASES_SUFFIX = ".cases.yaml"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `policy` and its verbs. Each sets `run`, a function from the parsed arguments to an exit code."""
    policy = subparsers.add_parser("policy", help=NOUNS["policy"])
    verbs = policy.add_subparsers(dest="verb", required=True)

    check = verbs.add_parser("check", help="tell every fault of a policy file; exit 2 if there is one")
    check.add_argument("file", type=Path, metavar="FILE")
    check.set_defaults(run=run_check)

    explain = verbs.add_parser("explain", help="show how each criterion of each rule meets a request")
    explain.add_argument("file", type=Path, metavar="FILE")
    _add_subject(explain)
    explain.add_argument("--upgrade", action="store_true", help="the request asks for a WebSocket")
    explain.add_argument("method", metavar="METHOD")
    explain.add_argument("url", metavar="URL", help="a path such as /infopatient, or a whole URL")
    explain.set_defaults(run=run_explain)

    test = verbs.add_parser("test", help="run the cases beside a policy file")
    test.add_argument("file", type=Path, metavar="FILE")
    test.add_argument("--cases", type=Path, metavar="FILE", help=f"default: FILE with {_CASES_SUFFIX}")
    test.set_defaults(run=run_test)


def _add_subject(explain: argparse.ArgumentParser) -> None:
    """Add the options that tell who asks, when, and what he proved."""
    explain.add_argument(
        "--as", dest="account", type=str.upper, metavar="ACCOUNT", help="who asks (nobody signed in if left out)"
    )
    explain.add_argument("--profession", metavar="P", help="such as pharmacist or physician")
    what = explain.add_mutually_exclusive_group()
    what.add_argument("--assurance", choices=[*LEVELS], default="password", metavar="LEVEL", help=", ".join(LEVELS))
    what.add_argument("--methods", type=_methods, metavar="M,M", help=f"what was proved: {', '.join(METHODS)}")
    explain.add_argument("--proved-ago", type=_ago, default="0s", metavar="D", help="how long ago, such as 5m or 4h")
    explain.add_argument("--delegate", metavar="T,T", help="for the account acts a delegate who was given these only")
    explain.add_argument("--until", type=_day, metavar="DAY", help="the last day of a delegate (UTC)")
    explain.add_argument("--day", type=_day, metavar="DAY", help="when it is asked, at noon UTC (now if left out)")


def run_check(args: argparse.Namespace) -> int:
    """Load the file and say what it holds."""
    try:
        policy = read_policy(args.file)
    except ConfigurationError as error:
        return _tell(error)
    routes = sum(len(rule.routes) for rule in policy.rules)
    held = f"{policy.name}: {len(policy.rules)} teleservices, {routes} routes, policy {policy.digest}"
    print(f"{args.file}: no fault ({held})")
    for trial in trials(policy, datetime.now(UTC).date()):
        print(f"  {trial}")
    return 0


def run_explain(args: argparse.Namespace) -> int:
    """Judge one request and show how it came about."""
    try:
        policy = read_policy(args.file)
    except ConfigurationError as error:
        return _tell(error)
    wrong = _wrong_subject(args, policy)
    if wrong is not None:
        print(f"herse: {wrong}", file=sys.stderr)
        return 2
    at = datetime.now(UTC) if args.day is None else datetime.combine(args.day, time(12), UTC)
    subject = _subject(args, at)
    try:
        path, _ = canonical(_target(args.url))
    except Refused as refused:
        print(f"verdict: DENY {refused.reason} (before any rule: this target has another spelling, or is none)")
        return 0
    request = AccessRequest(subject, args.method, path, at, args.upgrade)
    print(f"{args.method} as {_who(subject)}\n")
    print(explanation(evaluate(policy, request, explain=True)))
    return 0


def run_test(args: argparse.Namespace) -> int:
    """Run the cases and report each of them."""
    file = args.cases or args.file.with_suffix(_CASES_SUFFIX)
    try:
        policy = read_policy(args.file)
        report = run_cases(policy, load_cases(_read(file), str(file), policy))
    except ConfigurationError as error:
        return _tell(error)
    for result in report.results:
        print(f"{result.outcome:<8}{result.case.name}{': ' if result.detail else ''}{result.detail}")
    for name in report.untouched:
        print(f"warning: no case touches the teleservice `{name}`: add one to {file}")
    print(", ".join(f"{report.count(outcome)} {outcome}" for outcome in Outcome))
    return report.exit_code


def read_policy(file: Path) -> Policy:
    """The policy in a file; ConfigurationError with every fault."""
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


def _day(text: str) -> date:
    try:
        return parse_day(text)
    except ValueError as error:
        raise ArgumentTypeError(f"expected {error}, found {text!a}") from None


def _methods(text: str) -> tuple[Method, ...]:
    words = text.split(",")
    for word in words:
        if word not in METHODS:
            raise ArgumentTypeError(f"expected some of {', '.join(METHODS)} with commas between, found {word!a}")
    return tuple(METHODS[word] for word in words)


def _wrong_subject(args: argparse.Namespace, policy: Policy) -> str | None:
    """What does not fit together in the options about who asks."""
    if args.account is None and (args.delegate is not None or args.methods is not None):
        option = "--methods" if args.delegate is None else "--delegate"
        return f"found {option} without --as; expected the account that it is about, such as --as 750012346"
    if args.until is not None and args.delegate is None:
        return "found --until without --delegate; it is the last day of a delegate"
    known = [rule.name for rule in policy.rules]
    for name in _given(args):
        if name not in known:
            return f"found the teleservice {name!a} in --delegate; expected some of {', '.join(known)}"
    return None


def _given(args: argparse.Namespace) -> list[str]:
    return [] if args.delegate is None else args.delegate.split(",")


def _subject(args: argparse.Namespace, at: datetime) -> Subject:
    subject = subject_at(args.account, args.profession, LEVELS[args.assurance], at - args.proved_ago)
    if args.methods is not None:
        subject = replace(subject, assurance=proved(args.methods, at - args.proved_ago))
    if args.delegate is not None:
        subject = replace(subject, delegation=delegated(_given(args), args.until, at))
    return subject


def _who(subject: Subject) -> str:
    if subject.account is None:
        return "nobody signed in"
    acting = "" if subject.delegation is None else "a delegate of "
    return f"{acting}{subject.account} ({_worth(subject.assurance.level)})"


def _worth(level: Level) -> str:
    return "nothing proved" if level is Level.NONE else level.name.lower()


def _target(url: str) -> bytes:
    """The request target in a URL: what comes after scheme and host, by no other parser than ours."""
    scheme, found, rest = url.partition("://")
    if not found or scheme not in {"http", "https"}:
        return os.fsencode(url)
    return os.fsencode(f"/{rest.partition('/')[2]}")
