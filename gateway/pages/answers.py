# SPDX-License-Identifier: EUPL-1.2
"""A refusal or a challenge as an HTTP answer: a page, a redirect or problem details, by what the client accepts.

A browser that can do something about it is sent to sign-in or step-up; a program gets 401, 403 or 429 with
`WWW-Authenticate` (RFC 9470), `Retry-After` and the `RateLimit` fields (draft-ietf-httpapi-ratelimit-headers).
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from gateway.model import Counts, Effect, Reason
from gateway.pages.accept import qualities
from gateway.pages.budget_words import budget_members
from gateway.pages.closed_words import closed_members
from gateway.pages.headers import SECURITY_HEADERS
from gateway.pages.language import language
from gateway.pages.problem import PROBLEM_TYPE, problem
from gateway.pages.reasons import explanation
from gateway.pages.render import HTML_TYPE, refusal_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.model import Budget, Challenge, Decision, Method, Quota
    from gateway.pages.explanation import Explanation

Fields = list[tuple[bytes, bytes]]

SIGN_IN_PATH: Final = "/.herse/sign-in"
STEP_UP_PATH: Final = "/.herse/step-up"
CONTINUE_PATH: Final = "/.herse/continue"
_SEE_OTHER = 303


def wants_page(accept: bytes) -> bool:
    """Whether a person is reading: HTML is named, and JSON is not liked more. A bare `*/*` is a program."""
    asked = qualities(accept)
    html = max(asked.get("text/html", 0.0), asked.get("application/xhtml+xml", 0.0))
    return html > 0.0 and html >= asked.get("application/json", 0.0)


def redirect(decision: Decision, to: str, why: str = "") -> tuple[int, Fields, bytes]:
    """Send a browser on to prove more; `to` is the opaque reference of where it was going, `why` a slip."""
    reason = decision.reason
    if reason is Reason.SIGN_IN_REQUIRED:
        where = f"{SIGN_IN_PATH}?to={to}"
    else:
        named = _named(decision)
        methods = f"&methods={'.'.join(named)}" if named else ""
        where = f"{STEP_UP_PATH}?to={to}&reason={reason}{methods}{f'&why={why}' if why else ''}"
    return _SEE_OTHER, [*SECURITY_HEADERS, (b"location", where.encode("ascii"))], b""


def _named(decision: Decision) -> tuple[Method, ...]:
    """By which of them alone the proof is given."""
    if decision.spent is not None:
        return decision.spent.methods
    return decision.challenge.methods if decision.challenge and decision.reason is Reason.METHOD_REQUIRED else ()


def refusal(  # noqa: PLR0917  # one answer, told whole
    decision: Decision,
    accept: bytes,
    accept_language: bytes,
    instance: str,
    account: str | None = None,
    delegate: str | None = None,
    kept: str | None = None,
    told: Explanation | None = None,
) -> tuple[int, Fields, bytes]:
    """Status, fields and body of a decision that is not PERMIT; `account` is the title of who is signed in.

    `delegate` is the name of who acts for it, if it is not its holder.
    `kept` refers to what was sent and now waits for a proof: the problem document says where it is confirmed. `told`
    says more than the reason's own words do.
    """
    reason = decision.reason
    tongue = language(accept_language)
    wait = decision.retry_after_seconds
    fields: Fields = [*SECURITY_HEADERS, (b"content-language", tongue.encode("ascii"))]
    fields += [(b"vary", b"accept, accept-language"), *_limits(decision)]
    if wait is not None:
        fields.append((b"retry-after", b"%d" % wait))
    if decision.effect is Effect.CHALLENGE:
        fields.append((b"www-authenticate", _authenticate(decision.challenge)))
    if wants_page(accept):
        wait = None if decision.closed is not None else wait  # the page of a closure says until when, not for how long
        body = refusal_page(
            reason, tongue, account=account, delegate=delegate, instance=instance, retry_after_seconds=wait, told=told
        )
        fields.append((b"content-type", HTML_TYPE.encode("ascii")))
    else:
        # Whoever is not signed in does not learn which paths exist.
        named = decision.rule is not None and reason is not Reason.SIGN_IN_REQUIRED
        extra: dict[str, Any] = {"teleservice": decision.rule} if named else {}
        if decision.spent is not None:
            extra |= budget_members(decision.spent)
        if decision.closed is not None:
            extra |= closed_members(decision.closed)
        if kept is not None:
            extra["kept"] = f"{CONTINUE_PATH}?to={kept}"
        body = problem(reason, tongue, instance=instance, extra=extra, told=told)
        fields.append((b"content-type", PROBLEM_TYPE.encode("ascii")))
    return explanation(reason).status, fields, body


_UNITS: Final = {Counts.PEOPLE: "people", Counts.NEW: "new-people", Counts.MISSED: "missed"}


def _limits(decision: Decision) -> Fields:
    meter = decision.meter
    return [] if meter is None else rate_limit(decision.rule, decision.quotas, meter.budgets)


def rate_limit(teleservice: str | None, quotas: Sequence[Quota], budgets: Sequence[Budget]) -> Fields:
    """Both `RateLimit` fields: one item per budget, window and reset in seconds, the unit as `qu`.

    An item is named by the place of its budget among `budgets`, those of the policy: the same one from answer to
    answer, whichever are told.
    """
    policies, limits = [], []
    for quota in quotas:
        budget = quota.budget
        name = f'"{teleservice}-{budgets.index(budget) + 1}"'
        window = int(budget.window.total_seconds())
        policies.append(f'{name};q={budget.people};qu="{_UNITS[budget.counts]}";w={window}')
        limits.append(f"{name};r={quota.left};t={quota.reset_seconds}")
    if not policies:
        return []
    return [
        (b"ratelimit-policy", ", ".join(policies).encode("ascii")),
        (b"ratelimit", ", ".join(limits).encode("ascii")),
    ]


_rate_limit_lines: dict[str | None, tuple[tuple[Budget, ...], Sequence[Budget], bytes]] = {}
"""By teleservice what it told last, out of which budgets, and the lines with `%d` for what a hit changes."""


def rate_limit_lines(teleservice: str | None, quotas: Sequence[Quota], budgets: Sequence[Budget]) -> bytes:
    """The fields of `rate_limit` as they are written into a head, each with the line break before it."""
    if not quotas:
        return b""
    told, left, resets = zip(*quotas, strict=True)
    kept = _rate_limit_lines.get(teleservice)
    if kept is None or kept[0] != told or kept[1] is not budgets:
        lines = _lines_but_for_numbers(teleservice, quotas, budgets)
        kept = _rate_limit_lines[teleservice] = told, budgets, lines
    return kept[2] % tuple(chain.from_iterable(zip(left, resets, strict=True)))


def _lines_but_for_numbers(teleservice: str | None, quotas: Sequence[Quota], budgets: Sequence[Budget]) -> bytes:
    whole = [quota._replace(left=0, reset_seconds=0) for quota in quotas]
    (policy, policies), (limit, limits) = rate_limit(teleservice, whole, budgets)
    numbered = limits.replace(b"%", b"%%").replace(b";r=0;t=0", b";r=%d;t=%d")
    return b"\r\n%b: %b\r\n%b: %b" % (policy, policies.replace(b"%", b"%%"), limit, numbered)


def _authenticate(challenge: Challenge | None) -> bytes:
    """The challenge of RFC 9470 section 3: which assurance is missing, and how fresh it must be."""
    if challenge is None:
        return b'Bearer realm="portal"'
    age = "" if challenge.max_age is None else f', max_age="{int(challenge.max_age.total_seconds())}"'
    level = challenge.level.name.lower()
    methods = f', amr_values="{" ".join(challenge.methods)}"' if challenge.methods else ""
    told = f'Bearer error="insufficient_user_authentication", acr_values="{level}"{methods}{age}'
    return told.encode("ascii")
