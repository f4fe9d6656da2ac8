# SPDX-License-Identifier: EUPL-1.2
"""One entry of `teleservices`: what it becomes, and each fault it can have."""

from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.model import Budget, Level, Method, Past, PatientLocator, Place, Scope
from gateway.model.answers import Answers, TextAnswers
from gateway.policy.fields import Fields
from gateway.policy.rules import Attestation, Rule
from gateway.policy.teleservice import read_teleservice


def read(text: str) -> tuple[Rule, list[str]]:
    """A rule of the keys of one entry, with `title` added, and its faults as `key: found; expected`."""
    fields = Fields("p.yaml")
    body = "".join(f"  {line}\n" for line in ["title: T", *text.strip().split("\n")])
    node = fields.document(f"version: 1\nt:\n{body}", required=("t",))["t"]
    rule = read_teleservice(fields, "t", node)
    return rule, [f"{fault.key}: {fault.found}; {fault.expected}" for fault in fields.faults]


PLAIN = "routes: [GET /x]\nassurance: password\n"
MFA = "routes: [GET /x]\nassurance: mfa\n"
CARD = "routes: [GET /x]\nassurance: card\n"
METERED = """\
routes: ["GET /x/{nir}"]
assurance: mfa
patient: {path: nir}
budgets: [{people: 5, window: 1h, past: challenge}]
discloses: [identity]
"""


def test_a_plain_teleservice() -> None:
    rule, faults = read(PLAIN)
    assert (rule.name, rule.title, rule.level, rule.order, faults) == ("t", "T", Level.PASSWORD, 0, [])
    assert [str(route) for route in rule.routes] == ["GET /x"]
    assert (rule.fresh_for, rule.professions, rule.accounts, rule.uncounted) == (None, None, None, None)
    assert (rule.anonymous, rule.streams, rule.upgrade, rule.metered) == (False, False, False, False)


def test_a_teleservice_with_every_key() -> None:
    rule, faults = read(
        """\
routes: ["GET,POST /x/{nir}"]
order: -3
assurance: card
fresh_for: 15m
professions: [nurse, physician]
accounts: ['750012346']
patient: {path: nir}
budgets: [{people: 5, window: 1h, past: challenge}, {people: 50, window: 24h, past: deny}]
discloses: [identity, rights]"""
    )
    assert not faults
    assert (rule.order, rule.level, rule.fresh_for) == (-3, Level.CARD, timedelta(minutes=15))
    assert (rule.professions, rule.accounts) == ({"nurse", "physician"}, {"750012346"})
    assert (rule.routes[0].methods, rule.routes[0].patient) == (("GET", "POST"), PatientLocator(Place.PATH, "nir"))
    assert rule.budgets == (
        Budget(5, timedelta(hours=1), Past.CHALLENGE),
        Budget(50, timedelta(hours=24), Past.DENY),
    )
    assert rule.categories == ("identity", "rights")


def test_methods_stand_beside_a_level_or_instead_of_one() -> None:
    for text, level in (
        (MFA + "methods: [otp, sc]", Level.MFA),
        (CARD + "methods: [sc, otp]", Level.CARD),
        ("routes: [GET /x]\nmethods: [sc, psc-sc]", Level.CARD),
        ("routes: [GET /x]\nmethods: [otp]", Level.MFA),
        ("routes: [GET /x]\nmethods: [pwd, sc]", Level.PASSWORD),
        (METERED.replace("assurance: mfa", "methods: [sc, psc]"), Level.MFA),
        (METERED + "methods: [otp]\nattestation: {reference: R, until: 2027-12-31}", Level.MFA),
    ):
        rule, faults = read(text)
        assert not faults
        assert rule.level is level
    assert read("routes: [GET /x]\nmethods: [sc, psc]")[0].methods == (Method.SMART_CARD, Method.SSO)


def test_a_budget_counts_for_the_account_unless_it_says_for_each_holder() -> None:
    for per, scope in (("", Scope.ACCOUNT), ("per: account, ", Scope.ACCOUNT), ("per: holder, ", Scope.HOLDER)):
        rule, faults = read(METERED.replace("people: 5", f"{per}people: 5"))
        assert not faults
        assert rule.budgets == (Budget(5, timedelta(hours=1), Past.CHALLENGE, per=scope),)
    both = "past: challenge}, {people: 9, window: 1h, past: challenge}"
    assert not read(METERED.replace("people: 5", "per: holder, people: 5").replace("past: challenge}", both))[1]


