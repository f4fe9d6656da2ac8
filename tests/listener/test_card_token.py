# SPDX-License-Identifier: EUPL-1.2
"""A card whose key never leaves its token: SoftHSM2 behind PKCS#11, presented by curl through OpenSSL's engine."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.demo.card_pki import cast_bearers, make_card_pki
from gateway.demo.card_responder import make_list
from gateway.identity.revocation import RevocationLists
from gateway.identity.tickets import state_of
from support.card_host import RunningCardHost

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.system

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "1234"
NOW = datetime.now(UTC)


class Token:
    """A token with one card's key and certificate; `environment` makes PKCS#11 find it."""

    def __init__(self, folder: Path, card) -> None:
        self.folder = folder
        (folder / "tokens").mkdir(parents=True)
        config = folder / "softhsm2.conf"
        config.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n")
        self.environment = {**os.environ, "SOFTHSM2_CONF": str(config), "PKCS11_MODULE_PATH": MODULE}
        key, certificate = folder / "key.pem", folder / "card.der"
        key.write_bytes(card.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        certificate.write_bytes(card.certificate.public_bytes(Encoding.DER))
        self._run("softhsm2-util", "--init-token", "--free", "--label", "cps", "--pin", PIN, "--so-pin", PIN)
        self._run("softhsm2-util", "--import", key, "--token", "cps", "--label", "auth", "--id", "20", "--pin", PIN)
        login = ("--module", MODULE, "--token-label", "cps", "--login", "--pin", PIN)
        self._run("pkcs11-tool", *login, "--write-object", certificate, "--type", "cert", "--id", "20")
        key.unlink()

    def _run(self, *words: str | Path) -> None:
        subprocess.run(list(map(str, words)), env=self.environment, check=True, capture_output=True)

    def curl(self, host: RunningCardHost, secret: str, pin: str = PIN) -> subprocess.CompletedProcess[str]:
        where = f"pkcs11:token=cps;id=%20;pin-value={pin}"
        command = ["curl", "--silent", "--show-error", "--max-time", "20", "--noproxy", "*", "--engine", "pkcs11"]
        command += ["--cacert", str(host.server.certificate), "--cert-type", "ENG", "--cert", f"{where};type=cert"]
        command += ["--key-type", "ENG", "--key", f"{where};type=private", "--write-out", "%{redirect_url}"]
        command += [f"{host.origin}/card?state={state_of(secret)}"]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)


def test_a_key_on_a_token_signs_in(tmp_path):
    pki = make_card_pki(NOW)
    lists = RevocationLists(pki.trust())
    for authority in pki.authorities.values():
        if authority.certificate in lists.trust.authorities():
            lists.accept(make_list(authority, NOW), NOW)
    token = Token(tmp_path / "token", pki.issue(cast_bearers()[0], NOW))
    with RunningCardHost(tmp_path / "host", pki.trust(), lists) as host:
        secret = host.waiting()
        came = token.curl(host, secret)
        ticket = came.stdout.partition("?ticket=")[2]
        assert ticket, came.stderr
        assert host.tickets.redeem(ticket, secret, host.clock()).outcome.rpps == "10000000009"
        secret = host.waiting()
        came = token.curl(host, secret, pin="9999")
        assert (came.returncode != 0, came.stdout) == (True, ""), "a wrong PIN gives no signature"
        assert host.tickets.find(secret, host.clock()).ticket is None
