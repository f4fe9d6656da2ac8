# SPDX-License-Identifier: EUPL-1.2
"""Record: everything that must be provable later. What was not recorded here was not disclosed.

event (pure) says what a row is, schema makes and checks the file, store appends, read answers, lock keeps others out.
Over the rows: leaf, tree and tree_proof (pure) hash them, note and checkpoint sign the root, proof tells it to others.
The second reader (verify and its parts, wrong) checks all that from outside, and imports none of it.
"""
