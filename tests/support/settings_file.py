# SPDX-License-Identifier: EUPL-1.2
"""What a settings file says in a test, written in one place: the least that must stand in it, cards, provider.

No assertions here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.provider import CLIENT_ID, DISCOVERY
from support.servers import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.cli.card_certs import DevCards
    from support.provider import StandInProvider

NOBODY = f"http://{LOOPBACK}:9"
"""A portal that is not there."""


def least(origin: str = "https://portail.example", portal_url: str = NOBODY) -> dict[str, dict[str, object]]:
    """The sections that no file does without; policy, state and keys lie beside it."""
    return {
        "public": {"origin": origin},
        "portal": {"url": portal_url},
        "policy": {"file": "policy.yaml"},
        "state": {"folder": "state"},
        "keys": {"folder": "keys"},
    }


def card_section(dev: DevCards, port: int) -> dict[str, object]:
    """The section `[card]`: a listener on this port, with the server's own certificate, for these test cards."""
    return {
        "origin": f"https://localhost:{port}",
        "listen": f"{LOOPBACK}:{port}",
        "certificate": "certs/server.pem",
        "key": "certs/server.key",
        "authorities": str(dev.authorities),
        "sandbox": True,
        "crl_files": [str(path) for path in dev.lists],
    }


def sso_section(provider: StandInProvider, secret_file: str) -> dict[str, object]:
    """The section `[sso]`: the stand-in provider, pinned."""
    return {
        "sandbox": True,
        "discovery": provider.origin + DISCOVERY,
        "issuer": provider.issuer,
        "origins": [provider.origin, provider.wallet],
        "client_id": CLIENT_ID,
        "secret_file": secret_file,
    }


def in_toml(sections: Mapping[str, Mapping[str, object]]) -> str:
    """These sections as the file has them."""
    lines = []
    for name, values in sections.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {_value(value)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return str(value) if isinstance(value, int | float) else f'"{value}"'


LEAST = in_toml(least())
"""The shortest file; more sections may follow."""
