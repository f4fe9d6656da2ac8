# SPDX-License-Identifier: EUPL-1.2
"""Record: everything that must be provable later. What was not recorded here was not disclosed.

event (pure) says what a row is, store is the door to append by, read answers, tree_store is the door of the tree over
the events, lock keeps others out. place says where it all is: in a file (schema, sqlite, shared) or in PostgreSQL
(postgres_schema, postgres, postgres_days, postgres_tree); tables and migrations are the same for both.
"""
