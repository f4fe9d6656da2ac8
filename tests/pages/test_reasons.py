# SPDX-License-Identifier: EUPL-1.2
"""The table of reasons: total, each reason once, the statuses that clients rely on, words a pharmacist understands."""

from __future__ import annotations

import pytest

from gateway.model import Reason
from gateway.pages.reasons import EXPLANATIONS, PARTS, explanation, status

STATUSES = {
    200: {Reason.PERMITTED},
    400: {
        Reason.RPPS_MALFORMED,
        Reason.PATIENT_NUMBER_MISSING,
        Reason.PATIENT_NUMBER_MALFORMED,
        Reason.PATIENT_NUMBER_AMBIGUOUS,
        Reason.MALFORMED_REQUEST,
        Reason.PATH_AMBIGUOUS,
        Reason.COOKIE_AMBIGUOUS,
        Reason.PASSWORD_TOO_WEAK,
        Reason.PASSWORD_REPEATED,
        Reason.MAIL_ADDRESS_WRONG,
        Reason.MAIL_LINK_WRONG,
        Reason.SSO_STATE_WRONG,
    },
    401: {
        Reason.SIGN_IN_REQUIRED,
        Reason.SECOND_FACTOR_REQUIRED,
        Reason.SECOND_FACTOR_STALE,
        Reason.CARD_REQUIRED,
        Reason.METHOD_REQUIRED,
        Reason.CARD_TICKET_WRONG,
        Reason.CARD_MISSING,
        Reason.CARD_HANDSHAKE_FAILED,
        Reason.BUDGET_PROOF_REQUIRED,
        Reason.CREDENTIALS_WRONG,
        Reason.CREDENTIALS_OR_CODE_WRONG,
        Reason.CODE_WRONG,
        Reason.CODE_USED,
        Reason.INVITATION_WRONG,
        Reason.RESET_TICKET_WRONG,
        Reason.RECOVERY_CODE_WRONG,
        Reason.PROOF_TOO_OLD,
        Reason.SESSION_MOVED,
        Reason.PASSKEY_WRONG,
        Reason.PASSKEY_CLONED,
        Reason.PASSKEY_EXPIRED,
        Reason.SSO_TOO_OLD,
    },
    403: {
        Reason.NO_TELESERVICE,
        Reason.SEARCH_REFUSED,
        Reason.PROFESSION_NOT_ALLOWED,
        Reason.ACCOUNT_NOT_ALLOWED,
        Reason.NOT_DELEGATED,
        Reason.DELEGATION_ENDED,
        Reason.UPGRADE_NOT_ALLOWED,
        Reason.ORIGIN_NOT_ALLOWED,
        Reason.SERVICE_WORKER_NOT_ALLOWED,
        Reason.ACCOUNT_LOCKED,
        Reason.ACCOUNT_ASLEEP,
        Reason.SECOND_FACTOR_MISSING,
        Reason.ACCOUNT_QUARANTINED,
        Reason.FORM_FORGED,
        Reason.PASSWORD_BREACHED,
        Reason.PASSWORD_MUST_CHANGE,
        Reason.SSO_REFUSED,
        Reason.SSO_ACR_TOO_LOW,
        Reason.SSO_IDENTITY_INVALID,
        Reason.SSO_UNKNOWN,
        Reason.SSO_OF_ANOTHER,
        Reason.CARD_MALFORMED,
        Reason.CARD_NOT_TRUSTED,
        Reason.CARD_EXPIRED,
        Reason.CARD_NOT_YET_VALID,
        Reason.CARD_REVOKED,
        Reason.CARD_NOT_FOR_SIGN_IN,
        Reason.CARD_TEST_NOT_ALLOWED,
        Reason.CARD_IDENTITY_INVALID,
        Reason.CARD_UNKNOWN,
        Reason.CARD_OF_ANOTHER,
    },
    404: {Reason.CARD_NOT_SET_UP, Reason.SSO_NOT_SET_UP},
    408: {Reason.REQUEST_TIMEOUT},
    409: {Reason.PASSKEY_LIMIT},
    413: {Reason.BODY_TOO_LARGE},
    414: {Reason.URL_TOO_LONG},
    421: {Reason.HOST_UNKNOWN},
    429: {Reason.MAIL_TOO_OFTEN, Reason.BUDGET_EXHAUSTED, Reason.THROTTLED},
    431: {Reason.HEAD_TOO_LARGE},
    500: {Reason.INTERNAL_ERROR},
    501: {Reason.NOT_IMPLEMENTED},
    502: {Reason.PORTAL_UNREACHABLE, Reason.PORTAL_ANSWER_INVALID, Reason.SSO_ANSWER_INVALID},
    503: {
        Reason.TELESERVICE_CLOSED,
        Reason.PORTAL_CLOSED,
        Reason.MAIL_UNAVAILABLE,
        Reason.LEDGER_UNAVAILABLE,
        Reason.METER_UNAVAILABLE,
        Reason.BUSY,
        Reason.SSO_UNREACHABLE,
        Reason.CARD_REVOCATION_STALE,
    },
    504: {Reason.PORTAL_TIMEOUT},
}
JARGON = ("HTTP", "token", "session ID", "TOTP", "header", "MFA", "gateway", "serveur mandataire")


def test_every_reason_stands_in_exactly_one_part():
    named = [reason for part in PARTS for reason in part]
    assert sorted(named) == sorted(Reason)
    assert set(EXPLANATIONS) == set(Reason)


def test_every_reason_has_the_status_that_clients_rely_on():
    expected = {reason: code for code, reasons in STATUSES.items() for reason in reasons}
    assert {reason: status(reason) for reason in Reason} == expected


@pytest.mark.parametrize("reason", Reason)
def test_every_text_is_there_in_both_languages_and_in_plain_words(reason):
    told = explanation(reason)
    french = (told.title("fr"), told.sentence("fr"), told.remedy("fr"))
    english = (told.title("en"), told.sentence("en"), told.remedy("en"))
    for text in (*french, *english):
        assert text
        assert text == text.strip()
        assert "'" not in text
        assert not any(word in text for word in JARGON), text
    for text in (*french[1:], *english[1:]):
        assert text.endswith("."), text
        assert len(text) < 260, text
    assert not any(f == e for f, e in zip(french, english, strict=True))


@pytest.mark.parametrize("reason", Reason)
def test_a_way_on_is_a_page_of_our_own(reason):
    way = explanation(reason).way
    if way is not None:
        assert way.href == "/" or way.href.startswith("/.herse/")
        assert way.label("fr") != way.label("en")


def test_an_exhausted_budget_says_why_and_what_to_do():
    told = explanation(Reason.BUDGET_EXHAUSTED)
    assert "protège les données des patients" in told.sentence("fr")
    assert "le support de votre portail" in told.remedy("fr")
    assert "your portal\u2019s support" in told.remedy("en")


def test_a_budget_that_asks_for_proof_leads_to_it():
    way = explanation(Reason.BUDGET_PROOF_REQUIRED).way
    assert way is not None
    assert way.href == "/.herse/step-up"
    assert way.keeps
