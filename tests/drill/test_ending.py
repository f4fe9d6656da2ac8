# SPDX-License-Identifier: EUPL-1.2
"""A drill ends with an incident whose list is whom the portal served; its drafts leave open what a person knows.

The word of the portal twin is one side, the list that the officer's key opened is the other.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest

from gateway.cli.main import main
from gateway.drill.ending import Kept, compared, end
from gateway.drill.people import ManyPeople, Residents
from gateway.drill.record import KeptLedger
from gateway.drill.scenarios import ATTACK_AT, DRILLS, Theatre
from gateway.drill.simulation import DAY, START
from gateway.drill.witness import Served, Witness
from gateway.incident.kept import Incidents
from gateway.ledger.exposure import open_exposure
from gateway.ledger.officer_key import new_officer_key
from gateway.ledger.seal import Seals
from gateway.ledger.store import create_ledger, open_ledger
from support.incident_rows import NOON, incident
from support.open_marks import OPEN_MARKS, marks_of
from support.small_ledger import KEY


@pytest.fixture(scope="session")
def many() -> Residents:
    return Residents(ManyPeople())


@pytest.fixture
def ended(world, policy, residents, many, tmp_path):
    """Walk a scenario of a drill, small, and end it; what was kept, what came of it, and how it ended."""

    def walked(drill, name, *, where=None, under=None, victims=2, deaf=False, **changed):
        plan = replace(next(one for one in DRILLS[drill].plans if one.name == name), **changed)
        chosen = replace(DRILLS[drill], victims=min(victims, DRILLS[drill].victims))
        lived = residents if drill == "amelipro-2022" else many
        theatre = Theatre(chosen, where or world, under or policy, lived, 1, 1)
        officer, witness = new_officer_key(), Witness()
        create_ledger(tmp_path / "ledger.db")
        opened = open_ledger(tmp_path / "ledger.db")
        ledger = KeptLedger(opened, Seals(officer.public))
        outcome = theatre.play(plan, ledger, witness=witness)
        ledger.finish()
        opened.close()
        kept = Kept(tmp_path, witness, lived.people, officer, KEY, ATTACK_AT, ATTACK_AT + plan.with_days * DAY)
        return kept, outcome, end(kept, () if deaf else ledger.alerts)

    return walked


def listed(kept) -> set[int]:
    path = kept.folder / "list.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return {kept.people.find(json.loads(line)["nir"]) for line in lines}


def robbed(kept) -> set[int]:
    return {one.person for one in kept.witness.served if one.robot}


@pytest.mark.parametrize("drill", list(DRILLS))
@pytest.mark.parametrize("name", ["stolen-sessions-fast", "stolen-sessions-lists", "stolen-sessions-split"])
def test_the_list_is_whom_the_portal_served_to_the_robot(drill, name, ended):
    kept, outcome, found = ended(drill, name)
    assert found.exact
    assert listed(kept) == robbed(kept)
    assert (found.people_listed, found.people_served) == (outcome.exposed, outcome.exposed)
    assert outcome.exposed >= 1
    assert (found.claimed, found.missed_by_alerts) == (0, 0)
    holders = {one.person for one in kept.witness.served if not one.robot}
    assert holders - listed(kept), "somebody honest worked meanwhile"


@pytest.mark.parametrize("drill", list(DRILLS))
def test_a_password_alone_is_an_incident_with_nobody_to_tell(drill, ended):
    kept, _, found = ended(drill, "leaked-passwords", with_days=0.2)
    assert found.exact
    assert (found.people_listed, found.people_served) == (0, 0)
    assert not (kept.folder / "list.jsonl").exists()


@pytest.mark.parametrize("drill", list(DRILLS))
def test_malware_on_the_holders_machines_is_told_apart_by_their_word_alone(drill, ended):
    kept, outcome, found = ended(drill, "resident-malware", with_days=3)
    assert found.exact
    assert found.people_served == outcome.exposed == len(robbed(kept)) > 5
    assert (found.addresses, found.people_listed - found.claimed) == (0, found.people_served)
    assert found.claimed > 0
    assert robbed(kept) < listed(kept)


def test_hundreds_robbed_from_the_holders_own_networks_are_all_listed(world, open_policy, ended):
    stolen = world.stolen_session.model_copy(update={"same_network_share": 1.0, "same_client_headers_share": 1.0})
    where = world.model_copy(update={"stolen_session": stolen})
    kept, outcome, found = ended("amelipro-2022", "stolen-sessions-paced", where=where, under=open_policy)
    assert found.exact
    assert found.people_served == outcome.exposed > 400
    assert robbed(kept) <= listed(kept)


def test_whom_no_alert_names_an_investigation_finds_and_it_is_told(ended):
    kept, outcome, found = ended("viamedis-2024", "stolen-sessions-fast", deaf=True)
    assert (found.exact, found.missed_by_alerts, found.people_listed) == (True, outcome.exposed, outcome.exposed)
    assert listed(kept) == robbed(kept)


def test_without_an_alert_and_without_anybody_served_there_is_no_incident(ended):
    kept, _, found = ended("viamedis-2024", "leaked-passwords", deaf=True, with_days=0.01)
    assert (found.incident, found.exact) == (None, True)
    assert {path.name for path in kept.folder.iterdir()} >= {"ledger.db", "checkpoint.txt"}
    assert not (kept.folder / "incidents").exists()


def test_one_person_who_is_not_in_the_ledger_shows(ended):
    kept, _, found = ended("viamedis-2024", "stolen-sessions-fast")
    about = Incidents(kept.folder / "incidents").find(found.incident)
    list_of = Counter(listed(kept))
    assert compared(list_of, kept.witness.served, about).exact
    person = robbed(kept).pop()
    once_more = [*kept.witness.served, kept.witness.served[-1]._replace(person=person + 1, robot=True)]
    assert compared(list_of, once_more, about).missing == 1
    assert compared(list_of + Counter([person + 2]), kept.witness.served, about).surplus == 1
    assert compared(list_of + Counter([person]), kept.witness.served, about).looks_wrong == 1


def test_what_a_holder_claims_is_his_look_ups_and_not_his_people():
    at = (NOON - START).total_seconds() + 60
    own, stolen = Served("A12", "192.0.2.1", at, 7, robot=False), Served("A12", "192.0.2.1", at, 8, robot=True)
    both = [
        own,
        own,
        stolen,
        own._replace(person=8),
        own._replace(account="B12", person=9),
        own._replace(at=at - 3_600),
    ]
    found = compared(Counter({7: 2, 8: 2}), both, incident("A12"))
    assert (found.exact, found.people_listed, found.claimed, found.people_served) == (True, 2, 1, 1)


def test_the_drafts_leave_open_what_only_a_person_can_know(ended):
    kept, _, found = ended("amelipro-2022", "stolen-sessions-fast")
    texts = {path.name: path.read_text("utf-8") for path in (kept.folder / "drafts").glob("*.txt")}
    about = Incidents(kept.folder / "incidents").find(found.incident)
    professional = f"6-professionnel-{about.accounts[0]}.txt"
    assert marks_of(texts.pop(professional), about.accounts) == OPEN_MARKS["6-professionnel"]
    left = {name: marks_of(text, about.accounts) for name, text in texts.items() if not name.startswith("6-")}
    assert left == {f"{name}.txt": marks for name, marks in OPEN_MARKS.items() if name != "6-professionnel"}
    assert f"{found.people_listed} personnes" in texts["1-anssi-cert-fr.txt"].replace("\u202f", "")


def test_the_ledger_and_its_proofs_are_checked_by_commands(ended, capsys):
    kept, _, found = ended("almerys-2024", "stolen-sessions-fast")
    key = ("--key", KEY.verifier().text())
    checkpoint = ("--checkpoint", str(kept.folder / "checkpoint.txt"))
    assert main(["ledger", "verify", "--file", str(kept.ledger), *key, *checkpoint]) == 0
    assert "1 checkpoints kept outside agree" in capsys.readouterr().out
    assert main(["ledger", "check", str(kept.folder / "drafts" / "7-plainte-preuves"), *key]) == 0
    assert "Proved: " in capsys.readouterr().out
    about = Incidents(kept.folder / "incidents").find(found.incident)
    reader = open_exposure(kept.ledger)
    source = reader.event(about.source)
    reader.close()
    assert (source.event.kind, source.event.account in about.accounts) == ("alerted", True)
