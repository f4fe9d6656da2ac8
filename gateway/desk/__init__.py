# SPDX-License-Identifier: EUPL-1.2
"""Between the processes of one gateway: the desk, the one that has the own pages and all that is waited for there, and
the workers beside it, which walk requests and hand the pages' ones on. Over a Unix socket in the state folder.

Nothing is decided here, and no page is made.
"""
