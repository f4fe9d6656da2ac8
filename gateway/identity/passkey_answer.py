# SPDX-License-Identifier: EUPL-1.2
"""What a browser sends back from a passkey, read strictly, and the keys that are taken. Nothing is looked up here.

Read before anything is verified: the challenge in it says which request it answers, the id whose key it claims to be.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from webauthn.helpers import (
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    parse_attestation_object,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSECRV, COSEAlgorithmIdentifier
from webauthn.helpers.decode_credential_public_key import DecodedEC2PublicKey, DecodedOKPPublicKey, DecodedRSAPublicKey
from webauthn.helpers.structs import AttestationFormat

from gateway.errors import Refused
from gateway.model import Reason

if TYPE_CHECKING:
    from webauthn.helpers.structs import AttestationObject, AuthenticationCredential, RegistrationCredential

ALGORITHMS: Final = (
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
)
"""ES256, EdDSA and RS256, the one we like best first."""
LONGEST_ID: Final = 1023  # WebAuthn level 2, 6.5.1
_SMALLEST_RSA: Final = 2048
_LARGEST_RSA: Final = 4096  # a larger one would cost us more than its owner
_LARGEST_EXPONENT: Final = 65_537


class _NoKeyError(ValueError):
    """It is a key, but none that we take."""


@dataclass(frozen=True, slots=True)
class Registration:
    """A new key, not verified yet."""

    challenge: bytes = field(repr=False)
    credential: RegistrationCredential = field(repr=False)


@dataclass(frozen=True, slots=True)
class Assertion:
    """A use of a key, not verified yet. `handle`: the account as the authenticator knows it."""

    id: bytes
    challenge: bytes = field(repr=False)
    handle: bytes | None = field(repr=False)
    credential: AuthenticationCredential = field(repr=False)


def read_registration(text: str) -> Registration:
    """The JSON of `navigator.credentials.create()`. Refused(PASSKEY_WRONG) for what is none."""
    try:
        credential = parse_registration_credential_json(text)
        _check_attestation(parse_attestation_object(credential.response.attestation_object))
        return Registration(_challenge(credential.response.client_data_json), credential)
    except Exception as error:  # parsers of what a stranger sent raise of all kinds
        raise Refused(Reason.PASSKEY_WRONG) from error


def read_assertion(text: str) -> Assertion:
    """The JSON of `navigator.credentials.get()`. Refused(PASSKEY_WRONG) for what is none."""
    try:
        credential = parse_authentication_credential_json(text)
        _check_id(credential.raw_id)
        challenge = _challenge(credential.response.client_data_json)
    except Exception as error:  # as above
        raise Refused(Reason.PASSKEY_WRONG) from error
    return Assertion(credential.raw_id, challenge, credential.response.user_handle, credential)


def check_key(public_key: bytes) -> None:
    """Raise unless the COSE key is whole and of a kind that we take: the library pins the algorithm, not the curve."""
    key = decode_credential_public_key(public_key)
    taken = False
    if isinstance(key, DecodedEC2PublicKey):
        taken = key.alg == COSEAlgorithmIdentifier.ECDSA_SHA_256 and key.crv == COSECRV.P256
    elif isinstance(key, DecodedOKPPublicKey):
        taken = key.alg == COSEAlgorithmIdentifier.EDDSA and key.crv == COSECRV.ED25519
    elif isinstance(key, DecodedRSAPublicKey):
        bits = int.from_bytes(key.n).bit_length()
        taken = key.alg == COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256
        taken = taken and _SMALLEST_RSA <= bits <= _LARGEST_RSA and int.from_bytes(key.e) <= _LARGEST_EXPONENT
    if not taken:
        raise _NoKeyError
    decoded_public_key_to_cryptography(key)  # raises if its numbers are no key


def _check_attestation(attested: AttestationObject) -> None:
    """Raise if it says more than was asked for: then browsers send `none`, or `packed` signed by the new key itself."""
    new_key = attested.auth_data.attested_credential_data
    if new_key is None:
        raise _NoKeyError
    _check_id(new_key.credential_id)
    itself = attested.fmt == AttestationFormat.PACKED and attested.att_stmt.x5c is None
    if attested.fmt != AttestationFormat.NONE and not itself:
        raise _NoKeyError


def _check_id(credential_id: bytes) -> None:
    if not 0 < len(credential_id) <= LONGEST_ID:
        raise _NoKeyError


def _challenge(client_data: bytes) -> bytes:
    """The challenge that was signed. From inside a frame of another site it is none: nobody knew where he was."""
    found = parse_client_data_json(client_data)
    if found.cross_origin:
        raise _NoKeyError
    return found.challenge
