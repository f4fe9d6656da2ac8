# SPDX-License-Identifier: EUPL-1.2
"""Who the provider says it is: national ids by exact pattern, names and activities only as far as they make sense."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.errors import Refused
from gateway.identity.sso_identity import identity_of, parse_national_id, rpps_of
from gateway.identity.sso_settings import SsoSettings
from gateway.model import Activity, Reason

REAL, OTHER = "810101010105", "899700427885"
SANDBOX_ONLY = ["ANS20231122132732", "0B7010446", "3760021832/000000018", "30B0057881/CPET0002", "810003456789"]
CLAIMS = {"sub": "f:1:x", "acr": "eidas1", "auth_time": 1_790_000_000}


def settings(**changes):
    return SsoSettings(
        **{
            "discovery": "https://auth.example/wallet-openid-configuration",
            "issuer": "https://auth.example",
            "origins": frozenset({"https://auth.example"}),
            "client_id": "herse",
            "client_secret": "x",
            "redirect_uri": "https://portail.example/callback",
            "signed_out_uri": "https://portail.example/out",
        }
        | changes
    )


def person(userinfo, claims=None, **changes):
    whole = {"sub": CLAIMS["sub"], "SubjectNameID": REAL, **userinfo}
    return identity_of({**CLAIMS, **(claims or {})}, whole, "token", settings(**changes))


def refused(*arguments, **changes):
    with pytest.raises(Refused) as refusal:
        person(*arguments, **changes)
    return refusal.value.reason is Reason.SSO_IDENTITY_INVALID


@pytest.mark.parametrize("text", [REAL, OTHER])
def test_a_national_id_is_eight_and_an_rpps_number(text):
    assert parse_national_id(text, sandbox=False) == text
    assert rpps_of(text) == text[1:]
    assert person({"SubjectNameID": text}).rpps == text[1:]


@pytest.mark.parametrize(
    "text",
    [
        *("", None, 7, ["x"], "910101010105", "810101010106", "8" + "\u0661" * 11),
        *(REAL + "\n", " " + REAL, REAL[:-1], REAL + "0"),
        *SANDBOX_ONLY,
    ],
)
def test_anything_else_is_refused(text):
    assert refused({"SubjectNameID": text})


@pytest.mark.parametrize("text", SANDBOX_ONLY)
def test_test_identities_pass_in_the_sandbox_alone_and_have_no_rpps_number(text):
    assert parse_national_id(text, sandbox=True) == text
    assert person({"SubjectNameID": text}, sandbox=True).rpps is None


@pytest.mark.parametrize("text", ["", "a@b.example", "x" * 50, "ans2023", "A B C D E", "\u0661" * 12])
def test_not_everything_passes_in_the_sandbox(text):
    assert refused({"SubjectNameID": text}, sandbox=True)


def test_two_national_ids_are_none():
    assert refused({"preferred_username": OTHER})
    assert refused({}, {"preferred_username": OTHER})
    assert refused({}, {"SubjectNameID": OTHER})
    assert person({"preferred_username": REAL}, {"preferred_username": "camille"}).national_id == REAL


def test_a_provider_without_national_ids_gives_none():
    found = person({"preferred_username": OTHER}, national_id_claim=None)
    assert (found.national_id, found.rpps, found.subject) == (None, None, "f:1:x")
    without = identity_of(CLAIMS, {}, "token", settings(national_id_claim=None, userinfo=False))
    assert without.subject == "f:1:x"


def test_nothing_is_taken_from_a_mail_address():
    assert "camille" not in repr(person({"email": "camille@example.org", "email_verified": True}))


@pytest.mark.parametrize(
    "odd",
    [
        {"given_name": 7},
        {"given_name": "x" * 201},
        {"family_name": "a\u202eb"},
        {"family_name": "a\nb"},
        {"SubjectRefPro": []},
        {"SubjectRefPro": {"exercices": {}}},
        {"SubjectRefPro": {"exercices": ["x"]}},
        {"SubjectRefPro": {"exercices": [{"activities": "x"}]}},
        {"SubjectRefPro": {"exercices": [{"activities": [{"codeRole": 7}]}]}},
        {"SubjectRefPro": {"exercices": [{"activities": [{}] * 65}]}},
    ],
)
def test_an_answer_of_another_shape_is_refused(odd):
    assert refused(odd)


@pytest.mark.parametrize(
    "plain",
    [{"given_name": None}, {"SubjectRefPro": None}, {"SubjectRefPro": {}}, {"SubjectRefPro": {"exercices": [{}]}}],
)
def test_what_is_absent_is_empty(plain):
    found = person(plain)
    assert (found.given_name, found.activities) == ("", ())


def test_all_activities_are_kept_for_the_person_to_choose():
    practices = [
        {"codeProfession": "10", "activities": [{"raisonSocialeSite": "A"}, {"raisonSocialeSite": "B"}]},
        {"codeProfession": "21", "activities": [{"raisonSocialeSite": "C", "numeroFinessSite": "750012346"}]},
    ]
    found = person({"SubjectRefPro": {"exercices": practices}}).activities
    assert [(one.profession, one.structure) for one in found] == [("10", "A"), ("10", "B"), ("21", "C")]
    assert found[2].finess == "750012346"


def test_an_activity_told_twice_is_one_and_one_without_a_word_is_none():
    practice = {"activities": [{"raisonSocialeSite": "A"}, {}, {"raisonSocialeSite": "A"}, {"raisonSocialeSite": ""}]}
    assert person({"SubjectRefPro": {"exercices": [practice]}}).activities == (Activity(structure="A"),)


def test_only_who_has_several_activities_must_choose_and_keeps_his_own_while_it_is_his():
    here, there, gone = Activity(structure="A"), Activity(structure="B"), Activity(structure="C")
    none, one, several = (replace(person({}), activities=found) for found in ((), (here,), (here, there)))
    assert [who.must_choose(None) for who in (none, one, several)] == [False, False, True]
    assert [several.must_choose(known) for known in (here, there, gone)] == [False, False, True]
    assert [who.activity(None) for who in (none, one)] == [None, here]
    assert [who.activity(gone) for who in (none, one)] == [None, here], "what is no longer his is not kept"
    assert several.activity(there) == there
