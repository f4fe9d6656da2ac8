# SPDX-License-Identifier: EUPL-1.2
"""The page of what waits for a proof: whose it is, what it says in each state, and what its two buttons do."""

from __future__ import annotations

import pytest

from gateway.identity.kept_work import LIFETIME, Owner, State, Work

PHARMACY, DOCTOR = "750012346", "751234567"
CONTINUE = "/.herse/continue"
WORK = Work("POST", b"/aat/185057800608491", (), b"nir=185057800608491&b=2", "/aat?page=2")


def owner(world, account=PHARMACY):
    return Owner(account, world.sessions.of_account(account)[0].reference)


def keep(world, pieces=2, work=WORK):
    return world.kept.keep(work, "aat", pieces, owner(world), world.now)


def plain(page):
    return page.text.replace("\u202f", " ").replace("\u00a0", " ")


async def answered(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 201, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"sent"})


def test_after_a_proof_it_is_shown_and_nothing_of_what_was_written(world, signed_in):
    to = keep(world)
    answer = signed_in.step_up(world.code(), to=to)
    assert answer.headers["location"] == f"{CONTINUE}?to={to}"
    page = signed_in.get(answer.headers["location"])
    for words in ("Arrêt de travail", "dimanche 22 novembre 2026, 9 h 00", "Formulaire de 2 champs", "9 h 15"):
        assert words in plain(page)
    assert "185057800608491" not in page.text
    assert 'value="send" autofocus' in page.text
    assert world.sender.asked == []


@pytest.mark.parametrize(
    ("pieces", "words"), [(0, "préparées par la page"), (1, "champ<"), (3, "Formulaire de 3 champs<")]
)
def test_it_tells_what_it_is(world, signed_in, pieces, words):
    assert words in plain(signed_in.get(f"{CONTINUE}?to={keep(world, pieces)}"))


@pytest.mark.parametrize("state", [one for one in State if one is not State.WAITING])
def test_in_no_other_state_can_it_be_sent(world, signed_in, state):
    to, kept, ours = keep(world), world.kept, owner(world)
    if state is State.GIVEN_UP:
        kept.give_up(to, ours, world.now)
    elif state is State.EXPIRED:
        world.later(seconds=LIFETIME.total_seconds())
    else:
        kept.begin(to, ours, world.now)
    if state is State.SENT:
        kept.sent(to, 409, world.now)
    elif state is State.UNKNOWN:
        kept.unknown(to, world.now)
    for answer, status in (
        (signed_in.get(f"{CONTINUE}?to={to}"), 200),
        (signed_in.post(CONTINUE, {"to": to, "work": "send"}), 409),
    ):
        assert answer.status_code == status
        assert 'value="send"' not in answer.text
        assert ("Vérifiez" in answer.text) is (state in {State.SENT, State.UNKNOWN})
        assert ('href="/aat?page=2"' in answer.text) is (state is not State.SENDING)
    told = signed_in.get(f"{CONTINUE}?to={to}", accept="application/json").json()
    assert (told["state"], told["status"], told["teleservice"]) == (state, 409 if state is State.SENT else None, "aat")


def test_an_error_of_the_portal_is_told_apart_from_an_accepted_sending(world, signed_in):
    pages = []
    for status in (201, 409):
        to = keep(world)
        world.kept.begin(to, owner(world), world.now)
        world.kept.sent(to, status, world.now)
        pages.append(plain(signed_in.get(f"{CONTINUE}?to={to}")))
    assert "reçu et accepté" in pages[0]
    assert "signale une erreur" in pages[1]
    assert "(409)" in pages[1]


@pytest.mark.parametrize(
    ("pieces", "accept", "shows"), [(2, "text/html", True), (0, "text/html", False), (0, "application/json", True)]
)
def test_the_answer_is_that_of_the_hallway(world, signed_in, pieces, accept, shows):
    to = keep(world, pieces)
    world.sender.answer = answered
    answer = signed_in.post(CONTINUE, {"to": to, "work": "send"}, accept=accept)
    assert (answer.status_code, answer.text) == (201, "sent")
    assert world.sender.asked == [(to, owner(world), shows)]


def test_while_another_confirmation_is_on_its_way_with_it_the_page_says_so(world, signed_in):
    answer = signed_in.post(CONTINUE, {"to": keep(world), "work": "send"})
    assert (answer.status_code, "Envoi en cours" in answer.text) == (409, True)


def test_giving_up_erases_it(world, signed_in):
    to = keep(world)
    answer = signed_in.post(CONTINUE, {"to": to, "work": "give-up"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{CONTINUE}?to={to}")
    assert "Envoi abandonné" in signed_in.get(answer.headers["location"]).text
    assert world.kept.open(to, owner(world), world.now) is None
    assert world.sender.asked == []


@pytest.mark.parametrize("pressed", ["", "resend", "SEND"])
def test_no_other_button_does_anything(world, signed_in, pressed):
    to = keep(world)
    assert signed_in.post(CONTINUE, {"to": to, "work": pressed}).status_code == 400
    assert world.kept.find(to, owner(world), world.now).state is State.WAITING
    assert world.sender.asked == []


def test_R1_a_forged_confirmation_does_nothing(world, signed_in):
    to = keep(world)
    for pressed in ("send", "give-up"):
        assert signed_in.post(CONTINUE, {"to": to, "work": pressed}, origin="https://evil.example").status_code == 403
    assert world.kept.find(to, owner(world), world.now).state is State.WAITING
    assert world.sender.asked == []


def test_nobody_else_sees_it(world, signed_in):
    to = keep(world)
    for account in (PHARMACY, DOCTOR):
        other = world.browser()
        other.sign_in(account)
        assert other.get(f"{CONTINUE}?to={to}").headers["location"] == "/"
        for pressed in ("send", "give-up"):
            assert other.post(CONTINUE, {"to": to, "work": pressed}).headers["location"] == "/"
    assert world.browser().get(f"{CONTINUE}?to={to}").headers["location"].startswith("/.herse/sign-in")
    assert signed_in.get(f"{CONTINUE}?to={to}").status_code == 200
    assert signed_in.get(f"{CONTINUE}?to=work-unknown").headers["location"] == "/"
    assert world.sender.asked == []


def test_it_goes_along_when_the_same_person_signs_in_anew_and_with_nobody_else(world, signed_in):
    to = keep(world)
    assert signed_in.sign_in(to=to).headers["location"] == f"{CONTINUE}?to={to}"
    assert world.kept.open(to, owner(world), world.now) == WORK
    assert signed_in.sign_in(DOCTOR, to=to).headers["location"] == "/"
    assert signed_in.get(f"{CONTINUE}?to={to}").headers["location"] == "/"


def test_what_could_not_be_kept_is_told_and_a_page_that_was_only_looked_at_is_not(world, signed_in):
    lost = world.returns.keep("/aat?x=1", world.now, signed_in=True, lost=True)
    answer = signed_in.step_up(world.code(), to=lost)
    assert answer.headers["location"] == f"{CONTINUE}?to={lost}"
    page = signed_in.get(answer.headers["location"])
    assert "pas pu être gardé" in page.text
    assert 'href="/aat?x=1"' in page.text
    looked_at = world.returns.keep("/aat", world.now, signed_in=True)
    assert signed_in.get(f"{CONTINUE}?to={looked_at}").headers["location"] == "/"
    assert signed_in.get(CONTINUE).headers["location"] == "/"
