# SPDX-License-Identifier: EUPL-1.2
"""A budget that refuses, told to the person and to the program: what was counted, when a place comes back, the way on.

What budgets count is told in figures of the reader's own use alone: of one that a network or everybody shares, neither
the limit nor what is left of it. Pure; the time is an argument.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from gateway.model import Counts, Level, Method, Past, Reason, Risk, Scope
from gateway.pages import when
from gateway.pages.explanation import CONFIRM, EVENTS, MEANS, PROVIDER, STEP_UP, Explanation, Way
from gateway.pages.reasons import explanation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.model import Budget, Quota, Spent
    from gateway.pages.language import Language

_Pair = tuple[str, str]
_NOTHING: Final[_Pair] = ("", "")

_COUNTED: Final[dict[Counts, tuple[_Pair, _Pair]]] = {
    Counts.PEOPLE: (("patient", "patients différents"), ("patient", "different patients")),
    Counts.NEW: (("nouveau patient", "nouveaux patients"), ("new patient", "new patients")),
    Counts.MISSED: (
        ("numéro inexact ou inconnu", "numéros inexacts ou inconnus"),
        ("number that is wrong or unknown", "numbers that are wrong or unknown"),
    ),
}
"""One and several, French and English."""
_MEANS: Final[dict[Method, _Pair]] = {
    Method.SMART_CARD: ("votre carte CPS ou CPE", "your CPS or CPE card"),
    Method.SSO_CARD: (f"{PROVIDER} avec votre carte", f"{PROVIDER} with your card"),
    Method.SSO: (PROVIDER, PROVIDER),
    Method.PASSKEY: ("votre clé d'accès", "your passkey"),
    Method.TOTP: ("un code à 6 chiffres", "a 6-digit code"),
    Method.PASSWORD: ("votre mot de passe", "your password"),
}
"""In the order in which they are offered."""
_LIFTED: Final[dict[Level, _Pair]] = {
    Level.CARD: ("Avec votre carte CPS ou CPE", "With your CPS or CPE card"),
    Level.MFA: ("Avec un code à 6 chiffres ou une clé d'accès", "With a 6-digit code or a passkey"),
}
_CARD: Final = Way("/.herse/step-up?card=1", "Utiliser ma carte", "Use my card")
_CODE: Final = replace(STEP_UP, keeps=False)
_UNITS: Final = (
    (86_400, ("jour", "day")),
    (3_600, ("heure", "hour")),
    (60, ("minute", "minute")),
    (1, ("seconde", "second")),
)
_TWO_DAYS: Final = 2 * 86_400  # a single day is said in hours
_TWICE: Final = 2


def near(budget: Budget, quotas: Iterable[Quota]) -> Quota | None:
    """Of the budgets that no proof lifts, the one that is met next, where little is left of it beside `budget`."""
    denying = (one for one in quotas if one.budget.past is Past.DENY and one.budget != budget)
    few = [one for one in denying if one.left <= _TWICE * budget.people]
    return min(few, key=lambda one: one.left, default=None)


def past_budget(
    spent: Spent, at: datetime, *, named: bool, closed: Sequence[str] = (), provider: str | None = None
) -> Explanation:
    """What a person is told at `at`; `named`: the reader is known to be the holder whom the budget counts for.

    `closed`: the titles of the other teleservices that are shut as well.
    """
    challenged = spent.budget.past is Past.CHALLENGE
    told = explanation(Reason.BUDGET_PROOF_REQUIRED if challenged else Reason.BUDGET_EXHAUSTED)
    remedies = _challenge(spent, at) if challenged else _denial(spent, at, closed)
    fr, en = _joined((_what(spent.budget, named=named), _why(spent.budget)))
    remedy_fr, remedy_en = _joined(remedies, "\n")
    changed = replace(told, fr=fr, en=en, remedy_fr=remedy_fr, remedy_en=remedy_en, way=_way(spent))
    return changed.naming(provider)


def budget_members(spent: Spent) -> dict[str, Any]:
    """The members that a problem document has more."""
    budget = spent.budget
    told: dict[str, Any] = {"counts": str(budget.counts), "per": str(budget.per), "past": str(budget.past)}
    if _own(budget):
        told |= {"people": budget.people, "window_seconds": int(budget.window.total_seconds())}
    return {"budget": told, "retry_after": spent.seconds}


def _joined(sentences: Iterable[_Pair], by: str = " ") -> _Pair:
    told = [one for one in sentences if one != _NOTHING]
    return by.join(fr for fr, _ in told), by.join(en for _, en in told)


def _own(budget: Budget) -> bool:
    return budget.per in {Scope.ACCOUNT, Scope.HOLDER}


def _what(budget: Budget, *, named: bool) -> _Pair:
    if budget.per is Scope.NETWORK:
        return (
            "La limite commune à toutes les consultations faites depuis votre réseau est atteinte.",
            "The limit that all look-ups from your network share is reached.",
        )
    if budget.per is Scope.SERVICE:
        return (
            "La limite commune à tous les utilisateurs de ce téléservice est atteinte.",
            "The limit that everybody who uses this service shares is reached.",
        )
    yours = named and budget.per is Scope.HOLDER
    return (
        f"{'Vous avez' if yours else 'Ce compte a'} atteint la limite de {_figure(budget, 'fr')}.",
        f"{'You have' if yours else 'This account has'} reached the limit of {_figure(budget, 'en')}.",
    )


def _figure(budget: Budget, language: Language) -> str:
    """`15 nouveaux patients en 10 minutes`."""
    number = budget.people
    words = _COUNTED[budget.counts][language == "en"]
    grouped = f"{number:,}" if language == "en" else f"{number:,}".replace(",", "\u00a0")
    return f"{grouped} {words[number > 1]} {'en' if language == 'fr' else 'in'} {_length(budget.window, language)}"


def _length(window: timedelta, language: Language) -> str:
    seconds = int(window.total_seconds())
    units = _UNITS if seconds >= _TWO_DAYS else _UNITS[1:]
    size, words = next((size, words) for size, words in units if seconds % size == 0)
    number = seconds // size
    return f"{number} {words[language == 'en']}{'s' if number > 1 else ''}"


def _why(budget: Budget) -> _Pair:
    if budget.past is Past.CHALLENGE:
        why = ("Nous vérifions que c'est bien vous.", "We check that it is you.")
    else:
        why = (
            "Elle protège les données des patients si un compte est volé.",
            "It protects patients' data if an account is stolen.",
        )
    unusual = (
        "L'activité de ce compte sort de l'ordinaire : la limite est plus basse que d'habitude.",
        "The activity of this account is out of the ordinary: the limit is lower than usual.",
    )
    return _joined((unusual, why) if budget.risk > Risk.CALM else (why,))


def _challenge(spent: Spent, at: datetime) -> Iterable[_Pair]:
    """How to go on; what else one may do; what if it was not he."""
    budget = spent.budget
    if spent.methods:
        means = [_MEANS[method] for method in _MEANS if method in spent.methods]
        fr, en = ", ou ".join(fr for fr, _ in means), ", or ".join(en for _, en in means)
        go_on = f"Confirmez avec {fr} : vous continuez aussitôt.", f"Confirm with {en}: you go on at once."
    else:
        go_on = "Saisissez un nouveau code : vous continuez aussitôt.", "Enter a new code: you go on at once."
    yield _joined((go_on, _lifted(budget)))
    else_back = _NOTHING
    if spent.seconds > 0:
        at_fr, at_en = _clock(spent.seconds, at)
        else_back = (
            f"Sinon, la consultation suivante est possible dans {when.delay(spent.seconds, 'fr')}, {at_fr}.",
            f"Else the next look-up is possible in {when.delay(spent.seconds, 'en')}, {at_en}.",
        )
    yield _joined((else_back, _known(budget), _NOTHING if spent.near is None else _near(spent.near)))
    yield _not_yours(budget)


def _near(quota: Quota) -> _Pair:
    return (
        f"Attention, les consultations s'arrêtent à {_figure(quota.budget, 'fr')} : il en reste {quota.left}.",
        f"Note that look-ups stop at {_figure(quota.budget, 'en')}: {quota.left} left.",
    )


def _denial(spent: Spent, at: datetime, closed: Sequence[str]) -> Iterable[_Pair]:
    """When it ends, and whom one may see; how to go on sooner; what if it was not he. The page tells the wait."""
    budget, back = spent.budget, _NOTHING
    if spent.seconds > 0:
        at_fr, at_en = _clock(spent.seconds, at)
        back = f"La consultation suivante est possible {at_fr}.", f"The next look-up is possible {at_en}."
        if budget.lasts is not None:
            others_fr = f", ainsi que dans : {', '.join(closed)}" if closed else ""
            others_en = f", and in: {', '.join(closed)}" if closed else ""
            back = (
                f"Les consultations sont arrêtées dans ce téléservice{others_fr} ; elles reprennent {at_fr}.",
                f"Look-ups are stopped in this service{others_en}; they resume {at_en}.",
            )
    yield _joined((back, _known(budget)))
    support = (
        "Si vous devez continuer avant, appelez le support de votre portail.",
        "If you must go on sooner, call your portal's support.",
    )
    yield _joined((_lifted(budget), support))
    yield _not_yours(budget)


def _clock(seconds: int, at: datetime) -> _Pair:
    """`à 14 h 33`: never a moment too early."""
    then = at + timedelta(seconds=seconds + 59)
    fr, en = f"à {when.clock(then, 'fr')}", f"at {when.clock(then, 'en')}"
    if then.astimezone(when.PARIS).date() == at.astimezone(when.PARIS).date():
        return fr, en
    return f"le {when.day(then, 'fr')} {fr}", f"on {when.day(then, 'en')} {en}"


def _known(budget: Budget) -> _Pair:
    """Whom one may still see: nobody past a limit of misses, or while a denial lasts."""
    if budget.counts is Counts.MISSED:
        return (
            "Vérifiez les numéros sur les cartes Vitale.",
            "Check the numbers on the Vitale cards.",
        )
    if budget.lasts is not None or not _own(budget):
        return _NOTHING
    if budget.counts is Counts.NEW:
        return (
            "Les patients que ce compte connaît déjà restent accessibles.",
            "Patients whom this account knows already remain available.",
        )
    return ("Les patients déjà consultés restent accessibles.", "Patients already looked up remain available.")


def _lifted(budget: Budget) -> _Pair:
    if budget.under not in _LIFTED:
        return _NOTHING
    fr, en = _LIFTED[budget.under]
    return f"{fr}, cette limite ne s'applique pas.", f"{en} this limit does not apply."


def _not_yours(budget: Budget) -> _Pair:
    if not _own(budget):
        return _NOTHING
    return (
        "Si ces consultations ne viennent pas de vous, appelez le support tout de suite.",
        "If these look-ups are not yours, call support at once.",
    )


def _way(spent: Spent) -> Way:
    budget = spent.budget
    if budget.past is Past.CHALLENGE:
        return MEANS if spent.methods else CONFIRM
    return {Level.CARD: _CARD, Level.MFA: _CODE}.get(budget.under or Level.NONE, EVENTS)
