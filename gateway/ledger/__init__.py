# SPDX-License-Identifier: EUPL-1.2
"""Record: everything that must be provable later. What was not recorded here was not disclosed.

event (pure) says what a row is, store is the door to append by, read and exposure answer, tree_store is the door of the
tree over the events, lock keeps others out. place says where it all is: in a file (schema, sqlite, shared) or in
PostgreSQL (postgres_schema, postgres, postgres_days, postgres_tree); tables and migrations are the same for both.
seal keeps patient numbers for the officer alone (officer_key).
Over the rows: leaf, tree and tree_proof (pure) hash them, note and checkpoint sign the root, sealer does it all the
time, publishing sends it away, proof tells it to others. The second reader (verify and its parts, wrong) checks all
that from outside, and imports none of it.
"""
