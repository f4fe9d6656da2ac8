# SPDX-License-Identifier: EUPL-1.2
"""The pages of passkeys, walked with a soft authenticator by any browser that has `get` and `post`. No assertions."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

from support.authenticator import Authenticator

ORIGIN = "https://localhost:8443"
LIST = ADD = "/.herse/account/passkeys"
RENAME, REMOVE = f"{LIST}/rename", f"{LIST}/remove"
SIGN_IN, STEP_UP = "/.herse/sign-in/passkey", "/.herse/step-up/passkey"


def options_of(answer: Any) -> dict[str, Any]:
    """What the page hands to the browser's authenticators; LookupError if it hands them nothing."""
    found = re.search(r'data-options="([^"]*)"', answer.text)
    if found is None:
        raise LookupError(f"no options on the page ({answer.status_code})")
    options: dict[str, Any] = json.loads(unescape(found.group(1)))
    return options


def new_key(browser: Any, name: str = "Téléphone de Camille", **values: Any) -> Authenticator:
    """Add a key on the page of keys."""
    key = Authenticator(ORIGIN, **values)
    answer = browser.post(ADD, {"credential": key.create(options_of(browser.get(LIST))), "name": name})
    if answer.headers.get("location") != LIST:
        raise LookupError(f"the key was not added ({answer.status_code})")
    return key


def sign_in(browser: Any, key: Authenticator, **lies: Any) -> Any:
    """Open the page of sign-in by passkey, and answer it."""
    return browser.post(SIGN_IN, {"credential": key.get(options_of(browser.get(SIGN_IN)), **lies)})


def step_up(browser: Any, key: Authenticator, **lies: Any) -> Any:
    """Open the page of step-up by passkey, and answer it."""
    return browser.post(STEP_UP, {"credential": key.get(options_of(browser.get(STEP_UP)), **lies)})
