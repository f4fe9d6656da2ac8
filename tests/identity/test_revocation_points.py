# SPDX-License-Identifier: EUPL-1.2
"""E2: a list that names distribution points speaks for the certificates that name one of them, and for no others."""

from __future__ import annotations

from dataclasses import replace

from cryptography import x509
from identity.card_world import AT, CPS
from identity.test_revocation import CARD, ISSUER, OWN, PKI, PLACE, ROOT, SECOND, WORLD, scope, standing

from gateway.demo.card_responder import LIST_LIFE, make_list
from gateway.identity.revocation import RevocationLists, Standing


def with_points(*points: x509.DistributionPoint) -> x509.Certificate:
    draft = PKI.draft(CPS, AT)
    return WORLD.sign(replace(draft, extensions=draft.with_extension(x509.CRLDistributionPoints(points))))


def test_E2_a_list_of_a_distribution_point_speaks_for_the_certificates_that_name_it():
    """RFC 5280 6.3.3 b 2: any name of the one may match any name of the other."""
    lists = RevocationLists(WORLD.trust())
    lists.accept(make_list(ISSUER, AT, [CARD.serial_number], extensions=[scope(full_name=PLACE + OWN)]), AT)
    assert standing(lists) is Standing.REVOKED
    assert standing(lists, card=WORLD.good()) is Standing.GOOD
    assert standing(lists, AT + LIST_LIFE + SECOND, WORLD.good()) is Standing.STALE


def test_E2_a_list_of_another_distribution_point_says_nothing_of_a_card_but_that_it_is_revoked():
    lists = RevocationLists(WORLD.trust())
    lists.accept(make_list(ISSUER, AT, [CARD.serial_number], extensions=[scope(full_name=PLACE)]), AT)
    assert standing(lists) is Standing.REVOKED
    draft = PKI.draft(CPS, AT)
    pointless = WORLD.sign(replace(draft, extensions=draft.without_extension(x509.CRLDistributionPoints.oid)))
    some = frozenset({x509.ReasonFlags.key_compromise})
    issued = [x509.DirectoryName(ROOT.certificate.subject)]
    for one in (
        WORLD.good(),
        pointless,
        with_points(x509.DistributionPoint(PLACE, None, some, None)),
        with_points(x509.DistributionPoint(PLACE, None, None, issued)),
    ):
        assert standing(lists, card=one) is Standing.STALE
    assert standing(lists, card=with_points(x509.DistributionPoint(PLACE, None, None, None))) is Standing.GOOD
