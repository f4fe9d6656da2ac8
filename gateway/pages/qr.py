# SPDX-License-Identifier: EUPL-1.2
"""The QR code of an enrolment, as an `<svg>` element inside the page: no image request carries the secret anywhere."""

from __future__ import annotations

import segno
from markupsafe import Markup


def qr(text: str, title: str) -> Markup:
    """SVG markup without size, script or style attribute; the style sheet gives it its size. `title` is read aloud."""
    code = segno.make(text, error="m", micro=False)
    # The title is escaped by segno and the text only becomes squares, so the markup is ours alone.
    return Markup(code.svg_inline(omitsize=True, svgclass="qr", lineclass=None, border=4, light="#fff", title=title))  # noqa: S704
