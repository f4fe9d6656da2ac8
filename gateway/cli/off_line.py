# SPDX-License-Identifier: EUPL-1.2
"""What a command does while no server runs: as that would, by the same handlers, under the ledger's lock.

Loaded where it is needed (`performing`).
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.console.account_operations import AccountOperations, account_handlers
from gateway.console.agent_operations import AgentOperations, agent_handlers
from gateway.console.incident_operations import IncidentOperations, incident_handlers
from gateway.console.mail_operations import MailOperations, mail_handlers
from gateway.console.reading_operations import ReadingOperations, reading_handlers
from gateway.console.retention_operations import RetentionOperations, retention_handlers
from gateway.console.sign_out_operations import SignOutOperations
from gateway.console.switch_commands import sign_out_handlers, switch_handlers
from gateway.console.switch_operations import SwitchOperations
from gateway.errors import StartError
from gateway.identity.accounts import Accounts
from gateway.identity.agents import Agents
from gateway.identity.at_rest import AtRest
from gateway.identity.database import DATABASE_FILE, create_database, open_database
from gateway.identity.failures import Failures
from gateway.identity.mail_address import MailAddresses
from gateway.identity.password import PasswordHasher
from gateway.identity.release import Releases
from gateway.identity.session import Sessions
from gateway.identity.throttle import Throttle
from gateway.incident.kept import INCIDENTS_FOLDER, Incidents
from gateway.ledger.lock import hold
from gateway.ledger.sealer import Sealer
from gateway.ledger.store import create_ledger, open_ledger_at
from gateway.ledger.tree_rows import open_tree_store
from gateway.ledger_gate import demand_not_older
from gateway.ledger_key import signing_key
from gateway.notices import Notices
from gateway.policy_in_force import load_tested_policy, titles_of
from gateway.post_office import open_outbox
from gateway.retention_gate import Retention, rules_of
from gateway.settings import read_key
from gateway.state_files import AT_REST_KEY_FILE
from gateway.switches import SWITCHES_FILE, Switchboard

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from gateway.ledger.tree_store import Head
    from gateway.ledger.writer import GroupWriter
    from gateway.model import Event
    from gateway.settings import Settings


async def perform_off_line(settings: Settings, command: str, values: dict[str, Any]) -> dict[str, Any]:
    """Do it here, on record; StartError if the state is not there, or somebody else has it."""
    folder = settings.state.folder
    if command == "account.create":
        _make_folder(folder)
    elif not folder.exists():
        raise StartError(f"{folder} is not there; expected the state: the first `herse account create` makes it")
    with ExitStack() as stack:
        stack.enter_context(closing(hold(folder)))
        if command == "account.create":
            _create_state(settings)
        at_rest = AtRest(read_key(settings.keys.folder / AT_REST_KEY_FILE))
        engine = open_database(folder / DATABASE_FILE)
        stack.callback(engine.dispose)
        ledger = stack.enter_context(closing(open_ledger_at(settings.ledger_place())))
        with closing(open_tree_store(settings.ledger_place(), writes=False)) as tree:
            demand_not_older(settings, tree)

        async def append(event: Event) -> None:
            await ledger.append([event]).wait()

        sessions, switchboard = _sessions(settings, engine), Switchboard(folder / SWITCHES_FILE)
        accounts, outbox = Accounts(engine, at_rest), stack.enter_context(closing(open_outbox(folder, at_rest)))
        notices = Notices(accounts, outbox, settings.public.origin)
        operations = AccountOperations(accounts, sessions, append, notices)
        mail = MailOperations(MailAddresses(engine), append, notices)
        handlers = account_handlers(operations, _now) | mail_handlers(mail, _now)
        hasher = PasswordHasher(1, 1)
        stack.callback(hasher.close)
        agents = Agents(engine, at_rest, hasher, Throttle(), Failures(engine))
        release_desk = AgentOperations(agents, Releases(engine, accounts), append, notices)
        handlers |= agent_handlers(release_desk, _now)
        switching = SwitchOperations(switchboard, append, lambda: titles_of(load_tested_policy(settings.policy.file)))
        handlers |= switch_handlers(switching, _now)
        handlers |= sign_out_handlers(SignOutOperations(accounts, sessions, append), _now)
        incidents = IncidentOperations(Incidents(folder / INCIDENTS_FOLDER), accounts, operations, append)
        handlers |= incident_handlers(incidents, _now)
        handlers |= reading_handlers(ReadingOperations(accounts, append), _now)
        if command == "ledger.retention":
            handlers |= retention_handlers(_retention(settings, ledger, stack))
        return await handlers[command](values)


def _retention(settings: Settings, ledger: GroupWriter, stack: ExitStack) -> RetentionOperations:
    """Nobody seals while no server runs: so it is done here, by the same key."""
    store = stack.enter_context(closing(open_tree_store(settings.ledger_place())))
    sealer = Sealer(store, signing_key(settings))

    async def sealed(_sequence: int) -> Head | None:
        return await asyncio.to_thread(sealer.seal, _now(), timedelta(days=1))

    incidents = Incidents(settings.state.folder / INCIDENTS_FOLDER)
    rules = rules_of(settings.ledger.periods, incidents, lambda: load_tested_policy(settings.policy.file))
    return RetentionOperations(Retention(store, ledger, rules, sealed, _now), wait_seconds=86_400.0)


def _now() -> datetime:
    return datetime.now(UTC)


def _sessions(settings: Settings, engine: Engine) -> Sessions:
    return Sessions(engine, settings.session.idle, settings.session.absolute)


def _make_folder(folder: Path) -> None:
    """The state folder of a new gateway, for its own user alone."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StartError(
            f"{folder} cannot be made ({error.strerror}); expected a place where Herse may write"
        ) from None


def _create_state(settings: Settings) -> None:
    """The first account of a new gateway: make both databases, but only if neither is there yet."""
    accounts, ledger = settings.state.folder / DATABASE_FILE, settings.ledger_place()
    if not (accounts.exists() or (isinstance(ledger, Path) and ledger.exists())):
        create_ledger(ledger)
        create_database(accounts).dispose()
