# SPDX-License-Identifier: EUPL-1.2
"""The section `[redis]`: what it may say, what is refused, and that no password of it is ever told."""

from __future__ import annotations

import pytest

from gateway.errors import ConfigurationError, StartError
from gateway.meter_gate import RedisGate
from gateway.settings import parse_settings
from gateway.settings_redis import demand_redis
from support.settings_file import LEAST

HERE = 'url = "redis://127.0.0.1:6379"\n'
AWAY = 'url = "rediss+sentinel://one.example,two.example:26380,[2001:db8::1]/counts"\n'


def redis(text, folder):
    return parse_settings(f"{LEAST}[redis]\n{text}", "herse.toml", folder).redis


def test_without_the_section_there_is_none_and_one_process_only(tmp_path):
    settings = parse_settings(LEAST, "herse.toml", tmp_path)
    assert settings.redis is None
    demand_redis(settings.redis, 1)
    with pytest.raises(StartError, match=r"2 workers and no section \[redis\]"):
        demand_redis(settings.redis, 2)
    demand_redis(parse_settings(f"{LEAST}[redis]\n{HERE}", "herse.toml", tmp_path).redis, 64)


@pytest.mark.parametrize(
    ("text", "kind", "hosts"),
    [
        (HERE, "redis", [("127.0.0.1", 6379)]),
        ('url = "redis://localhost/3"', "redis", [("localhost", 6379)]),
        ('url = "redis+cluster://127.0.0.1:7000,[::1]:7001"', "redis+cluster", [("127.0.0.1", 7000), ("::1", 7001)]),
        (AWAY, "redis+sentinel", [("one.example", 26379), ("two.example", 26380), ("2001:db8::1", 26379)]),
    ],
)
def test_each_kind_of_address(tmp_path, text, kind, hosts):
    address = redis(text, tmp_path).address("geheim")
    assert (address.kind, list(address.hosts), address.password) == (kind, hosts, "geheim")
    assert (address.tls is not None) == ("rediss" in text)
    assert "geheim" not in repr(address)


def test_paths_lie_beside_the_file(tmp_path):
    found = redis(AWAY + 'user = "herse"\npassword_file = "keys/redis"\nauthority = "redis.pem"', tmp_path)
    assert (found.user, found.deadline_ms) == ("herse", 250)
    assert (found.password_file, found.authority) == (tmp_path / "keys" / "redis", tmp_path / "redis.pem")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "redis.url: found nothing"),
        ('url = "http://127.0.0.1"', "begins with redis://"),
        ('url = "redis://redis.example:6379"', "rediss:// (with TLS)"),
        ('url = "redis+cluster://127.0.0.1,10.0.0.1"', "rediss:// (with TLS)"),
        ('url = "redis+sentinel://127.0.0.1"', "ends with /name"),
        ('url = "redis://127.0.0.1:70000"', "a host of a redis URL"),
        (HERE + 'user = "herse"', "password_file beside user"),
        (HERE + 'authority = "redis.pem"', "no certificate is looked at"),
        (HERE + 'user = "h\\u00e9rse"\npassword_file = "x"', "printable ASCII"),
        (HERE + "deadline_ms = 5", "greater than or equal to 10"),
        (HERE + "deadline_ms = 250.5", "redis.deadline_ms"),
        (HERE + 'password = "geheim"', "no such key"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path, text, told):
    with pytest.raises(ConfigurationError) as refused:
        redis(text, tmp_path)
    assert told in str(refused.value)


def test_a_password_in_the_url_is_refused_and_not_told(tmp_path):
    with pytest.raises(ConfigurationError) as refused:
        redis('url = "redis://herse:geheim@127.0.0.1"', tmp_path)
    assert "geheim" not in str(refused.value)
    assert "redis.password_file" in str(refused.value)


def test_files_that_cannot_be_used_keep_it_from_starting(tmp_path):
    with pytest.raises(StartError, match=r"redis\.authority .*none\.pem"):
        redis(AWAY + 'authority = "none.pem"', tmp_path).address(None)
    (tmp_path / "redis").write_text("geheim\n")
    (tmp_path / "redis").chmod(0o644)
    with pytest.raises(StartError, match=r"redis\.password_file .* has mode 0644"):
        RedisGate(redis(HERE + 'password_file = "redis"', tmp_path), None, None)
