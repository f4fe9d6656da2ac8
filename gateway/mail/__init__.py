# SPDX-License-Identifier: EUPL-1.2
"""Letters on their way: what one is, where it waits durably, and who carries it (a folder, or an SMTP server).

What is written in a letter, and to whom, is decided above. Never here: accounts, events, words for people, HTML. No
address and no text of a letter ever reaches the log.
"""
