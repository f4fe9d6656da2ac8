# SPDX-License-Identifier: EUPL-1.2
"""The room that crosses to the portal: what is sent, over which connection, and how the answer comes back.

`client` is the only file that talks to the portal. `headers` is pure. Nothing here decides whether a request may pass.
"""
