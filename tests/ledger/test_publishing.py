# SPDX-License-Identifier: EUPL-1.2
"""publishing: each destination really takes a checkpoint, and a failed sending names it."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from gateway.errors import HerseError
from gateway.ledger.publishing import NotSent, ToFile, ToHttp, ToMail, ToSyslog, destination
from support.servers import LOOPBACK, free_port

NOTE = "portail.example/ledger\n3\nAAAA\nat 2026-11-23T14:00:00.000000Z\n\n\u2014 portail.example/ledger é\n"


def nobody(_to, _text):
    raise AssertionError("nobody was to be written to")


def test_a_file_gets_one_note_after_the_other(tmp_path):
    there = destination(f"file:{tmp_path / 'kept'}", nobody)
    there.send(NOTE)
    there.send(NOTE)
    assert (tmp_path / "kept").read_text(encoding="utf-8") == f"{NOTE}\n{NOTE}\n"


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    there = destination(f"file:{tmp_path / 'nowhere' / 'kept'}", nobody)
    with pytest.raises(NotSent, match=r"nowhere/kept: No such file"):
        there.send(NOTE)


def test_a_full_disk_is_told():
    with pytest.raises(NotSent, match="/dev/full: No space left"):
        destination("file:/dev/full", nobody).send(NOTE)


@pytest.mark.parametrize("family", ["socket", "udp"])
def test_a_log_gets_one_line_of_json(tmp_path, family):
    log = socket.socket(socket.AF_UNIX if family == "socket" else socket.AF_INET, socket.SOCK_DGRAM)
    with log:
        log.settimeout(5)
        if family == "socket":
            log.bind(str(tmp_path / "log"))
            there = destination(f"syslog:{tmp_path / 'log'}", nobody)
        else:
            log.bind((LOOPBACK, 0))
            there = destination(f"syslog:{LOOPBACK}:{log.getsockname()[1]}", nobody)
        there.send(NOTE)
        line = log.recv(65_536).decode()
    head, _, told = line.partition("herse: ")
    assert head == "<109>"
    assert json.loads(told) == {"checkpoint": NOTE}
    assert "\n" not in line


def test_a_log_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NotSent, match="No such file"):
        destination(f"syslog:{tmp_path / 'log'}", nobody).send(NOTE)


@pytest.fixture
def server():
    """Answers with the status in the path, and keeps what was posted."""

    posted = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posted.append((self.path, self.headers["Content-Type"], body.decode()))
            self.send_response(int(self.path[1:]))
            self.send_header("Location", "/200")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_words):
            pass

    serving = HTTPServer((LOOPBACK, 0), Handler)
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    yield f"http://{LOOPBACK}:{serving.server_port}", posted
    serving.shutdown()
    thread.join()
    serving.server_close()


def test_a_host_gets_it_by_post(server):
    url, posted = server
    destination(f"{url}/204", nobody).send(NOTE)
    assert posted == [("/204", "text/plain; charset=utf-8", NOTE)]


@pytest.mark.parametrize("status", [302, 307, 403, 500])
def test_any_other_answer_is_no_receipt(server, status):
    url, posted = server
    with pytest.raises(NotSent, match=f"{url}/{status}: .*{status}"):
        destination(f"{url}/{status}", nobody).send(NOTE)
    assert len(posted) == 1, "a redirect is not followed"


def test_a_host_that_is_not_there_is_named():
    url = f"http://{LOOPBACK}:{free_port()}/x"
    with pytest.raises(NotSent, match=url):
        destination(url, nobody).send(NOTE)


def test_an_answer_that_is_none_is_no_receipt():
    with socket.create_server((LOOPBACK, 0)) as listening:

        def answer():
            talk, _ = listening.accept()
            talk.recv(65_536)
            talk.sendall(b"nothing that is HTTP\r\n\r\n")
            talk.close()

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(NotSent):
            destination(f"http://{LOOPBACK}:{listening.getsockname()[1]}/x", nobody).send(NOTE)
        thread.join()


def test_a_letter_is_written():
    letters = []
    destination("mail:dpo@portail.example", lambda to, text: letters.append((to, text))).send(NOTE)
    assert letters == [("dpo@portail.example", NOTE)]


def test_a_letter_that_cannot_be_written_is_told():
    def full(_to, _text):
        raise HerseError("the outbox is full")

    with pytest.raises(NotSent, match=r"mail:dpo@portail\.example: the outbox is full"):
        destination("mail:dpo@portail.example", full).send(NOTE)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("file:/x", ToFile),
        ("syslog:/dev/log", ToSyslog),
        ("syslog:[2001:db8::1]:514", ToSyslog),
        ("https://audit.example/herse", ToHttp),
        ("http://localhost/herse", ToHttp),
        ("mail:a@b.example", ToMail),
    ],
)
def test_each_form_is_known_and_goes_by_the_name_it_has_in_the_settings(text, kind):
    found = destination(text, nobody)
    assert isinstance(found, kind)
    assert found.name == text.replace("[", "").replace("]", "")


@pytest.mark.parametrize(
    "text",
    [
        "", "file:relative", "file:", "syslog:", "syslog:log.example:514", "syslog:192.0.2.7:0", "syslog:192.0.2.7:x",
        "http://audit.example/", "https://", "https://me:secret@audit.example/", "mail:nobody", "ftp://x/", "/dev/log",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_what_is_expected(text):
    with pytest.raises(ValueError, match=r"192\.0\.2\.7:514"):
        destination(text, nobody)
