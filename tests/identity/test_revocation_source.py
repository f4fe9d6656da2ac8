# SPDX-License-Identifier: EUPL-1.2
"""Fetching: real lists and answers over loopback; and every way a source can fail, which changes nothing kept."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import contextmanager, suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from identity.bad_cards import AT, DAY, make_world

from gateway.demo.card_pki import STANDARD, STRONG
from gateway.demo.card_responder import LIST_LIFE, CardResponder, make_list
from gateway.errors import StartError
from gateway.identity.revocation import RevocationLists, Standing
from gateway.identity.revocation_source import Addresses, RevocationSource

WORLD = make_world()
ISSUER = WORLD.pki.people(STRONG)
CARD = WORLD.good()
DER = CARD.public_bytes(Encoding.DER)
FILES = {"ACR-FO-TEST.crl", "ACI-FO-PP-TEST.crl", "ACR-ST-TEST.crl", "ACI-ST-PP-TEST.crl"}


@pytest.fixture
def responder():
    with CardResponder(WORLD.pki, lambda: AT) as responder:
        yield responder


@pytest.fixture
def lists():
    return RevocationLists(WORLD.trust())


def own(responder) -> tuple[str, ...]:
    return tuple(url for url in responder.addresses() if url.rpartition("/")[2] in FILES)


def refresh(lists, *urls, at=AT, folder=None, **limits):
    source = RevocationSource(lists, Addresses(urls, **limits), folder)
    return asyncio.run(source.refresh(at))


def standing(lists, at=AT):
    return lists.standing(CARD, ISSUER.certificate, at)


@contextmanager
def server(respond):
    """A server that does one bad thing to everybody."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            respond(self)

        def do_POST(self):
            respond(self)

        def log_message(self, *arguments):
            pass

    served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{served.server_port}/x.crl"
    finally:
        served.shutdown()
        served.server_close()
        thread.join()


def reply(handler, body=b"", status=200, **fields):
    handler.send_response(status)
    for name, value in {"content-length": str(len(body)), **fields}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def test_lists_are_fetched_and_a_revocation_arrives_with_the_next(responder, lists):
    assert refresh(lists, *own(responder)) == {}
    assert {one.standing for one in lists.status(AT)} == {Standing.GOOD}
    assert standing(lists) is Standing.GOOD
    responder.revoke(CARD)
    assert refresh(lists, *own(responder)) == {}
    assert standing(lists) is Standing.REVOKED


def test_one_source_that_fails_leaves_the_others_fetched_and_is_told(responder, lists, caplog):
    absent = f"{responder.site}/CRL/absent.crl"
    with caplog.at_level(logging.WARNING, "gateway.revocation"):
        faults = refresh(lists, absent, *own(responder))
    assert faults == {absent: "status 404, expected a plain 200"}
    assert "revocation-list-refused" in caplog.messages
    assert standing(lists) is Standing.GOOD


def trickle(handler):
    handler.send_response(200)
    handler.end_headers()
    for _ in range(40):
        try:
            handler.wfile.write(b"x")
        except OSError:
            return
        threading.Event().wait(0.05)


