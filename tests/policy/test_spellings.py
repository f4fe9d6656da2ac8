# SPDX-License-Identifier: EUPL-1.2
"""Promise 3: every spelling of a path gets the decision of the page that a portal would serve for it, or is refused."""

import posixpath
import unicodedata
from urllib.parse import unquote

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.errors import Refused
from gateway.model import AccessRequest, Effect, Level
from gateway.policy.cases import AT, subject_at
from gateway.policy.evaluate import evaluate
from gateway.policy.load import load_policy
from gateway.policy.target import canonical

POLICY = load_policy(
    """
version: 1
portal: house
title: House
default: permit
teleservices:
  card: {title: Card, routes: ["GET /card/{rest...}", "GET /écran/{rest...}"], assurance: card}
  files: {title: Files, routes: ["GET /files/{rest...}"], assurance: password}
""",
    "house.yaml",
)
PASSWORD = subject_at("A-1", None, Level.PASSWORD, AT)
SENSITIVE = ("/card", "/écran")

PIECES = [
    "/",
    "//",
    "\\",
    ".",
    "..",
    "/../",
    ";",
    ";x=1",
    "%2e",
    "%2E",
    "%2F",
    "%5c",
    "%25",
    "%252e",
    "%00",
    "%63",
    "#",
]
PIECES += ["?", " ", "%20", "card", "CARD", "%63ard", "c%61rd", "files", "1", "%EF%BC%8F", "%C2%A0", "%EF%BD%83ard"]
PIECES += [
    "%C3%A9cran",
    "%c3%89CRAN",
    "e%CC%81cran",
    "%E2%80%8B",
    "%C2%AD",
    "%0a",
    "%09",
    "%E2%80%A4%E2%80%A4",
    "c",
    "ard",
]


def readings(target: str) -> set[str]:
    """What portals of all kinds may make of a target: decoded once or twice, cut, cleaned, folded, normalised."""
    found = {target.partition("?")[0], target.partition("?")[0].partition("#")[0]}
    for step in (
        unquote,
        unquote,
        lambda path: path.partition("\0")[0],
        lambda path: "/".join(part.partition(";")[0] for part in path.split("/")),
        lambda path: path.replace("\\", "/"),
        lambda path: "/".join(
            part.strip(" \t\n\xa0").rstrip(". ") if part.strip(".") else part for part in path.split("/")
        ),
        lambda path: "".join(one for one in path if unicodedata.category(one) not in ("Cf", "Cc")),
        lambda path: unicodedata.normalize("NFKC", path),
        lambda path: posixpath.normpath("/" + path.lstrip("/")),
    ):
        found |= {step(path) for path in found}
    return {unicodedata.normalize("NFC", path.casefold()) for path in found}


@settings(max_examples=400)
@given(st.lists(st.sampled_from(PIECES), max_size=7))
@example(["files", "/../", "card"])
@example(["e%CC%81cran", "/", "1"])
@example(["card", ";x=1", "/", "1"])
@example(["c", "%C2%AD", "ard"])
def test_promise_3_no_spelling_reaches_a_sensitive_page_without_its_proof(pieces: list[str]) -> None:
    target = "/" + "".join(pieces)
    try:
        path, _ = canonical(target.encode())
    except Refused:
        return
    decision = evaluate(POLICY, AccessRequest(PASSWORD, "GET", path, AT))
    reached = [one for one in readings(target) if any(one == page or one.startswith(page + "/") for page in SENSITIVE)]
    assert not reached or decision.effect is not Effect.PERMIT, (target, reached)


def test_the_readings_would_find_a_way_around() -> None:
    """The oracle itself: each of these ways is seen."""
    for target in (
        "/files/../card",
        "/%2563ard",
        "/x\\..\\card",
        "/card;a/1",
        "//card",
        "/card%00.css",
        "/CARD.",
        "/e%CC%81cran",
    ):
        assert readings(target) & {"/card", "/écran", "/card/1"}, target
