# SPDX-License-Identifier: EUPL-1.2
"""A whole gateway with a certified provider that nobody here wrote: sign-in, step-up, the phone, and its logout.

The gateway is `herse serve` over TLS, the provider npm's oidc-provider; between them go nothing but their own requests.
"""

from __future__ import annotations

import re
import ssl
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from gateway.identity.accounts import Accounts, Holder
from gateway.identity.at_rest import AtRest
from gateway.identity.database import open_database
from gateway.identity.sso_identity import SsoIdentity
from gateway.identity.sso_links import SsoLinks
from gateway.model import EventKind, Method, Proof
from gateway.settings import read_key
from gateway.state_files import AT_REST_KEY_FILE
from support.echo import Echo
from support.house import House
from support.node_provider import issuer, node_provider
from support.practice import CABINET, CENTRE, working_in
from support.provider import NATIONAL_ID
from support.servers import free_port, wait_until
from support.walker import Walker, forms

pytestmark = pytest.mark.system

RPPS = NATIONAL_ID[1:]
PRACTICE = "759900001"
SECRET = "of%these: tests+alone/in:the:lab"
PERSON = {"SubjectNameID": NATIONAL_ID, "given_name": "KIT", "family_name": "DOC0042788"}
PERSON["SubjectRefPro"] = working_in(CABINET, CENTRE)
ACTIVITY = "/.herse/sso/activity"
FRESH_SECONDS = 5
POLICY = f"""\
version: 1
portal: soins
title: Soins
teleservices:
  agenda:
    title: Agenda
    routes: [GET /agenda]
    assurance: mfa
  dossier:
    title: Dossier
    routes: [GET /dossier]
    assurance: card
    fresh_for: {FRESH_SECONDS}s
"""
CASES = """\
version: 1
portal: soins
cases:
  - name: the diary
    as: {account: "759900001", profession: physician, assurance: mfa}
    request: GET /agenda
    expect: permit
  - name: the file
    as: {account: "759900001", profession: physician, assurance: mfa}
    request: GET /dossier
    expect: challenge
"""


@dataclass
class Lab:
    """The two of them, and whoever walks there."""

    house: House
    echo: Echo
    port: int
    stack: ExitStack = field(default_factory=ExitStack)

    @property
    def origin(self):
        return self.house.origin

    def trust(self):
        return ssl.create_default_context(cafile=str(self.house.authority))

    def person(self):
        """Somebody with a browser: what it holds of the gateway, and what of the provider."""
        walker = self.stack.enter_context(Walker(self))
        walker.there = self.stack.enter_context(httpx.Client(timeout=30))
        return walker

    def told(self, target):
        """What the assertion of the latest request for this target tells the portal."""
        token = self.echo.of(target)[-1].get(b"herse-assertion")
        keys = KeySet.import_key_set(httpx.get(f"{self.origin}/.herse/jwks.json", verify=self.trust()).json())
        return jwt.decode(token, keys, algorithms=["ES256"]).claims

    def events(self, kind):
        return [one.event for one in self.house.events(PRACTICE) if one.event.kind is kind]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    port, here = free_port(), free_port()
    origin = f"https://localhost:{here}"
    client = {
        "client_id": "herse",
        "client_secret": SECRET,
        "redirect_uris": [f"{origin}/.herse/sso/callback"],
        "post_logout_redirect_uris": [f"{origin}/.herse/signed-out"],
        "response_types": ["code"],
        "grant_types": ["authorization_code", "urn:openid:params:grant-type:ciba"],
        "backchannel_token_delivery_mode": "poll",
        "backchannel_logout_uri": f"{origin}/.herse/sso/backchannel-logout",
        "backchannel_logout_session_required": True,
        "require_auth_time": True,
    }
    sso = {
        "sandbox": True,
        "discovery": f"{issuer(port)}/.well-known/openid-configuration",
        "issuer": issuer(port),
        "origins": [issuer(port)],
        "client_id": "herse",
        "secret_file": "provider.secret",
        "scope": "openid person",
        "acr_values": "eidas2",
        "acr_accepted": ["eidas2"],
        "ciba": True,
    }
    folder = tmp_path_factory.mktemp("lab")
    with Echo() as echo:
        url = f"http://127.0.0.1:{echo.port}"
        more = {"tls": True, "settings": {"sso": sso}, "host": f"localhost:{here}", "port": here}
        house = House(folder / "house", url, POLICY, CASES, **more)
        (house.folder / "provider.secret").write_text(SECRET)
        (house.folder / "provider.secret").chmod(0o600)
        known(house, port)
        trust = {"NODE_EXTRA_CA_CERTS": str(house.authority)}
        with node_provider(folder, port, client, PERSON, trust), house.serve(), ExitStack() as stack:
            yield Lab(house, echo, port, stack)


