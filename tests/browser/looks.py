# SPDX-License-Identifier: EUPL-1.2
"""What the browser tests share: is a page sound, where is it, pressing a button, and the letters of the demo."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from pathlib import Path

from support.servers import wait_until

SOUNDNESS = (Path(__file__).parent / "soundness.js").read_text(encoding="utf-8")
NARROW, WIDE = (320, 360), 1200


def sound(tab):
    """The page as it is now, narrow and wide. Asked before a picture is taken, which leaves a style behind."""
    faults = []
    for width in (*NARROW, WIDE):
        tab.set_viewport_size({"width": width, "height": 800})
        faults += [f"{path(tab)} at {width}: {fault}" for fault in tab.evaluate(SOUNDNESS)]
    assert faults == []


def path(tab):
    return re.sub(r"^https://[^/]+|\?.*", "", tab.url)


def press(tab, name, role="button"):
    """Press what is called so, and be on the page that comes."""
    with tab.expect_navigation():
        tab.get_by_role(role, name=name).click()


def send(tab, **fields):
    """Fill in fields by their ids, and press Enter in the last one."""
    for field, value in fields.items():
        tab.fill(f"#{field}", value)
    with tab.expect_navigation():
        tab.press(f"#{field}", "Enter")


def link_by_mail(demo, page):
    """The newest link to this page of the gateway in the letters of the demo, once there is one."""
    found = []

    def arrived():
        for file in sorted((demo.folder / "demo" / "state" / "letters").glob("*.eml")):
            letter = message_from_bytes(file.read_bytes(), policy=policy.default)
            found.extend(re.findall(rf"{demo.origin}{page}\?ticket=[\w-]+", letter.get_content()))
        return bool(found)

    wait_until(f"a letter with a link to {page}", arrived)
    return found[-1]
