# SPDX-License-Identifier: EUPL-1.2
"""The headers that every answer made by the gateway itself carries, whatever its status."""

from __future__ import annotations

from typing import Final

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

# `Referrer-Policy: no-referrer` would make browsers send `Origin: null` with our own forms (Fetch standard, "append a
# request Origin header"), and the forgery check would refuse honest people. `same-origin` tells other sites nothing.
_GUARDS: Final[tuple[tuple[bytes, bytes], ...]] = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"strict-transport-security", b"max-age=63072000; includeSubDomains"),
)

SECURITY_HEADERS: Final[tuple[tuple[bytes, bytes], ...]] = (*_GUARDS, (b"cache-control", b"no-store"))
"""For pages, problem documents and redirects: raw header pairs, lower-case names."""

STATIC_HEADERS: Final[tuple[tuple[bytes, bytes], ...]] = (
    *_GUARDS,
    (b"cache-control", b"public, max-age=31536000, immutable"),
)
"""For the style sheet and the images: their address carries a digest of the content, so they may be kept for good."""


def with_script(script: str) -> tuple[tuple[bytes, bytes], ...]:
    """`SECURITY_HEADERS` for a page that needs one script of ours: the whole address of that file, and no other.

    Not `'self'`: the portal behind has the same origin, and its scripts have no business here.
    """
    policy = f"{CONTENT_SECURITY_POLICY}; script-src {script}".encode()
    return ((b"content-security-policy", policy), *SECURITY_HEADERS[1:])
