# SPDX-License-Identifier: EUPL-1.2
"""A refusal or a challenge as an HTTP answer: a page, a redirect or problem details, by what the client accepts.

A browser that can do something about it is sent to sign-in or step-up; a program gets 401, 403 or 429 with
`WWW-Authenticate` (RFC 9470), `Retry-After` and the `RateLimit` fields (draft-ietf-httpapi-ratelimit-headers).
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from gateway.model import Effect, Reason
from gateway.pages.accept import qualities
from gateway.pages.headers import SECURITY_HEADERS
from gateway.pages.language import language
from gateway.pages.problem import PROBLEM_TYPE, problem
from gateway.pages.reasons import explanation
from gateway.pages.render import HTML_TYPE, refusal_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.model import Budget, Challenge, Decision, Quota

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


def redirect(decision: Decision, to: str) -> tuple[int, Fields, bytes]:
    """Send a browser on to prove more; `to` is the opaque reference of where it was going."""
    reason = decision.reason
    if reason is Reason.SIGN_IN_REQUIRED:
        where = f"{SIGN_IN_PATH}?to={to}"
    else:
        named = decision.challenge.methods if decision.challenge is not None else ()
        methods = f"&methods={'.'.join(named)}" if reason is Reason.METHOD_REQUIRED else ""
        where = f"{STEP_UP_PATH}?to={to}&reason={reason}{methods}"
    return _SEE_OTHER, [*SECURITY_HEADERS, (b"location", where.encode("ascii"))], b""


def refusal(  # noqa: PLR0917  # one answer, told whole
    decision: Decision,
    accept: bytes,
    accept_language: bytes,
    instance: str,
    account: str | None = None,
    delegate: str | None = None,
    kept: str | None = None,
) -> tuple[int, Fields, bytes]:
    """Status, fields and body of a decision that is not PERMIT; `account` is the title of who is signed in.

    `delegate` is the name of who acts for it, if it is not its holder.
    `kept` refers to what was sent and now waits for a proof: the problem document says where it is confirmed.
    """
    reason = decision.reason
    tongue = language(accept_language)
    wait = decision.retry_after_seconds
    fields: Fields = [*SECURITY_HEADERS, (b"content-language", tongue.encode("ascii"))]
    fields += [(b"vary", b"accept, accept-language"), *rate_limit(decision.rule, decision.quotas)]
    if wait is not None:
        fields.append((b"retry-after", b"%d" % wait))
    if decision.effect is Effect.CHALLENGE:
        fields.append((b"www-authenticate", _authenticate(decision.challenge)))
    if wants_page(accept):
        body = refusal_page(
            reason, tongue, account=account, delegate=delegate, instance=instance, retry_after_seconds=wait
        )
        fields.append((b"content-type", HTML_TYPE.encode("ascii")))
    else:
        # Whoever is not signed in does not learn which paths exist.
        named = decision.rule is not None and reason is not Reason.SIGN_IN_REQUIRED
        extra = {"teleservice": decision.rule} if named else {}
        if kept is not None:
            extra["kept"] = f"{CONTINUE_PATH}?to={kept}"
        body = problem(reason, tongue, instance=instance, extra=extra)
        fields.append((b"content-type", PROBLEM_TYPE.encode("ascii")))
    return explanation(reason).status, fields, body


def rate_limit(teleservice: str | None, quotas: Sequence[Quota]) -> Fields:
    """Both `RateLimit` fields: one item per budget, quota in people, window and reset in seconds."""
    policies, limits = [], []
    for number, quota in enumerate(quotas, 1):
        name = f'"{teleservice}-{number}"'
        policies.append(f"{name};q={quota.budget.people};w={int(quota.budget.window.total_seconds())}")
        limits.append(f"{name};r={quota.left};t={quota.reset_seconds}")
    if not policies:
        return []
    return [
        (b"ratelimit-policy", ", ".join(policies).encode("ascii")),
        (b"ratelimit", ", ".join(limits).encode("ascii")),
    ]


_rate_limit_lines: dict[str | None, tuple[tuple[Budget, ...], bytes]] = {}
"""By teleservice the budgets it had last, and the lines of their fields with `%d` for what a hit changes."""


def rate_limit_lines(teleservice: str | None, quotas: Sequence[Quota]) -> bytes:
    """The fields of `rate_limit` as they are written into a head, each with the line break before it."""
    if not quotas:
        return b""
    budgets, left, resets = zip(*quotas, strict=True)
    kept = _rate_limit_lines.get(teleservice)
    if kept is None or kept[0] != budgets:
        kept = _rate_limit_lines[teleservice] = budgets, _lines_but_for_numbers(teleservice, quotas)
    return kept[1] % tuple(chain.from_iterable(zip(left, resets, strict=True)))


def _lines_but_for_numbers(teleservice: str | None, quotas: Sequence[Quota]) -> bytes:
    whole = [quota._replace(left=0, reset_seconds=0) for quota in quotas]
    (policy, policies), (limit, limits) = rate_limit(teleservice, whole)
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
