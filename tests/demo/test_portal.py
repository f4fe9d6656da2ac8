# SPDX-License-Identifier: EUPL-1.2
"""The stand-in portal's pages, in memory: what each path shows, refuses, and writes into the served log."""

from __future__ import annotations

import hashlib
import html
import json
import re

import pytest

from gateway.demo.lookups import PAGES
from gateway.demo.markup import page
from gateway.demo.people import COUNT, find, person
from gateway.demo.transfers import DOWNLOAD_BYTES, PIECE_BYTES, UPLOAD_BYTES, download_pieces

ONE = person(0)
NOBODY = "1110978047111"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def served(file) -> list[tuple[str, str]]:
    return [tuple(line.split("\t")) for line in file.read_text().splitlines()]


def test_nobody_bears_the_number_these_tests_call_unknown():
    assert find(NOBODY) is None


@pytest.mark.parametrize("path", ["/", "/accueil"])
def test_home_says_who_is_there_and_where_to_go(path, portal):
    answer = portal.ask("GET", path)
    assert answer.status_code == 200
    text = html.unescape(answer.text)
    for expected in (
        "Pharmacie du Pont",
        "750012346",
        'href="/infopatient"',
        'href="/patients"',
        'href="/aat"',
        'href="/paiements"',
        'href="/.herse/account/events"',
        "Mes derniers événements",
        '<form method="post" action="/.herse/sign-out">',
    ):
        assert expected in text


def test_R_every_answer_forbids_inline_code_and_says_nothing_unescaped(portal):
    for path in ("/", "/infopatient", "/aat", "/paiements", "/patients", f"/infopatient/{ONE.number}", "/depot"):
        answer = portal.ask("GET", path)
        assert answer.status_code == 200
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=", answer.text)


def test_what_a_claim_holds_is_escaped(portal):
    usual = portal.voucher.assertion
    portal.voucher.assertion = lambda at: usual(at, name="<b>x</b>", sub='"><i>', profession="<u>")
    try:
        text = portal.ask("GET", "/").text
    finally:
        del portal.voucher.assertion
    assert not {"<b>", "<i>", "<u>"} & set(re.findall(r"<\w+>", text))
    assert "&lt;b&gt;x&lt;/b&gt;" in text


def test_a_number_typed_is_never_shown_back(portal):
    answer = portal.ask("GET", "/infopatient/%3Cscript%3E1")
    assert answer.status_code == 400
    assert "script" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("GET", f"/infopatient/{ONE.number}", {}),
        ("GET", f"/infopatient/{ONE.number}{ONE.key}", {}),
        ("GET", f"/infopatient/{ONE.written_number.replace(' ', '%20')}", {}),
        ("POST", "/infopatient", {"data": {"nir": ONE.number}}),
        ("POST", "/infopatient", {"data": {"nir": ONE.written_number}}),
    ],
)
def test_a_person_is_shown_and_written_down(method, path, more, portal, served_file):
    answer = portal.ask(method, path, headers=[("Herse-Request", "r-1")], **more)
    assert answer.status_code == 200
    text = html.unescape(answer.text)
    shown = (ONE.name, ", ".join(ONE.first_names), ONE.birth.french, "Masculin", ONE.written_number, "fictive")
    assert all(expected in text for expected in (*shown, ONE.rights.declared_gp, "C2S / AME"))
    assert served(served_file) == [("r-1", ONE.number)]


def test_the_json_of_a_person(portal, served_file):
    answer = portal.ask("GET", f"/api/infopatient/{ONE.number}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "fictive": True,
        "nir": ONE.number,
        "key": ONE.key,
        "name": ONE.name,
        "first_names": list(ONE.first_names),
        "birth_date": ONE.birth.iso,
        "sex": "M",
        "rights": {"declared_gp": ONE.rights.declared_gp, "full_cover": False, "complement": None},
    }
    assert served(served_file) == [("-", ONE.number)]


@pytest.mark.parametrize(
    "identifiers", [["a", "b"], ["with\ttab"], ["x" * 129], [""], ["a b"]], ids=["two", "tab", "long", "empty", "space"]
)
def test_an_odd_request_id_cannot_forge_a_line(identifiers, portal, served_file):
    headers = [("Herse-Request", one) for one in identifiers]
    portal.ask("GET", f"/api/infopatient/{ONE.number}", headers=headers)
    assert served(served_file) == [("-", ONE.number)]


@pytest.mark.parametrize(("number", "status"), [(NOBODY, 404), ("123", 400), ("185057800608437", 400), ("é", 400)])
def test_unknown_and_malformed_numbers(number, status, portal, served_file):
    answers = [
        portal.ask("GET", f"/infopatient/{number}"),
        portal.ask("POST", "/infopatient", data={"nir": number}),
        portal.ask("POST", "/aat", data={"nir": number, "debut": "2026-03-02", "fin": "2026-03-04"}),
    ]
    if number.isascii():
        answers.append(portal.ask("GET", f"/api/infopatient/{number}"))
        assert answers[-1].json()["status"] == status
        assert number not in answers[-1].text
    assert [answer.status_code for answer in answers] == [status] * len(answers)
    assert all(("Numéro inconnu" in answer.text) == (status == 404) for answer in answers)
    assert served(served_file) == []


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (f"nir={ONE.number}&nir={NOBODY}", FORM, 400),
        (f"nir={ONE.number}&page=1", FORM, 400),
        (f"nir={ONE.number}&nir", FORM, 400),
        ("", FORM, 400),
        ("nir", FORM, 400),
        ("nir=%ff%fe", FORM, 400),
        ("nir=é".encode(), FORM, 400),
        ("&".join(f"n{n}=1" for n in range(30)), FORM, 400),
        (f"nir={ONE.number}", {"content-type": "text/plain"}, 415),
        (json.dumps({"nir": ONE.number}), {"content-type": "application/json"}, 415),
        (f"nir={ONE.number}", {}, 415),
        ("nir=" + "1" * 20_000, FORM, 413),
    ],
)
def test_a_form_holds_each_field_once_and_nothing_else(content, headers, status, portal, served_file):
    answer = portal.ask("POST", "/infopatient", content=content, headers=headers.items())
    assert answer.status_code == status
    assert served(served_file) == []


