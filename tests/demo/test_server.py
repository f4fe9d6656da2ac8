# SPDX-License-Identifier: EUPL-1.2
"""The stand-in portal as the process it is: its command line, its sources of keys, streams over real sockets."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import ssl
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, RejectConnection, Request, TextMessage
from wsproto.events import RejectData as RejectionBody

from gateway.demo.people import person
from gateway.demo.server import arguments, keys_from_file, keys_from_url, main
from gateway.demo.transfers import DOWNLOAD_BYTES, download_pieces
from support.servers import LOOPBACK, Process, accepts, free_port
from support.tls import Authority

ROOT = Path(__file__).parents[2]
ONE = person(0)


class Running:
    """A started portal, and requests to it with or without an assertion."""

    def __init__(self, process: Process, port: int, voucher, served: Path) -> None:
        self.process = process
        self.port = port
        self.served = served
        self._voucher = voucher

    def headers(self, **more: str) -> dict[str, str]:
        audience = f"http://{LOOPBACK}:{self.port}"
        return {"Herse-Assertion": self._voucher.assertion(datetime.now(UTC), aud=audience), **more}

    @contextmanager
    def asked(self, method: str, path: str, body=None, headers: dict[str, str] | None = None):
        connection = HTTPConnection(LOOPBACK, self.port, timeout=20)
        try:
            connection.request(method, path, body, self.headers() if headers is None else headers)
            yield connection.getresponse()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def running(voucher, tmp_path_factory):
    folder = tmp_path_factory.mktemp("portal")
    port = free_port()
    keys, served = folder / "jwks.json", folder / "served.log"
    keys.write_text(json.dumps(voucher.jwks()))
    options = ["--port", str(port), "--jwks-file", keys, "--served-log", served]
    command = [sys.executable, "-m", "gateway.demo", *options]
    with Process(command, folder, ready=accepts(port), environment={"PYTHONPATH": str(ROOT)}, name="portal") as process:
        yield Running(process, port, voucher, served)


def resident_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


@pytest.mark.system
def test_the_download_is_streamed_and_not_kept(running):
    before = resident_kib(running.process.pid)
    digest, count, most = hashlib.sha256(), 0, before
    with running.asked("GET", "/telechargements/50mio") as answer:
        assert answer.status == 200
        assert answer.getheader("content-length") == str(DOWNLOAD_BYTES)
        while piece := answer.read(1024 * 1024):
            digest.update(piece)
            count += len(piece)
            most = max(most, resident_kib(running.process.pid))
    assert count == DOWNLOAD_BYTES
    assert digest.digest() == hashlib.sha256(b"".join(download_pieces())).digest()
    assert most - before < 16 * 1024


@pytest.mark.system
def test_the_upload_is_streamed(running):
    piece, count = bytes(range(256)) * 4096, 32
    before = resident_kib(running.process.pid)
    with running.asked("POST", "/depot", (piece for _ in range(count))) as answer:
        told = json.loads(answer.read())
    assert told == {"bytes": len(piece) * count, "sha256": hashlib.sha256(piece * count).hexdigest()}
    assert resident_kib(running.process.pid) - before < 16 * 1024


@pytest.mark.system
def test_a_lookup_is_in_the_served_log_when_its_answer_is_here(running):
    with running.asked(
        "GET", f"/api/infopatient/{ONE.number}", headers=running.headers(**{"Herse-Request": "r-9"})
    ) as a:
        assert json.loads(a.read())["nir"] == ONE.number
    assert running.served.read_text().splitlines()[-1] == f"r-9\t{ONE.number}"
    assert running.served.stat().st_mode & 0o777 == 0o600
    with running.asked("GET", f"/api/infopatient/{ONE.number}", headers={}) as refused:
        assert refused.status == 401


@pytest.mark.system
def test_no_number_reaches_the_portals_own_log(running):
    with running.asked("GET", f"/infopatient/{ONE.number}") as answer:
        answer.read()
    assert ONE.number not in running.process.log.read_text()


@pytest.mark.system
def test_server_sent_events_come_one_by_one_the_first_at_once(running):
    started = time.monotonic()
    with running.asked("GET", "/evenements-serveur") as answer:
        assert answer.getheader("content-type").startswith("text/event-stream")
        first = [answer.readline() for _ in range(4)]
        at_once = time.monotonic() - started
        second = [answer.readline() for _ in range(4)]
    assert [first[0], first[2]] == [b"event: tick\n", b'data: {"tick": 0}\n']
    assert second[2] == b'data: {"tick": 1}\n'
    assert at_once < 0.9 < time.monotonic() - started


class Socket:
    """A WebSocket client that shows every event as it came."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._link = socket.create_connection((LOOPBACK, port), timeout=10)
        self._wire = WSConnection(ConnectionType.CLIENT)
        fields = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self.send(Request(host="localhost", target="/ws", extra_headers=fields))

    def send(self, event) -> None:
        self._link.sendall(self._wire.send(event))

    def next(self):
        while True:
            for event in self._wire.events():
                return event
            self._wire.receive_data(self._link.recv(65536) or None)

    def close(self) -> None:
        self._link.close()


