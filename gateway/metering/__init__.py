# SPDX-License-Identifier: EUPL-1.2
"""Count: how many different people an account looked up, and whether one more may follow.

patient (pure) finds and reads the number, pseudonym hides it, budget (pure) decides, memory keeps the state.
"""