def test_how_long_somebody_is_known_and_what_a_moved_session_may_see() -> None:
    assert (read(PLAIN)[0].known_for, read(PLAIN)[0].moved_new) == (None, False)
    for text, known_for, moved_new in (
        ("", timedelta(days=90), False),
        ("known_for: 1d", timedelta(days=1), False),
        ("known_for: 400d\nmoved: challenge", timedelta(days=400), False),
        ("moved: new-people", timedelta(days=90), True),
    ):
        rule, faults = read(METERED + text)
        meter = rule.meter(PatientLocator(Place.PATH, "nir"))
        assert not faults
        assert (rule.known_for, rule.moved_new) == (meter.known_for, meter.moved_new) == (known_for, moved_new)


def test_the_other_flags() -> None:
    assert read("routes: [GET /x]\nanonymous: true")[0].anonymous
    assert read(PLAIN + "streams: true")[0].streams
    assert read(PLAIN + "upgrade: websocket")[0].upgrade
    rule, faults = read(MFA + "discloses: [identity]\nuncounted: a list")
    assert (rule.uncounted, rule.categories, faults) == ("a list", ("identity",), [])


def test_an_attestation_holds_to_the_end_of_its_day() -> None:
    for day in ("2027-12-31", "'2027-12-31'"):
        rule, faults = read(METERED + f"attestation: {{reference: ANS-7, until: {day}}}")
        assert not faults
        assert rule.attestation == Attestation("ANS-7", date(2027, 12, 31))
        assert rule.attestation.ends_at == datetime(2028, 1, 1, tzinfo=UTC)
    assert read(METERED)[0].attestation is None


