# SPDX-License-Identifier: EUPL-1.2
"""The teleservices of the stand-in portal that show people: Infopatient, the patient list, sick leave.

Each answer that names somebody goes through `Lookups.disclose` first, which writes the served log. A malformed number
is 400, a number of nobody 404. Nothing is stored.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from gateway.demo.markup import document, page
from gateway.demo.number import canonical
from gateway.demo.people import COUNT, find, person

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from gateway.demo.people import Person
    from gateway.demo.served import ServedLog

PER_PAGE = 50
PAGES = -(-COUNT // PER_PAGE)
_FORM_BYTES = 16 * 1024
_LONGEST_LEAVE = timedelta(days=360)


class Unanswerable(Exception):
    """A request that gets an explanation instead of an answer: status, and a sentence for the person."""

    def __init__(self, status: int, heading: str, text: str) -> None:
        super().__init__(heading)
        self.status = status
        self.heading = heading
        self.text = text


def sought(text: str) -> Person:
    """Find the person a typed number means; raises Unanswerable 400 (malformed) or 404 (nobody's)."""
    if canonical(text) is None:
        raise Unanswerable(400, "Numéro mal formé", "13 caractères sont attendus, ou 15 avec une clé juste.")
    found = find(text)
    if found is None:
        raise Unanswerable(404, "Numéro inconnu", "Aucun assuré ne porte ce numéro.")
    return found


async def read_form(request: Request, *expected: str) -> dict[str, str]:
    """Fields of a urlencoded form, each of `expected` once and nothing else; raises Unanswerable 400, 413, 415."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Unanswerable(415, "Formulaire attendu", "Ce téléservice attend un formulaire (urlencoded).")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _FORM_BYTES:
            raise Unanswerable(413, "Formulaire trop long", "16 Kio au plus sont attendus.")
    try:
        fields = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=20
        )
    except ValueError:
        fields = []
    if sorted(name for name, _ in fields) != sorted(expected):
        names = ", ".join(expected)
        raise Unanswerable(400, "Formulaire mal formé", f"Chacun de ces champs est attendu une fois : {names}.")
    return dict(fields)


def as_json(one: Person) -> dict[str, Any]:
    """One person as the JSON pages show it."""
    return {
        "fictive": True,
        "nir": one.number,
        "key": one.key,
        "name": one.name,
        "first_names": list(one.first_names),
        "birth_date": one.birth.iso,
        "sex": one.sex,
        "rights": {
            "declared_gp": one.rights.declared_gp,
            "full_cover": one.rights.full_cover,
            "complement": one.rights.complement,
        },
    }


class Lookups:
    """Handlers of the teleservices that show people."""

    def __init__(self, served: ServedLog) -> None:
        self._served = served

    def disclose(self, request: Request, *people: Person) -> None:
        """Write down who is about to be shown; comes before the answer."""
        identifiers = [value for name, value in request.headers.raw if name == b"herse-request"]
        self._served.disclose(people, identifiers)

    async def search(self, request: Request) -> Response:
        """`/infopatient`: the form, and its result."""
        if request.method != "POST":
            return page("search", visitor=request.state.visitor)
        fields = await read_form(request, "nir")
        return self._shown(request, sought(fields["nir"]))

    async def by_path(self, request: Request) -> Response:
        """`/infopatient/{nir}`: one person as a page."""
        return self._shown(request, sought(request.path_params["nir"]))

    async def by_api(self, request: Request) -> Response:
        """`/api/infopatient/{nir}`: one person as JSON."""
        found = sought(request.path_params["nir"])
        self.disclose(request, found)
        return document(as_json(found))

    async def patients(self, request: Request) -> Response:
        """`/patients?page=N`: fifty people, as a page or as JSON by `Accept`."""
        number = _page_number(request.query_params.multi_items())
        first = (number - 1) * PER_PAGE
        people = [person(index) for index in range(first, min(first + PER_PAGE, COUNT))]
        self.disclose(request, *people)
        if wants_json(request):
            return document({"page": number, "pages": PAGES, "people": [as_json(one) for one in people]})
        return page("patients", visitor=request.state.visitor, people=people, page=number, pages=PAGES)

    async def sick_leave(self, request: Request) -> Response:
        """`/aat`: the form of a sick leave, and what it would say."""
        if request.method != "POST":
            return page("sick-leave", visitor=request.state.visitor)
        fields = await read_form(request, "nir", "debut", "fin")
        first, last = _day(fields["debut"]), _day(fields["fin"])
        if not first <= last <= first + _LONGEST_LEAVE:
            raise Unanswerable(400, "Dates impossibles", "Le dernier jour suit le premier, de 360 jours au plus.")
        found = sought(fields["nir"])
        self.disclose(request, found)
        return page("sick-leave-done", visitor=request.state.visitor, person=found, first=first, last=last)

    def _shown(self, request: Request, found: Person) -> Response:
        self.disclose(request, found)
        return page("person", visitor=request.state.visitor, person=found)


def wants_json(request: Request) -> bool:
    """Whether the client asks for JSON and not for a page: `/api/`, or an Accept with JSON and without HTML."""
    accept = request.headers.get("accept", "")
    return request.scope["path"].startswith("/api/") or ("application/json" in accept and "text/html" not in accept)


def _page_number(query: list[tuple[str, str]]) -> int:
    if not query:
        return 1
    name, text = query[0]
    if len(query) > 1 or name != "page" or not (text.isascii() and text.isdigit()) or len(text) > len("10200"):
        raise Unanswerable(400, "Page mal formée", "Une page est attendue, par exemple ?page=2.")
    if not 1 <= int(text) <= PAGES:
        raise Unanswerable(404, "Page inconnue", f"Les pages vont de 1 à {PAGES}.")
    return int(text)


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not date(2000, 1, 1) <= day <= date(2099, 12, 31):
        raise Unanswerable(400, "Date mal formée", "Une date est attendue, par exemple 2026-03-31.")
    return day
