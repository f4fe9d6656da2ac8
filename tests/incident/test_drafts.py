# SPDX-License-Identifier: EUPL-1.2
"""drafts: whatever is known is in them, whatever is due has its place, and what only a person knows is marked."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files

import pytest

from gateway.incident.drafts import DRAFTS, Facts, drafts, write_drafts
from gateway.incident.exposed import exposed
from gateway.incident.incident import IncidentError
from gateway.incident.listing import COLUMNS
from gateway.ledger.event import StoredEvent
from gateway.model import AlertReason, Event, EventKind
from support.incident_rows import NOON, incident, look, span

BLANK = re.compile(r"\[À COMPLÉTER\u00a0: [^\[\]]+\]")
LOCKED = Event(EventKind.ACCOUNT_LOCKED, "B12", NOON + timedelta(hours=3), reason="incident <2026-11-20-1>")
ALERT = Event(EventKind.ALERTED, "A12", NOON + timedelta(minutes=5), reason=AlertReason.RISK_HIGH)
LOOKS = [look(place, place, ("A12", "B12")[place % 2], sequence=100 + place) for place in range(150)]

# The checklist of article 33 as the house collected it (domain, 7.1): each field, and words of it in the draft.
CHECKLIST = {
    "type": "- type : ",
    "controller: name, SIREN": "- nom, SIREN : ",
    "controller: sector": "- secteur d'activité : ",
    "DPO or contact": "- délégué à la protection des données, ou point de contact : ",
    "processors": "- sous-traitants concernés : ",
    "co-controllers": "- responsables conjoints concernés : ",
    "established or suspected": "- avérée ou supposée : ",
    "discovery": "- date et heure de la prise de connaissance : 20 novembre 2026, 15 h 00",
    "start": "- début : 20 novembre 2026, 13 h 00",
    "end, ongoing, unknown": "- fin : 20 novembre 2026, 13 h 02",
    "processor's notice": "- date d'information par le sous-traitant : ",
    "how discovered": "- circonstances de la découverte : a call ; première alerte automatique le 20 novembre",
    "reason if late": "- motifs du retard au-delà de 72 heures : ",
    "confidentiality": "perte de confidentialité : oui",
    "integrity": "perte d'intégrité : ",
    "availability": "perte de disponibilité : ",
    "origin": "- origine : ",
    "cause": "- cause : ",
    "people: categories": "- catégories : assurés",
    "people: vulnerable": "personnes vulnérables",
    "people: number": "- nombre : 150 personnes différentes",
    "people: identifiable": "- directement identifiables : oui",
    "data: civil status": "- état civil (nom, prénom) : oui, au plus 150 personnes",
    "data: birth date": "- date de naissance : non",
    "data: sex": "- sexe : oui, au plus 150 personnes",
    "data: NIR": "- numéro de sécurité sociale (NIR) : oui, au plus 150 personnes",
    "data: contact": "- coordonnées (adresse postale ou électronique, téléphone) : non",
    "data: connection": "- données de connexion (identifiants et mots de passe des professionnels) : ",
    "data: health": "- données de santé, et droits qui en disent sur la santé (ALD, exonérations, C2S, AME) : oui",
    "data: financial": "- données économiques et financières (RIB, paiements) : non",
    "data: official documents": "- documents officiels (pièce d'identité, attestations) : non",
    "data: records": "- nombre d'enregistrements : 150 consultations",
    "data: support": "- support : serveur",
    "consequences: wider spread": "- diffusion plus large que nécessaire : ",
    "consequences: cross-matching": "- croisement avec d'autres données : ",
    "consequences: diversion": "- détournement de la finalité : ",
    "consequences: falsification": "- falsification : ",
    "harm: loss of control": "perte de contrôle sur ses données",
    "harm: identity theft": "usurpation d'identité",
    "harm: fraud": "fraude (hameçonnage",
    "harm: reputation": "atteinte à la réputation",
    "harm: secrecy": "levée du secret professionnel",
    "harm: discrimination": "discrimination",
    "severity": "- gravité : [À COMPLÉTER : négligeable, limitée, importante, maximale]",
    "measures: before": "- avant la violation : ",
    "measures: immediate": "- 20 novembre 2026, 16 h 00 : Compte bloqué (compte B12",
    "measures: mid-term": "- à moyen terme : ",
    "measures: long-term": "- à long terme : ",
    "informed": "- personnes informées : ",
    "informed: date": "- date : ",
    "informed: channel": "- moyen : ",
    "informed: count": "- nombre : [À COMPLÉTER : combien, sur 150]",
    "informed: text": "- texte : voir le projet 5-lettre-aux-personnes",
    "informed: reason not": "- sinon, pourquoi : ",
    "authorities: ANSSI": "- ANSSI : ",
    "authorities: complaint": "- plainte : ",
    "authorities: EU DPAs": "- autres autorités européennes de protection des données : ",
    "cross-border": "- traitement transfrontalier, personnes d'autres États membres : ",
}


def told(**values) -> dict[str, str]:
    about = incident("A12", "B12", frozen=("B12",))
    facts = Facts(
        about,
        exposed(LOOKS, span("A12", "B12")),
        NOON + timedelta(hours=5),
        (StoredEvent(900, LOCKED),),
        (StoredEvent(130, ALERT),),
        "https://portail.example",
    )
    return {name: text.replace("\u2019", "'") for name, text in drafts(replace(facts, **values)).items()}


@pytest.fixture(scope="module")
def texts():
    return told()


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize("name", ["3-cnil-notification-initiale.txt", "4-cnil-notification-complementaire.txt"])
def test_the_notification_has_every_field_of_article_33(texts, name):
    assert {field: words for field, words in CHECKLIST.items() if words not in plain(texts[name])} == {}


def test_initial_and_complementary_say_which_they_are(texts):
    assert "type : initiale" in plain(texts["3-cnil-notification-initiale.txt"])
    second = plain(texts["4-cnil-notification-complementaire.txt"])
    assert "type : complémentaire" in second
    assert "numéro de la notification initiale : [À COMPLÉTER" in second


def test_there_is_a_draft_for_each_authority_the_people_and_each_professional(texts):
    assert set(texts) == {f"{name}.txt" for name in DRAFTS} | {f"6-professionnel-{one}.txt" for one in ("A12", "B12")}


def test_every_template_of_a_text_is_tried_here():
    found = {file.name.removesuffix(".txt") for file in (files("gateway.pages") / "templates").iterdir()}
    texts = {name for name in found if not name.endswith(".html")}
    assert texts == {*DRAFTS.values(), "incident_professional", "incident_parts", "incident_proofs"}


def test_figures_are_in_every_draft_that_tells_of_them(texts):
    for name, text in texts.items():
        if name.startswith(("1-", "2-", "3-", "4-", "7-")):
            assert "150 personnes" in plain(text), name
    assert "75 personnes différentes, 75 consultations" in plain(texts["6-professionnel-A12.txt"])
    complaint = plain(texts["7-plainte.txt"])
    assert "du numéro 100 au numéro 248" in complaint
    assert "Premier événement en cause : 100 ; dernier : 249" in complaint
    assert "192.0.2.1 : 150 personnes" in plain(texts["1-anssi-cert-fr.txt"])


def test_what_only_a_person_knows_is_marked_and_nothing_is_left_of_the_template(texts):
    for name, text in texts.items():
        if not name.startswith("0-"):
            assert len(BLANK.findall(text)) >= 3, name
        assert text.count("[À COMPLÉTER") == len(BLANK.findall(text)), name
        for rest in ("{{", "{%", "None", "&#", "&lt;", "  \n"):
            assert rest not in text, (name, rest)
        assert "\n\n\n" not in text, name
        assert max(map(len, text.splitlines())) < 300


def test_values_stand_as_they_are_in_a_text(texts):
    assert "incident <2026-11-20-1>" in texts["1-anssi-cert-fr.txt"]


def test_the_letter_warns_of_phishing_and_merges_columns_of_the_list(texts):
    letter = plain(texts["5-lettre-aux-personnes.txt"])
    for words in ("hameçonnage", "carte Vitale", "coordonnées bancaires", "cybermalveillance.gouv.fr", "33700", "CNIL"):
        assert words in letter
    merged = set(re.findall(r"« ([a-z]+) »", letter))
    assert {"premiere", "derniere", "categories"} <= merged <= set(COLUMNS)
    assert "nir" not in re.findall(r"« ([a-z]+) »", letter.partition("Madame, Monsieur,")[2])


def test_the_professional_reads_whether_his_account_is_locked(texts):
    assert "Votre compte est bloqué" in texts["6-professionnel-B12.txt"]
    assert "Votre compte est bloqué" not in texts["6-professionnel-A12.txt"]
    assert "36 08" in plain(texts["6-professionnel-A12.txt"])


def test_a_late_notification_asks_for_the_reasons(texts):
    assert "sans objet si la notification part avant le 23 novembre 2026, 15 h 00" in plain(
        texts["3-cnil-notification-initiale.txt"]
    )
    late = told(at=NOON + timedelta(hours=75))
    assert "[À COMPLÉTER : motifs : le délai a pris fin" in plain(late["3-cnil-notification-initiale.txt"])
    assert "CE DÉLAI EST DÉPASSÉ" in late["0-LISEZ-MOI.txt"]
    assert "DÉPASSÉ" not in texts["0-LISEZ-MOI.txt"]


def test_an_incident_in_which_nothing_was_found_can_be_drafted_too():
    empty = told(found=exposed([], span("A12", "B12")), measures=(), alerts=())
    text = plain(empty["3-cnil-notification-initiale.txt"])
    assert "- nombre : 0 personnes" in text
    assert "- début : [À COMPLÉTER : date]" in text
    assert "aucune mesure sur ces comptes n'est au registre" in text
    assert "aucune consultation par ce compte" in plain(empty["6-professionnel-A12.txt"])


def test_categories_of_the_operators_own_and_data_of_nobody_known_are_told():
    looks = [look(None), look(1, categories='["identity", "hobbies"]')]
    text = plain(told(found=exposed(looks, span("A12", "B12")))["3-cnil-notification-initiale.txt"])
    assert "« hobbies » : oui ; [À COMPLÉTER : de quelle nature" in text
    assert "s'y ajoutent 1 consultations" in text


def test_many_addresses_are_cut_and_say_so():
    many = [look(place, place, "A12", network=f"192.0.2.{place}") for place in range(60)]
    text = plain(told(found=exposed(many, span("A12", "B12")))["1-anssi-cert-fr.txt"])
    assert "et 10 autres adresses" in text


@pytest.fixture
def facts():
    return Facts(incident(), exposed(LOOKS, span()), NOON, (), (), "https://portail.example")


def test_they_appear_together_in_a_new_or_an_empty_folder(facts, tmp_path):
    names = write_drafts(tmp_path / "new", facts)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == names
    (tmp_path / "empty").mkdir()
    assert write_drafts(tmp_path / "empty", facts) == names
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "new"]


def test_a_folder_with_something_in_it_is_left_alone(facts, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("")
    (tmp_path / "file").write_text("")
    for place in ("mine", "file", "file/below"):
        with pytest.raises(IncidentError, match="expected a new or an empty folder"):
            write_drafts(tmp_path / place, facts)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "mine"]
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["file"]
