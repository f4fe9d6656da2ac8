# SPDX-License-Identifier: EUPL-1.2
"""The gateway's own pages for professionals: sign-in, step-up, enrolment, account, latest events.

Here is the order of steps of each page. What a password is lives in `identity`, what is recorded in `ledger`, what a
person reads in `pages`; nothing here decides about the portal's own pages.
"""
