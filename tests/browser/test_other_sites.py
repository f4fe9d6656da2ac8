# SPDX-License-Identifier: EUPL-1.2
"""What other tabs, other sites and live connections can do to somebody who is signed in, in a real browser.

The other site is the hardest neighbour there is: the same host name on another port, over TLS with the same
certificate. Browsers send it our cookies, `SameSite` or not.
"""

from __future__ import annotations

import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from support.servers import LOOPBACK

pytestmark = [pytest.mark.system, pytest.mark.browser]

SESSION = "__Host-herse"
PLAIN_PAGE = "/static/portail.css"
"""Of the portal's origin, and without its Content-Security-Policy, which lets no page of the demo open a connection."""

CONNECT = """() => new Promise((done) => {
  window.heard = [];
  window.ended = { socket: null, events: null };
  window.socket = new WebSocket(`wss://${location.host}/ws`);
  socket.onmessage = (message) => heard.push(message.data);
  socket.onclose = () => { ended.socket = performance.now(); };
  window.events = new EventSource("/evenements-serveur?interval_ms=100");
  events.addEventListener("tick", (tick) => {
    heard.push(JSON.parse(tick.data).tick);
    if (heard.includes("bonjour") && heard.includes(1)) done(heard);
  });
  events.onerror = () => { if (events.readyState === EventSource.CLOSED) ended.events = performance.now(); };
  socket.onopen = () => socket.send("bonjour");
  setTimeout(() => done(heard), 5000);
})"""
CUT = "() => socket.readyState === WebSocket.CLOSED && events.readyState !== EventSource.OPEN"
ACTS = ("sign-in", "sign-out", "step-up", "account/sessions", "account/factors", "enrol")
REFUSED = "() => ended.socket !== null && ended.events !== null"


@contextmanager
def other_site(demo, body, *headers):
    """A neighbour on another port that answers every GET with this page; gives its origin."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            for name, value in (("Content-Type", "text/html"), *headers):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(f"<!doctype html><title>x</title><link rel=icon href=data:,>{body}".encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer((LOOPBACK, 0), Answer) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(demo.certs / "server.pem", demo.certs / "server.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"https://localhost:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_live_connections_work_and_are_cut_when_another_tab_signs_out(demo, profile):
    browser = profile()
    tab, other = browser.tab(), browser.tab()
    browser.sign_in(tab, demo.account("pharmacist"))
    tab.goto(PLAIN_PAGE)
    heard = tab.evaluate(CONNECT)
    assert "bonjour" in heard
    assert [tick for tick in heard if tick != "bonjour"][:2] == [0, 1]
    other.goto("/.herse/sign-out")
    with other.expect_navigation():
        other.click("main button")
    tab.wait_for_function(CUT, timeout=1000)
    heard = tab.evaluate("heard.length")
    tab.wait_for_function(REFUSED, timeout=10_000)  # the browser tries the stream again after three seconds
    assert tab.evaluate("heard.length") == heard
    browser.complaints.clear()  # the browser says on its console that the event stream was cut


def test_live_connections_need_a_session(profile):
    browser = profile()
    tab = browser.tab()
    tab.goto(PLAIN_PAGE)
    tab.evaluate(CONNECT.replace("5000", "0"))
    tab.wait_for_function(REFUSED, timeout=5000)
    assert tab.evaluate("heard") == []
    browser.complaints.clear()


def test_R1_a_form_of_another_site_does_nothing(demo, profile):
    browser, account = profile(), demo.account("gp")
    tab = browser.tab()
    browser.sign_in(tab, account)
    mine = browser.cookies()[SESSION]["value"]
    robber = demo.account("leaked")
    fields = {"identifier": robber.identifier, "password": robber.password, "code": "000000", "others": "1"}
    inputs = "".join(f"<input name={name} value={value}>" for name, value in fields.items())
    body = "".join(
        f"<form method=post action={demo.origin}/.herse/{act}>{inputs}<button>go</button></form>" for act in ACTS
    )
    with other_site(demo, body) as origin:
        for place, act in enumerate(ACTS):
            tab.goto(origin)
            with tab.expect_navigation() as navigation:
                tab.locator("button").nth(place).click()
            assert navigation.value.status == 403, act
            assert tab.text_content("h1") == "Formulaire non reconnu"
            assert browser.cookies()[SESSION]["value"] == mine
    tab.goto("/")
    assert tab.get_by_text(account.title).first.is_visible()


def test_another_site_can_neither_frame_nor_read_nor_listen(demo, profile):
    browser = profile()
    tab = browser.tab()
    browser.sign_in(tab, demo.account("gp"))
    tries = f"""async () => ({{
      read: await fetch("{demo.origin}/", {{ credentials: "include" }}).then(() => "read", () => "refused"),
      listen: await new Promise((done) => {{
        const socket = new WebSocket("{demo.origin.replace("https", "wss")}/ws");
        socket.onopen = () => done("open");
        socket.onerror = () => done("refused");
      }}),
    }})"""
    with other_site(demo, f"<iframe src={demo.origin}/.herse/sign-in></iframe>") as origin:
        tab.goto(origin)
        assert tab.evaluate(tries) == {"read": "refused", "listen": "refused"}
        assert "identifier" not in [frame.content() for frame in tab.frames][-1]
    framed = [complaint for complaint in browser.complaints if "frame-ancestors" in complaint]
    assert framed, browser.complaints
    browser.complaints.clear()


@pytest.mark.parametrize("cookie", ["\xa0__Host-herse=forged", "__Host-herse\xa0=forged; Secure"])
def test_F1_a_neighbour_that_forges_the_cookie_gets_the_request_refused(demo, profile, cookie):
    """A browser keeps a cookie with such a name without the conditions of `__Host-`; some servers read it as ours."""
    browser = profile()
    tab = browser.tab()
    with other_site(demo, "planted", ("Set-Cookie", f"{cookie}; Path=/")) as origin:
        tab.goto(origin)
    assert [cookie for cookie in browser.context.cookies() if cookie["value"] == "forged"], "the browser took it"
    answer = tab.goto("/.herse/account")
    assert answer.status == 400
    assert tab.text_content("h1") == "Cookie de connexion en double"
    assert tab.goto("/").status == 400
    browser.context.clear_cookies()
    assert tab.goto("/").status == 200
