# SPDX-License-Identifier: EUPL-1.2
"""Every answer of the gateway's own pages is made here, so that none goes out without its guards.

Pages, JSON, redirects and refusals; a page plants the form's cookie. Redirects hold a path of our own origin, nothing
else.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from gateway.model import Reason
from gateway.pages.announcement_words import shown
from gateway.pages.headers import SECURITY_HEADERS
from gateway.pages.problem import PROBLEM_TYPE, problem
from gateway.pages.reasons import status as status_of
from gateway.pages.render import HTML_TYPE, alert, page, refusal_page
from gateway.portal.cookies import FORM_COOKIE, given

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.errors import Refused
    from gateway.portal.visit import Visit

Headers = tuple[tuple[bytes, bytes], ...]

_ANNOUNCED: Final = ("/.herse/sign-in", "/.herse/account")
_UNAUTHORIZED: Final = 401
_SEE_OTHER: Final = 303
# One `/`, then printable ASCII without `\`: whatever resolves it stays on our origin.
_OWN_PATH: Final = re.compile(r"/(?!/)[!-\[\]-~]*")


def answer(
    body: bytes,
    content_type: str,
    status: int = 200,
    headers: Sequence[tuple[bytes, bytes]] = (),
    guards: Headers = SECURITY_HEADERS,
) -> Response:
    """Bytes out, with the guards of every own answer."""
    response = Response(body, status)
    fixed = [(b"content-type", content_type.encode()), (b"content-length", b"%d" % len(body))]
    response.raw_headers = [*fixed, *guards, *headers]
    return response


def html(
    visit: Visit,
    template: str,
    status: int = 200,
    headers: Headers = (),
    *,
    guards: Headers = SECURITY_HEADERS,
    **values: Any,
) -> Response:
    """A page; it plants the form cookie if the browser has none yet."""
    body = page(
        template,
        visit.language,
        account=visit.title,
        delegate=visit.delegate,
        form=visit.form_token,
        sso=provider(visit),
        cards=visit.doors.card is not None,
        announcements=_announcements(visit),
        **values,
    )
    return answer(body, HTML_TYPE, status, [*_page_headers(visit), *headers], guards)


def as_json(visit: Visit, values: dict[str, Any], status: int = 200, headers: Headers = ()) -> Response:
    """Values for a program."""
    body = json.dumps(values, ensure_ascii=False).encode()
    return answer(body, "application/json", status, [*_variants(visit), *headers])


def redirect(path: str, headers: Headers = ()) -> Response:
    """303 to a path of our own; anything else becomes `/`."""
    location = path if _OWN_PATH.fullmatch(path) else "/"
    return answer(b"", "text/plain; charset=utf-8", _SEE_OTHER, [(b"location", location.encode()), *headers])


def refuse(
    visit: Visit,
    refused: Refused,
    *,
    status: int | None = None,
    to: str | None = None,
    headers: Headers = (),
) -> Response:
    """The page or the problem document of a refusal, with `Retry-After` where a time is known."""
    code = status_of(refused.reason) if status is None else status
    extra = [*headers, *_refusal_headers(refused, code)]
    if visit.json:
        body = problem(refused.reason, visit.language, instance=visit.request_id, status=code, provider=provider(visit))
        return answer(body, PROBLEM_TYPE, code, [*_variants(visit), *extra])
    body = refusal_page(
        refused.reason,
        visit.language,
        account=visit.title,
        delegate=visit.delegate,
        instance=visit.request_id if refused.reason is Reason.INTERNAL_ERROR else None,
        retry_after_seconds=refused.retry_after_seconds,
        to=to,
        form=visit.form_token,
        provider=provider(visit),
    )
    return answer(body, HTML_TYPE, code, [*_page_headers(visit), *extra])


def again(visit: Visit, template: str, refused: Refused, **values: Any) -> Response:
    """The same form once more, with what was wrong above it; a problem document for programs."""
    if visit.json:
        return refuse(visit, refused)
    code = status_of(refused.reason)
    told = alert(refused.reason, visit.language, refused.retry_after_seconds, provider(visit))
    return html(visit, template, code, _refusal_headers(refused, code), alert=told, **values)


def provider(visit: Visit) -> str | None:
    """What the provider is called, for the pages and for reasons that speak of it; None without one."""
    return None if visit.doors.sso is None else visit.doors.sso.name


def _announcements(visit: Visit) -> list[dict[str, Any]]:
    """What is announced, where people look for it."""
    if not visit.request.scope["path"].startswith(_ANNOUNCED):
        return []
    return shown(visit.doors.announcements(visit.at), visit.language)


def _refusal_headers(refused: Refused, status: int) -> Headers:
    """`Retry-After` in seconds, and the challenge that RFC 9110 asks of each 401: our forms, no browser dialogue."""
    found: Headers = ()
    if refused.retry_after_seconds is not None:
        found += ((b"retry-after", b"%d" % refused.retry_after_seconds),)
    if status == _UNAUTHORIZED:
        found += ((b"www-authenticate", b'Form realm="Herse"'),)
    return found


def _variants(visit: Visit) -> Headers:
    return ((b"content-language", visit.language.encode()), (b"vary", b"Accept, Accept-Language, Cookie"))


def _page_headers(visit: Visit) -> Headers:
    if visit.form_cookie is not None:
        return _variants(visit)
    return (*_variants(visit), *given(FORM_COOKIE, visit.form_token))
