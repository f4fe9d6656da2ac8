# SPDX-License-Identifier: EUPL-1.2
"""`herse account create | invite | lock | unlock | wake | mail | password-campaign`. `breached`, `release`,
`report` and `sign-out` have files of their own.

This file reads the command line and prints. What is done, and recorded, stands in `console.account_operations`.
"""

from __future__ import annotations

import re
import sys
from argparse import ArgumentTypeError
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli import account_report, breached, release, sign_out
from gateway.cli.nouns import NOUNS
from gateway.cli.outcome import told
from gateway.cli.performing import perform
from gateway.console.account_operations import LONGEST_INVITATION
from gateway.identity.identifiers import PROFESSIONS
from gateway.settings import load_settings

if TYPE_CHECKING:
    import argparse

_DURATION = re.compile(r"([1-9][0-9]{0,5})([dhm])")
_SAME_AS = {"freeze": "lock", "thaw": "unlock"}
"""Words of a bad day for acts that there are: an account is in one state or the other, and each has one event."""
_WITH_REASON = {
    "lock": "end its sessions and let nobody sign in",
    "freeze": "the same as lock",
    "unlock": "let it sign in again",
    "thaw": "the same as unlock",
    "wake": "let it sign in again after six months unused",
}
_UNIT_SECONDS = {"d": 86_400, "h": 3_600, "m": 60}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `account` and its acts; each sets `run`, called with the parsed arguments, which returns the exit code."""
    account = subparsers.add_parser("account", help=NOUNS["account"])
    acts = account.add_subparsers(dest="act", required=True, metavar="ACT")

    create = _act(acts, "create", "create an account; it can do nothing until it is invited")
    create.add_argument("--title", required=True, help="name of the practice, as its holders know it")
    create.add_argument("--profession", required=True, choices=PROFESSIONS)
    create.add_argument("--rpps", help="RPPS number of the practitioner, 11 digits")
    create.add_argument("--mail", metavar="ADDRESS", help="where its holder is told what concerns its security")
    create.add_argument(
        "--holder",
        action="append",
        default=[],
        metavar="NAME[,RPPS]",
        dest="holders",
        help="a person who uses the account; may be repeated",
    )

    invite = _act(acts, "invite", "print a one-time code with which the account chooses its password")
    invite.add_argument(
        "--valid-for", type=_duration, default="7d", metavar="TIME", help="such as 7d, 12h (default 7d)"
    )

    for name, text in _WITH_REASON.items():
        _act(acts, name, text).add_argument("--reason", required=True, help="kept with the event")

    _add_mail(acts)
    _add_campaign(acts)
    breached.add_parser(acts)
    release.add_parser(acts)
    sign_out.add_parser(acts)
    account_report.add_parser(acts)


def _add_mail(acts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _act(acts, "mail", "change its mail address; the old address is told")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("address", metavar="ADDRESS", nargs="?", help="one that is known to be the holder's")
    which.add_argument("--none", action="store_true", help="take the address away: the holder is told nothing any more")
    parser.add_argument("--reason", required=True, help="kept with the event")


def _add_campaign(acts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = acts.add_parser("password-campaign", help="ask accounts for a new password at their next sign-in")
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument(
        "--account", action="append", metavar="IDENTIFIER", dest="accounts", help="one account; may be repeated"
    )
    whom.add_argument("--all", action="store_true", help="every account that has a password")
    whom.add_argument("--status", action="store_true", help="how many have changed since they were asked")
    parser.add_argument("--reason", help="kept with each event, and shown by --status")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings of the gateway")
    parser.set_defaults(run=run)


def _act(acts: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str) -> argparse.ArgumentParser:
    parser = acts.add_parser(name, help=text)
    parser.add_argument(
        "identifier", metavar="IDENTIFIER", help="AM or FINESS number, or 3 to 32 letters, digits, hyphens"
    )
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings of the gateway")
    parser.set_defaults(run=run)
    return parser


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ArgumentTypeError(f"found {text!a}; expected a time such as 7d, 12h or 30m")
    found = timedelta(seconds=int(match[1]) * _UNIT_SECONDS[match[2]])
    if found > LONGEST_INVITATION:
        raise ArgumentTypeError(f"found {text!a}; expected at most {LONGEST_INVITATION.days}d")
    return found


def run(arguments: argparse.Namespace) -> int:
    """Do one act and print its outcome. 0: done; 1: refused, with a sentence; 2: settings or state not usable."""
    verb = _SAME_AS.get(arguments.act, arguments.act)
    campaign = verb == "password-campaign"
    if campaign and arguments.status == (arguments.reason is not None):
        print("herse: --reason goes with --account and --all, and not with --status", file=sys.stderr)
        return 2
    command = f"account.{verb}-status" if campaign and arguments.status else f"account.{verb}"

    def act() -> str:
        result = perform(load_settings(arguments.config), command, _values(arguments))
        return _campaign_sentence(result) if campaign else _sentence(verb, result)

    return told(act)


def _values(arguments: argparse.Namespace) -> dict[str, Any]:
    match arguments.act:
        case "create":
            names = ("identifier", "title", "profession", "rpps", "holders", "mail")
            return {name: getattr(arguments, name) for name in names}
        case "invite":
            seconds = int(arguments.valid_for.total_seconds())
            return {"identifier": arguments.identifier, "valid_for_seconds": seconds}
        case "mail":
            return {name: getattr(arguments, name) for name in ("identifier", "address", "reason")}
        case "password-campaign":
            chosen = {"all": True} if arguments.all else {"accounts": arguments.accounts}
            return {} if arguments.status else {**chosen, "reason": arguments.reason}
        case _:
            return {"identifier": arguments.identifier, "reason": arguments.reason}


def _campaign_sentence(result: dict[str, Any]) -> str:
    if "asked" in result:
        return (
            f"Accounts asked for a new password: {result['asked']} (those that were asked already are not counted).\n"
            "Each is asked at its next sign-in by password; open sessions go on. To follow: --status."
        )
    lines = [
        f"{one['reason']}, since {one['since']}, waiting: {one['waiting']}, changed: {one['done']}"
        + (f" ({one['note']})" if one["note"] else "")
        for one in result["campaigns"]
    ]
    return "\n".join(lines) or "No new password is asked of anybody."


def _sentence(act: str, result: dict[str, Any]) -> str:
    name = result["identifier"]
    match act:
        case "create":
            return f"Account {name} is created. It can sign in once it is invited: herse account invite {name}"
        case "invite":
            return (
                f"One-time code for account {name}, valid until {result['valid_until']}:\n\n    {result['code']}\n\n"
                "It is shown this once and works once. Give it to the holder in person or by post, never by e-mail.\n"
                "With it he chooses a password at /.herse/enrol, then adds a second factor.\n"
                "Codes given earlier are dead."
            )
        case "lock":
            return f"Account {name} is locked; sessions ended: {result['sessions_ended']}."
        case "wake":
            return (
                f"Account {name} is awake: it can sign in as before, or by card at any time.\n"
                f"If its holder has no password any more: herse account invite {name}"
            )
        case "mail":
            told = "the old address is told" if result["told"] else "there was no old address to tell"
            return f"Account {name} has {'its new' if result['address'] else 'no'} mail address now; {told}."
        case _:
            return f"Account {name} is unlocked; counted failures are forgotten."
