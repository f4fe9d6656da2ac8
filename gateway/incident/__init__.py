# SPDX-License-Identifier: EUPL-1.2
"""What is done on the worst day: an incident that is kept, who exactly was exposed, the list to inform, the drafts.

Reads the ledger through `ledger.exposure`; keeps each incident in a small file. Never here: a decision, a letter that
leaves by itself, a patient number in clear but in the list that the officer's own key opens.
"""
