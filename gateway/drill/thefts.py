# SPDX-License-Identifier: EUPL-1.2
"""What a robot has of an account when the attack begins: a live session out of its holder's browser, or the password.

A stolen session is the holder's own: he goes on using it, and when he proves afresh its old key is dead, as it is by
`identity.session`. A mailbox gives what a leaked password gives: after a reset the account is in quarantine, where no
second factor counts that was not there before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.drill.accounts import new_device, proofs
from gateway.drill.robots import ROBOTS, Thief
from gateway.model import Assurance, Subject

if TYPE_CHECKING:
    from gateway.drill.accounts import Account
    from gateway.drill.professionals import Professionals
    from gateway.drill.robots import Attack
    from gateway.drill.simulation import Actor
    from gateway.drill.twins import SessionsTwin
    from gateway.drill.world import Stolen

_SESSION_SECONDS: Final = 4 * 3600
_ROBOT: Final = "Mozilla/5.0 (X11; Linux x86_64) Chrome/139.0.0.0 Safari/537.36"


class Held:
    """One victim, and the robot that goes to work on it. `stolen`: how sessions are; None: the password alone is."""

    def __init__(  # noqa: PLR0917  # the attack, then the victim
        self,
        attack: Attack,
        stolen: Stolen | None,
        professionals: Professionals,
        sessions: SessionsTwin,
        victim: Account,
        place: int,
    ) -> None:
        self._stolen = stolen
        self._attack = attack
        self._professionals = professionals
        self._sessions = sessions
        self._victim = victim
        self._place = place

    def act(self) -> Actor:
        """Steal, or sign in by the password; then work."""
        attack, victim = self._attack, self._victim
        stolen = self._stolen
        if stolen is not None:
            left = 2 * stolen.seconds_left_of_four_hours.p50 * attack.rng.random()
            holder = victim.holders[0]
            if holder.session is not None:
                self._sessions.end(holder.session)
            session = self._professionals.sign_in(victim, holder, _SESSION_SECONDS - left)
            same = attack.rng.random() < stolen.same_client_headers_share
            device = holder.device if same else new_device(attack.rng)
            home = victim.network if attack.rng.random() < stolen.same_network_share else None
            thief = Thief(attack, victim, session.digest, device, self._place, home=home)
        else:
            thief = Thief(attack, victim, self._sign_in(), _ROBOT, self._place, self._sign_in)
        yield from thief.act()

    def _sign_in(self) -> bytes:
        at = self._attack.simulation.clock()
        victim = self._victim
        proved = Assurance(proofs("password", at))
        subject = Subject(victim.name, victim.name, victim.profession, None, None, proved)
        return self._sessions.open(subject, at, f"{ROBOTS}0.5", _ROBOT).digest
