# SPDX-License-Identifier: EUPL-1.2
"""Values and a template name in, an HTML page out, or a text. The only file that talks to the template engine.

In pages everything is escaped; a value that a template needs and nobody gave is an error, not an empty place.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from gateway.pages import device, when
from gateway.pages.reasons import explanation
from gateway.pages.static_files import address
from gateway.pages.typography import typeset

if TYPE_CHECKING:
    from gateway.model import Reason
    from gateway.pages.explanation import Explanation, Way
    from gateway.pages.language import Language

HTML_TYPE: Final = "text/html; charset=utf-8"


@cache
def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("gateway.pages"),
        autoescape=select_autoescape(disabled_extensions=("txt",), default=True, default_for_string=True),
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals["address"] = address
    return found


def page(
    template: str,
    language: Language,
    *,
    account: str | None = None,
    delegate: str | None = None,
    form: str = "",
    **values: Any,
) -> bytes:
    """One page as UTF-8 HTML. `template` without `.html`; `account` is the title shown as signed in (None: nobody is),
    `delegate` the name of who acts for it if it is no holder; `form` is the token that goes with each form of the page.
    """
    voice = {
        "language": language,
        "t": lambda fr, en: typeset(fr if language == "fr" else en, language),
        "iso": when.iso,
        "moment": lambda at: when.moment(at, language),
        "day": lambda at: when.day(at, language),
        "last_day": lambda until: when.day(until - timedelta(microseconds=1), language),
        "clock": lambda at: when.clock(at, language),
        "device": lambda text: device.readable_device(text, language),
    }
    who = {"account": account, "delegate": delegate, "form": form}
    return _environment().get_template(f"{template}.html").render(**who, **voice, **values).encode()


def french_text(template: str, **values: Any) -> str:
    """One text in French, from `template` without `.txt`: nothing is escaped, for it is no HTML.

    `blank("…")` marks what only a person can know; moments are in the time of Paris.
    """
    voice = {
        "blank": lambda what: f"[À COMPLÉTER : {what}]",
        "moment": lambda at: when.moment(at, "fr").partition(" ")[2],  # without the day of the week
        "number": lambda count: f"{count:,}".replace(",", "\u202f"),
    }
    text = _environment().get_template(f"{template}.txt").render(**voice, **values)
    return f"{typeset(text, 'fr').rstrip()}\n"


def refusal_page(
    reason: Reason,
    language: Language,
    *,
    account: str | None = None,
    delegate: str | None = None,
    instance: str | None = None,
    retry_after_seconds: int | None = None,
    to: str | None = None,
    form: str = "",
    provider: str | None = None,
    told: Explanation | None = None,
) -> bytes:
    """The page of a refusal or a challenge: what happened, what to do, and the way on.

    `to` is an opaque return reference, passed along to sign-in or step-up; `instance` the request id to give on the
    telephone; `retry_after_seconds` is told in words. `told` says more than the reason's own words do.
    """
    told = told or explanation(reason)
    return page(
        "refusal",
        language,
        account=account,
        delegate=delegate,
        form=form,
        alert=words(told.naming(provider), language, retry_after_seconds),
        way=None if told.way is None else link(told.way, language, to),
        instance=instance,
    )


def alert(
    reason: Reason, language: Language, retry_after_seconds: int | None = None, provider: str | None = None
) -> dict[str, str]:
    """The texts of one reason, as the templates show them: title, sentence, remedy, wait (may be empty).

    `provider`: what stands in the place of Pro Santé Connect, where another one is set.
    """
    return words(explanation(reason).naming(provider), language, retry_after_seconds)


def words(told: Explanation, language: Language, retry_after_seconds: int | None = None) -> dict[str, str]:
    """What `alert` gives, of any explanation."""
    wait = "" if retry_after_seconds is None else when.delay(retry_after_seconds, language)
    return {
        "title": told.title(language),
        "sentence": told.sentence(language),
        "remedy": told.remedy(language),
        "wait": wait,
    }


def link(way: Way, language: Language, to: str | None) -> dict[str, str]:
    """A way on as address and label; `to` must be a reference of `Returns` (letters, digits, `-`, `_`)."""
    href = f"{way.href}?to={to}" if way.keeps and to else way.href
    return {"href": href, "label": way.label(language)}
