# SPDX-License-Identifier: EUPL-1.2
"""The admin socket: one line each way, for its own user, bounded, and never two servers on one path."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import uvloop

import gateway
from gateway.console.admin_socket import LONGEST_LINE, NoServer, call, serve_admin
from gateway.errors import HerseError, StartError


async def slow(arguments):
    await asyncio.sleep(0)
    return {"slowly": arguments["text"]}


def refuses(_):
    raise HerseError("no, because of é")


HANDLERS = {
    "echo": lambda arguments: {"said": arguments},
    "slow": slow,
    "refuses": refuses,
    "fails": lambda arguments: {"never": 1 // 0},
    "unsound": lambda arguments: {"not json": object()},
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "admin.sock"


def serving(path, work, run=asyncio.run, **options):
    """Run `work` in a thread while the socket is served, as a command would meet it."""

    async def walk():
        listening = await serve_admin(path, HANDLERS, **options)
        try:
            return await asyncio.to_thread(work)
        finally:
            await listening.close()

    return run(walk())


def raw(path, line, *, finish=True):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        connection.sendall(line)
        if finish:
            connection.shutdown(socket.SHUT_WR)
        return json.loads(connection.makefile("rb").read())


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_command_and_its_answer(path, run):
    said = {"text": "é\n" + "x" * 1000, "number": 1, "list": [None]}
    assert serving(path, lambda: call(path, "echo", said), run) == {"said": said}
    assert serving(path, lambda: call(path, "slow", said), run) == {"slowly": said["text"]}
    assert not path.exists()


def test_refusals_come_back_as_their_sentence(path):
    with pytest.raises(HerseError, match=r"^no, because of é$"):
        serving(path, lambda: call(path, "refuses", {}))
    with pytest.raises(HerseError, match=r"knows no command 'unknown'; expected one of: echo, fails, refuses"):
        serving(path, lambda: call(path, "unknown", {}))


def test_a_failing_command_tells_nothing_and_stops_nothing(path, caplog):
    def work():
        with pytest.raises(HerseError, match="its log says where") as error:
            call(path, "fails", {})
        assert "division" not in str(error.value)
        return call(path, "echo", {})

    with caplog.at_level(logging.ERROR):
        assert serving(path, work) == {"said": {}}
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("line", [
    b"\n", b"not json\n", b"[]\n", b"{}\n", b'{"command": "echo"}\n', b'{"command": 1, "arguments": {}}\n',
    b'{"command": "echo", "arguments": []}\n', b'{"command": "echo", "arguments": {}, "more": 1}\n', b"\xff\n",
    b"[" * 60_000 + b"\n",
])  # fmt: skip
def test_other_lines_are_refused(path, line):
    answer = serving(path, lambda: raw(path, line))
    assert not answer["ok"]
    assert answer["error"].startswith("expected {")


@pytest.mark.parametrize(
    "line", [b"", b'{"command": "echo"', b"x" * (LONGEST_LINE + 1) + b"\n", b"x" * (LONGEST_LINE * 3)]
)
def test_unfinished_and_endless_lines_are_refused(path, line):
    try:
        answer = serving(path, lambda: raw(path, line))
    except (BrokenPipeError, ConnectionResetError):
        return  # the rest was not read: the connection is closed on it
    assert answer == {"ok": False, "error": f"expected one line of at most {LONGEST_LINE} bytes within 5 s"}


def test_a_silent_command_is_left_after_its_time(path):
    answer = serving(path, lambda: raw(path, b"", finish=False), read_seconds=0.2)
    assert "within 0.2 s" in answer["error"]


def test_one_who_leaves_stops_nothing(path):
    def work():
        for _ in range(3):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(path))
                connection.sendall(b'{"command": "echo", "arguments": {}}\n')
        return call(path, "echo", {})

    assert serving(path, work) == {"said": {}}


def test_only_the_owner_may_reach_it(path):
    assert serving(path, lambda: path.stat().st_mode & 0o777) == 0o600


def test_another_user_gets_no_answer(caplog):
    """As root the file's mode stops nobody, so the peer's user is asked of the kernel; a child drops to `nobody`."""
    script = (
        "import os, sys; from pathlib import Path; from gateway.console.admin_socket import call\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "try: print(call(Path(sys.argv[1]), 'echo', {}))\n"
        "except Exception as error: print('refused', type(error).__name__, error)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(gateway.__file__).parents[1])}

    def work():
        path.chmod(0o666)
        return subprocess.run(
            [sys.executable, "-c", script, str(path)], env=environment, capture_output=True, text=True, check=True
        ).stdout

    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # so that only the kernel's word is between the child and an answer
        path = Path(folder, "admin.sock")
        answer = serving(path, work)
    if os.geteuid() == 0:
        assert answer.startswith("refused HerseError")
        assert "a stranger's connection" in caplog.text
    else:
        assert answer == "{'said': {}}\n"


def test_without_a_server_there_is_a_distinct_error(path):
    with pytest.raises(NoServer):
        call(path, "echo", {})
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with pytest.raises(NoServer):
        call(path, "echo", {})


def test_a_dead_servers_socket_is_replaced(path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert serving(path, lambda: call(path, "echo", {})) == {"said": {}}


def test_a_living_servers_socket_is_not(path):
    def work():
        with pytest.raises(StartError, match="another server listens"):
            asyncio.run(serve_admin(path, HANDLERS))
        return call(path, "echo", {})

    assert serving(path, work) == {"said": {}}


def test_another_file_or_a_bad_path_is_refused(path, tmp_path):
    path.write_text("precious")
    with pytest.raises(StartError, match="is not a socket"):
        asyncio.run(serve_admin(path, HANDLERS))
    assert path.read_text() == "precious"
    with pytest.raises(StartError, match="too long a path"):
        asyncio.run(serve_admin(tmp_path / ("x" * 108), HANDLERS))
    with pytest.raises(StartError, match="cannot be made"):
        asyncio.run(serve_admin(Path("/proc/herse.sock"), HANDLERS))


@pytest.mark.parametrize("answer", [b"", b"not json\n", b'{"ok": 1}\n', b'{"ok": true, "result": []}\n'])
def test_an_answer_that_is_none_is_an_error(path, answer):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        with socket.socket(socket.AF_UNIX) as unused:
            unused.connect(str(path))
            accepted, _ = listening.accept()
            accepted.close()

        async def walk():
            task = asyncio.create_task(asyncio.to_thread(call, path, "echo", {}))
            connection, _ = await asyncio.to_thread(listening.accept)
            with connection:
                connection.recv(1000)
                connection.sendall(answer)
            await task

        with pytest.raises(HerseError, match="expected one from the server"):
            asyncio.run(walk())


def test_a_server_that_says_nothing_is_not_waited_for_without_end(path):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        with pytest.raises(HerseError, match="did not finish echo"):
            call(path, "echo", {}, timeout_seconds=0.1)
