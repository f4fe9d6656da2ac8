# SPDX-License-Identifier: EUPL-1.2
"""The policy room: decide. All pure: text and values in, values out; no file, clock, socket or chance."""
