# SPDX-License-Identifier: EUPL-1.2
"""How the ledger's tables came to be, version by version, for Alembic. `migration` runs them; each is never changed."""
