# SPDX-License-Identifier: EUPL-1.2
"""The command `herse`: one file per noun. Commands read arguments, call the rooms, print, and give an exit code.

Exit codes: 0 done; 1 done and the answer is no; 2 not done, the message says why. What changes state goes to the
running server by its admin socket, or takes the ledger's lock.
"""
