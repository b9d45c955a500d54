"""Who of those meant to use it does: weeks, first uses and changes by hand, and against lifelines and plain counting."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from lifelines import KaplanMeierFitter

from app.runtime import Runtime
from metrics import ALL
from metrics._adoption_change import DAILY
from metrics.core.intervals import newcombe
from metrics.core.metric import Reading, Scope
from tests.metrics.homes import loaded_into

ELIGIBLE = "initiative_id,user_id,eligible_from,eligible_to,unit\n"
USAGE = "usage_id,initiative_id,user_id,used_at,action\n"
MARK = "source,complete_through_at\nall,2026-09-30T23:59:59.999999Z\n"
DAY = 86_400
WHO = (
    ("a", "u1", "2026-09-01", "", "north"), ("a", "u2", "2026-09-01", "", "north"), ("a", "u3", "2026-09-01", "", "south"),
    ("a", "u4", "2026-09-28", "", "south"), ("a", "gone", "2026-09-01", "2026-09-20", "south"),
    ("a", "later", "2026-10-05", "", "south"), ("b", "u1", "2026-09-01", "", "north"),
)  # fmt: skip
DID = (
    ("a", "u1", 24, "accepted"), ("a", "u1", 25, "ignored"), ("a", "u2", 23, "accepted"), ("a", "u3", 27, "recommended"),
    ("a", "gone", 25, "opened"), ("a", "stranger", 26, "accepted"), ("b", "u1", 3, "opened"), ("a", "u4", 27, "opened"),
)  # fmt: skip


def home_of(path, who=WHO, did=DID) -> Runtime:
    eligible = ELIGIBLE + "".join(
        f"{i},{u},{a}T00:00:00Z,{f'{b}T00:00:00Z' if b else ''},{unit}\n" for i, u, a, b, unit in who
    )
    usage = USAGE + "".join(
        f"e{n},{i},{u},2026-09-{d:02d}T00:00:00Z,{action}\n" for n, (i, u, d, action) in enumerate(did)
    )
    tables = {"eligible_users": eligible, "usage_events": usage, "data_watermarks": MARK}
    return loaded_into(path / "home", tables, (DAILY,))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    return home_of(tmp_path_factory.mktemp("adoption"))


def read(runtime: Runtime, name: str, *where: tuple[str, str], **settings: str) -> Reading:
    scope = Scope(where=where, settings=tuple(settings.items()))
    (found,) = runtime.readings.read(ALL[f"adoption.{name}"], scope)
    return found


def test_active_means_used_in_the_last_seven_whole_days_by_somebody_still_eligible(home: Runtime):
    found = read(home, "weekly_active", ("initiative_id", "a"))
    # of u1 to u4: u1 on the 24th and u4 on the 27th; u2 a day too early; to u3 it was only shown
    assert (found.numerator, found.denominator) == (2, 4)
    assert read(home, "weekly_active").denominator == 5
    assert read(home, "weekly_active", ("unit", "north")).denominator == 3


def test_a_past_week_is_asked_for_by_its_last_day(home: Runtime):
    scope = Scope(where=(("initiative_id", "a"),), until=dt.date(2026, 9, 23))
    (found,) = home.readings.read(ALL["adoption.weekly_active"], scope)
    assert (found.numerator, found.denominator) == (
        1,
        3,
    )  # u2; the one who left on the 20th is gone, u4 not there yet


def test_who_has_not_used_it_yet_waits_and_early_use_is_at_once(home: Runtime):
    found = read(home, "first_use_median", ("initiative_id", "a"))
    # u4 at once, u2 after 22 days, u1 after 23; u3 still waits after 30; the one who left waited 19
    fitter = KaplanMeierFitter().fit([0, 22, 23, 30, 19], [1, 1, 1, 0, 0])
    assert found.value == fitter.median_survival_time_ * DAY == 23 * DAY
    assert (found.n, found.numerator) == (5, 3)


def test_random_users_wait_as_lifelines_says(tmp_path):
    draw = random.Random(8)
    who, did, waits = [], [], []
    for at in range(60):
        first, uses = draw.randint(1, 20), draw.random() < 0.7
        who.append(("a", f"u{at}", f"2026-09-{first:02d}", "", "x"))
        day = draw.randint(first, 30)
        did += [("a", f"u{at}", day, "opened")] if uses else []
        waits.append((day - first, 1) if uses else (31 - first, 0))
    found = read(home_of(tmp_path, who, did), "first_use_median")
    fitter = KaplanMeierFitter().fit([w for w, _ in waits], [e for _, e in waits])
    assert found.value == fitter.median_survival_time_ * DAY


def test_the_change_is_newcombes_difference_of_the_days_on_each_side(tmp_path):
    answers = [("accepted", 10, 3), ("ignored", 10, 5), ("accepted", 12, 6), ("overridden", 12, 2), ("accepted", 2, 9),
               ("recommended", 12, 50)]  # fmt: skip
    did = [("a", "u", day, action) for action, day, n in answers for _ in range(n)]
    runtime = home_of(tmp_path, WHO, did)
    found, gap = read(runtime, "accepted_change", at="2026-09-12", days="5"), newcombe(6, 8, 3, 8)
    assert (found.value, found.low, found.high) == pytest.approx((gap.value, gap.low, gap.high))
    assert found.n == 16
    wide = read(runtime, "accepted_change", at="2026-09-12", days="28")
    assert wide.value == pytest.approx(6 / 8 - 12 / 17)
    assert "before 2026-09-02" in read(runtime, "accepted_change", at="2026-09-02").reason
    with pytest.raises(ValueError, match="give a day"):
        read(runtime, "accepted_change", at="soon")
    with pytest.raises(ValueError, match="above 0"):
        read(runtime, "accepted_change", days="0")


def test_without_a_day_the_middle_of_the_days_is_asked_about(tmp_path):
    did = [("a", "u", day, "accepted" if day > 15 else "ignored") for day in range(1, 31)]
    assert read(home_of(tmp_path, WHO, did), "accepted_change").value == pytest.approx(1.0)


def test_nobody_eligible_says_so(tmp_path):
    runtime = home_of(tmp_path, (("a", "later", "2026-10-05", "", "x"),))
    assert read(runtime, "weekly_active").value is None
    assert read(runtime, "first_use_median").value is None
