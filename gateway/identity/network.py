# SPDX-License-Identifier: EUPL-1.2
"""The network of an address: what is counted, compared and told, since addresses change within one. Nothing else."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

_PREFIX = {4: 24, 6: 48}


@lru_cache(maxsize=65_536)
def network_prefix(address: str) -> str:
    """The /24 (IPv4, also inside IPv6) or /48 (IPv6) of an address; everything unreadable shares one prefix."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unreadable"
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    if isinstance(parsed, IPv6Address):
        parsed = IPv6Address(int(parsed))  # without its zone
    network = ip_network((parsed, _PREFIX[parsed.version]), strict=False)
    return network.with_prefixlen.replace("/", "-")
