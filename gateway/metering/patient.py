# SPDX-License-Identifier: EUPL-1.2
"""Which patient a request is about: the number read, never guessed. Pure.

What is counted must be what the portal will look up. So a number is taken from the one place the policy names, as the
portal would decode it, and everything that two readers could read differently is refused. The canonical form has 13
characters: a NIR without its key, capitals for Corsica, or a provisional number. Never here: a number in a message.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gateway.errors import Refused
from gateway.metering.fields import ambiguous, json_value, malformed, media_type, pairs, pointer_tokens, resembles
from gateway.model import Place, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.model import PatientLocator

# Shape only: months, départements and communes are the portal's business; a strict rule would refuse real people.
_NIR: Final = re.compile(r"([1-478][0-9]{4}(?:[0-9]{2}|2[ABab])[0-9]{6})([0-9]{2})?")
# Provisional numbers have no key and another layout: NNP (7, 8) and MIG (5, 6), as the health insurance checks them.
_PROVISIONAL: Final = re.compile(r"[5-8][12][0-9]{11}")
_CORSICA: Final = {"2A": "19", "2B": "18"}
_TEXT_AT_MOST: Final = 64
_LAST_ORDER: Final = 999
_PATH: Final = Place.PATH  # by its own name: looking a member up in its class is slow, and every look-up does

_FORM: Final = b"application/x-www-form-urlencoded"
_JSON: Final = b"application/json"
_METHOD_OVERRIDE: Final = "_method"


def parse_patient_number(text: str) -> str:
    """The canonical 13 characters of a NIR (13, or 15 with a right key) or a provisional number; spaces are ignored.

    Refused(PATIENT_NUMBER_MALFORMED) for anything else. A canonical number is its own canonical form.
    """
    match = _NIR.fullmatch(text)
    if match is None:
        number = _without_spaces(text)
        if _PROVISIONAL.fullmatch(number):
            return number
        match = _NIR.fullmatch(number)
        if match is None:
            raise malformed()
    written, key = match.groups()
    canonical: str = written.upper()
    if key is not None and int(key) != nir_key(canonical):
        raise malformed()
    return canonical


def nir_key(canonical: str) -> int:
    """The key, 1 to 97, of the 13 characters of a NIR (INSEE; Corsica counts as 19 and 18)."""
    if not canonical.isdecimal():
        canonical = canonical[:5] + _CORSICA[canonical[5:7]] + canonical[7:]
    return 97 - int(canonical) % 97


def departement(canonical: str) -> str | None:
    """Where a NIR was given: two characters, three overseas; None of a provisional number, which does not say."""
    if _PROVISIONAL.fullmatch(canonical):
        return None
    place = canonical[5:7]
    return canonical[5:8] if place in {"97", "98"} else place


def neighbours(canonical: str) -> tuple[str, ...]:
    """The numbers just before and just after in order: a list that is worked through goes from one to the next."""
    order = int(canonical[10:])
    return tuple(f"{canonical[:10]}{one:03d}" for one in (order - 1, order + 1) if 0 <= one <= _LAST_ORDER)


def text_in_path(path: str, segment: int) -> str:
    """As `patient_text`, where the number is a segment of the path and the request has neither a query nor a body.

    `path` is canonical, `segment` the number's place (`Decision.segment`).
    """
    text = path.split("/")[segment]
    if not text.strip(" "):
        raise Refused(Reason.PATIENT_NUMBER_MISSING)
    return text


def patient_text(
    locator: PatientLocator, captures: Iterable[tuple[str, str]], query: bytes, content_type: bytes, body: bytes
) -> str:
    """What stands for a number at the place the policy names, for `parse_patient_number` to read.

    `captures` are the decoded variables of the path template, `query` is raw and without `?`, `body` is whole (and not
    compressed); it is looked at if it is a form, whatever the place. Refused with PATIENT_NUMBER_MISSING, _MALFORMED
    (also a body of another type, or one that cannot be decoded) or _AMBIGUOUS (named twice, in two places, or in a
    spelling that a portal might take for the same). ValueError if the policy's JSON pointer is none.
    """
    if not query and not body and locator.place is _PATH:
        return _only([value for key, value in captures if key == locator.name])
    name = _name(locator)
    kind, plain = media_type(content_type)
    in_query = pairs(query)
    in_form = pairs(body) if kind == _FORM and body else []
    _check_names(name, locator.place, in_query, in_form)
    values: Sequence[str]
    if locator.place is Place.PATH:
        values = [value for key, value in captures if key == name]
    elif locator.place is Place.QUERY:
        values = [value for key, value in in_query if key == name]
    elif kind != (_FORM if locator.place is Place.FORM else _JSON) or not plain:
        raise malformed()
    elif locator.place is Place.FORM:
        values = [value for key, value in in_form if key == name]
    else:
        values = [json_value(body, pointer_tokens(locator.name))]
    return _only(values)


def _name(locator: PatientLocator) -> str:
    """What the number is called where it sits: for a JSON pointer its last name."""
    if locator.place is Place.JSON:
        return "".join(pointer_tokens(locator.name)[-1:])
    return locator.name


def _check_names(name: str, place: Place, in_query: list[tuple[str, str]], in_form: list[tuple[str, str]]) -> None:
    """Refuse names that a portal might take for ours, or ours in a second place: frameworks merge query, form and path.

    `_method` is refused too: it turns the request into another than the one judged.
    """
    own = {Place.QUERY: in_query, Place.FORM: in_form}.get(place)
    for fields in (in_query, in_form):
        for key, _ in fields:
            if key == name and fields is own:
                continue
            if resembles(key, name) or resembles(key, _METHOD_OVERRIDE):
                raise ambiguous()


def _without_spaces(text: str) -> str:
    if len(text) > _TEXT_AT_MOST:
        raise malformed()
    return text.replace(" ", "")


def _only(values: Sequence[str]) -> str:
    if len(values) > 1:
        raise ambiguous()
    if not values or not values[0].strip(" "):
        raise Refused(Reason.PATIENT_NUMBER_MISSING)
    return values[0]
