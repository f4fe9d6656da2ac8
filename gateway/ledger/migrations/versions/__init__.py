# SPDX-License-Identifier: EUPL-1.2
"""The versions of the ledger's tables. A file here is frozen once it was released; there is no way back from one."""
