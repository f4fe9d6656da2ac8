# SPDX-License-Identifier: EUPL-1.2
"""Herse, the hardened authentication gateway: one hallway, identify -> decide -> meter -> forward -> record -> respond."""