FAILURES = {
    "an error page": (lambda handler: reply(handler, b"sorry", 503), "status 503"),
    "a redirect": (lambda handler: reply(handler, b"", 302, location="http://192.0.2.1/x.crl"), "status 302"),
    "too much": (lambda handler: reply(handler, b"x" * 5000), "more than 4096 bytes"),
    "too slow, byte by byte": (trickle, "not within 0.5 seconds"),
    "compressed": (lambda handler: reply(handler, b"x", content_encoding="gzip"), "a plain 200"),
    "cut short": (lambda handler: reply(handler, b"x", content_length="500"), "RemoteProtocolError"),
    "not a list": (lambda handler: reply(handler, b"hello"), "malformed"),
    "an empty body": (lambda handler: reply(handler, b""), "malformed"),
    "a list of yesterday": (lambda handler: reply(handler, make_list(ISSUER, AT - DAY)), "older-than-kept"),
    "a connection closed": (lambda handler: handler.connection.close(), "Error"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_E5_a_fetch_that_fails_leaves_what_is_kept_and_its_age(name):
    respond, told = FAILURES[name]
    lists = WORLD.lists(CARD)
    before = lists.status(AT)
    with server(respond) as url:
        faults = refresh(lists, url, limit_bytes=4096, seconds=0.5)
    assert told in faults[url]
    assert lists.status(AT) == before
    assert standing(lists) is Standing.REVOKED
    assert lists.status(AT + LIST_LIFE + DAY)[0].standing is Standing.STALE


def test_a_source_that_is_down_is_told(lists):
    url = "http://127.0.0.1:1/x.crl"
    assert refresh(lists, url) == {url: "ConnectError"}


@pytest.mark.parametrize(
    "url",
    [
        "http://[bad/x.crl",
        "ftp://127.0.0.1/x",
        "http:///x",
        "//127.0.0.1/x",
        "x",
        "http://a:b@127.0.0.1/",
        "http://a:x/",
    ],
)
def test_what_is_no_address_stops_the_start(url):
    for more in ({"lists": (url,)}, {"lists": (), "responder": url}):
        with pytest.raises(StartError, match="source of revocation"):
            Addresses(**more)


def test_E5_a_restart_is_no_rollback(responder, tmp_path):
    folder = tmp_path / "revocation"
    responder.revoke(CARD)
    assert refresh(RevocationLists(WORLD.trust()), *own(responder), folder=folder) == {}
    assert len(list(folder.iterdir())) == 4
    again = RevocationLists(WORLD.trust())
    source = RevocationSource(again, Addresses(()), folder)
    assert source.restore(AT + DAY) == 4
    assert standing(again) is Standing.REVOKED
    with server(lambda handler: reply(handler, make_list(ISSUER, AT - DAY))) as url:
        assert refresh(again, url, folder=folder) == {url: "older-than-kept"}


def test_a_kept_file_that_is_broken_is_told_and_left_out(responder, tmp_path, lists, caplog):
    assert refresh(lists, *own(responder), folder=tmp_path) == {}
    broken = min(tmp_path.iterdir())
    broken.write_bytes(broken.read_bytes()[:-1])
    again = RevocationLists(WORLD.trust())
    with caplog.at_level(logging.WARNING, "gateway.revocation"):
        assert RevocationSource(again, Addresses(()), tmp_path).restore(AT) == 3
    assert caplog.messages == ["revocation-list-not-restored"]
    assert RevocationSource(again, Addresses(()), None).restore(AT) == 0


def test_a_folder_that_cannot_be_written_is_told_and_the_list_is_used(responder, tmp_path, lists):
    place = tmp_path / "file"
    place.write_text("in the way")
    faults = refresh(lists, *own(responder), folder=place)
    assert len(faults) == 4
    assert all("not on disk" in fault for fault in faults.values())
    assert standing(lists) is Standing.GOOD


def test_the_next_refresh_comes_before_a_list_ends(lists):
    source = RevocationSource(lists, Addresses(()))
    assert source.pause(AT, failed=False) == timedelta(hours=1)
    assert source.pause(AT, failed=True) == timedelta(minutes=5)
    lists.accept(make_list(ISSUER, AT), AT)
    assert source.pause(AT, failed=False) == timedelta(hours=1)
    assert source.pause(AT + LIST_LIFE - timedelta(hours=1), failed=False) == timedelta(minutes=30)
    assert source.pause(AT + 2 * LIST_LIFE, failed=True) == timedelta(minutes=1)


def keep_fresh(source, clock):
    """Run it until its first refresh is done and it sleeps, then stop it."""

    async def walk():
        with suppress(TimeoutError):
            await asyncio.wait_for(source.keep_fresh(clock), 1.0)

    asyncio.run(walk())


def test_it_refreshes_until_it_is_cancelled(responder, lists):
    keep_fresh(RevocationSource(lists, Addresses(own(responder))), lambda: AT)
    assert standing(lists) is Standing.GOOD


def test_what_nobody_foresaw_does_not_end_the_refreshing(responder, lists, caplog):
    clock = iter([None, *[AT] * 9])  # a clock that fails once: the refresh breaks, the next pause is the short one
    source = RevocationSource(lists, Addresses(own(responder)))
    with caplog.at_level(logging.ERROR, "gateway.revocation"):
        keep_fresh(source, lambda: next(clock))
    assert caplog.messages == ["revocation-refresh-failed"]


def consult(lists, url, card=DER):
    asyncio.run(RevocationSource(lists, Addresses((), url, answer_seconds=2.0)).consult(card, AT))


def test_the_OCSP_responder_is_the_second_source(responder, lists):
    url = f"{responder.site}/ocsp"
    consult(lists, url)
    assert standing(lists) is Standing.GOOD
    responder.revoke(CARD)
    consult(lists, url)
    assert standing(lists) is Standing.REVOKED


@pytest.mark.parametrize("name", ["an error page", "a redirect", "not a list", "a connection closed"])
def test_E5_a_responder_that_fails_changes_nothing(name, lists, caplog):
    with server(FAILURES[name][0]) as url, caplog.at_level(logging.WARNING, "gateway.revocation"):
        consult(lists, url)
    assert caplog.messages == ["ocsp-answer-refused"]
    assert standing(lists) is Standing.STALE


def test_nobody_is_asked_about_strangers_or_without_a_responder(lists):
    asked = []
    with server(lambda handler: (asked.append(handler.path), reply(handler))) as url:
        consult(RevocationLists(WORLD.pki.trust(levels=(STANDARD,))), url)
        consult(lists, url, b"hello")
    consult(lists, None)
    assert asked == []
