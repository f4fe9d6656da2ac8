# SPDX-License-Identifier: EUPL-1.2
"""One entry of `teleservices` to one Rule: reads its keys and holds them against each other. Faults go to `Fields`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.model import Level, PatientLocator, Place
from gateway.policy.answers import read_answers
from gateway.policy.asked_methods import hold_methods, level_of, read_methods
from gateway.policy.budgets import read_budgets
from gateway.policy.checks import locator_fault
from gateway.policy.rules import Attestation, Route, Rule
from gateway.policy.template import parse_template
from gateway.policy.tree import Node

if TYPE_CHECKING:
    from gateway.policy.fields import Fields

LEVELS = {"password": Level.PASSWORD, "mfa": Level.MFA, "card": Level.CARD}

_KEYS = (
    "order",
    "anonymous",
    "assurance",
    "methods",
    "fresh_for",
    "professions",
    "accounts",
    "patient",
    "answers",
    "budgets",
    "known_for",
    "moved",
    "discloses",
    "uncounted",
    "attestation",
    "observe",
    "streams",
    "upgrade",
)
_PERSONAL = (
    "assurance",
    "methods",
    "fresh_for",
    "professions",
    "accounts",
    "patient",
    "answers",
    "budgets",
    "known_for",
    "moved",
    "discloses",
    "uncounted",
    "attestation",
    "observe",
)
_COUNTING = ("patient", "budgets", "known_for", "moved")
_VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_ROUTE = 'a route such as "GET /path/{name}" or "GET,POST /path"; GET covers HEAD'
_PATIENT = "one of {path: NAME}, {query: NAME}, {form: NAME}, {json: /POINTER}"
_POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)+")  # RFC 6901, section 3, without the whole document
_NOBODY = "none"
_ORDER = 1_000_000
_MOVED = {"challenge": False, "new-people": True}
_KNOWN_AT_LEAST = timedelta(days=1)
_KNOWN_AT_MOST = timedelta(days=400)
_KNOWN_FOR = timedelta(days=90)


def read_teleservice(fields: Fields, name: str, node: Node) -> Rule:
    """A rule out of one entry; after a fault, as far as it was understood, so that routes can still be compared."""
    keys = fields.mapping(node, required=("title", "routes"), optional=_KEYS)
    observe, since = fields.trial(keys["observe"]) if "observe" in keys else (False, None)
    level = fields.choice(keys["assurance"], LEVELS) if "assurance" in keys else None
    methods = read_methods(fields, keys["methods"]) if "methods" in keys else ()
    if not {"assurance", "methods", "anonymous"} & keys.keys():
        fields.fault(node, "`assurance: password`, `mfa` or `card`, `methods`, or `anonymous: true`", "neither")
    budgets = read_budgets(fields, keys["budgets"]) if "budgets" in keys else ()
    rule = Rule(
        name=name,
        title=(fields.text(keys["title"]) if "title" in keys else None) or name,
        routes=_routes(fields, keys),
        order=(fields.number(keys["order"], -_ORDER, _ORDER) if "order" in keys else None) or 0,
        anonymous="anonymous" in keys and fields.yes(keys["anonymous"]),
        level=level or level_of(methods),
        methods=methods,
        fresh_for=fields.duration(keys["fresh_for"]) if "fresh_for" in keys else None,
        professions=frozenset(fields.each(keys["professions"], fields.name)) if "professions" in keys else None,
        accounts=frozenset(fields.each(keys["accounts"], fields.account)) if "accounts" in keys else None,
        answers=read_answers(fields, keys["answers"], budgets) if "answers" in keys else None,
        budgets=budgets,
        known_for=_known_for(fields, keys),
        moved_new="moved" in keys and fields.choice(keys["moved"], _MOVED) is True,
        categories=fields.each(keys["discloses"], fields.name) if "discloses" in keys else (),
        uncounted=fields.text(keys["uncounted"], "the reason") if "uncounted" in keys else None,
        attestation=_attestation(fields, keys["attestation"]) if "attestation" in keys else None,
        observe=observe,
        observed_since=since,
        streams="streams" in keys and fields.yes(keys["streams"]),
        upgrade="upgrade" in keys and fields.choice(keys["upgrade"], {"websocket": True}) is True,
    )
    _hold_together(fields, node, keys, rule)
    return rule


def _hold_together(fields: Fields, node: Node, keys: dict[str, Node], rule: Rule) -> None:
    """The keys of one entry against each other."""
    if "anonymous" in keys:
        _refuse(fields, keys, _PERSONAL, "no such key beside `anonymous`: nobody is asked who he is")
    elif _counts(keys):
        _refuse(fields, keys, ("uncounted", "streams", "upgrade"), "no such key where patients are counted")
        for key in (key for key in ("budgets", "discloses") if key not in keys):
            fields.fault(node, f"the key `{key}`, since patients are counted here", "no such key")
    else:
        _refuse(fields, keys, _COUNTING, "a route that uses it: no route here counts a patient")
        if "discloses" in keys and "uncounted" not in keys:
            fields.fault(
                keys["discloses"], "`patient` and `budgets`, or `uncounted` with the reason", "data nobody counts"
            )
        if "uncounted" in keys and "discloses" not in keys:
            fields.fault(keys["uncounted"], "`discloses` beside it", "a reason, but nothing disclosed")
    asked = next((keys[name] for name in ("assurance", "methods") if name in keys and "discloses" in keys), None)
    if asked is not None and "anonymous" not in keys and rule.level is Level.PASSWORD:
        fields.fault(asked, "`mfa` or `card`, since patient data is disclosed here")
    if "methods" in keys:
        hold_methods(fields, keys["methods"], rule)
    if "attestation" in keys and ("discloses" not in keys or rule.level is not Level.MFA):
        fields.fault(
            keys["attestation"],
            "`assurance: mfa` and `discloses` beside it: nothing else is opened by it",
            "`attestation`",
        )
    if rule.upgrade and not any("GET" in route.methods for route in rule.routes):
        fields.fault(keys["upgrade"], "a GET route here: an upgrade starts with GET")


def _known_for(fields: Fields, keys: dict[str, Node]) -> timedelta | None:
    """How long somebody is known; none where nothing asks who is new."""
    if "known_for" in keys:
        return fields.duration(keys["known_for"], shortest=_KNOWN_AT_LEAST, longest=_KNOWN_AT_MOST)
    return _KNOWN_FOR if _counts(keys) else None


def _attestation(fields: Fields, node: Node) -> Attestation | None:
    keys = fields.mapping(node, required=("reference", "until"))
    reference = fields.text(keys["reference"], "its reference") if "reference" in keys else None
    until = fields.day(keys["until"]) if "until" in keys else None
    return None if reference is None or until is None else Attestation(reference, until)


def _refuse(fields: Fields, keys: dict[str, Node], names: tuple[str, ...], expected: str) -> None:
    for name in names:
        if name in keys:
            fields.fault(keys[name], expected, f"`{name}`")


def _counts(keys: dict[str, Node]) -> bool:
    """Whether the file means to count patients here: those of the answers, or of at least one route."""
    return "answers" in keys or _counts_asked(keys)


def _counts_asked(keys: dict[str, Node]) -> bool:
    """Whether at least one route is meant to say whom the request is about."""
    items = keys["routes"].content if "routes" in keys else ""
    own = [item.content.get("patient") for item in items if isinstance(item, Node) and isinstance(item.content, dict)]
    plain = len(own) < len(items)
    return ("patient" in keys and plain) or any(patient is not None and patient.content != _NOBODY for patient in own)


def _routes(fields: Fields, keys: dict[str, Node]) -> tuple[Route, ...]:
    """Every route that was understood. A route's own `patient` goes before the teleservice's."""
    shared = _patient(fields, keys["patient"]) if "patient" in keys else None
    routes: list[Route] = []
    for item in fields.items(keys["routes"]) if "routes" in keys else []:
        line: Node | None = item
        patient = shared
        if isinstance(item.content, dict):
            own = fields.mapping(item, required=("route", "patient"))
            line = own.get("route")
            patient = _own_patient(fields, own["patient"]) if "patient" in own else None
        elif "patient" not in keys and _counts_asked(keys):
            fields.fault(
                item, "`{route: …, patient: …}` (`patient: none` if it shows nobody), as another route here has it"
            )
        text = None if line is None else fields.text(line, _ROUTE)
        if line is not None and text is not None:
            routes += _route(fields, line, text, patient)
    return tuple(routes)


def _route(fields: Fields, node: Node, text: str, patient: PatientLocator | None) -> list[Route]:
    """One route, or none after a fault."""
    listed, space, path = text.partition(" ")
    methods = tuple(listed.split(","))
    if not space or len(set(methods)) < len(methods) or not set(methods) <= set(_VERBS):
        fields.fault(node, f"{_ROUTE}; methods are {', '.join(_VERBS)}")
        return []
    try:
        route = Route(methods, parse_template(path), patient)
    except ValueError as error:
        fields.fault(node, str(error))
        return []
    expected = locator_fault(route)
    if expected is not None:
        fields.fault(node, expected)
    return [route]


def _own_patient(fields: Fields, node: Node) -> PatientLocator | None:
    return None if node.kind == "str" and node.content == _NOBODY else _patient(fields, node)


def _patient(fields: Fields, node: Node) -> PatientLocator | None:
    """A locator: a mapping of one place to a name."""
    content = node.content if isinstance(node.content, dict) else {}
    place = next((place for place in Place if [*content] == [place.value]), None)
    if place is None:
        fields.fault(node, _PATIENT)
        return None
    name = fields.text(content[place.value], "the name of the variable or field, or a JSON pointer")
    if name is not None and place is Place.JSON and not _POINTER.fullmatch(name):
        fields.fault(content[place.value], "a JSON pointer (RFC 6901) such as /patient/nir")
    return None if name is None else PatientLocator(place, name)
