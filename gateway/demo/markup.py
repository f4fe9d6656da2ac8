# SPDX-License-Identifier: EUPL-1.2
# ruff: noqa: RUF001  # French typography is meant
"""The stand-in portal's pages: one layout, a few templates, everything escaped. Values in, HTML responses out.

No inline script or style: the Content-Security-Policy forbids both. Templates stand here and not in a folder, since all
that lies in `static/` is served to anybody.
"""

from __future__ import annotations

from jinja2 import DictLoader, Environment, StrictUndefined
from starlette.responses import HTMLResponse, JSONResponse

# `same-origin` and not `no-referrer`: with the latter browsers send `Origin: null` with a form, which gateways refuse.
SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}

_LAYOUT = """<!doctype html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{% block title %}{% endblock %} – Portail Santé (démo)</title>
<link rel="icon" href="/static/portail.svg">
<link rel="stylesheet" href="/static/portail.css">
</head>
<body>
<a class="skip" href="#contenu">Aller au contenu</a>
<header>
<p class="brand"><a href="/accueil">Portail Santé</a> <span class="tag">démonstration</span></p>
{% if visitor %}
<nav aria-label="Téléservices">
<ul>
{% for path, title in teleservices %}<li><a href="{{ path }}">{{ title }}</a></li>
{% endfor %}</ul>
</nav>
<div class="who">
<p><strong>{{ visitor.title }}</strong> <span class="quiet">{{ visitor.account }}</span></p>
<p><a href="/.herse/account/events">Mes derniers événements</a></p>
<form method="post" action="/.herse/sign-out"><button class="plain" type="submit">Se déconnecter</button></form>
</div>
{% endif %}
</header>
<main id="contenu">
<h1>{{ self.title() }}</h1>
{% block main %}{% endblock %}
</main>
<footer><p>Portail de démonstration&nbsp;: toutes les personnes et tous les numéros sont fictifs.</p></footer>
</body>
</html>
"""

