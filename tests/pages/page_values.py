# SPDX-License-Identifier: EUPL-1.2
"""Values for each template of the own pages, with markup in all that comes from outside; and what a page then holds."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser

from gateway.identity.kept_work import Kept, State
from gateway.model import Reason
from gateway.pages.activity_words import ActivityWords
from gateway.pages.qr import qr
from gateway.pages.render import alert, page

AT = datetime(2026, 11, 22, 8, 5, tzinfo=UTC)
EVIL = "<script>alert(1)</script>\" onfocus=x '"
LINE = {
    "at": AT,
    "sentence": "Connexion",
    "by": EVIL,
    "reason": EVIL,
    "method": "code",
    "network": "192.0.2.1",
    "device": EVIL,
    "alarming": True,
}
WORKS = ActivityWords(EVIL, EVIL, EVIL)
OPEN = {
    "reference": "ab",
    "current": False,
    "opened_at": AT,
    "seen_at": AT,
    "network": EVIL,
    "device": EVIL,
    "activity": EVIL,
}
KNOWN = {
    "reference": "ab",
    "current": False,
    "name": EVIL,
    "first_seen_at": AT,
    "last_seen_at": AT,
    "sessions": 1,
}
IN_QUARANTINE = {"quarantined": True, "has_codes": True, "may_link": True}
KEPT = Kept("work-ab", "infopatient", 2, 30, AT, State.WAITING, None, "/infopatient")
VALUES = {
    "sign_in": {"to": "abc", "typed": EVIL, "alert": alert(Reason.THROTTLED, "fr", 60)},
    "step_up": {
        "to": "abc",
        "alert": None,
        "asked": alert(Reason.SECOND_FACTOR_STALE, "fr"),
        "has_passkey": True,
        **IN_QUARANTINE,
    },
    "passkey": {"to": "abc", "alert": None, "asked": None, "act": "sign-in", "options": EVIL, **IN_QUARANTINE},
    "passkeys": {
        "alert": alert(Reason.PASSKEY_WRONG, "fr"),
        "passkeys": [{"reference": EVIL, "name": EVIL, "added_at": AT, "last_used_at": None}],
        "may_change": True,
        "options": EVIL,
        "longest": 60,
        "most": 10,
    },
    "continue": {"work": KEPT, "teleservice": EVIL, "back": EVIL},
    "continue_lost": {"path": EVIL},
    "enrol": {"typed": EVIL, "alert": alert(Reason.PASSWORD_TOO_WEAK, "fr")},
    "password_change": {
        "alert": alert(Reason.PASSWORD_TOO_WEAK, "fr"),
        "asked": alert(Reason.PASSWORD_BREACHED, "fr"),
        "advice": [EVIL],
        "identifier": EVIL,
        "title": EVIL,
        "has_totp": True,
    },
    "enrol_totp": {"alert": None, "qr": qr("otpauth://x", EVIL), "secret": EVIL, "uri": "otpauth://x"},
    "factors": {"has_totp": False, "may_add": True},
    "account": {
        "title": EVIL,
        "acts": True,
        "has_password": True,
        "passkeys": 0,
        "linked": False,
        "mail": EVIL,
        "delegations": 2,
        "identifier": EVIL,
        "profession": EVIL,
        "rpps": "10101010105",
        "holders": [EVIL],
        "has_totp": False,
        "quarantined": True,
        "codes_left": 3,
        "opened_at": AT,
        "activity": WORKS,
        "proofs": [("code", AT)],
        "agent": EVIL,
        "network": EVIL,
    },
    "events": {
        "alert": alert(Reason.MALFORMED_REQUEST, "fr"),
        "lines": [LINE],
        "groups": [("look-ups", "Consultations")],
        "group": "look-ups",
        "first": EVIL,
        "last": "",
        "older": "/.herse/account/events?before=3",
        "newest": "",
    },
    "sessions": {
        "sessions": [OPEN, OPEN | {"current": True}],
        "devices": [KNOWN, KNOWN | {"current": True}],
    },
    "own_password": {
        "alert": alert(Reason.PASSWORD_TOO_WEAK, "fr"),
        "advice": [EVIL],
        "old_wrong": False,
        "identifier": EVIL,
        "has_password": True,
        "may_change": True,
    },
    "card_start": {"to": "abc"},
    "card_wait": {"to": "abc", "href": EVIL, "alert": alert(Reason.CARD_HANDSHAKE_FAILED, "fr")},
    "sso_start": {
        "sso": EVIL,
        "to": "abc",
        "card": False,
        "anew": True,
        "phone": True,
        "alert": alert(Reason.SSO_REFUSED, "fr"),
    },
    "sso_leave": {"sso": EVIL, "href": EVIL},
    "sso_phone": {
        "to": "abc",
        "typed": EVIL,
        "people": [{"rpps": EVIL, "name": EVIL}] * 2,
        "name": EVIL,
        "alert": None,
    },
    "sso_phone_wait": {"digits": "07", "ends_at": AT, "to": "abc", "reference": "ab", "calm": False},
    "sso_choose": {"sso": EVIL, "waiting": "ab", "accounts": [{"identifier": EVIL, "title": EVIL}] * 2},
    "sso_activity": {
        "sso": EVIL,
        "waiting": "ab",
        "activities": [WORKS] * 2,
        "alert": alert(Reason.MALFORMED_REQUEST, "fr"),
    },
    "sso_link": {"sso": EVIL, "identity": EVIL, "waiting": "ab", "missing": None, "others": [EVIL], "to": "abc"},
    "sso_links": {
        "sso": EVIL,
        "links": [{"reference": "ab", "name": EVIL, "rpps": EVIL, "linked_at": AT, "last_used_at": None}],
        "may_change": True,
        "to": "abc",
    },
    "card_choose": {"accounts": [{"identifier": EVIL, "title": EVIL, "delegate": one} for one in (False, True)]},
    "act_for": {"accounts": [(EVIL, EVIL, AT)]},
    "step_up_ways": {
        "ways": [("sc", "/.herse/card?to=abc"), ("otp", "/.herse/step-up?to=abc")],
        "asked": alert(Reason.BUDGET_PROOF_REQUIRED, "fr"),
    },
    "delegates": {
        "delegates": [({"name": EVIL, "card": EVIL, "until": AT, "given_by": EVIL, "reference": "ab"}, [EVIL])],
        "offered": [("infopatient", EVIL, True)],
        "wrong": "means",
        "may_change": True,
        "typed": dict.fromkeys(("name", "card", "identifier", "until"), EVIL),
        "first": "2026-11-22",
        "last": "2027-11-22",
        "give": "give-",
    },
    "reset": {"typed": EVIL, "alert": alert(Reason.THROTTLED, "fr", 60)},
    "reset_asked": {},
    "reset_new": {"ticket": EVIL, "advice": [EVIL], "alert": alert(Reason.PASSWORD_TOO_WEAK, "fr")},
    "recovery": {"left": 3, "may_make": True},
    "recovery_codes": {"codes": [EVIL], "title": EVIL},
    "recovery_step_up": {"to": "abc", "alert": alert(Reason.RECOVERY_CODE_WRONG, "fr"), "asked": None},
    "recovery_used": {"left": 0, "following": "/infopatient"},
    "mail": {
        "alert": alert(Reason.MAIL_ADDRESS_WRONG, "fr"),
        "typed": EVIL,
        "current": EVIL,
        "waiting": EVIL,
        "until": AT,
        "may_change": True,
    },
    "mail_confirm": {"mail": EVIL, "ticket": EVIL},
    "sign_out": {},
    "signed_out": {},
    "refusal": {"alert": alert(Reason.BUDGET_EXHAUSTED, "fr"), "way": None, "instance": EVIL},
}


class Reading(HTMLParser):
    """What a page holds, as a browser would see it."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.open = []
        self.faults = []
        self.feed(text)
        self.faults += [f"<{tag}> left open" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if len(values) != len(attrs):
            self.faults.append(f"<{tag}> names an attribute twice")
        self.tags.append((tag, values))
        if tag not in {"meta", "link", "img", "input", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes something else")

    def all(self, tag):
        return [values for name, values in self.tags if name == tag]


def rendered(template, language, **values):
    """The page as the portal gives it, with a provider and a card host."""
    given = {"sso": EVIL, "cards": True} | VALUES[template] | values
    return page(template, language, account="750012346", form="f" * 43, **given).decode()
