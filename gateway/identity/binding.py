# SPDX-License-Identifier: EUPL-1.2
"""Where a session lives: the network and the client it was opened with, or last proved from. No clock, no state.

A stolen cookie is mostly used from elsewhere. Whoever holds it there has to prove afresh before anything sensitive. The
network is a prefix, since addresses change within one; the client is what it calls itself, which a thief may copy.
"""

from __future__ import annotations

from typing import NamedTuple

from gateway.identity.network import network_prefix


class Binding(NamedTuple):
    """One network and one client, compared as a whole."""

    network: str
    client: str


def binding(address: str | None, client: str | None) -> Binding:
    """The binding of an address (None: unknown, a network of its own) and a cleaned User-Agent."""
    return Binding(network_prefix(address or ""), client or "")
