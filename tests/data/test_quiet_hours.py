"""Quiet hours in the recipient's local time."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from data.quiet_hours import hours, judge, open_hours_utc, place_hours, plausible_hours, verdict, zones_of
from tests.cases import CASES, needs_cases

NEW_YORK = "America/New_York"


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text + "+00:00")


@needs_cases
def test_the_daylight_saving_case_holds():
    case = next(
        c for c in json.loads((CASES / "activation_cases.json").read_text()) if c["id"] == "quiet-dst"
    )
    sends = [dt.datetime.fromisoformat(t) for t in case["input"]["sends_utc"]]
    for place, key in (("US", "federal_8_21"), ("US-FL", "florida_8_20")):
        found = [verdict(t, place, case["input"]["tz"]) for t in sends]
        assert ["ok" if f.permitted else "violation" for f in found] == case["expected"][key]
    local = [verdict(t, "US", case["input"]["tz"]).local[0].strftime("%H:%M %Z") for t in sends]
    assert local == [text[:9] for text in case["expected"]["local"]]


@pytest.mark.parametrize(
    ("place", "zone", "sent", "permitted"),
    [
        ("US", NEW_YORK, "2026-07-01T12:00:00", True),  # 08:00 sharp
        ("US", NEW_YORK, "2026-07-01T11:59:59", False),
        ("US", NEW_YORK, "2026-07-02T00:59:59", True),  # 20:59:59
        ("US", NEW_YORK, "2026-07-02T01:00:00", False),  # 21:00 sharp
        ("US-TX", "America/Chicago", "2026-07-05T16:59:00", False),  # Sunday 11:59
        ("US-TX", "America/Chicago", "2026-07-05T17:00:00", True),  # Sunday 12:00
        ("US-RI", NEW_YORK, "2026-07-04T16:00:00", False),  # Saturday
        ("US-CT", NEW_YORK, "2026-07-01T12:30:00", False),  # 08:30, the state opens at 9
        ("BR", "America/Sao_Paulo", "2026-07-01T05:00:00", True),  # no rule is known
    ],
)
def test_hours_are_half_open_and_the_stricter_of_state_and_country_counts(place, zone, sent, permitted):
    assert verdict(utc(sent), place, zone).permitted is permitted


def test_an_unknown_zone_is_the_intersection_of_the_plausible_ones():
    sent = utc("2026-07-01T16:00:00")  # noon in New York, 6 in Honolulu
    assert verdict(sent, "US", NEW_YORK).permitted
    found = verdict(sent, "US")
    assert not found.permitted
    assert found.refused_in
    assert "time zone unknown" in found.assumed[0]
    assert verdict(utc("2026-07-01T19:00:00"), "US").permitted, "15 in New York, 9 in Honolulu"
    assert verdict(utc("2026-07-01T13:00:00"), "US-FL").permitted, "9 and 8 in Florida's two zones"
    assert not verdict(utc("2026-07-01T12:30:00"), "US-FL").permitted


def test_the_open_hours_of_an_unknown_zone_are_fewer_than_those_of_any_one():
    day = dt.date(2026, 7, 1)
    unknown = set(open_hours_utc(day, "US"))
    assert unknown
    for zone in zones_of("US"):
        assert unknown <= set(open_hours_utc(day, "US", zone))


def test_an_unknown_region_may_have_the_rules_of_every_state_in_its_zone():
    found = {h.jurisdiction for h in plausible_hours("US", "America/Chicago")}
    assert found == {"US", "US-FL", "US-MS", "US-OK", "US-TX"}
    refused = judge(utc("2026-07-02T00:30:00"), plausible_hours("US", NEW_YORK), [NEW_YORK])  # 20:30
    assert (refused.permitted, refused.refused_by) == (False, "US-FL")


def test_a_repeated_hour_is_judged_by_the_clock_on_the_wall():
    for sent in ("2026-11-01T05:30:00", "2026-11-01T06:30:00"):  # 01:30 twice
        assert verdict(utc(sent), "US", NEW_YORK).local[0].hour == 1


def test_every_place_has_a_source_and_zones_without_a_country_are_all_there_are():
    assert all(h.source and h.review_by for h in hours())
    assert [h.jurisdiction for h in place_hours("US-FL")] == ["US", "US-FL"]
    assert len(zones_of(None)) > 300
    assert zones_of("XX") == ("UTC",)


def test_a_naive_time_is_refused():
    with pytest.raises(ValueError, match="aware"):
        verdict(dt.datetime(2026, 7, 1), "US", NEW_YORK)
