# SPDX-License-Identifier: EUPL-1.2
"""Known devices: by the browser's secret alone, each account for itself, bounded, and gone when forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.identity import schema
from gateway.identity.database import open_database, reading
from gateway.identity.devices import LIFETIME, MOST, SEEN_ANEW, Devices, new_browser, reference_of

PHARMACY = "750012346"
DOCTOR = "751234567"
INSTANT = timedelta(microseconds=1)
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:132.0) Gecko/20100101 Firefox/132.0"


@pytest.fixture
def devices(engine, accounts, t0):
    accounts.create(DOCTOR, "Cabinet", "physician", None, (), t0)
    return Devices(engine)


def rows(engine):
    with reading(engine) as connection:
        return connection.execute(schema.device.select()).all()


def test_a_browser_is_known_once_it_is_kept_and_only_by_that_account(devices, t0):
    browser = new_browser()
    assert len(browser) == 43
    assert devices.find(PHARMACY, browser, t0) is None
    devices.keep(PHARMACY, browser, FIREFOX, t0)
    found = devices.find(PHARMACY, browser, t0 + timedelta(days=3))
    assert (found.name, found.first_seen_at, found.last_seen_at) == (FIREFOX, t0, t0)
    assert found.reference == reference_of(PHARMACY, browser)
    assert devices.find(DOCTOR, browser, t0) is None
    assert devices.find(PHARMACY, new_browser(), t0) is None


def test_the_rows_of_one_browser_cannot_be_joined_nor_its_secret_read(devices, engine, database, t0):
    browser = new_browser()
    devices.keep(PHARMACY, browser, FIREFOX, t0)
    devices.keep(DOCTOR, browser, FIREFOX, t0)
    first, second = rows(engine)
    assert first.digest != second.digest
    assert first.reference != second.reference
    engine.dispose()
    for file in database.parent.iterdir():
        assert browser.encode() not in file.read_bytes()


def test_seen_again_it_is_one_row_with_its_new_name_and_its_first_day(devices, engine, t0):
    browser, later = new_browser(), t0 + timedelta(days=2)
    devices.keep(PHARMACY, browser, FIREFOX, t0)
    devices.keep(PHARMACY, browser, "Firefox/140", later)
    (one,) = devices.of_account(PHARMACY, later)
    assert (one.name, one.first_seen_at, one.last_seen_at) == ("Firefox/140", t0, later)
    assert len(rows(engine)) == 1


def test_it_is_due_a_day_later(devices, t0):
    browser = new_browser()
    devices.keep(PHARMACY, browser, FIREFOX, t0)
    one = devices.find(PHARMACY, browser, t0)
    assert not one.due(t0 + SEEN_ANEW - INSTANT)
    assert one.due(t0 + SEEN_ANEW)


def test_past_fifty_the_longest_unseen_makes_room_in_its_account_alone(devices, t0):
    others = new_browser()
    devices.keep(DOCTOR, others, FIREFOX, t0 - timedelta(days=1))
    browsers = [new_browser() for _ in range(MOST)]
    for number, browser in enumerate(browsers):
        devices.keep(PHARMACY, browser, FIREFOX, t0 + timedelta(minutes=number))
    at = t0 + timedelta(days=1)
    devices.keep(PHARMACY, browsers[0], FIREFOX, at)  # seen again: the second is the longest unseen now
    newest = new_browser()
    devices.keep(PHARMACY, newest, FIREFOX, at)
    assert len(devices.of_account(PHARMACY, at)) == MOST
    assert devices.find(PHARMACY, browsers[1], at) is None
    assert devices.find(PHARMACY, browsers[0], at) is not None
    assert devices.find(PHARMACY, newest, at) is not None
    assert devices.find(DOCTOR, others, at) is not None


def test_after_400_days_it_is_unknown_and_its_row_goes(devices, engine, t0):
    browser = new_browser()
    devices.keep(PHARMACY, browser, FIREFOX, t0)
    assert devices.find(PHARMACY, browser, t0 + LIFETIME - INSTANT) is not None
    assert devices.find(PHARMACY, browser, t0 + LIFETIME) is None
    assert devices.of_account(PHARMACY, t0 + LIFETIME) == []
    devices.keep(PHARMACY, new_browser(), FIREFOX, t0 + LIFETIME)
    (left,) = rows(engine)
    assert left.first_seen_at == t0 + LIFETIME


def test_forgotten_it_is_unknown_at_once_and_another_account_s_is_not_touched(devices, t0):
    browser = new_browser()
    devices.keep(PHARMACY, browser, FIREFOX, t0)
    devices.keep(DOCTOR, browser, FIREFOX, t0)
    reference = reference_of(PHARMACY, browser)
    assert not devices.forget(DOCTOR, reference)
    assert devices.forget(PHARMACY, reference)
    assert not devices.forget(PHARMACY, reference)
    assert devices.find(PHARMACY, browser, t0) is None
    assert devices.find(DOCTOR, browser, t0) is not None


def test_they_are_listed_latest_seen_first_and_outlive_a_restart(devices, engine, database, t0):
    for number in range(3):
        devices.keep(PHARMACY, new_browser(), f"Browser/{number}", t0 + timedelta(days=number))
    engine.dispose()
    again = open_database(database)
    found = Devices(again).of_account(PHARMACY, t0 + timedelta(days=9))
    again.dispose()
    assert [one.name for one in found] == ["Browser/2", "Browser/1", "Browser/0"]
