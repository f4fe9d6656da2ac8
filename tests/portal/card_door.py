# SPDX-License-Identifier: EUPL-1.2
"""For the tests of the card pages: a world with a card desk, people with cards, and the card host's part. No tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from gateway.identity.accounts import Holder
from gateway.identity.card import CardHolder, CardType
from gateway.identity.tickets import Tickets, state_of
from gateway.model import Reason
from gateway.portal.app import build_portal
from gateway.portal.doors import CardDesk

CARD, BACK, STEP_UP = "/.herse/card", "/.herse/card/back", "/.herse/step-up"
CARD_HOST = "https://localhost:8444"
PHARMACY, DOCTOR, BRANCH, NOBODYS = "750012346", "751234567", "750012353", "759876543"
CLAIRE, HUGO, INES, STRANGER = "10000000009", "99700000005", "10101010105", "10001234565"
COOKIE = "__Host-herse-card"
JSON = {"accept": "application/json"}


def holder(world, rpps):
    return CardHolder(
        national_id=f"8{rpps}" if rpps else "30B0057881/CPET0002",
        rpps=rpps,
        given_name="CLAIRE",
        family_name="FONTAINE",
        title="Pharmacien",
        card_type=CardType.CPS if rpps else CardType.CPE,
        card_number="8025000001/2600000001",
        certificate="00" * 32,
        not_after=world.now + timedelta(days=100),
    )


def open_card_door(world):
    """The same world with a card listener, and accounts with holders: Claire holds two of them."""
    for name, rpps, holders in (
        (BRANCH, None, [Holder("Claire Fontaine", CLAIRE)]),
        ("750012361", None, [Holder("Claire Fontaine", CLAIRE), Holder("Hugo Marchand", HUGO)]),
        ("750012379", INES, [Holder("Inès Rivière")]),
    ):
        world.accounts.create(name, f"Pharmacie {name}", "pharmacist", rpps, holders, world.now)
    world.doors = replace(world.doors, card=CardDesk(Tickets(), CARD_HOST))
    world.app = build_portal(world.doors)
    return world


def sets_out(browser, to=""):
    """Press the button; gives the state that the link to the card host carries."""
    answer = browser.post(CARD, {"to": to})
    assert (answer.status_code, answer.headers["location"]) == (303, CARD)
    page = browser.get(CARD)
    assert page.status_code == 200
    state = state_of(browser.client.cookies.get(COOKIE))
    assert f'href="{CARD_HOST}/card?state={state}"' in page.text
    return state


def card_is_read(world, state, outcome):
    """What the card host does; gives the way back."""
    if not isinstance(outcome, Reason):
        outcome = holder(world, outcome)
    return f"{BACK}?ticket={world.doors.card.tickets.issue(state, outcome, world.now)}"
