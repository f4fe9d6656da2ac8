# SPDX-License-Identifier: EUPL-1.2
"""What protects an account is changed only after a proof of the last minutes; the way to it leads back again."""

from __future__ import annotations

import re

import pytest

PAGES = ["delegates", "mail", "password", "passkeys", "factors", "recovery"]


@pytest.mark.parametrize("page", PAGES)
def test_without_a_fresh_proof_the_way_leads_to_it_and_back(world, signed_in, page):
    path = f"/.herse/account/{page}"
    answer = signed_in.post(path, {"old": "x", "password": "y", "code": "123456", "name": "z", "mail": "a@b.fr"})
    assert answer.status_code == 303
    to = re.fullmatch(r"/\.herse/step-up\?to=([\w-]+)&reason=proof-too-old", answer.headers["location"])[1]
    for _ in range(10_001):  # visitors who are not signed in push out nobody's way back
        world.returns.keep("/anything", world.now)
    assert signed_in.step_up(world.code(), to=to).headers["location"] == path


@pytest.mark.parametrize("page", PAGES)
def test_a_program_is_told_what_is_missing(signed_in, page):
    told = signed_in.json(f"/.herse/account/{page}", {"name": "x"})
    assert (told.status_code, told.json()["type"]) == (401, "urn:herse:reason:proof-too-old")
