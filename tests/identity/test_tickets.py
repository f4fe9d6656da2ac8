# SPDX-License-Identifier: EUPL-1.2
"""One-time tickets between the two hosts: single use, 60 seconds, one browser, bounded, and nothing kept in clear."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import Refused
from gateway.identity.card import CardHolder, CardType
from gateway.identity.tickets import Tickets, is_token, state_of
from gateway.model import Reason

T0 = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HERE = "192.0.2.14"
HOLDER = CardHolder(
    national_id="810000000009",
    rpps="10000000009",
    given_name="CLAIRE",
    family_name="FONTAINE",
    title="Pharmacien",
    card_type=CardType.CPS,
    card_number="8025000001/2600000001",
    certificate="00" * 32,
    not_after=T0 + timedelta(days=1000),
)


@pytest.fixture
def tickets():
    return Tickets()


@pytest.fixture
def secret(tickets):
    return tickets.begin("page", HERE, T0)


def refused(act, *arguments):
    with pytest.raises(Refused) as caught:
        act(*arguments)
    return caught.value.reason


def test_the_way_there_and_back(tickets, secret):
    assert tickets.find(secret, T0).to == "page"
    ticket = tickets.issue(state_of(secret), HOLDER, T0)
    redeemed = tickets.redeem(ticket, secret, T0 + 59 * SECOND)
    assert (redeemed.outcome, redeemed.to) == (HOLDER, "page")
    assert tickets.find(secret, T0) is None, "who is back waits no more"
    assert tickets.issue(state_of(secret), HOLDER, T0) is None


def test_a_refusal_travels_in_the_same_way(tickets, secret):
    ticket = tickets.issue(state_of(secret), Reason.CARD_MISSING, T0)
    assert tickets.redeem(ticket, secret, T0).outcome is Reason.CARD_MISSING


def test_a_ticket_is_used_once(tickets, secret):
    ticket = tickets.issue(state_of(secret), HOLDER, T0)
    tickets.redeem(ticket, secret, T0)
    assert refused(tickets.redeem, ticket, secret, T0) is Reason.CARD_TICKET_WRONG


@pytest.mark.parametrize("after", [60 * SECOND, timedelta(hours=1), -SECOND])
def test_a_ticket_lives_sixty_seconds(tickets, secret, after):
    ticket = tickets.issue(state_of(secret), HOLDER, T0)
    assert refused(tickets.redeem, ticket, secret, T0 + after) is Reason.CARD_TICKET_WRONG


@pytest.mark.parametrize("other", ["none", "another that waits", "the state itself", "never heard of"])
def test_in_another_browser_a_ticket_is_worth_nothing_and_burns(tickets, secret, other):
    thief = {
        "none": None,
        "another that waits": tickets.begin("", HERE, T0),
        "the state itself": state_of(secret),
        "never heard of": "x" * 43,
    }[other]
    ticket = tickets.issue(state_of(secret), HOLDER, T0)
    assert refused(tickets.redeem, ticket, thief, T0) is Reason.CARD_TICKET_WRONG
    assert refused(tickets.redeem, ticket, secret, T0) is Reason.CARD_TICKET_WRONG


@pytest.mark.parametrize("ticket", ["", "x" * 43, "é" * 43, "x" * 10_000])
def test_what_is_no_ticket_burns_nothing(tickets, secret, ticket):
    good = tickets.issue(state_of(secret), HOLDER, T0)
    assert refused(tickets.redeem, ticket, secret, T0) is Reason.CARD_TICKET_WRONG
    assert tickets.redeem(good, secret, T0).outcome == HOLDER


def test_a_new_ticket_takes_the_place_of_the_one_before(tickets, secret):
    first = tickets.issue(state_of(secret), Reason.CARD_MISSING, T0)
    second = tickets.issue(state_of(secret), HOLDER, T0)
    assert refused(tickets.redeem, first, secret, T0) is Reason.CARD_TICKET_WRONG
    assert tickets.redeem(second, secret, T0).outcome == HOLDER


def test_nobody_waits_longer_than_ten_minutes(tickets, secret):
    late = T0 + timedelta(minutes=10)
    assert tickets.find(secret, late - SECOND)
    assert tickets.find(secret, late) is None
    assert tickets.issue(state_of(secret), HOLDER, late) is None


def test_who_gives_up_waits_no_more_and_his_ticket_dies(tickets, secret):
    ticket = tickets.issue(state_of(secret), HOLDER, T0)
    tickets.give_up(secret)
    tickets.give_up(None)
    assert tickets.find(secret, T0) is None
    assert refused(tickets.redeem, ticket, secret, T0) is Reason.CARD_TICKET_WRONG


def test_the_secret_does_not_follow_from_the_state(tickets, secret):
    state = state_of(secret)
    assert state != secret
    assert is_token(state)
    assert is_token(secret)
    assert tickets.find(state, T0) is None


def test_one_address_never_pushes_out_another():
    tickets = Tickets(most=10, most_of_network=3)
    honest = tickets.begin("", "192.0.2.1", T0)
    flood = [tickets.begin("", HERE, T0) for _ in range(20)]
    assert tickets.find(honest, T0)
    assert [bool(tickets.find(one, T0)) for one in flood[-4:]] == [False, True, True, True]


def test_when_too_many_wait_it_says_so_until_they_are_gone():
    tickets = Tickets(most=4, most_of_network=3)
    for number in range(4):
        tickets.begin("", f"192.0.2.{number}", T0)
    assert refused(tickets.begin, "", HERE, T0) is Reason.BUSY
    assert tickets.begin("", HERE, T0 + timedelta(minutes=10))


def test_nothing_is_left_of_those_who_were_here():
    tickets = Tickets(most=10_000, most_of_network=3)
    for number in range(2000):
        at = T0 + number * SECOND
        secret = tickets.begin("", f"192.0.{number // 250}.{number % 250}", at)
        if number % 3:
            ticket = tickets.issue(state_of(secret), HOLDER, at)
        if number % 3 == 1:
            tickets.redeem(ticket, secret, at)
    tickets.begin("", HERE, T0 + timedelta(days=1))
    assert [len(one) for one in (tickets._waiting, tickets._of_network, tickets._tickets)] == [1, 1, 0]


def test_tokens_are_kept_as_digests_alone(tickets, secret):
    ticket = tickets.issue(state_of(secret), HOLDER, T0)
    kept = repr((tickets._waiting, tickets._tickets, vars(tickets))) + repr(tickets)
    assert not any(word in kept for word in (secret, state_of(secret), ticket, HOLDER.family_name, HOLDER.national_id))


def test_a_choice_is_bound_to_the_browser_and_used_once(tickets, secret):
    other = tickets.begin("", HERE, T0)
    redeemed = tickets.redeem(tickets.issue(state_of(secret), HOLDER, T0), secret, T0)
    tickets.hold(secret, redeemed, T0)
    assert tickets.choice(secret, T0).holder == HOLDER
    for thief in (None, other, state_of(secret)):
        assert refused(tickets.chosen, thief, T0) is Reason.CARD_TICKET_WRONG
    assert refused(tickets.choice, secret, T0 + timedelta(minutes=5)) is Reason.CARD_TICKET_WRONG
    tickets.begin("", HERE, T0 + timedelta(minutes=4))
    assert tickets.chosen(secret, T0).to == "page"
    assert refused(tickets.chosen, secret, T0) is Reason.CARD_TICKET_WRONG


def test_a_refused_card_leaves_no_choice(tickets, secret):
    redeemed = tickets.redeem(tickets.issue(state_of(secret), Reason.CARD_MISSING, T0), secret, T0)
    with pytest.raises(TypeError):
        tickets.hold(secret, redeemed, T0)


def test_a_choice_that_nobody_made_is_forgotten(tickets, secret):
    tickets.hold(secret, tickets.redeem(tickets.issue(state_of(secret), HOLDER, T0), secret, T0), T0)
    tickets.begin("", HERE, T0 + timedelta(minutes=5))
    assert tickets._choices == {}


def test_choices_and_failures_are_bounded():
    tickets = Tickets(most=5, most_of_network=5)
    for number in range(20):
        secret = tickets.begin("", HERE, T0)
        tickets.hold(secret, tickets.redeem(tickets.issue(state_of(secret), HOLDER, T0), secret, T0), T0)
        tickets.note_failure(f"192.0.2.{number}", Reason.CARD_NOT_TRUSTED, T0)
    assert len(tickets._choices) == len(tickets._failures) == 5


def test_a_failed_handshake_is_known_by_its_address_alone(tickets):
    assert not tickets.failed_since(HERE, T0)
    tickets.note_failure(HERE, Reason.CARD_EXPIRED, T0)
    tickets.note_failure(HERE, Reason.CARD_NOT_TRUSTED, T0 + SECOND)
    assert tickets.failed_since(HERE, T0) is Reason.CARD_NOT_TRUSTED
    assert not tickets.failed_since(HERE, T0 + 2 * SECOND)
    assert not tickets.failed_since("192.0.2.15", T0)