@pytest.mark.parametrize(("query", "number"), [("", 1), ("?page=1", 1), ("?page=7", 7), (f"?page={PAGES}", PAGES)])
def test_a_page_of_the_list_shows_fifty_people(query, number, portal, served_file):
    expected = [person(index) for index in range((number - 1) * 50, number * 50)]
    as_html = html.unescape(portal.ask("GET", f"/patients{query}", headers=[("Accept", "text/html")]).text)
    assert all(one.written_number in as_html and one.name in as_html for one in expected)
    answer = portal.ask("GET", f"/patients{query}", headers=[("Accept", "application/json")]).json()
    assert answer["page"] == number
    assert answer["pages"] == COUNT / 50 == PAGES
    assert [row["nir"] for row in answer["people"]] == [one.number for one in expected]
    assert served(served_file) == [("-", one.number) for one in expected] * 2


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("page=0", 404),
        (f"page={PAGES + 1}", 404),
        ("page=-1", 400),
        ("page=x", 400),
        ("page=", 400),
        ("page=1&page=2", 400),
        ("page=²", 400),
        ("page=000001", 400),
        ("size=1000", 400),
    ],
)
def test_no_other_page_of_the_list(query, status, portal, served_file):
    assert portal.ask("GET", f"/patients?{query}").status_code == status
    assert served(served_file) == []


def test_a_sick_leave(portal, served_file):
    form = {"nir": ONE.number, "debut": "2026-03-02", "fin": "2026-03-04"}
    answer = portal.ask("POST", "/aat", data=form)
    assert answer.status_code == 200
    assert "du 02/03/2026 au 04/03/2026" in answer.text
    assert ONE.name in answer.text
    assert served(served_file) == [("-", ONE.number)]


@pytest.mark.parametrize(
    ("first", "last"),
    [("2026-03-04", "2026-03-02"), ("2026-03-02", "2027-03-02"), ("x", "2026-03-02"), ("1900-01-01", "1900-01-02")],
)
def test_sick_leaves_that_cannot_be(first, last, portal, served_file):
    assert portal.ask("POST", "/aat", data={"nir": ONE.number, "debut": first, "fin": last}).status_code == 400
    assert served(served_file) == []


def test_payments_name_no_patient(portal, served_file):
    answer = portal.ask("GET", "/paiements")
    assert answer.status_code == 200
    assert not re.search(r"\b[1-8](?: ?\d){12}", answer.text)
    assert served(served_file) == []


def test_unknown_paths_and_methods(portal):
    assert portal.ask("GET", "/nowhere").status_code == 404
    assert portal.ask("GET", "/infopatient/").status_code == 404
    assert portal.ask("GET", "/accueil/").status_code == 404
    refused = portal.ask("DELETE", "/aat")
    assert refused.status_code == 405
    assert "POST" in refused.headers["allow"]


def test_the_download_is_fifty_mebibytes_always_the_same():
    pieces = list(download_pieces())
    assert {len(piece) for piece in pieces} == {PIECE_BYTES}
    assert sum(map(len, pieces)) == DOWNLOAD_BYTES == 50 * 1024**2
    assert len(set(pieces)) == len(pieces)
    whole = hashlib.sha256(b"".join(pieces)).hexdigest()
    assert whole == "be9e7f23dc6e8b14e3129e2e0a880807e8bb98c511ea2e2789b9c4a861f97d9f"


def test_an_upload_is_counted_whatever_its_type(portal):
    content = bytes(range(256)) * 1000
    for kind in ("application/octet-stream", "text/x-anything", "multipart/form-data; boundary=x"):
        answer = portal.ask("POST", "/depot", content=content, headers=[("Content-Type", kind)])
        assert answer.json() == {"bytes": 256_000, "sha256": hashlib.sha256(content).hexdigest()}


@pytest.mark.parametrize("length", [str(UPLOAD_BYTES + 1), "9" * 5000, "-1", "²"])
def test_an_upload_that_says_it_is_too_large_is_refused(length, portal):
    headers = [(b"Content-Length", length.encode())]
    assert portal.ask("POST", "/depot", content=b"x", headers=headers).status_code == 413


def test_an_upload_that_turns_out_too_large_is_refused(portal):
    async def pieces():
        piece = bytes(1024 * 1024)
        for _ in range(101):
            yield piece

    assert portal.ask("POST", "/depot", content=pieces()).status_code == 413


def test_server_sent_events_within_bounds(portal):
    answer = portal.ask("GET", "/evenements-serveur?count=3&interval_ms=0")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text == "".join(f'event: tick\nid: {n}\ndata: {{"tick": {n}}}\n\n' for n in range(3))
    assert portal.ask("GET", "/evenements-serveur?count=0").text == ""
    for query in ("count=x", "count=1&count=2", "count=-1", "interval_ms=1e9&count=1", "count=99999999"):
        assert portal.ask("GET", f"/evenements-serveur?{query}").status_code == 400


def test_a_template_that_misses_a_value_is_a_fault_of_the_code():
    with pytest.raises(Exception, match="undefined"):
        page("message", heading="x")
