# SPDX-License-Identifier: EUPL-1.2
"""The room of operators: what they do to accounts, and the socket by which commands reach the running server.

Nothing here is reachable from the network, and no professional's page is made here.
"""
