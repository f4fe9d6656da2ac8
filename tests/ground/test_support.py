# SPDX-License-Identifier: EUPL-1.2
"""The tests' own tools do what other tests trust them for."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import socket
import ssl
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from support.nginx import proxy, upstream
from support.raw import Answer, exchange, parse
from support.servers import LOOPBACK, DiedError, Process, Warm, accepts, free_port, wait_until
from support.tls import Authority

SLEEPER = [sys.executable, "-c", "import subprocess, sys; print('up', flush=True); subprocess.run(['sleep', '600'])"]


@pytest.mark.parametrize("address", ["192.0.2.1", "example.org", "::ffff:192.0.2.1"])
def test_no_connection_leaves_this_machine(address, left_loopback):
    with pytest.raises(Exception, match="loopback only"):
        socket.create_connection((address, 443), timeout=1)
    assert left_loopback
    left_loopback.clear()


def test_asyncio_does_not_leave_either(left_loopback):
    with pytest.raises(Exception, match="loopback only"):
        asyncio.run(asyncio.open_connection("192.0.2.1", 443))
    left_loopback.clear()


def children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def gone(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_child_and_its_children_are_gone_after_it(tmp_path, end):
    process = Process(SLEEPER, tmp_path, ready=lambda: "up" in process.output().split("---")[-1], name="sleeper")
    with process:
        while not (grown := children_of(process.pid)):
            pass
        code = process.kill() if end == "kill" else process.stop()
    assert code == (-9 if end == "kill" else -15)
    wait_until("grandchildren gone", lambda: all(gone(pid) for pid in grown), 5)


def test_a_child_that_dies_shows_its_log(tmp_path):
    with (
        pytest.raises(DiedError, match="no such settings"),
        Process([sys.executable, "-c", "import sys; sys.exit('no such settings')"], tmp_path, ready=lambda: False),
    ):
        pass


def test_a_failing_test_shows_the_log_of_its_server(tmp_path):
    process = Process(SLEEPER, tmp_path, ready=lambda: "up" in process.output().split("---")[-1])
    with pytest.raises(ValueError, match="in the test") as caught, process:
        raise ValueError("in the test")
    assert "log of" in caught.value.__notes__[0]
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


SEEN = """\
import json, os, sys, threading
print(json.dumps({
    "words": sys.argv[1:], "path": sys.path[0], "name": __name__, "folder": os.getcwd(), "stdin": sys.stdin.read(),
    "environment": {**os.environ}, "leads its group": os.getpid() == os.getpgid(0) == os.getsid(0),
    "open": sorted(int(name) for name in os.listdir("/proc/self/fd"))[:-1], "threads": threading.active_count(),
    "built": "gateway.listener.wire" in sys.modules,
}), flush=True)
print("told", file=sys.stderr)
raise SystemExit(int(sys.argv[1]))
"""


def test_a_warm_child_finds_what_a_fresh_one_does(tmp_path):
    (tmp_path / "seen.py").write_text(SEEN, encoding="ascii")
    more = {"environment": {"HERSE_SEEN": "é"}}
    fresh = Process([sys.executable, "-m", "seen", "3", "a b"], tmp_path, name="fresh", **more).start()
    warm = Warm("seen", ["3", "a b"], tmp_path, name="warm", **more).start()
    assert (fresh.wait(), warm.wait()) == (3, 3)
    found = []
    for one in (fresh, warm):
        said, told = sorted(one.log.read_text(encoding="utf-8").splitlines(), reverse=True)
        assert told == "told"
        found.append(json.loads(said))
        assert one.kill() == 3
    assert (found[0].pop("built"), found[1].pop("built")) == (False, True), "its imports were done before"
    assert found[0] == found[1]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_warm_child_and_its_children_are_gone_after_it(tmp_path, end):
    (tmp_path / "sleeper.py").write_text(SLEEPER[2], encoding="ascii")
    process = Warm("sleeper", [], tmp_path, ready=lambda: bool(children_of(process.pid)), name="sleeper")
    with process:
        grown = children_of(process.pid)
        assert process.returncode is None
        code = process.kill() if end == "kill" else process.stop()
    assert code == (-9 if end == "kill" else -15) == process.returncode
    wait_until("grandchildren gone", lambda: all(gone(pid) for pid in grown), 5)


@pytest.mark.system
def test_nginx_before_nginx(tmp_path):
    origin, port = upstream(tmp_path / "origin", "location / { return 200 'from $request_uri\\n'; }")
    front, front_port = proxy(tmp_path / "front", port)
    with origin, front:
        connection = http.client.HTTPConnection(LOOPBACK, front_port, timeout=5)
        connection.request("GET", "/a%2fb?c")
        assert connection.getresponse().read() == b"from /a%2fb?c\n"
        connection.close()
        two = exchange(front_port, [b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGE", b"T /2 HTTP/1.0\r\n\r\n"])
        assert two.statuses() == [200, 200]
        assert two.closed
        assert exchange(front_port, b"GET / HTTP/1.1\r\n\r\n").statuses() == [400]
    assert not accepts(front_port)()


def test_answers_are_cut_as_they_were_framed():
    stream = (
        b"HTTP/1.1 100 Continue\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nA: 1\r\na: 2\r\n\r\nabc"
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\nT: 1\r\n\r\n"
        b"HTTP/1.1 204 No Content\r\n\r\n"
        b"HTTP/1.1 200 OK\r\n\r\nuntil close"
    )
    answers = parse(stream, "GET", "HEAD")
    assert [(answer.status, answer.body) for answer in answers] == [
        (100, b""),
        (200, b"abc"),
        (200, b""),
        (200, b"abc"),
        (204, b""),
        (200, b"until close"),
    ]
    assert answers[1].all(b"A") == [b"1", b"2"]
    with pytest.raises(ValueError, match="2 times"):
        answers[1].get(b"a")


@pytest.mark.parametrize(
    "stream",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
    ],
)
def test_an_answer_that_was_cut_off_is_not_whole(stream):
    assert [answer.whole for answer in parse(stream)] == [False]


def test_an_answer_has_one_value_or_none():
    answer = Answer(200, ((b"a", b"1"),), b"")
    assert (answer.get(b"A"), answer.get(b"b")) == (b"1", None)


@pytest.mark.parametrize(("days", "accepted"), [(1, True), (-1, False)])
def test_a_certificate_of_the_authority_is_accepted_until_it_expires(tmp_path, days, accepted):
    authority = Authority(tmp_path)
    chain, key = authority.issue("localhost", "127.0.0.1", valid_for=timedelta(days=days))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, key)
    assert key.stat().st_mode & 0o077 == 0
    assert shake_hands(context, authority.client()) is accepted


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> bool:
    """A handshake over loopback: does the client accept the server?"""
    port = free_port()
    listening = threading.Event()

    def serve() -> None:
        with socket.create_server((LOOPBACK, port)) as listener:
            listening.set()
            link, _ = listener.accept()
            try:
                server.wrap_socket(link, server_side=True).close()
            except OSError:
                link.close()

    thread = threading.Thread(target=serve)
    thread.start()
    listening.wait(5)
    try:
        exchange(port, b"x", tls=client, seconds=2)
    except ssl.SSLCertVerificationError:
        return False
    finally:
        thread.join(5)
    return True