def known(house, port):
    """The practice, and the identity of its holder at the provider, linked to it."""
    at = datetime.now(UTC)
    engine = open_database(house.accounts_file)
    accounts = Accounts(engine, AtRest(read_key(house.folder / "keys" / AT_REST_KEY_FILE)))
    accounts.create(PRACTICE, "Cabinet K", "physician", RPPS, [Holder("Kit Doc", RPPS)], at)
    names = {"given_name": "KIT", "family_name": "DOC", "acr": "eidas2", "activities": (), "id_token": "", "sid": None}
    person = {"subject": "person", "national_id": NATIONAL_ID, "rpps": RPPS, "ends_at": at + timedelta(hours=1)}
    proof = Proof(Method.SSO_CARD, at)
    SsoLinks(engine).add(PRACTICE, SsoIdentity(issuer=issuer(port), proof=proof, **names, **person), at)
    engine.dispose()


def by_provider(walker, page, activity="1"):
    """From a page that asks for more, over the provider and the choice of an activity (None: without), on."""
    left = walker.send("/.herse/sso", dict(page.url.params))
    leaving = walker.open(left.headers["location"])
    url = leaving.headers["refresh"].partition("url=")[2]
    for _ in range(10):
        answer = walker.there.get(url)
        url = str(answer.url.join(answer.headers["location"]))
        if url.startswith(walker.demo.origin):
            back = walker.open(url)
            return back if activity is None else chosen(walker, back, activity)
    raise AssertionError("the provider never sent us back")


def chosen(walker, page, activity):
    assert page.url.path == ACTIVITY
    return walker.submit(page, activity=activity)


def signed_in(walker):
    return walker.ask("/agenda").status_code == 200


def test_a_person_signs_in_and_arrives_where_he_was_going(lab):
    walker = lab.person()
    arrived = by_provider(walker, walker.open("/agenda"))
    assert (arrived.status_code, arrived.url.path) == (200, "/agenda")
    assert {one.method for one in lab.events(EventKind.SIGN_IN)} == {Method.SSO_CARD}


def test_a_step_up_proves_him_afresh_there(lab):
    walker = lab.person()
    by_provider(walker, walker.open("/agenda"))
    time.sleep(FRESH_SECONDS + 1.1)
    before = walker.cookie
    assert walker.ask("/dossier").status_code == 401
    arrived = by_provider(walker, walker.open("/dossier"), None)
    assert (arrived.status_code, arrived.url.path) == (200, "/dossier")
    assert walker.cookie != before
    assert lab.events(EventKind.STEP_UP)[-1].method == Method.SSO_CARD


def test_the_portal_is_told_in_which_activity_he_works(lab):
    walker = lab.person()
    by_provider(walker, walker.open("/agenda"))
    assert lab.told(b"/agenda")["activity"]["structure"] == "CENTRE DE SANTE"
    time.sleep(FRESH_SECONDS + 1.1)
    by_provider(walker, walker.open("/dossier"), None)
    assert lab.told(b"/dossier")["activity"]["finess"] == "750012346"
    by_provider(walker, walker.open("/.herse/sso?activity=anew"), "0")
    walker.open("/agenda")
    assert lab.told(b"/agenda")["activity"]["structure"] == "CABINET M DOC0042788"


def test_a_person_says_yes_on_the_phone(lab):
    walker = lab.person()
    page = walker.open("/agenda")
    waiting = walker.send("/.herse/sso/phone", {"identifier": RPPS, "to": page.url.params["to"]})
    assert waiting.status_code == 303, waiting.text
    where = waiting.headers["location"]
    shown = walker.open(where)
    assert re.search(r'aria-hidden="true">[0-9]{2}<', shown.text)
    every = int(shown.headers["refresh"])
    assert not signed_in(walker)
    time.sleep(every + 0.2)
    arrived = chosen(walker, walker.open(where), "0")
    assert (arrived.status_code, arrived.url.path) == (200, "/agenda")


def test_whom_the_provider_does_not_know_is_asked_nothing(lab):
    walker = lab.person()
    assert walker.send("/.herse/sso/phone", {"identifier": "10101010105"}).status_code == 403


def test_signing_out_at_the_provider_ends_this_session_within_a_second_and_no_other(lab):
    walker, another = lab.person(), lab.person()
    for one in (walker, another):
        by_provider(one, one.open("/agenda"))
        assert signed_in(one)
    ended = len(lab.events(EventKind.SIGN_OUT))
    page = walker.there.get(f"{issuer(lab.port)}/session/end")
    [form] = forms(page)
    walker.there.post(form.action, data={**form.fields, "logout": "yes"})
    wait_until("the session is over", lambda: not signed_in(walker), seconds=1.0)
    assert signed_in(another)
    # With it end the sessions of this person that the provider gave no `sid` (phones): nobody knows which it meant.
    wait_until("it is on record", lambda: len(lab.events(EventKind.SIGN_OUT)) > ended, seconds=5.0)
    assert lab.events(EventKind.SIGN_OUT)[-1].method == Method.SSO
