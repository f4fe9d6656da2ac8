# SPDX-License-Identifier: EUPL-1.2
"""Step-up keeps your work, through the whole gateway: it is sent once on the person's word, whatever dies, or never."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from gateway.model import EventKind
from support.kept_desk import CONTINUE, FORM, TYPED, answers
from support.servers import LOOPBACK, free_port, wait_until

pytestmark = pytest.mark.system


def test_a_form_is_kept_shown_and_sent_once_with_all_that_belongs_to_it(running, portal):
    portal.on(b"/letters/new", answers(b"201 Created", b"<p>merci</p>", b"content-type: text/html", b"x-own: 1"))
    person = running.person()
    to = person.work(x_csrf="abc", referer=f"{running.house.origin}/letters")
    assert to.startswith("work-")
    assert portal.seen == []
    following = person.prove(running.code(), to)
    assert following == f"{CONTINUE}?to={to}"
    shown = person.ask("GET", following)
    assert shown.status_code == 200
    for words in ("Courriers", "Formulaire de 3 champs", "Envoyer", "Abandonner"):
        assert words in shown.text.replace("\u202f", " ").replace("\u00a0", " ")
    assert "grippe" not in shown.text
    assert portal.seen == [], "looking sends nothing"
    answer = person.confirm(to)
    assert (answer.status_code, answer.text, answer.headers["x-own"]) == (201, "<p>merci</p>", "1")
    (seen,) = portal.seen
    assert (seen.method, seen.target, seen.body) == (b"POST", b"/letters/new?a=b", TYPED)
    assert seen.all(b"content-type") == [FORM.encode()]
    assert seen.all(b"content-length") == [b"%d" % len(TYPED)]
    assert seen.all(b"x-csrf") == [b"abc"]
    assert seen.all(b"herse-assertion") != []
    assert portal.faults == []
    again = person.confirm(to)
    assert again.status_code == 409
    assert "Envoyé" in again.text
    assert "work=send" not in again.text
    assert len(portal.seen) == 1
    assert running.rows()[0] == ("sent", 201, None)
    kinds = [one.event.kind for one in running.house.events()]
    assert kinds == [EventKind.CHALLENGED, EventKind.STEP_UP, EventKind.ATTEMPT, EventKind.LOOKUP]


def test_a_JSON_body_of_a_script_is_kept_and_its_outcome_told_on_a_page(running, portal):
    made = answers(b"201 Created", b'{"id": 7}', b"content-type: application/json", b"set-cookie: step=2; Path=/")
    portal.on(b"/letters/7", made)
    person, sent = running.person(), b'{"motif": "grippe", "nir": "1"}'
    told = {"accept": "application/json", "origin": running.house.origin, "content_type": "application/json"}
    page = f"{running.house.origin}/letters/7/page"
    refused = person.ask("PUT", "/letters/7", sent, x_csrf="abc", referer=page, **told)
    assert refused.status_code == 401
    where = refused.json()["kept"]
    to = where.partition("to=")[2]
    assert where == f"{CONTINUE}?to={to}"
    assert person.ask("GET", where, accept="application/json").json()["state"] == "waiting"
    person.prove(running.code())
    answer = person.confirm(to)
    assert (answer.status_code, answer.headers["location"]) == (303, where)
    assert answer.headers["set-cookie"] == "step=2; Path=/"
    shown = person.ask("GET", where).text
    assert "Envoyé" in shown
    assert 'href="/letters/7/page"' in shown
    (seen,) = portal.seen
    assert (seen.method, seen.body, seen.get(b"accept"), seen.get(b"x-csrf")) == (
        b"PUT",
        sent,
        b"application/json",
        b"abc",
    )
    assert seen.all(b"content-type") == [b"application/json"]
    told = person.ask("GET", where, accept="application/json").json()
    assert (told["state"], told["status"]) == ("sent", 201)


def test_of_twenty_confirmations_at_once_one_sends(running, portal):
    def slowly(talk, seen):
        time.sleep(0.5)
        answers(b"303 See Other", b"", b"location: done?x=1")(talk, seen)

    portal.on(b"/letters/new", slowly)
    person = running.person()
    to = person.work()
    person.prove(running.code(), to)
    people = [running.person(person.cookie) for _ in range(20)]
    with ThreadPoolExecutor(20) as threads:
        got = list(threads.map(lambda one: one.confirm(to), people))
    assert sorted(one.status_code for one in got) == [303] + [409] * 19
    (sent,) = [one for one in got if one.status_code == 303]
    assert sent.headers["location"] == f"{running.house.origin}/letters/done?x=1", "as seen from where the form stood"
    assert all("partira pas une seconde fois" in one.text or "Envoyé" in one.text for one in got if one is not sent)
    assert portal.count(b"/letters/new") == 1
    assert running.states() == ["sent"]


def test_killed_while_the_portal_had_it_the_outcome_is_unknown_and_it_never_goes_again(desk, portal):
    arrived, go_on = threading.Event(), threading.Event()

    def wait(_talk, _seen):
        arrived.set()
        go_on.wait(20)

    portal.on(b"/letters/new", wait)
    person = desk.person()
    with desk.house.serve() as gateway, ThreadPoolExecutor(1) as threads:
        to, waiting = person.work(), person.work(b"autre=1")
        person.prove(desk.code(), to)
        confirming = threads.submit(person.confirm, to)
        assert arrived.wait(10)
        assert desk.states() == ["sending", "waiting"], "marked on the disk before the portal had it"
        gateway.kill()
        with pytest.raises(httpx.HTTPError):
            confirming.result()
    go_on.set()
    portal.on(b"/letters/new", answers())
    with desk.house.serve():
        person = desk.person(person.cookie)
        shown = person.see(to).text
        assert "Résultat inconnu" in shown
        assert "Vérifiez" in shown
        assert 'value="send"' not in shown
        for _ in range(3):
            again = person.confirm(to)
            assert (again.status_code, "Résultat inconnu" in again.text) == (409, True)
        assert portal.count(b"/letters/new") == 1
        assert desk.rows()[0] == ("unknown", None, None)
        assert person.confirm(waiting).status_code == 200, "what only waited still can be sent"
        assert portal.of(b"/letters/new")[1].body == b"autre=1"


def test_a_portal_that_breaks_off_leaves_it_unknown_and_one_that_cannot_be_reached_leaves_it_waiting(make, portal):
    desk = make(portal.url)
    portal.on(b"/letters/new", lambda talk, _seen: talk.close())
    with desk.house.serve():
        person = desk.person()
        to = person.work()
        person.prove(desk.code(), to)
        answer = person.confirm(to)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{CONTINUE}?to={to}")
        assert "Résultat inconnu" in person.see(to).text
        assert person.confirm(to).status_code == 409
        assert portal.count(b"/letters/new") == 1
    desk = make(f"http://{LOOPBACK}:{free_port()}")
    with desk.house.serve():
        person = desk.person()
        to = person.work()
        person.prove(desk.code(), to)
        for _ in range(2):
            assert person.confirm(to).status_code == 502
            assert desk.states() == ["waiting"]


def test_a_browser_that_goes_away_does_not_leave_the_outcome_open(running, portal):
    arrived, go_on = threading.Event(), threading.Event()

    def wait(talk, seen):
        arrived.set()
        go_on.wait(20)
        answers()(talk, seen)

    portal.on(b"/letters/new", wait)
    person = running.person()
    to = person.work()
    person.prove(running.code(), to)
    hasty = running.person(person.cookie)
    hasty.http.timeout = httpx.Timeout(0.3)
    with pytest.raises(httpx.ReadTimeout):
        hasty.confirm(to)
    hasty.http.close()
    assert arrived.is_set()
    assert person.confirm(to).status_code == 409
    time.sleep(0.2)
    go_on.set()
    wait_until("it is known", lambda: running.states() == ["sent"])
    assert portal.count(b"/letters/new") == 1


def test_a_second_challenge_leaves_it_waiting_and_it_is_kept_once(running, portal):
    person = running.person()
    to = person.work()
    for _ in range(2):
        answer = person.confirm(to)
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/.herse/step-up?to={to}&reason=second-factor-required"
    assert portal.seen == []
    assert running.states() == ["waiting"]
    person.prove(running.code(), to)
    assert person.confirm(to).status_code == 200
    assert len(portal.seen) == 1


def test_a_large_answer_comes_whole_and_a_broken_one_does_not_look_whole(running, portal):
    body = bytes(range(256)) * 40_000
    portal.on(b"/letters/file", answers(b"200 OK", body, b"content-type: application/octet-stream"))

    def breaks(talk, _seen):
        talk.send(b"HTTP/1.1 200 OK\r\ncontent-length: 400000\r\n\r\n" + body[:200_000])
        time.sleep(0.2)
        talk.close()

    portal.on(b"/letters/broken", breaks)
    person = running.person()
    whole, broken = person.work(path="/letters/file"), person.work(path="/letters/broken")
    person.prove(running.code())
    assert person.confirm(whole).content == body
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        person.confirm(broken)
    assert running.states() == ["sent", "sent"]
