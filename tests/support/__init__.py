# SPDX-License-Identifier: EUPL-1.2
"""Tools of the tests: servers as children, a raw client, throw-away certificates. No gateway code, no assertions."""
