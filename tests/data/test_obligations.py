"""Deadlines of suppression obligations, on holiday calendars and in the recipient's zone."""

from __future__ import annotations

import datetime as dt
import json

import hypothesis.strategies as st
import pytest
from hypothesis import given

from data.obligations import (
    binding,
    business_deadlines,
    due_for_review,
    is_business_day,
    last_day,
    nth_business_day,
    obligations,
    past_from,
    profile,
    rules,
)
from data.schema import TRIGGERS
from tests.cases import CASES, needs_cases

BY_ID = {r.id: r for r in rules()}


def noon(day: str) -> dt.datetime:
    return dt.datetime.fromisoformat(day + "T16:00:00+00:00")


@needs_cases
@pytest.mark.parametrize(
    ("case", "rule"), [("deadline-us", "R1"), ("deadline-us", "R2"), ("deadline-ca", "R11")]
)
def test_the_published_deadlines_hold(case, rule):
    found = next(c for c in json.loads((CASES / "activation_cases.json").read_text()) if c["id"] == case)
    day = last_day(BY_ID[rule], dt.date.fromisoformat(found["input"]["optout"]))
    assert day == dt.date.fromisoformat(found["expected"]["last_permitted_day"])


def test_a_us_opt_out_on_26_june_2026_ends_on_13_july_and_not_240_hours_later():
    got = binding("opt_out", "email", noon("2026-06-26"), jurisdiction="US", zone="America/New_York")
    assert got is not None
    assert (got.rule.id, got.last_permitted_day, got.assumed) == ("R1", dt.date(2026, 7, 13), ())
    assert got.past_from == dt.datetime(2026, 7, 14, 4, tzinfo=dt.UTC), "midnight in New York"
    assert not is_business_day(dt.date(2026, 7, 3), "US"), "Independence Day, observed"


def test_australia_and_new_zealand_count_five_working_days():
    assert last_day(BY_ID["R12"], dt.date(2026, 4, 2)) == dt.date(2026, 4, 13), (
        "over Good Friday and Easter Monday"
    )
    assert nth_business_day(dt.date(2026, 2, 4), 5, "NZ") == dt.date(2026, 2, 12), "over Waitangi Day"
    from_ = past_from(BY_ID["R13"], dt.datetime(2026, 2, 4, 1, tzinfo=dt.UTC), "Pacific/Auckland")
    assert from_ == dt.datetime(2026, 2, 11, 11, tzinfo=dt.UTC), (
        "withdrawn from the start of 12 February there"
    )


def test_the_day_of_receipt_is_the_recipients_day():
    late = dt.datetime(2026, 6, 27, 2, tzinfo=dt.UTC)  # still Friday 26 June in New York, Saturday in London
    assert past_from(BY_ID["R1"], late, "America/New_York") == dt.datetime(2026, 7, 14, 4, tzinfo=dt.UTC)


def test_a_deadline_across_a_clock_change_ends_at_local_midnight():
    end = past_from(BY_ID["R1"], noon("2026-02-27"), "America/New_York")
    assert end == dt.datetime(2026, 3, 14, 4, tzinfo=dt.UTC), "daylight saving began on 8 March"


def test_hours_are_absolute_and_immediate_is_at_once():
    time = noon("2026-03-07")
    assert past_from(BY_ID["R6"], time, "America/New_York") == time + dt.timedelta(hours=48)
    assert past_from(BY_ID["R8"], time, "Europe/Berlin") == time
    assert last_day(BY_ID["R22"], dt.date(2026, 1, 31)) == dt.date(2026, 2, 28), "one month"


def test_an_unknown_jurisdiction_takes_the_strictest_plausible_rule_and_names_it():
    got = binding("opt_out", "email", noon("2026-06-26"))
    assert got is not None
    assert got.rule.id == "R8"
    assert "jurisdiction unknown" in got.assumed[0]
    assert "R8" in got.assumed[0]


def test_an_unknown_zone_takes_the_earliest_deadline_and_names_the_zone():
    got = binding("opt_out", "email", noon("2026-06-26"), jurisdiction="US")
    assert got is not None
    assert got.past_from == dt.datetime(2026, 7, 14, 4, tzinfo=dt.UTC)
    assert "time zone unknown" in got.assumed[0]


def test_no_known_law_is_no_deadline():
    assert binding("opt_out", "email", noon("2026-06-26"), jurisdiction="BR") is None


def test_the_rules_of_a_country_hold_in_its_regions_and_those_of_a_group_in_its_countries():
    assert [o.rule.id for o in obligations("opt_out", "ads", noon("2026-06-26"), jurisdiction="US-CA")] == [
        "R14"
    ]
    assert not obligations("opt_out", "ads", noon("2026-06-26"), jurisdiction="US-NV")
    got = binding("opt_out", "email", noon("2026-06-26"), jurisdiction="DE")
    assert got is not None
    assert got.rule.id == "R8"


def test_a_rule_binds_only_from_its_date():
    before, after = noon("2025-04-10"), noon("2025-04-11")
    assert binding("opt_out", "sms", before, jurisdiction="US") is None
    assert [o.rule.id for o in obligations("opt_out", "sms", after, jurisdiction="US")] == ["R2"]
    later = obligations("opt_out", "sms", noon("2027-02-01"), jurisdiction="US")
    assert {o.rule.id for o in later} == {"R2", "R2b"}


def test_platform_rules_are_kept_apart_from_law():
    both = obligations("opt_out", "email", noon("2026-06-26"), jurisdiction="US", natures=("law", "platform"))
    assert [o.rule.id for o in both] == ["R6", "R1"], "48 hours come first"


def test_every_rule_has_a_source_a_review_date_and_triggers_that_exist():
    assert len(BY_ID) == len(rules())
    for rule in rules():
        assert rule.source
        assert rule.review_by > dt.date(2026, 1, 1)
        assert set(rule.triggers) <= {*TRIGGERS, "carrier_deactivation"}
        assert rule.evidence in ("read", "secondary", "memory")
    assert due_for_review(dt.date(2026, 6, 1)) == ()
    assert len(due_for_review(dt.date(2027, 1, 1))) == len(rules())


def test_profiles_differ_where_the_definitions_say_so():
    assert all(profile("strict", t).channels == "all" and profile("strict", t).stops for t in TRIGGERS)
    assert profile("industry", "hard_bounce").channels == "own"
    assert profile("industry", "conversion").programme == "own"
    assert profile("industry", "opt_out").channels == "all"
    assert not profile("industry", "opt_out_suspected").stops


def test_naive_times_and_empty_counts_are_refused():
    with pytest.raises(ValueError, match="aware"):
        past_from(BY_ID["R1"], dt.datetime(2026, 1, 1), "UTC")
    with pytest.raises(ValueError, match="at least 1"):
        nth_business_day(dt.date(2026, 1, 1), 0, "US")


@given(
    st.dates(dt.date(2015, 1, 1), dt.date(2035, 1, 1)),
    st.integers(1, 20),
    st.sampled_from(["US", "CA", "NZ", "BR"]),
)
def test_exactly_n_business_days_lie_after_the_day_of_receipt(day, n, country):
    end = nth_business_day(day, n, country)
    between = [day + dt.timedelta(days=i) for i in range(1, (end - day).days + 1)]
    assert sum(is_business_day(d, country) for d in between) == n
    assert is_business_day(end, country)
    assert business_deadlines(day, day, n, country) == (end,)
