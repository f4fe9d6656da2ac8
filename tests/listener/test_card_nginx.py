# SPDX-License-Identifier: EUPL-1.2
"""The card through a real nginx, set up as `certs/README.md` says: a card passes, a visitor's own field does not."""

from __future__ import annotations

import re
import ssl
import subprocess

import pytest
from cryptography import x509
from identity.bad_cards import CPS, bad_cards, der, make_world

from gateway.listener.card_header import Fronted
from gateway.listener.card_tls import HopTls
from gateway.model import Reason
from gateway.settings_card import NGINX_FIELD
from support.card_host import PUBLIC, RunningCardHost, byte_sequence, escaped_pem, pem_file
from support.nginx import nginx
from support.servers import LOOPBACK, free_port
from support.sources import ROOT
from support.tls import Authority

pytestmark = pytest.mark.system

WORLD = make_world()
TABLE = bad_cards(WORLD)
CARD = WORLD.good()


def example(folder, port, inner):
    """The server block of the page, with this machine's files and ports in it."""
    (block,) = re.findall(r"```nginx\n(.*?)```", (ROOT / "certs" / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    for name, value in (
        ("listen 443 ssl", f"listen {LOOPBACK}:{port} ssl"),
        ("http://127.0.0.1:8444", inner),
        ("carte.portail.example", "localhost"),
        ("/etc/nginx/carte.pem", f"{folder}/localhost.pem"),
        ("/etc/nginx/carte.key", f"{folder}/localhost.key"),
        ("/etc/nginx/cards.pem", f"{folder}/cards.pem"),
    ):
        assert name in block
        block = block.replace(name, value)
    return block


@pytest.fixture(scope="module", params=["plain", "tls"])
def fronted(request, tmp_path_factory):
    """Herse behind nginx: on one machine, and as if on another."""
    folder, port = tmp_path_factory.mktemp("front"), free_port()
    authority = Authority(folder)
    chain, key = authority.issue("localhost", LOOPBACK)
    hop = authority.issue("hop")
    anchors = WORLD.trust().ssl_context_anchors()
    (folder / "cards.pem").write_text("".join(map(ssl.DER_cert_to_PEM_cert, anchors)), encoding="ascii")
    tls = HopTls(chain, key, hop[0]) if request.param == "tls" else None
    front = Fronted(frozenset({LOOPBACK}), NGINX_FIELD, tls)
    with RunningCardHost(folder / "host", WORLD.trust(), WORLD.lists(), front=front, at_port=port) as host:
        host.at = WORLD.at
        block = example(folder, port, f"http://{LOOPBACK}:{host.inner_port}")
        if tls is not None:
            hop_lines = (
                f"proxy_ssl_certificate {hop[0]}; proxy_ssl_certificate_key {hop[1]}; proxy_ssl_verify on;"
                f"proxy_ssl_trusted_certificate {authority.certificate}; proxy_ssl_name localhost;"
            )
            block = block.replace("proxy_pass http:", f"{hop_lines} proxy_pass https:")
        host.server.certificate.write_bytes(authority.certificate.read_bytes())
        with nginx(folder / "nginx", block, port):
            yield host


@pytest.fixture
def card(tmp_path):
    return pem_file(tmp_path / "card.pem", CARD, WORLD.key)


def test_a_card_passes_through_nginx(fronted, card):
    secret = fronted.waiting()
    came = fronted.present(card, secret)
    assert came.location.startswith(f"{PUBLIC}/.herse/card/back?ticket="), came
    assert fronted.redeem(came, secret).outcome.national_id == CPS.common_name


def test_without_a_card_there_is_none(fronted):
    secret = fronted.waiting()
    assert fronted.redeem(fronted.present(None, secret), secret).outcome is Reason.CARD_MISSING


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Client-Cert", byte_sequence(der(CARD))),
        (NGINX_FIELD, escaped_pem(der(CARD))),
        ("x-ssl-client-cert", escaped_pem(der(CARD))),
        ("X_SSL_Client_Cert", escaped_pem(der(CARD))),
        ("Client_Cert", byte_sequence(der(CARD))),
    ],
)
def test_E4_what_a_visitor_writes_himself_does_not_get_through(fronted, name, value):
    secret = fronted.waiting()
    came = fronted.present(None, secret, "--header", f"{name}: {value.decode()}")
    assert fronted.redeem(came, secret).outcome is Reason.CARD_MISSING


def test_E4_his_own_field_beside_his_card_changes_nothing(fronted, tmp_path):
    other = pem_file(tmp_path / "other.pem", WORLD.sign(WORLD.pki.draft(CPS, WORLD.at)), WORLD.key)
    secret = fronted.waiting()
    forged = escaped_pem(TABLE["revoked by the list"].certificate).decode()
    came = fronted.present(other, secret, "--header", f"{NGINX_FIELD}: {forged}", "--header", f"{NGINX_FIELD}: x")
    assert fronted.redeem(came, secret).outcome.national_id == CPS.common_name


@pytest.mark.parametrize(
    "name",
    [
        "expired",
        "not yet valid",
        "server certificate",
        "signature certificate",
        "only for mail",
        "unknown critical extension",
        "authority of the same name, other key",
        "self-issued, subject and issuer equal",
        "NUL in the family name",
    ],
)
def test_E3_what_openssl_dislikes_in_nginx_is_judged_by_us_with_its_own_reason(fronted, tmp_path, name):
    bad = TABLE[name]
    shown = pem_file(tmp_path / "bad.pem", x509.load_der_x509_certificate(bad.certificate), WORLD.key)
    secret = fronted.waiting()
    assert fronted.redeem(fronted.present(shown, secret), secret).outcome is bad.reason


def test_D1_nginx_so_set_up_resumes_no_session(fronted, card):
    script = "printf 'GET /x HTTP/1.1\\r\\n\\r\\n' | openssl s_client -tls1_2 -reconnect"
    script += f" -connect {LOOPBACK}:{fronted.port} -cert {card} 2>&1"
    said = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False).stdout
    assert said.count("New, TLSv1.2") == 6
    assert "Reused" not in said