def test_routes_say_where_their_number_is() -> None:
    rule, faults = read(
        """\
routes:
  - {route: GET /x, patient: none}
  - {route: POST /x, patient: {form: nir}}
  - {route: PUT /x, patient: {json: /patient/nir}}
  - GET /y
assurance: mfa
patient: {query: nir}
budgets: [{people: 5, window: 1h, past: challenge}]
discloses: [identity]"""
    )
    assert not faults
    assert [route.patient for route in rule.routes] == [
        None,
        PatientLocator(Place.FORM, "nir"),
        PatientLocator(Place.JSON, "/patient/nir"),
        PatientLocator(Place.QUERY, "nir"),
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("assurance: password", "t: no such key; the key `routes`"),
        ("routes: [GET /x]", "t: neither; `assurance: password`, `mfa` or `card`, `methods`, or `anonymous: true`"),
        ("routes: [GET /x]\nassurance: strong", "t.assurance: `strong`; one of password, mfa, card"),
        ("routes: [GET /x]\nanonymous: yes", "t.anonymous: `yes`, which YAML reads as bool; `true`"),
        ("routes: []\nassurance: mfa", "t.routes: a list with nothing in it"),
        (PLAIN + "mfa: true", "t.mfa: the unknown key `mfa`; one of title, routes, order"),
        (PLAIN + "order: first", "t.order: `first`; a whole number"),
        (PLAIN + "fresh_for: 22:30", "t.fresh_for: `22:30`, which YAML reads as int; a duration"),
        (PLAIN + "professions: []", "t.professions: a list with nothing in it"),
        (PLAIN + "accounts: [750012346]", "t.accounts[0]: `750012346`, which YAML reads as int; an account"),
        (PLAIN + "upgrade: h2c", "t.upgrade: `h2c`; one of websocket"),
        (PLAIN + "streams: no", "t.streams: `no`, which YAML reads as bool; `true`, or no such key"),
        ("routes: [POST /x]\nassurance: mfa\nupgrade: websocket", "t.upgrade: `websocket`; a GET route here"),
        # routes
        ("routes: [/x]\nassurance: mfa", 't.routes[0]: `/x`; a route such as "GET /path/{name}"'),
        ("routes: [get /x]\nassurance: mfa", "methods are GET, POST, PUT, PATCH, DELETE, OPTIONS"),
        ("routes: [HEAD /x]\nassurance: mfa", "GET covers HEAD"),
        ("routes: [TRACE /x]\nassurance: mfa", "t.routes[0]: `TRACE /x`; a route"),
        ("routes: ['GET,GET /x']\nassurance: mfa", "t.routes[0]: `GET,GET /x`; a route"),
        ("routes: ['GET, POST /x']\nassurance: mfa", "t.routes[0]: `GET, POST /x`; a route"),
        ("routes: ['GET  /x']\nassurance: mfa", "starts with `/`"),
        ("routes: [GET /x/]\nassurance: mfa", "t.routes[0]: `GET /x/`; a path that"),
        ("routes: [no]\nassurance: mfa", "t.routes[0]: `no`, which YAML reads as bool; a route"),
        ("routes: [[GET /x]]\nassurance: mfa", "t.routes[0]: a list; a route"),
        ("routes: [{route: GET /x}]\nassurance: mfa", "t.routes[0]: no such key; the key `patient`"),
        ("routes: [{patient: none}]\nassurance: mfa", "t.routes[0]: no such key; the key `route`"),
        # the patient
        (METERED.replace("{path: nir}", "{cookie: nir}"), "t.patient: a mapping; one of {path: NAME}"),
        (METERED.replace("{path: nir}", "{path: nir, query: nir}"), "t.patient: a mapping; one of"),
        (METERED.replace("{path: nir}", "none"), "t.patient: `none`; one of"),
        (METERED.replace("{path: nir}", "{path: 1}"), "t.patient.path: `1`, which YAML reads as int"),
        (METERED.replace("{path: nir}", "{path: nri}"), "the variable `{nri}`"),
        (METERED.replace("{path: nir}", "{query: nir}"), "`{_nir}` if this variable is no patient number"),
        (METERED.replace("GET /x/{nir}", "POST /x").replace("path: nir", "json: nir"), "t.patient.json: `nir`; a JSON"),
        (METERED.replace("GET /x/{nir}", "POST /x").replace("path: nir", "json: /a~2"), "a JSON pointer (RFC 6901)"),
        (METERED.replace("GET /x/{nir}", "GET /x").replace("path: nir", "form: nir"), "methods with a body"),
        # what belongs together
        (METERED.replace("budgets", "#"), "t: no such key; the key `budgets`, since patients are counted here"),
        (METERED.replace("discloses", "#"), "t: no such key; the key `discloses`"),
        (METERED + "streams: true", "t.streams: `streams`; no such key where patients are counted"),
        (METERED + "upgrade: websocket", "t.upgrade: `upgrade`; no such key where patients are counted"),
        (METERED + "uncounted: a list", "t.uncounted: `uncounted`; no such key where patients are counted"),
        (PLAIN + "budgets: [{people: 5, window: 1h, past: deny}]", "t.budgets: `budgets`; a route that uses it"),
        (MFA + "discloses: [identity]", "t.discloses: data nobody counts; `patient` and `budgets`, or `uncounted`"),
        (PLAIN + "uncounted: a list", "t.uncounted: a reason, but nothing disclosed; `discloses` beside it"),
        ("routes: [{route: GET /x, patient: none}]\nassurance: mfa\npatient: {query: n}", "t.patient: `patient`; a"),
        ("routes: [GET /x]\nanonymous: true\nassurance: mfa", "t.assurance: `assurance`; no such key beside"),
        ("routes: [GET /x]\nanonymous: true\nprofessions: [nurse]", "t.professions: `professions`; no such key beside"),
        # what may open data of patients
        (METERED.replace("mfa", "password"), "t.assurance: `password`; `mfa` or `card`, since patient data"),
        (METERED + "attestation: {reference: R}", "t.attestation: no such key; the key `until`"),
        (METERED + "attestation: {until: 2027-12-31}", "t.attestation: no such key; the key `reference`"),
        (METERED + "attestation: {reference: R, until: 2027-13-31}", "t.attestation.until: `2027-13-31`; a day"),
        (METERED + "attestation: {reference: R, until: 31/12/2027}", "t.attestation.until: `31/12/2027`; a day"),
        (METERED + "attestation: {reference: R, until: 20271231}", "t.attestation.until: `20271231`, which YAML"),
        (METERED + "attestation: {reference: 7, until: 2027-12-31}", "t.attestation.reference: `7`, which YAML"),
        (METERED.replace("mfa", "card") + "attestation: {reference: R, until: 2027-12-31}", "t.attestation: `att"),
        (MFA + "attestation: {reference: R, until: 2027-12-31}", "t.attestation: `attestation`; `assurance"),
        # methods
        (PLAIN + "methods: [sc, mail]", "t.methods[1]: `mail`; one of pwd, otp, hwk, sc, psc, psc-sc"),
        (PLAIN + "methods: [invite]", "t.methods[0]: `invite`; one of pwd"),
        (PLAIN + "methods: sc", "t.methods: `sc`; a list"),
        (PLAIN + "methods: [sc, sc]", "t.methods[1]: `sc` again"),
        (CARD + "methods: [otp, hwk]", "t.methods: `otp, hwk`; sc or psc-sc among them, since nothing else reaches"),
        (MFA + "methods: [pwd]", "t.methods: `pwd`; otp or hwk or sc or psc or psc-sc among them"),
        ("routes: [GET /x]\nanonymous: true\nmethods: [sc]", "t.methods: `methods`; no such key beside `anonymous`"),
        (METERED + "methods: [otp]", "t.methods: `otp`; sc or psc or psc-sc among them, or an `attestation`"),
        (METERED.replace("assurance: mfa", "methods: [pwd, sc]"), "t.methods: a list; `mfa` or `card`, since"),
        (METERED.replace("people: 5", "per: person, people: 5"), "t.budgets[0].per: `person`; one of account, holder"),
        (METERED.replace("past: challenge}", "past: deny}, {per: holder, people: 5, window: 1h, past: deny}"),
         "t.budgets[1]: `5 people per 1h for each holder, then deny`; a budget that can be reached"),
        # who is known, and sessions that moved
        (METERED + "known_for: 23h", "t.known_for: `23h`; a duration such as 30s, 15m, 4h or 90d, from 1d to 400d"),
        (METERED + "known_for: 401d", "t.known_for: `401d`; a duration such as"),
        (METERED + "moved: permit", "t.moved: `permit`; one of challenge, new-people"),
        (PLAIN + "known_for: 90d", "t.known_for: `known_for`; a route that uses it: no route here counts a patient"),
        (PLAIN + "moved: challenge", "t.moved: `moved`; a route that uses it"),
        ("routes: [GET /x]\nanonymous: true\nmoved: challenge", "t.moved: `moved`; no such key beside `anonymous`"),
        # budgets
        (METERED.replace("people: 5", "people: 0"), "t.budgets[0].people: `0`, which YAML reads as int"),
        (METERED.replace("people: 5", "people: '5'"), "t.budgets[0].people: `5`; a whole number"),
        (METERED.replace("1h", "31d"), "t.budgets[0].window: `31d`; a duration"),
        (METERED.replace("1h", "0s"), "t.budgets[0].window: `0s`; a duration"),
        (METERED.replace("past: challenge", "past: permit"), "t.budgets[0].past: `permit`; one of alert, delay, chall"),
        (METERED.replace("people: 5, ", ""), "t.budgets[0]: neither; one of people, new, missed, with how many"),
        (METERED.replace("window: 1h, ", ""), "t.budgets[0]: no such key; the key `window`"),
        (METERED.replace(", past: challenge", ""), "t.budgets[0]: no such key; the key `past`"),
        (METERED.replace("past: challenge}", "past: deny}, {people: 10, window: 2h, past: deny}"),
         "t.budgets[1]: `10 people per 2h, then deny`; a budget that can be reached: `5 people per 1h, then deny`"),
    ],
)  # fmt: skip
def test_each_fault_is_one_fault(text: str, fault: str) -> None:
    _, faults = read(text)
    assert len(faults) == 1, faults
    assert fault in faults[0]


