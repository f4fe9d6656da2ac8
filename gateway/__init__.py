# SPDX-License-Identifier: EUPL-1.2
"""Herse, a hardened authentication gateway: identify -> decide -> meter -> forward -> record -> respond."""
