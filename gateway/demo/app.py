# SPDX-License-Identifier: EUPL-1.2
# ruff: noqa: RUF001  # French typography is meant
"""The stand-in portal put together: a door that asks for the assertion, and behind it every path.

The static files hang beside the door, everything else behind it, so that no spelling of a path can walk around it: the
same router that finds a page has passed the door before.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.routing import Mount, Route, Router, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from gateway.demo.assertion import AssertionCheck, AssertionRefused, KeysUnavailable
from gateway.demo.lookups import Lookups, Unanswerable, wants_json
from gateway.demo.markup import document, page
from gateway.demo.transfers import deposit, download, echo, server_events

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from gateway.demo.served import ServedLog

_STATIC = Path(__file__).parent / "static"
_PROFESSIONS = {
    "pharmacist": "pharmacie",
    "physician": "médecine",
    "nurse": "soins infirmiers",
    "dentist": "chirurgie dentaire",
    "midwife": "maïeutique",
    "physiotherapist": "kinésithérapie",
}
_LEVELS = {
    "password": "mot de passe",
    "mfa": "mot de passe et code à usage unique",
    "card": "carte professionnelle",
}
_SERVICES = (
    ("/infopatient", "Infopatient", "Droits d’un assuré"),
    ("/patients", "Liste de patients", "Cinquante personnes par page"),
    ("/aat", "Arrêt de travail", "Établir un avis d’arrêt"),
    ("/paiements", "Paiements", "Virements reçus"),
    ("/telechargements/50mio", "Téléchargement", "Un fichier de 50 Mio"),
    ("/depot", "Dépôt", "Envoyer un document"),
)
_PAYMENTS = (
    ("02/03/2026", "Remboursements, semaine 9", "12 480,35 €"),
    ("23/02/2026", "Remboursements, semaine 8", "11 902,10 €"),
    ("16/02/2026", "Remboursements, semaine 7", "12 117,84 €"),
    ("02/02/2026", "Rémunération sur objectifs", "1 250,00 €"),
)


class Door:
    """Lets a request or a WebSocket through to `behind` with `state.visitor` set, or answers 401 without any data."""

    def __init__(self, behind: ASGIApp, check: AssertionCheck, clock: Callable[[], datetime]) -> None:
        self._behind = behind
        self._check = check
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI: check first, then hand over."""
        connection = HTTPConnection(scope)
        values = [value for name, value in connection.headers.raw if name == b"herse-assertion"]
        try:
            visitor = await self._check.visitor(values, self._clock())
        except AssertionRefused as refusal:
            await self._refuse(scope, receive, send, _refusal(refusal))
        except KeysUnavailable:
            await self._refuse(scope, receive, send, _keys_unavailable())
        else:
            connection.state.visitor = visitor
            await self._behind(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, answer: Response) -> None:
        if scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(answer)
        else:
            await answer(scope, receive, send)


def _refusal(refusal: AssertionRefused) -> Response:
    text = (
        "Ce portail ne répond que derrière sa passerelle"
        f" – this portal answers only behind its gateway ({refusal})."  # which check failed, no value of the token
    )
    return page("message", 401, heading="Accès refusé", text=text)


def _keys_unavailable() -> Response:
    text = "Les clés publiques de la passerelle sont illisibles pour l’instant : réessayez dans un moment."
    answer = page("message", 503, heading="Passerelle injoignable", text=text)
    answer.headers["retry-after"] = "1"
    return answer


def _explained(request: Request, status: int, heading: str, text: str) -> Response:
    if wants_json(request):
        return document({"status": status, "error": heading, "detail": text}, status)
    visitor = getattr(request.state, "visitor", None)
    return page("message", status, visitor=visitor, heading=heading, text=text)


async def _unanswerable(request: Request, fault: Exception) -> Response:
    if isinstance(fault, Unanswerable):
        return _explained(request, fault.status, fault.heading, fault.text)
    if isinstance(fault, HTTPException):
        heading = {404: "Page inconnue", 405: "Méthode refusée"}.get(fault.status_code, "Demande refusée")
        answer = _explained(request, fault.status_code, heading, "Cette adresse ne mène à rien ici.")
        answer.headers.update(fault.headers or {})
        return answer
    raise fault


async def _home(request: Request) -> Response:
    visitor = request.state.visitor
    return page(
        "home",
        visitor=visitor,
        profession=_PROFESSIONS.get(visitor.profession, visitor.profession),
        level=_LEVELS[visitor.acr],
        services=_SERVICES,
    )


async def _payments(request: Request) -> Response:
    return page("payments", visitor=request.state.visitor, payments=_PAYMENTS)


def build_demo(check: AssertionCheck, served: ServedLog, clock: Callable[[], datetime]) -> Starlette:
    """Build the portal as one ASGI application; `clock` gives aware UTC for the check of assertions."""
    lookups = Lookups(served)
    both = ["GET", "POST"]
    behind = Router(
        [
            Route("/", _home),
            Route("/accueil", _home),
            Route("/infopatient", lookups.search, methods=both),
            Route("/infopatient/{nir}", lookups.by_path),
            Route("/api/infopatient/{nir}", lookups.by_api),
            Route("/patients", lookups.patients),
            Route("/aat", lookups.sick_leave, methods=both),
            Route("/paiements", _payments),
            Route("/telechargements/50mio", download),
            Route("/depot", deposit, methods=both),
            Route("/evenements-serveur", server_events),
            WebSocketRoute("/ws", echo),
        ],
        redirect_slashes=False,
    )
    routes = [
        Mount("/static", StaticFiles(directory=_STATIC)),
        Mount("/", Door(behind, check, clock)),
    ]
    return Starlette(routes=routes, exception_handlers={Unanswerable: _unanswerable, HTTPException: _unanswerable})
