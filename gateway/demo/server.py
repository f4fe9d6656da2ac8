# SPDX-License-Identifier: EUPL-1.2
"""`python -m gateway.demo`: command line of the stand-in portal, the source of the gateway's keys, and uvicorn.

The one file of this room with sockets and a clock. Binds to loopback unless told otherwise: it is a demo.
"""

from __future__ import annotations

import argparse
import json
import ssl
import sys
from contextlib import suppress
from datetime import UTC, datetime
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import uvicorn

from gateway.demo.app import build_demo
from gateway.demo.assertion import AssertionCheck, KeyCache
from gateway.demo.served import ServedLog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.applications import Starlette

_LARGEST_JWKS = 64 * 1024
_FETCH_SECONDS = 5.0
_STOP_SECONDS = 2  # endless streams are cut after this


def keys_from_file(path: Path) -> Callable[[], Mapping[str, Any]]:
    """Source of a JWK set in a file, read anew at each call; OSError or ValueError when it cannot be."""

    def fetch() -> Mapping[str, Any]:
        return _key_set(path.read_bytes(), str(path))

    return fetch


def keys_from_url(url: str, authority: Path | None) -> Callable[[], Mapping[str, Any]]:
    """Source of a JWK set over HTTPS, trusting `authority` (PEM) or the system's; OSError or ValueError on failure."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError(f"{url!r} found, an https:// address expected")
    host, port, path = parts.hostname, parts.port, parts.path or "/"

    def fetch() -> Mapping[str, Any]:
        context = ssl.create_default_context(cafile=authority)
        connection = HTTPSConnection(host, port, timeout=_FETCH_SECONDS, context=context)
        try:
            connection.request("GET", path, headers={"Accept": "application/json"})
            answer = connection.getresponse()
            body = answer.read(_LARGEST_JWKS + 1)
        except HTTPException as fault:
            raise OSError(f"{url}: {type(fault).__name__}") from fault
        finally:
            connection.close()
        if answer.status != 200 or len(body) > _LARGEST_JWKS:  # noqa: PLR2004  # HTTP's own number
            raise OSError(f"{url}: status {answer.status}, {len(body)} bytes; 200 and a JWK set expected")
        return _key_set(body, url)

    return fetch


def _key_set(body: bytes, source: str) -> Mapping[str, Any]:
    document = json.loads(body)
    if not isinstance(document, dict):
        raise ValueError(f"{source}: a JWK set expected (RFC 7517)")  # noqa: TRY004  # a fault of data, not of code
    return document


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; argparse exits 2 with the usage when it cannot."""
    parser = argparse.ArgumentParser(prog="python -m gateway.demo", description="Stand-in portal with fictive people")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=9080, help="port to listen on (default: %(default)s)")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--jwks-file", type=Path, help="file with the gateway's public keys (JWK set)")
    source.add_argument("--jwks-url", help="https address of the gateway's public keys (/.herse/jwks.json)")
    parser.add_argument("--jwks-ca", type=Path, help="PEM file of the authority behind --jwks-url")
    parser.add_argument("--issuer", default="https://localhost:8443", help="`iss` to expect (default: %(default)s)")
    parser.add_argument("--audience", help="`aud` to expect (default: http://HOST:PORT)")
    parser.add_argument("--served-log", type=Path, help="file that gets one line per disclosed person")
    chosen = parser.parse_args(words)
    if chosen.jwks_url is not None:
        parts = urlsplit(chosen.jwks_url)
        if parts.scheme != "https" or not parts.hostname:
            parser.error("--jwks-url: an https:// address is expected")
    if chosen.jwks_ca is not None and not chosen.jwks_ca.is_file():
        parser.error(f"--jwks-ca: no file {chosen.jwks_ca}; `herse certs dev` makes one")
    if chosen.audience is None:
        chosen.audience = f"http://{chosen.host}:{chosen.port}"
    return chosen


def build(chosen: argparse.Namespace) -> Starlette:
    """Build the portal as the command line says."""
    if chosen.jwks_file is not None:
        fetch = keys_from_file(chosen.jwks_file)
    else:
        fetch = keys_from_url(chosen.jwks_url, chosen.jwks_ca)
    check = AssertionCheck(KeyCache(fetch), chosen.issuer, chosen.audience)
    return build_demo(check, ServedLog(chosen.served_log), lambda: datetime.now(UTC))


def main(words: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM."""
    chosen = arguments(words)
    try:
        application = build(chosen)
    except OSError as fault:
        print(f"demo portal: {fault}", file=sys.stderr)  # noqa: T201  # the command's own word to its caller
        return 2
    config = uvicorn.Config(
        application,
        host=chosen.host,
        port=chosen.port,
        ws="wsproto",
        access_log=False,  # paths hold numbers
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        date_header=True,
        lifespan="off",
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    with suppress(KeyboardInterrupt):  # it ends as it was asked to
        uvicorn.Server(config).run()
    return 0
