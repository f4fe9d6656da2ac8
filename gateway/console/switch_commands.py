# SPDX-License-Identifier: EUPL-1.2
"""The commands of switches and of forced sign-outs by name, from and to plain JSON values.

What they do stands in `switch_operations` and `sign_out_operations`; here values are read, and no more.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from gateway.console.asked import text_of
from gateway.console.switch_operations import ready_made
from gateway.pages.announcement_words import Text
from gateway.switches import SwitchError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.console.sign_out_operations import SignOutOperations
    from gateway.console.switch_operations import SwitchOperations

    Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


_text = partial(text_of, SwitchError)


def switch_handlers(operations: SwitchOperations, clock: Callable[[], datetime]) -> dict[str, Handler]:
    """`clock` tells each its time."""

    async def close(teleservice: str | None, arguments: dict[str, Any]) -> dict[str, Any]:
        ends = None if arguments.get("until") is None else _moment(arguments, "until")
        closure = await operations.close(teleservice, _text(arguments, "reason"), ends, clock())
        return {"since": closure.since.isoformat(), "until": None if ends is None else ends.isoformat()}

    async def open_(teleservice: str | None, arguments: dict[str, Any]) -> dict[str, Any]:
        await operations.open(teleservice, _text(arguments, "reason"), clock())
        return {}

    async def listed(_arguments: dict[str, Any]) -> dict[str, Any]:
        return await asyncio.to_thread(operations.listed, clock())

    return {
        # A teleservice without a name is none, and never the portal.
        "teleservice.close": lambda arguments: close(_text(arguments, "teleservice"), arguments),
        "teleservice.open": lambda arguments: open_(_text(arguments, "teleservice"), arguments),
        "teleservice.list": listed,
        "portal.close": lambda arguments: close(None, arguments),
        "portal.open": lambda arguments: open_(None, arguments),
        **_notice_handlers(operations, clock),
    }


def _notice_handlers(operations: SwitchOperations, clock: Callable[[], datetime]) -> dict[str, Handler]:
    async def announce(arguments: dict[str, Any]) -> dict[str, Any]:
        at = clock()
        if arguments.get("about") is None:
            text = Text(_text(arguments, "fr"), _text(arguments, "en"))
        else:
            text = ready_made(_text(arguments, "about"))
        since = at if arguments.get("since") is None else _moment(arguments, "since")
        until = _moment(arguments, "until")
        number = await operations.announce(text, since, until, _text(arguments, "reason"), at)
        return {"number": number, "fr": text.fr, "en": text.en}

    async def clear(arguments: dict[str, Any]) -> dict[str, Any]:
        number = arguments.get("number")
        if number is not None and type(number) is not int:
            raise SwitchError(f"found {number!a} as number of a notice; expected a whole number")
        return {"cleared": await operations.clear(number, _text(arguments, "reason"), clock())}

    async def listed(_arguments: dict[str, Any]) -> dict[str, Any]:
        return {"notices": operations.announcements(clock())}

    return {"notice.set": announce, "notice.clear": clear, "notice.list": listed}


def sign_out_handlers(operations: SignOutOperations, clock: Callable[[], datetime]) -> dict[str, Handler]:
    """`clock` tells each its time."""

    async def sign_out(arguments: dict[str, Any]) -> dict[str, Any]:
        everybody, chosen = arguments.get("all") is True, arguments.get("accounts", [])
        if not isinstance(chosen, list) or not all(isinstance(one, str) for one in chosen):
            raise SwitchError(f"found {chosen!a} as accounts; expected a list of texts")
        if everybody == bool(chosen):
            raise SwitchError("expected either accounts by name or all of them")
        reason = _text(arguments, "reason")
        ended, unknown = await operations.sign_out(None if everybody else chosen, reason, clock())
        return {"accounts": len(ended), "sessions_ended": sum(ended.values()), "unknown": unknown}

    return {"account.sign-out": sign_out}


def _moment(arguments: dict[str, Any], name: str) -> datetime:
    """A moment with its offset from UTC; in UTC from here on."""
    text = _text(arguments, name)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = datetime.min  # noqa: DTZ901  # naive, and refused as such
    if at.tzinfo is None:
        raise SwitchError(f"found {text!a} as {name}; expected a moment such as 2026-11-22T18:00:00+00:00")
    return at.astimezone(UTC)
