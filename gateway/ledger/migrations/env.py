# SPDX-License-Identifier: EUPL-1.2
"""Alembic runs this for each upgrade, in the transaction of the connection that `migration` hands over."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
