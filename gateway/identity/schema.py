# SPDX-License-Identifier: EUPL-1.2
"""The tables of the accounts' database, and nothing else; how its file is made and opened stands in `database`.

Times are integer microseconds since 1970 (UTC) in the file and aware `datetime` in the code.
"""

from __future__ import annotations

import sqlalchemy as sa

from gateway.identity.instant import Instant

SCHEMA_VERSION = 3

metadata = sa.MetaData()


def _table(name: str, *columns: sa.schema.SchemaItem) -> sa.Table:
    return sa.Table(name, metadata, *columns, sqlite_strict=True)


def _account_key(*, primary: bool = False) -> sa.Column[str]:
    return sa.Column("account", sa.ForeignKey("account.identifier"), primary_key=primary, nullable=False)


meta = _table("meta", sa.Column("schema_version", sa.Integer, primary_key=True))
account = _table(
    "account",
    sa.Column("identifier", sa.Text, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("profession", sa.Text, nullable=False),
    sa.Column("rpps", sa.Text),
    sa.Column("password", sa.LargeBinary),  # the argon2id hash, sealed
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("locked_at", Instant),
    sa.Column("mail", sa.Text),  # the one address that is written to
    sa.Column("used_at", Instant),  # when somebody last signed in (to the day), or support woke it
    sa.Column("quarantined_at", Instant),  # since a password was set through the mailbox, until the holder is proved
)
holder = _table(
    "holder",
    sa.Column("id", sa.Integer, primary_key=True),
    _account_key(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("rpps", sa.Text),
)
factor = _table(
    "factor",
    sa.Column("id", sa.Text, primary_key=True),
    _account_key(),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("secret", sa.LargeBinary, nullable=False),  # sealed, bound to account and id
    sa.Column("last_step", sa.Integer, nullable=False),
    sa.Column("added_at", Instant, nullable=False),
    sa.UniqueConstraint("account", "type"),
)
passkey = _table(
    "passkey",
    sa.Column("id", sa.LargeBinary, primary_key=True),  # the credential id that the authenticator chose
    _account_key(),
    sa.Column("reference", sa.Text, nullable=False, unique=True),  # its short name in forms
    sa.Column("public_key", sa.LargeBinary, nullable=False),  # COSE
    sa.Column("sign_count", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("added_at", Instant, nullable=False),
    sa.Column("last_used_at", Instant),
    sa.Index("passkey_by_account", "account"),
)
passkey_user = _table(
    "passkey_user",
    _account_key(primary=True),
    sa.Column("handle", sa.LargeBinary, nullable=False, unique=True),  # what authenticators know the account by
)
invitation = _table(
    "invitation",
    _account_key(primary=True),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
)
reset = _table(
    "reset",
    _account_key(primary=True),  # one living ticket each
    sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("mail", sa.Text, nullable=False),  # where it was sent: it dies when the account's address changes
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
)
recovery_code = _table(
    "recovery_code",
    _account_key(primary=True),
    sa.Column("digest", sa.LargeBinary, primary_key=True),
)
agent = _table(
    "agent",
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("password", sa.LargeBinary, nullable=False),  # the argon2id hash, sealed
    sa.Column("secret", sa.LargeBinary, nullable=False),  # of the code application, sealed
    sa.Column("last_step", sa.Integer, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
)
release = _table(
    "release",
    _account_key(primary=True),
    sa.Column("agent", sa.ForeignKey("agent.name"), nullable=False),  # who has agreed first
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("quarantined_at", Instant, nullable=False),  # the quarantine that was meant, and no later one
)
password_change = _table(
    "password_change",
    _account_key(primary=True),
    sa.Column("why", sa.Text, nullable=False),  # a Reason
    sa.Column("note", sa.Text),  # the operator's reason
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("done_at", Instant),
)
mail_change = _table(
    "mail_change",
    _account_key(primary=True),
    sa.Column("address", sa.Text, nullable=False),  # the new one, not confirmed yet
    sa.Column("digest", sa.LargeBinary, nullable=False),  # of the ticket in the letter to it
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("asked", sa.Integer, nullable=False),  # how often since counted_from
    sa.Column("counted_from", Instant, nullable=False),
)
delegation = _table(
    "delegation",
    sa.Column("reference", sa.Text, primary_key=True),
    _account_key(),
    sa.Column("name", sa.Text, nullable=False),  # the delegate's
    sa.Column("card", sa.Text),  # what his card names him by
    sa.Column("own", sa.Text),  # or the account that is his own: no foreign key, which would tell who has one
    sa.Column("teleservices", sa.Text, nullable=False),  # JSON: a list of names
    sa.Column("until", Instant, nullable=False),
    sa.Column("given_by", sa.Text),  # the holder, where it is known which
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("revoked_at", Instant),
    sa.Index("delegation_by_account", "account"),
    sa.Index("delegation_by_card", "card"),
    sa.Index("delegation_by_own", "own"),
)
session = _table(
    "session",
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("reference", sa.Text, nullable=False, unique=True),
    _account_key(),
    sa.Column("proofs", sa.Text, nullable=False),  # JSON: [[method, microseconds], ...]
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("network", sa.Text),
    sa.Column("device", sa.Text),
    sa.Column("browser", sa.Text),  # the reference of the known device that it was opened on
    sa.Column("holder", sa.Text),  # the person, where it is known who of those that use the account it is
    sa.Column("delegation", sa.ForeignKey("delegation.reference")),  # by which he is here
    sa.Column("activity", sa.Text),  # JSON: what the provider told of the practice that he works in
)
device = _table(
    "device",
    sa.Column("digest", sa.LargeBinary, primary_key=True),  # of the browser's token and the account together
    _account_key(),
    sa.Column("reference", sa.Text, nullable=False),  # its short name in forms and sessions
    sa.Column("name", sa.Text, nullable=False),  # what the browser called itself, last seen
    sa.Column("first_seen_at", Instant, nullable=False),
    sa.Column("last_seen_at", Instant, nullable=False),
    sa.Index("device_by_account", "account"),
)
# Who is linked to which account: an identity is what its issuer calls it, and nothing else.
sso_link = _table(
    "sso_link",
    sa.Column("issuer", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    _account_key(primary=True),
    sa.Column("reference", sa.Text, nullable=False, unique=True),  # its short name in forms
    sa.Column("rpps", sa.Text),  # whose identity it was when it was linked
    sa.Column("name", sa.Text, nullable=False),  # for people to read, never compared
    sa.Column("linked_at", Instant, nullable=False),
    sa.Column("last_used_at", Instant),
    sa.Index("sso_link_by_account", "account"),
)
# The provider's sessions that stand behind one of ours; they go with it.
sso_session = _table(
    "sso_session",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("session", sa.ForeignKey("session.reference", ondelete="CASCADE"), nullable=False),
    sa.Column("issuer", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("sid", sa.Text),
    sa.Column("id_token", sa.LargeBinary, nullable=False),  # sealed, bound to the session
    sa.Index("sso_session_by_session", "session"),
    sa.Index("sso_session_by_subject", "issuer", "subject"),
)
kept_work = _table(
    "kept_work",
    sa.Column("reference", sa.Text, primary_key=True),
    _account_key(),
    sa.Column("session", sa.Text, nullable=False),  # the reference of the session it belongs to
    sa.Column("teleservice", sa.Text, nullable=False),
    sa.Column("pieces", sa.Integer, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("kept_at", Instant, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
    sa.Column("status", sa.Integer),  # of the portal's answer
    sa.Column("body", sa.LargeBinary),  # the request, sealed, bound to reference, account and session
    sa.Column("back", sa.LargeBinary, nullable=False),  # the page it was sent from, sealed in the same way
    sa.Index("kept_work_by_session", "session"),
    sa.Index("kept_work_by_state", "state", "kept_at"),
)
# No foreign key: tries on unknown identifiers are counted the same, or the difference would tell which ones exist.
failure = _table(
    "failure",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("factor", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("forgiven", sa.Integer, nullable=False),
    sa.Index("failure_by_account", "account", "factor", "at"),
    sa.Index("failure_by_time", "at"),
)