@pytest.mark.system
def test_the_web_socket_echoes_text_and_bytes(running):
    client = Socket(running.port, running.headers())
    try:
        assert isinstance(client.next(), AcceptConnection)
        client.send(TextMessage("bonjour, é"))
        assert client.next().data == "bonjour, é"
        client.send(TextMessage(""))
        assert client.next().data == ""
        client.send(BytesMessage(bytes(range(256)) * 64))
        received = bytearray()
        while len(received) < 256 * 64:
            message = client.next()
            assert isinstance(message, BytesMessage)
            received += message.data
        assert bytes(received) == bytes(range(256)) * 64
        client.send(CloseConnection(1000))
        assert client.next().code == 1000
    finally:
        client.close()


@pytest.mark.system
def test_the_web_socket_is_behind_the_door_too(running):
    client = Socket(running.port, {})
    try:
        refusal = client.next()
        assert isinstance(refusal, RejectConnection)
        assert refusal.status_code == 401
        assert isinstance(client.next(), RejectionBody)
    finally:
        client.close()


def portal(voucher, folder):
    port = free_port()
    (folder / "jwks.json").write_text(json.dumps(voucher.jwks()))
    command = [sys.executable, "-m", "gateway.demo", "--port", str(port), "--jwks-file", folder / "jwks.json"]
    return Process(command, folder, ready=accepts(port), environment={"PYTHONPATH": str(ROOT)}, name="portal"), port


@pytest.mark.system
def test_it_stops_though_a_stream_is_open(voucher, tmp_path):
    process, port = portal(voucher, tmp_path)
    with process, Running(process, port, voucher, tmp_path).asked("GET", "/evenements-serveur") as answer:
        answer.readline()
        started = time.monotonic()
        process.stop()
        assert time.monotonic() - started < 6


@pytest.mark.system
def test_a_key_pressed_to_end_it_ends_it_without_a_word(voucher, tmp_path):
    with portal(voucher, tmp_path)[0] as process:
        os.kill(process.pid, signal.SIGINT)
        assert process.wait() == 0
        assert "Traceback" not in process.output()


@contextmanager
def key_server(authority: Authority, status: int, body: bytes):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words):
            pass

    chain, key = authority.issue("localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    server = HTTPServer((LOOPBACK, 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}/.herse/jwks.json"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_keys_come_over_tls_from_the_named_authority_alone(voucher, tmp_path):
    authority, stranger = Authority(tmp_path / "a"), Authority(tmp_path / "b")
    with key_server(authority, 200, json.dumps(voucher.jwks()).encode()) as url:
        assert keys_from_url(url, authority.certificate)() == voucher.jwks()
        with pytest.raises(ssl.SSLCertVerificationError):
            keys_from_url(url, stranger.certificate)()
        with pytest.raises(ssl.SSLCertVerificationError):
            keys_from_url(url.replace("localhost", LOOPBACK), authority.certificate)()


@pytest.mark.parametrize(
    ("status", "body"), [(404, b"{}"), (302, b"{}"), (200, b"[]"), (200, b"<"), (200, b" " * 70_000)]
)
def test_what_is_no_key_set_is_told(status, body, tmp_path):
    authority = Authority(tmp_path)
    with key_server(authority, status, body) as url, pytest.raises((OSError, ValueError)):
        keys_from_url(url, authority.certificate)()


def test_keys_of_a_file_are_read_anew(voucher, tmp_path):
    path = tmp_path / "jwks.json"
    fetch = keys_from_file(path)
    with pytest.raises(FileNotFoundError):
        fetch()
    path.write_text('{"keys": []}')
    assert fetch() == {"keys": []}
    path.write_text(json.dumps(voucher.jwks()))
    assert fetch() == voucher.jwks()


def test_the_command_line(tmp_path, capsys):
    chosen = arguments(["--port", "9999", "--jwks-file", "k.json"])
    assert (chosen.audience, chosen.issuer) == ("http://127.0.0.1:9999", "https://localhost:8443")
    for words in (
        [],
        ["--jwks-file", "a", "--jwks-url", "https://b"],
        ["--jwks-url", "http://localhost/keys"],
        ["--jwks-url", "https://localhost/keys", "--jwks-ca", str(tmp_path / "none.pem")],
    ):
        with pytest.raises(SystemExit) as ended:
            arguments(words)
        assert ended.value.code == 2
    assert "herse certs dev" in capsys.readouterr().err
    with pytest.raises(ValueError, match="https"):
        keys_from_url("http://localhost/keys", None)


def test_a_served_log_that_cannot_be_opened_ends_the_start(tmp_path, capsys):
    nowhere = tmp_path / "none" / "served.log"
    assert main(["--jwks-file", os.devnull, "--served-log", str(nowhere)]) == 2
    assert str(nowhere) in capsys.readouterr().err
