# SPDX-License-Identifier: EUPL-1.2
"""Who the provider says it is: the identity (issuer and sub), the national id, card or phone, and the activities that
the person may choose from. Pure: claims in, values out, or Refused(SSO_IDENTITY_INVALID).

No rule here looks at a name or a mail address (faults H9): an identity is issuer and subject, a join the national id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from gateway.errors import Refused
from gateway.identity.identifiers import AccountError, parse_rpps
from gateway.identity.sso_tokens import authenticated_at, check_subject
from gateway.model import Activity, Method, Proof, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from gateway.identity.sso_settings import SsoSettings

_NATIONAL_ID: Final = re.compile(r"8([0-9]{11})")
# Test identities look like ANS20231122132732, 0B7010446, 3760021832/000000018.
_SANDBOX_ID: Final = re.compile(r"[0-9A-Z][0-9A-Z/.-]{4,39}")
_TEXT_CHARACTERS: Final = 200
_ACTIVITIES_AT_MOST: Final = 64


@dataclass(frozen=True, slots=True)
class SsoIdentity:
    """One person, proved by the provider. `ends_at`: no session of ours may outlive it."""

    issuer: str
    subject: str
    sid: str | None
    national_id: str | None
    rpps: str | None
    given_name: str
    family_name: str
    acr: str
    proof: Proof
    ends_at: datetime
    activities: tuple[Activity, ...]
    id_token: str = field(repr=False)
    """For signing out at the provider (`id_token_hint`)."""

    def must_choose(self, known: Activity | None) -> bool:
        """Whether the person has to say in which of his activities he works; `known`: where he is known to work."""
        return len(self.activities) > 1 and known not in self.activities

    def activity(self, known: Activity | None) -> Activity | None:
        """That one while it is still his; else the only one; None if he has none."""
        return known if known in self.activities else next(iter(self.activities), None)


def identity_of(
    claims: Mapping[str, Any], userinfo: Mapping[str, Any], id_token: str, settings: SsoSettings
) -> SsoIdentity:
    """The person of a checked ID token, with what userinfo tells of the same `sub`."""
    subject = check_subject(claims.get("sub"))
    if settings.userinfo and userinfo.get("sub") != subject:
        raise _invalid()
    national_id = _national_id(claims, userinfo, settings)
    proved = authenticated_at(claims)
    return SsoIdentity(
        issuer=settings.issuer,
        subject=subject,
        sid=claims.get("sid"),
        national_id=national_id,
        rpps=rpps_of(national_id),
        given_name=_text(userinfo, "given_name"),
        family_name=_text(userinfo, "family_name"),
        acr=claims["acr"],
        proof=Proof(_method(claims, userinfo, settings), proved),
        ends_at=proved + settings.session_lifetime,
        activities=tuple(dict.fromkeys(one for one in _activities(userinfo) if one.told)),
        id_token=id_token,
    )


def parse_national_id(text: object, *, sandbox: bool) -> str:
    """`8` and an RPPS number with its check digit; in the sandbox also the shapes of test identities."""
    if isinstance(text, str) and (rpps_of(text) or (sandbox and _SANDBOX_ID.fullmatch(text))):
        return text
    raise _invalid()


def rpps_of(national_id: str | None) -> str | None:
    """The RPPS number in a national id, if it holds one."""
    found = _NATIONAL_ID.fullmatch(national_id or "")
    if found is None:
        return None
    try:
        return parse_rpps(found[1])
    except AccountError:
        return None


def _national_id(claims: Mapping[str, Any], userinfo: Mapping[str, Any], settings: SsoSettings) -> str | None:
    """The value of the named claim. Wherever else the person is named by a national id, it must be the same."""
    name = settings.national_id_claim
    if name is None:
        return None
    national_id = parse_national_id(userinfo.get(name, claims.get(name)), sandbox=settings.sandbox)
    for source in (claims, userinfo):
        for other in (source.get(name), source.get("preferred_username")):
            if isinstance(other, str) and rpps_of(other) not in {None, rpps_of(national_id)}:
                raise _invalid()
    return national_id


def _method(claims: Mapping[str, Any], userinfo: Mapping[str, Any], settings: SsoSettings) -> Method:
    """Card only where every source that says how the person signed in names a card; unknown is not card.

    Which of `authMode` and `amr` Pro Santé Connect sends, and where, is not settled: both are read.
    """
    told = [one for source in (claims, userinfo) for name in ("authMode", "amr") for one in _told(source.get(name))]
    card = bool(told) and all(isinstance(one, str) and one in settings.card_values for one in told)
    return Method.SSO_CARD if card else Method.SSO


def _told(value: object) -> list[object]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _activities(userinfo: Mapping[str, Any]) -> Iterator[Activity]:
    left = _ACTIVITIES_AT_MOST
    for practice in _listed(userinfo.get("SubjectRefPro"), "exercices"):
        for activity in _listed(practice, "activities"):
            left -= 1
            if left < 0:
                raise _invalid()
            yield Activity(
                profession=_text(practice, "codeProfession"),
                speciality=_text(practice, "codeSavoirFaire"),
                sector=_text(activity, "codeSecteurDactivite"),
                mode=_text(activity, "codeModeExercice"),
                role=_text(activity, "codeRole"),
                structure=_text(activity, "raisonSocialeSite"),
                structure_id=_text(activity, "identifiantTechniqueDeLaStructure"),
                siret=_text(activity, "numeroSiretSite"),
                finess=_text(activity, "numeroFinessSite"),
            )


def _listed(source: object, name: str) -> list[Any]:
    """A list of objects inside an object; absent and null are an empty one."""
    if source is None:
        return []
    if not isinstance(source, dict):
        raise _invalid()
    found = source.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise _invalid()
    return found


def _text(source: Mapping[str, Any], name: str) -> str:
    """A short text for people to read; absent and null are empty."""
    found = source.get(name)
    if found is None:
        return ""
    if not isinstance(found, str) or len(found) > _TEXT_CHARACTERS or not found.isprintable():
        raise _invalid()
    return found


def _invalid() -> Refused:
    return Refused(Reason.SSO_IDENTITY_INVALID)