def test_beside_routes_with_a_number_none_is_left_silent() -> None:
    _, faults = read(
        """\
routes:
  - GET /x
  - {route: POST /x, patient: {form: nir}}
assurance: mfa
budgets: [{people: 5, window: 1h, past: challenge}]
discloses: [identity]"""
    )
    assert len(faults) == 1
    assert faults[0].startswith("t.routes[0]: `GET /x`; `{route: …, patient: …}` (`patient: none` if it shows nobody)")


def test_a_missing_title_and_a_faulty_one_leave_the_name() -> None:
    fields = Fields("p.yaml")
    keys = fields.document("version: 1\na: {routes: [GET /x], anonymous: true}\nb: {title: 1}\n", required=("a", "b"))
    assert [read_teleservice(fields, name, node).title for name, node in keys.items() if name != "version"] == [
        "a",
        "b",
    ]
    assert {fault.key for fault in fields.faults} == {"a", "b", "b.title"}


LIST = """\
routes: [GET /x, GET /y]
assurance: card
answers: {text: {}}
budgets: [{people: 5, window: 1h, past: challenge}]
discloses: [identity]
"""


def test_people_in_answers_are_counted_on_every_route() -> None:
    rule, faults = read(LIST)
    assert not faults
    assert (rule.answers, rule.metered) == (Answers(text=TextAnswers()), True)
    assert (rule.known_for, [route.patient for route in rule.routes]) == (timedelta(days=90), [None, None])
    assert rule.meter(None).patient is None
    both = LIST.replace("GET /y", "{route: 'GET /y/{nir}', patient: {path: nir}}, {route: GET /z, patient: none}")
    rule, faults = read(both.replace("GET /x, ", ""))
    assert not faults
    assert [route.patient for route in rule.routes] == [PatientLocator(Place.PATH, "nir"), None]
    assert "patient: none" in read(both)[1][0], "which route names nobody is said of each, once one does"


def test_people_in_answers_need_budgets_and_are_never_uncounted() -> None:
    for key in ("budgets", "discloses"):
        assert read(LIST.replace(f"{key}:", f"# {key}:"))[1][0].endswith(f"`{key}`, since patients are counted here")
    for key in ("uncounted: a list", "streams: true", "upgrade: websocket"):
        assert read(LIST + key)[1][0].endswith("no such key where patients are counted")
    anonymous = read("routes: [GET /x]\nanonymous: true\nanswers: {text: {}}")[1]
    assert anonymous == ["t.answers: `answers`; no such key beside `anonymous`: nobody is asked who he is"]
    small = LIST.replace("{text: {}}", "{text: {}, people_at_most: 6}")
    assert "no more than 5" in read(small)[1][0]
