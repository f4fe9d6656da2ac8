# SPDX-License-Identifier: EUPL-1.2
"""redis_wire and redis_address: one write a turn, answers in order, nothing waited for too long, nothing sent twice."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from hiredis import Reader

from gateway.metering.redis_address import Address, ask, find_master, read_address, slot_of
from gateway.metering.redis_wire import ErrorReply, Line, Patience, RedisWire, Script, Server, WireError, open_line
from support.redis_server import RedisServer
from support.servers import LOOPBACK, deaf_port
from support.tls import Authority

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path


@asynccontextmanager
async def fake(
    answers: Callable[[list[bytes]], bytes], pieces: int = 1 << 20
) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that answers as told; gives its port, and what each read brought."""
    reads: list[bytes] = []
    open_ones = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ones.append(writer)
        parser = Reader()
        while data := await reader.read(1 << 20):
            reads.append(data)
            parser.feed(data)
            while (command := parser.gets()) is not False:
                told = answers(command)
                for begin in range(0, len(told), pieces):
                    writer.write(told[begin : begin + pieces])
                    await writer.drain()
                    await asyncio.sleep(0.001)

    server = await asyncio.start_server(talk, LOOPBACK, 0)
    try:
        yield server.sockets[0].getsockname()[1], reads
    finally:
        server.close()
        for writer in open_ones:
            writer.close()


def echo(command: list[bytes]) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(command[1]), command[1])


async def line_to(port: int, patience: Patience | None = None, ended: Callable[[], None] = lambda: None) -> Line:
    return await open_line(Server(LOOPBACK, port), patience or Patience(answer=5), ended)


async def failed(pending) -> str:
    with pytest.raises(WireError) as caught:
        await pending.wait()
    return str(caught.value)


def test_what_one_turn_asks_leaves_in_one_write_and_is_answered_in_order():
    async def play() -> None:
        async with fake(echo, pieces=3) as (port, reads):
            line = await line_to(port)
            asked = [line.call("ECHO", f"{number}" * number) for number in range(50)]
            assert [await one.wait() for one in asked] == [b"%d" % number * number for number in range(50)]
            assert len(reads) == 1
            line.lose("over")

    asyncio.run(play())


def test_an_error_is_a_failure_of_its_own_command_alone():
    async def play() -> None:
        async with fake(lambda words: b"-OOM full\r\n" if words[1] == b"x" else b"+OK\r\n") as (port, _):
            line = await line_to(port)
            first, second, third = (line.call("SET", key) for key in "axb")
            with pytest.raises(ErrorReply) as caught:
                await second.wait()
            assert (caught.value.code, await first.wait(), await third.wait()) == ("OOM", b"OK", b"OK")
            assert not line.lost
            line.lose("over")

    asyncio.run(play())


@pytest.mark.parametrize("answer", [b"-READONLY x\r\n", b"-MOVED 1 a:1\r\n", b"-LOADING x\r\n", b"nonsense\r\n"])
def test_after_some_answers_the_server_is_given_up(answer: bytes):
    async def play() -> None:
        lost = []
        async with fake(lambda _: answer) as (port, _):
            line = await line_to(port, ended=lambda: lost.append(True))
            asked = [line.call("GET", key) for key in "ab"]
            for one in asked:
                await failed(one)
            assert (line.lost, lost) == (True, [True])
            assert "lost" in await failed(line.call("GET", "c"))

    asyncio.run(play())


def test_what_nobody_asked_ends_the_connection():
    async def play() -> None:
        async with fake(lambda _: b"+OK\r\n+OK\r\n") as (port, _):
            line = await line_to(port)
            assert await line.call("PING").wait() == b"OK"
            await until(lambda: line.lost)

    asyncio.run(play())


def test_an_answer_that_is_late_fails_all_behind_it_and_the_connection():
    async def play() -> None:
        with deaf_port() as port:
            line = await line_to(port, Patience(answer=0.2))
            loop = asyncio.get_running_loop()
            first, began = line.call("PING"), loop.time()
            await asyncio.sleep(0.1)
            second = line.call("PING")
            assert "in time" in await failed(first)
            assert 0.15 < loop.time() - began < 2
            assert second.done
            assert line.lost

    asyncio.run(play())


def test_no_more_than_so_many_wait():
    async def play() -> None:
        with deaf_port() as port:
            line = await line_to(port, Patience(answer=30, in_flight=3))
            asked = [line.call("PING") for _ in range(4)]
            assert [one.done for one in asked] == [False, False, False, True]
            assert "full" in await failed(asked[3])
            line.lose("over")
            assert await failed(asked[0]) == "over"

    asyncio.run(play())


def test_a_script_that_redis_does_not_know_is_sent_whole_and_only_then(tmp_path: Path):
    async def play(port: int) -> None:
        line = await line_to(port)
        script = Script("return {KEYS[1], ARGV[1], redis.call('INCR', KEYS[1])}")
        assert await line.run(script, [b"n"], [b"a"]).wait() == [b"n", b"a", 1]
        assert await line.run(script, [b"n"], [b"b"]).wait() == [b"n", b"b", 2]
        told = await line.call("INFO", "commandstats").wait()
        assert isinstance(told, bytes)
        assert b"cmdstat_eval:calls=1," in told
        broken = Script("return redis.error_reply('EPOCH no')")
        with pytest.raises(ErrorReply, match="EPOCH"):
            await line.run(broken, [], []).wait()
        line.lose("over")

    with RedisServer(tmp_path) as server:
        asyncio.run(play(server.port))


