# SPDX-License-Identifier: EUPL-1.2
"""What comes of a request, and why: two closed lists."""

from __future__ import annotations

from enum import Enum, StrEnum


class Effect(Enum):
    """XACML's effect, with CHALLENGE between: yes, if more is proved first (RFC 9470)."""

    PERMIT = "permit"
    CHALLENGE = "challenge"
    DENY = "deny"


class Reason(StrEnum):
    """Why. A closed list: each has one status, one sentence in French and English, and one remedy (pages.reasons)."""

    PERMITTED = "permitted"
    # challenges
    SIGN_IN_REQUIRED = "sign-in-required"
    SECOND_FACTOR_REQUIRED = "second-factor-required"
    SECOND_FACTOR_STALE = "second-factor-stale"
    CARD_REQUIRED = "card-required"
    METHOD_REQUIRED = "method-required"
    SESSION_MOVED = "session-moved"
    BUDGET_PROOF_REQUIRED = "budget-proof-required"
    # denials of the policy and the meter
    NO_TELESERVICE = "no-teleservice"
    PROFESSION_NOT_ALLOWED = "profession-not-allowed"
    ACCOUNT_NOT_ALLOWED = "account-not-allowed"
    NOT_DELEGATED = "not-delegated"
    DELEGATION_ENDED = "delegation-ended"
    BUDGET_EXHAUSTED = "budget-exhausted"
    SEARCH_REFUSED = "search-refused"
    PATIENT_NUMBER_MISSING = "patient-number-missing"
    PATIENT_NUMBER_MALFORMED = "patient-number-malformed"
    PATIENT_NUMBER_AMBIGUOUS = "patient-number-ambiguous"
    UPGRADE_NOT_ALLOWED = "upgrade-not-allowed"
    ORIGIN_NOT_ALLOWED = "origin-not-allowed"
    SERVICE_WORKER_NOT_ALLOWED = "service-worker-not-allowed"
    # the request itself
    MALFORMED_REQUEST = "malformed-request"
    PATH_AMBIGUOUS = "path-ambiguous"
    COOKIE_AMBIGUOUS = "cookie-ambiguous"
    HOST_UNKNOWN = "host-unknown"
    HEAD_TOO_LARGE = "head-too-large"
    URL_TOO_LONG = "url-too-long"
    BODY_TOO_LARGE = "body-too-large"
    REQUEST_TIMEOUT = "request-timeout"
    NOT_IMPLEMENTED = "not-implemented"
    # the house and the portal behind it
    TELESERVICE_CLOSED = "teleservice-closed"
    PORTAL_CLOSED = "portal-closed"
    PORTAL_UNREACHABLE = "portal-unreachable"
    PORTAL_TIMEOUT = "portal-timeout"
    PORTAL_ANSWER_INVALID = "portal-answer-invalid"
    LEDGER_UNAVAILABLE = "ledger-unavailable"
    METER_UNAVAILABLE = "meter-unavailable"
    BUSY = "busy"
    INTERNAL_ERROR = "internal-error"
    # sign-in and enrolment
    CREDENTIALS_WRONG = "credentials-wrong"
    CREDENTIALS_OR_CODE_WRONG = "credentials-or-code-wrong"
    CODE_WRONG = "code-wrong"
    CODE_USED = "code-used"
    THROTTLED = "throttled"
    ACCOUNT_LOCKED = "account-locked"
    ACCOUNT_ASLEEP = "account-asleep"
    SECOND_FACTOR_MISSING = "second-factor-missing"
    INVITATION_WRONG = "invitation-wrong"
    PASSWORD_TOO_WEAK = "password-too-weak"  # noqa: S105
    PASSWORD_BREACHED = "password-breached"  # noqa: S105
    PASSWORD_MUST_CHANGE = "password-must-change"  # noqa: S105
    PASSWORD_REPEATED = "password-repeated"  # noqa: S105
    RESET_TICKET_WRONG = "reset-ticket-wrong"
    ACCOUNT_QUARANTINED = "account-quarantined"
    RECOVERY_CODE_WRONG = "recovery-code-wrong"
    FORM_FORGED = "form-forged"
    PROOF_TOO_OLD = "proof-too-old"
    PASSKEY_WRONG = "passkey-wrong"
    PASSKEY_CLONED = "passkey-cloned"
    PASSKEY_EXPIRED = "passkey-expired"
    PASSKEY_LIMIT = "passkey-limit"
    # the mail address of the account
    MAIL_ADDRESS_WRONG = "mail-address-wrong"
    MAIL_LINK_WRONG = "mail-link-wrong"
    MAIL_TOO_OFTEN = "mail-too-often"
    MAIL_UNAVAILABLE = "mail-unavailable"
    # the provider (Pro Santé Connect)
    SSO_UNREACHABLE = "sso-unreachable"
    SSO_REFUSED = "sso-refused"
    SSO_ANSWER_INVALID = "sso-answer-invalid"
    SSO_STATE_WRONG = "sso-state-wrong"
    SSO_TOO_OLD = "sso-too-old"
    SSO_ACR_TOO_LOW = "sso-acr-too-low"
    SSO_IDENTITY_INVALID = "sso-identity-invalid"
    SSO_UNKNOWN = "sso-unknown"
    SSO_OF_ANOTHER = "sso-of-another"
    SSO_NOT_SET_UP = "sso-not-set-up"
    RPPS_MALFORMED = "rpps-malformed"
    # the card itself
    CARD_MALFORMED = "card-malformed"
    CARD_NOT_TRUSTED = "card-not-trusted"
    CARD_EXPIRED = "card-expired"
    CARD_NOT_YET_VALID = "card-not-yet-valid"
    CARD_REVOKED = "card-revoked"
    CARD_REVOCATION_STALE = "card-revocation-stale"
    CARD_NOT_FOR_SIGN_IN = "card-not-for-sign-in"
    CARD_TEST_NOT_ALLOWED = "card-test-not-allowed"
    CARD_IDENTITY_INVALID = "card-identity-invalid"
    # the way to the card host and back
    CARD_UNKNOWN = "card-unknown"
    CARD_OF_ANOTHER = "card-of-another"
    CARD_TICKET_WRONG = "card-ticket-wrong"
    CARD_MISSING = "card-missing"
    CARD_HANDSHAKE_FAILED = "card-handshake-failed"
    CARD_NOT_SET_UP = "card-not-set-up"
