# SPDX-License-Identifier: EUPL-1.2
"""The virtual authenticator of one tab of Chromium, through the DevTools protocol. No assertions here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page


class Device:
    """A device with a user who gives his finger or PIN, until `verifies` says otherwise."""

    def __init__(self, tab: Page) -> None:
        self._cdp = tab.context.new_cdp_session(tab)
        self._cdp.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "isUserVerified": True}
        options |= {"hasUserVerification": True, "automaticPresenceSimulation": True}
        self._name = self._cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def verifies(self, *, verifies: bool) -> None:
        """Whether its user is verified from now on."""
        self._send("setUserVerified", isUserVerified=verifies)

    def credentials(self) -> list[dict[str, Any]]:
        """What it holds, private keys too."""
        found: list[dict[str, Any]] = self._send("getCredentials")["credentials"]
        return found

    def put(self, credential: dict[str, Any]) -> None:
        """Give it a credential, as `credentials` shows one."""
        self._send("addCredential", credential=credential)

    def forget(self, credential: dict[str, Any]) -> None:
        """Take one away."""
        self._send("removeCredential", credentialId=credential["credentialId"])

    def _send(self, what: str, **values: Any) -> Any:
        return self._cdp.send(f"WebAuthn.{what}", {"authenticatorId": self._name, **values})
