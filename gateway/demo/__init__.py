# SPDX-License-Identifier: EUPL-1.2
"""The stand-in portal of the demo: an amelipro-like site with 510,000 fictive insured persons, run as its own process.

It stands for a portal Herse protects, so it trusts nothing but the signed `Herse-Assertion` header and knows nothing of
sessions, policies or budgets. Never imported by the gateway's serving rooms.
"""
