# SPDX-License-Identifier: EUPL-1.2
"""The room of *who*: accounts, passwords, one-time codes, sessions, and how a person signs in.

It proves, counts failures and remembers. It never decides what a person may reach (policy), never writes the ledger
(its callers do), and knows no page. Secrets leave it once, to the person they belong to.
"""
