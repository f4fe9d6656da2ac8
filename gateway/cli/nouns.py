# SPDX-License-Identifier: EUPL-1.2
"""What there is to ask of `herse`, in the order of its help. Each noun is a file here, which is loaded if it is asked.

Whoever asks for the list of commands waits for none of them.
"""

from __future__ import annotations

from typing import Final

NOUNS: Final = {
    "serve": "serve the portal behind the gateway",
    "demo": "a stand-in portal, a gateway in front, and accounts to try it with",
    "policy": "check, explain and test policy files",
    "drill": "walk a real attack, and honest months, through a policy",
    "account": "create, invite, lock, unlock and wake accounts",
    "agent": "create, remove and list support agents",
    "teleservice": "close and open a teleservice, and list them",
    "portal": "take the whole portal off line, and put it back",
    "notice": "show a dated message to all professionals",
    "ledger": "the officer's keys; whether the ledger is what was signed, and proofs; how long it is kept",
    "incident": "who was exposed, whom to tell, and what to write to whom",
    "certs": "make development certificates and the gateway's own keys",
}
"""Each with its line of the help."""
