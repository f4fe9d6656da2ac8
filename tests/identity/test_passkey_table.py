# SPDX-License-Identifier: EUPL-1.2
"""The passkeys of an account: how many, whose, under which name, and gone when they are gone."""

from __future__ import annotations

import pytest

from gateway.identity.database import open_database
from gateway.identity.failures import Failures
from gateway.identity.passkey import Passkeys
from gateway.identity.passkey_table import LONGEST_NAME, MOST, parse_name
from gateway.model import Reason
from support.passkey_house import DOCTOR, ORIGIN, PHARMACY, SESSION, refused


def test_a_key_cannot_be_added_twice_nor_taken_over(house, mine):
    assert refused(house.add, mine) is Reason.PASSKEY_WRONG
    assert refused(house.add, mine, DOCTOR) is Reason.PASSKEY_WRONG
    options = house.passkeys.adding(DOCTOR, "", SESSION, house.at)
    other = house.key(id=b"z" * 16)
    first = house.passkeys.check_new(DOCTOR, other.create(options), SESSION, house.at)
    house.passkeys.table.add(first, "a", house.at)
    assert refused(house.passkeys.table.add, first, "b", house.at) is Reason.PASSKEY_WRONG


def test_a_key_that_was_removed_is_dead_at_once(house, mine):
    reference = house.passkeys.table.of_account(PHARMACY)[0].reference
    assert house.passkeys.table.remove(PHARMACY, reference)
    assert not house.passkeys.table.remove(PHARMACY, reference)
    assert refused(house.sign_in, mine) is Reason.PASSKEY_WRONG
    assert refused(house.passkeys.table.note_use, mine.id, 9, house.at) is Reason.PASSKEY_WRONG
    house.add(mine)
    assert house.sign_in(mine)[0] == PHARMACY


def test_an_account_has_ten_keys_at_most(house):
    options = [house.passkeys.adding(PHARMACY, "", SESSION, house.at) for _ in range(2)]
    keys = [house.key() for _ in range(MOST + 1)]
    for key in keys[:-2]:
        house.add(key)
    two = zip(keys[-2:], options, strict=True)
    late = [house.passkeys.check_new(PHARMACY, key.create(one), SESSION, house.at) for key, one in two]
    house.passkeys.table.add(late[0], "dix", house.at)
    assert refused(house.passkeys.table.add, late[1], "onze", house.at) is Reason.PASSKEY_LIMIT
    assert refused(house.add, house.key()) is Reason.PASSKEY_LIMIT
    house.add(house.key(), DOCTOR)
    assert len(house.passkeys.table.of_account(PHARMACY)) == MOST


def test_keys_have_names_and_outlive_a_restart(house, mine, database):
    (kept,) = house.passkeys.table.of_account(PHARMACY)
    assert (kept.name, kept.last_used_at) == ("Téléphone", None)
    assert house.passkeys.table.rename(PHARMACY, kept.reference, parse_name("  Clé   bleue "))
    house.engine.dispose()
    engine = open_database(database)
    house.passkeys = Passkeys(engine, ORIGIN, house.throttle, Failures(engine))
    assert [one.name for one in house.passkeys.table.of_account(PHARMACY)] == ["Clé bleue"]
    assert house.sign_in(mine)[0] == PHARMACY
    engine.dispose()


@pytest.mark.parametrize("name", ["", "   ", "x" * (LONGEST_NAME + 1), "a\u200bb", "a\x07b"])
def test_a_name_that_is_none_is_refused(name):
    assert refused(parse_name, name) is Reason.MALFORMED_REQUEST