def test_a_connection_comes_back_and_nothing_is_sent_without_one(tmp_path: Path):
    async def play() -> None:
        async def locate() -> Server:
            return Server(LOOPBACK, server.port)

        judged = []

        async def prepare(line: Line) -> None:
            judged.append(await line.call("PING").wait())

        wire = RedisWire(locate, prepare, patience=Patience(answer=5, connection=5))
        assert "no connection" in await failed(wire.call("PING"))
        wire.start()
        await until(lambda: wire.line is not None)
        await asyncio.to_thread(server.restart)
        await until(lambda: len(judged) == 2 and wire.line is not None)
        assert await wire.call("PING").wait() == b"PONG"
        await wire.close()
        assert wire.line is None

    with RedisServer(tmp_path) as server:
        asyncio.run(play())


async def until(told: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not told():  # noqa: ASYNC110  # Redis's doing
            await asyncio.sleep(0.02)


def test_users_passwords_and_databases(tmp_path: Path):
    async def play() -> None:
        for url in (f"redis://herse:right@{LOOPBACK}:{server.port}/3", f"redis://:main@{LOOPBACK}:{server.port}/3"):
            where = await find_master(read_address(url))
            told = await ask(where, "CLIENT", "INFO")
            assert isinstance(told, bytes)
            assert b" db=3 " in told
            assert "right" not in repr(where)
            assert "main" not in repr(where)
        for url in (f"redis://herse:wrong@{LOOPBACK}:{server.port}", f"redis://{LOOPBACK}:{server.port}"):
            with pytest.raises(ErrorReply, match=r"WRONGPASS|NOAUTH"):
                await ask(await find_master(read_address(url)), "PING")

    with RedisServer(tmp_path, "--requirepass", "main", password="main") as server:
        server.ask("ACL", "SETUSER", "herse", "on", ">right", "~*", "&*", "+@all")
        asyncio.run(play())


def test_over_TLS_only_with_a_certificate_that_is_trusted(tmp_path: Path):
    authority, stranger = Authority(tmp_path / "ca"), Authority(tmp_path / "other")
    chain, key = authority.issue(LOOPBACK)
    words = f"--tls-port {{}} --tls-cert-file {chain} --tls-key-file {key} --tls-auth-clients no"

    async def play(url: str) -> None:
        assert await ask(await find_master(read_address(url, authority.client())), "PING") == b"PONG"
        with pytest.raises(OSError, match="certificate verify failed"):
            await ask(await find_master(read_address(url, stranger.client())), "PING")

    with RedisServer(tmp_path / "redis") as plain:
        secure = plain.port + 1
        for option, value in zip(words.split()[2::2], words.split()[3::2], strict=True):
            plain.ask("CONFIG", "SET", option.removeprefix("--"), value)
        plain.ask("CONFIG", "SET", "tls-port", secure)
        asyncio.run(play(f"rediss://{LOOPBACK}:{secure}"))


def test_sentinels_must_agree_by_majority():
    def says(port: int) -> Callable[[list[bytes]], bytes]:
        return lambda _: b"*2\r\n$9\r\n127.0.0.1\r\n$4\r\n%04d\r\n" % port

    async def play() -> None:
        async with fake(says(7001)) as (a, _), fake(says(7001)) as (b, _), fake(says(7002)) as (c, _):
            url = "redis+sentinel://127.0.0.1:{},127.0.0.1:{},127.0.0.1:{}/counts"
            assert (await find_master(read_address(url.format(a, b, c)))).port == 7001
            with deaf_port() as deaf, pytest.raises(WireError, match="3 Sentinels 1 name one master"):
                await find_master(read_address(url.format(a, c, deaf)))
            async with fake(lambda _: b"*-1\r\n") as (nobody, _):
                with pytest.raises(WireError, match="3 Sentinels 1 name"):
                    await find_master(read_address(url.format(a, nobody, nobody)))

    asyncio.run(play())


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://r.example", Address("redis", (("r.example", 6379),))),
        ("redis://u:p%40ss@r.example:7/2", Address("redis", (("r.example", 7),), "u", "p@ss", 2)),
        ("redis://:p@[2001:db8::1]:7", Address("redis", (("2001:db8::1", 7),), None, "p")),
        ("redis+sentinel://a,b:7/n", Address("redis+sentinel", (("a", 26379), ("b", 7)), name="n")),
        ("redis+cluster://a,b", Address("redis+cluster", (("a", 6379), ("b", 6379)))),
    ],
)
def test_URLs_that_are_read(url: str, expected: Address):
    assert read_address(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "http://a",
        "redis:a",
        "redis://",
        "redis://a,b",
        "redis://a:0",
        "redis://a:x",
        "redis://a:65536",
        "redis://a/x",
        "redis+sentinel://a",
        "redis+cluster://a/1",
        "rediss://a",
        "redisss://a",
    ],
)
def test_URLs_that_are_not_and_no_password_in_the_message(url: str):
    with pytest.raises(ValueError, match="redis") as caught:
        read_address(url.replace("://", "://user:secret@"))
    assert "secret" not in str(caught.value)


def test_slots_are_those_of_redis():
    assert (slot_of(b"123456789"), slot_of(b"")) == (12739, 0)