_TEMPLATES = {
    "layout": _LAYOUT,
    "home": """{% extends "layout" %}{% block title %}Accueil{% endblock %}{% block main %}
<p class="lead">Bonjour, {{ visitor.title }}.</p>
<dl class="facts">
<dt>Compte</dt><dd>{{ visitor.account }}</dd>
<dt>Profession</dt><dd>{{ profession }}</dd>
<dt>Preuve de l’identité</dt><dd>{{ level }}</dd>
</dl>
<h2>Vos téléservices</h2>
<ul class="cards">
{% for path, title, about in services %}<li><a href="{{ path }}">
<strong>{{ title }}</strong> <span>{{ about }}</span></a></li>
{% endfor %}</ul>
<h2>Votre compte</h2>
<p><a href="/.herse/account/events">Mes derniers événements</a></p>
{% endblock %}""",
    "search": """{% extends "layout" %}{% block title %}Infopatient{% endblock %}{% block main %}
<p>Droits d’un assuré à partir de son numéro de sécurité sociale (NIR).</p>
<form class="panel" method="post" action="/infopatient">
<label for="nir">Numéro de sécurité sociale</label>
<p class="hint" id="nir-aide">13 caractères, ou 15 avec la clé&nbsp;; les espaces sont permis.</p>
<input id="nir" name="nir" required maxlength="30" autocomplete="off" aria-describedby="nir-aide">
<button type="submit">Rechercher</button>
</form>
{% endblock %}""",
    "person": """{% extends "layout" %}{% block title %}Infopatient{% endblock %}{% block main %}
<p class="fictive"><strong>Personne fictive.</strong> Ces données sont inventées.</p>
<dl class="facts">
<dt>Nom</dt><dd>{{ person.name }}</dd>
<dt>Prénoms</dt><dd>{{ person.first_names|join(", ") }}</dd>
<dt>Date de naissance</dt><dd>{{ person.birth.french }}</dd>
<dt>Sexe</dt><dd>{{ "Féminin" if person.sex == "F" else "Masculin" }}</dd>
<dt>NIR</dt><dd class="number">{{ person.written_number }}</dd>
</dl>
<h2>Droits</h2>
<dl class="facts">
<dt>Médecin traitant</dt><dd>{{ person.rights.declared_gp or "non déclaré" }}</dd>
<dt>Prise en charge à 100 %</dt><dd>{{ "oui" if person.rights.full_cover else "non" }}</dd>
<dt>C2S / AME</dt><dd>{{ person.rights.complement or "aucune" }}</dd>
</dl>
<p><a href="/infopatient">Nouvelle recherche</a></p>
{% endblock %}""",
    "patients": """{% extends "layout" %}{% block title %}Liste de patients{% endblock %}{% block main %}
<p class="fictive"><strong>Personnes fictives.</strong> Page {{ page }} sur {{ pages }}.</p>
<div class="wide" role="region" aria-label="Liste de patients" tabindex="0">
<table>
<caption>Patients {{ people[0].index + 1 }} à {{ people[-1].index + 1 }}</caption>
<thead><tr><th scope="col">Nom</th><th scope="col">Prénoms</th><th scope="col">Naissance</th>
<th scope="col">Sexe</th><th scope="col">NIR</th></tr></thead>
<tbody>
{% for person in people %}<tr><td>{{ person.name }}</td><td>{{ person.first_names|join(", ") }}</td>
<td>{{ person.birth.french }}</td><td>{{ person.sex }}</td><td class="number">{{ person.written_number }}</td></tr>
{% endfor %}</tbody>
</table>
</div>
<p>{% if page > 1 %}<a rel="prev" href="/patients?page={{ page - 1 }}">Page précédente</a>{% endif %}
{% if page < pages %}<a rel="next" href="/patients?page={{ page + 1 }}">Page suivante</a>{% endif %}</p>
{% endblock %}""",
    "sick-leave": """{% extends "layout" %}{% block title %}Avis d’arrêt de travail{% endblock %}{% block main %}
<form class="panel" method="post" action="/aat">
<label for="nir">Numéro de sécurité sociale du patient</label>
<input id="nir" name="nir" required maxlength="30" autocomplete="off">
<label for="debut">Premier jour</label> <input id="debut" name="debut" type="date" required>
<label for="fin">Dernier jour</label> <input id="fin" name="fin" type="date" required>
<button type="submit">Établir l’avis</button>
</form>
{% endblock %}""",
    "sick-leave-done": """{% extends "layout" %}{% block title %}Avis d’arrêt établi{% endblock %}{% block main %}
<p class="fictive"><strong>Personne fictive.</strong> Rien n’est transmis.</p>
<dl class="facts">
<dt>Nom</dt><dd>{{ person.name }}</dd>
<dt>Prénoms</dt><dd>{{ person.first_names|join(", ") }}</dd>
<dt>Date de naissance</dt><dd>{{ person.birth.french }}</dd>
<dt>NIR</dt><dd class="number">{{ person.written_number }}</dd>
<dt>Arrêt</dt><dd>du {{ first.strftime("%d/%m/%Y") }} au {{ last.strftime("%d/%m/%Y") }}</dd>
</dl>
{% endblock %}""",
    "payments": """{% extends "layout" %}{% block title %}Paiements{% endblock %}{% block main %}
<div class="wide" role="region" aria-label="Derniers virements" tabindex="0">
<table>
<caption>Derniers virements (fictifs)</caption>
<thead><tr><th scope="col">Date</th><th scope="col">Libellé</th><th scope="col">Montant</th></tr></thead>
<tbody>
{% for day, label, amount in payments %}
<tr><td>{{ day }}</td><td>{{ label }}</td><td class="number">{{ amount }}</td></tr>
{% endfor %}</tbody>
</table>
</div>
{% endblock %}""",
    "deposit": """{% extends "layout" %}{% block title %}Dépôt de document{% endblock %}{% block main %}
<p>Le document est compté puis oublié&nbsp;: rien n’est gardé.</p>
<form class="panel" method="post" action="/depot" enctype="multipart/form-data">
<label for="document">Document (100 Mio au plus)</label>
<input id="document" name="document" type="file" required>
<button type="submit">Déposer</button>
</form>
{% endblock %}""",
    "message": """{% extends "layout" %}{% block title %}{{ heading }}{% endblock %}{% block main %}
<p>{{ text }}</p>
{% if visitor %}<p><a href="/accueil">Retour à l’accueil</a></p>{% endif %}
{% endblock %}""",
}

_environment = Environment(loader=DictLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined)
_environment.globals["teleservices"] = (
    ("/infopatient", "Infopatient"),
    ("/patients", "Patients"),
    ("/aat", "Arrêt de travail"),
    ("/paiements", "Paiements"),
)


def page(template: str, status: int = 200, /, **values: object) -> HTMLResponse:
    """Fill one template; `visitor` is None on pages for nobody."""
    html = _environment.get_template(template).render({"visitor": None, **values})
    return HTMLResponse(html, status, SECURITY_HEADERS)


def document(value: object, status: int = 200) -> JSONResponse:
    """Answer `value` as JSON under the same headers as the pages."""
    return JSONResponse(value, status, SECURITY_HEADERS)
