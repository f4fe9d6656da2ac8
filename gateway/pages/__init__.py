# SPDX-License-Identifier: EUPL-1.2
"""What a person reads: values in, HTML or JSON out.

Templates, sentences in both languages, the style sheet, and the headers that guard them. Nothing here decides, stores,
calls a clock or knows a framework; every text comes from a closed list or is escaped by the template engine.
"""
