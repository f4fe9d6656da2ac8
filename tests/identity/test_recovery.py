# SPDX-License-Identifier: EUPL-1.2
"""Recovery codes: of one account, once, hashed, a new set kills the old one (fault I8)."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa

from gateway.errors import Refused
from gateway.identity import schema
from gateway.identity.database import open_database, reading
from gateway.identity.failures import Failures
from gateway.identity.recovery import RecoveryCodes, new_code
from gateway.identity.throttle import Throttle
from gateway.model import Method, Proof, Reason
from support.racing import race

PHARMACY = "750012346"
OTHER = "751234567"
NETWORK = "192.0.2.1"


@pytest.fixture
def recovery(engine, accounts, t0):
    accounts.create(OTHER, "Cabinet", "nurse", None, [], t0)
    return RecoveryCodes(engine, Throttle(1000, 1000), Failures(engine))


def refusal(recovery, code, at, account=PHARMACY):
    with pytest.raises(Refused) as refused:
        recovery.use(account, code, NETWORK, at)
    return refused.value.reason


def test_ten_codes_each_once(recovery, t0):
    codes = recovery.make(PHARMACY)
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", code) for code in codes)
    for number, code in enumerate(codes):
        assert recovery.left(PHARMACY) == 10 - number
        assert recovery.use(PHARMACY, code, NETWORK, t0) == Proof(Method.RECOVERY, t0)
    assert recovery.left(PHARMACY) == 0
    assert refusal(recovery, codes[0], t0) is Reason.RECOVERY_CODE_WRONG


def test_a_code_is_read_as_people_type_it(recovery, t0):
    codes = recovery.make(PHARMACY)
    typed = [codes[0].lower(), codes[1].replace("-", ""), f" {codes[2].replace('-', ' ')} "]
    typed.append(codes[3].replace("0", "o").replace("1", "l"))
    for code in typed:
        recovery.use(PHARMACY, code, NETWORK, t0)


def test_I8_a_code_is_searched_within_its_account(recovery, t0):
    codes = recovery.make(PHARMACY)
    theirs = recovery.make(OTHER)
    assert refusal(recovery, theirs[0], t0) is Reason.RECOVERY_CODE_WRONG
    assert refusal(recovery, codes[0], t0, OTHER) is Reason.RECOVERY_CODE_WRONG
    assert (recovery.left(PHARMACY), recovery.left(OTHER)) == (10, 10)


def test_I8_a_new_set_kills_the_old_one(recovery, t0):
    old, new = recovery.make(PHARMACY), recovery.make(PHARMACY)
    assert refusal(recovery, old[0], t0) is Reason.RECOVERY_CODE_WRONG
    assert recovery.left(PHARMACY) == 10
    recovery.use(PHARMACY, new[0], NETWORK, t0)


@pytest.mark.parametrize("code", ["", " ", "-", "x", "\ud800", "\uff10" * 16, "0" * 10_000, "\x00"])
def test_no_other_text_is_a_code(recovery, code, t0):
    recovery.make(PHARMACY)
    assert refusal(recovery, code, t0) is Reason.RECOVERY_CODE_WRONG


def test_no_code_is_kept_in_clear(recovery, engine, database):
    codes = recovery.make(PHARMACY)
    with reading(engine) as connection:
        digests = list(connection.scalars(sa.select(schema.recovery_code.c.digest)))
    assert {len(digest) for digest in digests} == {32}
    kept = b"".join(path.read_bytes() for path in database.parent.glob("accounts.db*"))
    for code in codes:
        assert code.encode() not in kept
        assert code.replace("-", "").encode() not in kept


def test_I3_failures_are_counted_over_a_restart(recovery, database, t0):
    codes = recovery.make(PHARMACY)
    for _ in range(5):
        refusal(recovery, "WRONG", t0)
    again = open_database(database)
    anew = RecoveryCodes(again, Throttle(), Failures(again))
    assert refusal(anew, codes[0], t0) is Reason.THROTTLED
    assert anew.left(PHARMACY) == 10
    anew.use(PHARMACY, codes[0], NETWORK, t0 + timedelta(minutes=1))
    again.dispose()


def test_tries_are_throttled(engine, accounts, t0):
    recovery = RecoveryCodes(engine, Throttle(1, 1000), Failures(engine))
    codes = recovery.make(PHARMACY)
    recovery.use(PHARMACY, codes[0], NETWORK, t0)
    assert refusal(recovery, codes[1], t0) is Reason.THROTTLED
    assert recovery.left(PHARMACY) == 9


def test_of_forty_uses_of_one_code_in_two_processes_one_wins(recovery, database, t0):
    code = recovery.make(PHARMACY)[4]
    outcomes = race(database, "code", code, PHARMACY, t0.isoformat(), "20")
    assert outcomes["rc"] == 1
    assert set(outcomes) <= {"rc", "recovery-code-wrong", "throttled"}
    assert outcomes.total() == 40
    assert recovery.left(PHARMACY) == 9


def test_every_letter_comes_up():
    letters = Counter("".join(new_code() for _ in range(500)).replace("-", ""))
    assert len(letters) == 32
    assert max(letters.values()) < 3 * min(letters.values())
