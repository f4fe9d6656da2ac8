# SPDX-License-Identifier: EUPL-1.2
"""Record: everything that must be provable later. What was not recorded here was not disclosed.

event (pure) says what a row is, schema makes and checks the file, store appends, read answers, lock keeps others out.
"""
