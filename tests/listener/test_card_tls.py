# SPDX-License-Identifier: EUPL-1.2
"""What the card host shows and believes is looked at before it starts, and stays what it was."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.demo.card_pki import make_card_pki
from gateway.errors import StartError
from gateway.listener.card_tls import CardTls
from support.tls import Authority


@pytest.fixture(scope="module")
def pki():
    return make_card_pki(datetime.now(UTC))


def test_D3_what_cannot_be_used_stops_the_start(tmp_path, pki):
    authority = Authority(tmp_path)
    chain, key = authority.issue("localhost")
    anchors = pki.trust().ssl_context_anchors()
    CardTls(chain, key, anchors).close()
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    other = Authority(tmp_path / "other").issue("localhost")[1]
    for wrong in (
        (tmp_path / "missing.pem", key, anchors),
        (chain, tmp_path / "missing.key", anchors),
        (empty, key, anchors),
        (chain, empty, anchors),
        (chain, other, anchors),
        (chain, key, []),
        (chain, key, [b"rubbish"]),
    ):
        with pytest.raises(StartError, match="expected"):
            CardTls(*wrong)


def test_the_certificate_of_the_start_stays_in_use_when_its_file_is_gone(tmp_path, pki):
    chain, key = Authority(tmp_path).issue("localhost")
    tls = CardTls(chain, key, pki.trust().ssl_context_anchors())
    chain.unlink()
    key.write_text("")
    assert len(tls.context().get_ca_certs()) == len(pki.trust().ssl_context_anchors())
    tls.close()
