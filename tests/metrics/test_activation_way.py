"""Hops known to an interval, channels that fail, cases behind a number: worked by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.measure.cases import case_list
from app.runtime import Runtime
from metrics import ALL, ROLLUPS
from metrics._activation_continuity import wilson_high
from metrics._activation_incidents import FEWEST_DAYS, incident_days
from metrics._activation_waterfall import waterfall
from metrics.core.intervals import wilson
from metrics.core.metric import Reading, Scope
from tests.metrics.homes import loaded_into
from tests.metrics.rows import ENGINE

DAY = "2026-03-09T"
STATES, STEPS = ROLLUPS["activation.states"], ROLLUPS["activation.steps"]


def signals(rows: list[tuple[str, str]], window: int = 3600) -> str:
    head = "signal_id,person_id,model_id,signal_name,decision,arm,scored_at,window_seconds,expected_value\n"
    return head + "".join(f"{s},p{s},m,x,activate,treatment,{DAY}{at}Z,{window},10\n" for s, at in rows)


def activations(rows: list[tuple[str, str, str]]) -> str:
    head = "activation_id,person_id,channel,purpose,created_at\n"
    return head + "".join(f"{a},p{a},{channel},marketing,{DAY}{at}Z\n" for a, channel, at in rows)


def links(rows: list[tuple[str, str]]) -> str:
    return "signal_id,activation_id\n" + "".join(f"{s},{a}\n" for s, a in rows)


def events(rows: list[tuple[str, str, str]]) -> str:
    head = "source,event_id,activation_id,event_type,event_at\n"
    return head + "".join(f"prov,{a}:{kind},{a},{kind},{DAY}{at}Z\n" for a, kind, at in rows)


MARK = "source,complete_through_at\nall,2026-03-10T00:00:00Z\n"


def read(runtime: Runtime, name: str, **scope: object) -> tuple[Reading, ...]:
    return runtime.readings.read(ALL[f"activation.{name}"], Scope(**scope))  # type: ignore[arg-type]


def exported(folder: Path, window: int) -> Runtime:
    """Three signals sent after 300 s; their exports are known to 0-100 s, to 50-150 s, and exactly (200 s)."""
    scored = [(f"S{i}", "09:00:00") for i in range(3)]
    hops = "signal_id,activation_id,hop,entered_at,entered_at_lo,entered_at_hi,mode,outcome\n" + "".join(
        f"S{i},A{i},exported,{DAY}09:{at}Z,{DAY}09:{low}Z,{DAY}09:{high}Z,automatic,ok\n"
        for i, (at, low, high) in enumerate(
            [("00:10", "00:00", "01:40"), ("02:20", "00:50", "02:30"), ("03:20", "03:20", "03:20")]
        )
    )
    return loaded_into(
        folder / "home",
        {
            "signals": signals(scored, window),
            "activations": activations([(f"A{i}", "email", "09:01:00") for i in range(3)]),
            "activation_signals": links([(f"S{i}", f"A{i}") for i in range(3)]),
            "message_events": events([(f"A{i}", "sent", "09:05:00") for i in range(3)]),
            "activation_hops": hops,
            "data_watermarks": MARK,
        },
        [STEPS, STATES],
    )


def test_hops_known_to_a_wide_interval_go_to_turnbull_not_to_a_midpoint(tmp_path):
    """Two intervals overlap on 50-100 s, which then holds 2/3 of the mass: the median is reached by 100 s."""
    runtime = exported(tmp_path, window=600)  # a tenth of it is 60 s: 100 s is wide
    (step,) = read(runtime, "hop_median", where=(("hop", "exported"),))
    assert step.value == pytest.approx(100, rel=1e-9)
    assert "urnbull" in step.method
    assert any("2 of 3 are known only to the start and end of a batch run" in w for w in step.warnings)
    (mean,) = read(runtime, "hop_seconds", where=(("hop", "exported"),))
    assert mean.warnings == (
        "2 of 3 are known only to the start and end of a batch run: the mean lies between 83 and 150 s",
    )  # (0 + 50 + 200) / 3 and (100 + 150 + 200) / 3


def test_hops_known_to_a_narrow_interval_are_taken_as_recorded(tmp_path):
    runtime = exported(tmp_path, window=3600)  # a tenth of it is 360 s
    (step,) = read(runtime, "hop_median", where=(("hop", "exported"),))
    assert step.value == pytest.approx(140, rel=1e-9)
    assert step.warnings == ()


def test_the_legs_of_the_waterfall_add_up_to_the_mean_way(tmp_path):
    runtime = exported(tmp_path, window=3600)
    ((_, cells),) = runtime.readings.cells(STEPS, Scope())
    legs = waterfall(cells)
    assert [(leg.start, leg.end, leg.n) for leg in legs] == [
        ("scored", "exported", 3),
        ("exported", "sent", 3),
    ]
    assert legs[0].mean == pytest.approx((10 + 140 + 200) / 3)
    assert sum(leg.mean for leg in legs) == pytest.approx(300)
    assert legs[1].unobserved == ("synced", "eligible", "approved", "queued")


def outage(folder: Path) -> Runtime:
    """E-mail delivers 2 of 14 from 12:00 to 12:15 and all of 10 from 13:00; text messages deliver 6 of 6."""
    sends = [(f"e{i}", "email", "12:01:00") for i in range(11)]
    sends += [(f"f{i}", "email", "13:01:00") for i in range(10)] + [
        (f"t{i}", "sms", "12:02:00") for i in range(5)
    ]
    said = [(a, "sent", at) for a, _, at in sends]
    said += [(a, "delivered", at) for a, _, at in sends if a not in {f"e{i}" for i in range(2, 11)}]
    own = [("r1", "email", "12:05:10"), ("r2", "sms", "12:19:00"), ("s1", "email", "12:06:00"), ("m1", "email", "12:07:00"),
           ("d1", "email", "11:11:00"), ("o1", "email", "12:20:10"), ("x1", "sms", "12:05:20")]  # fmt: skip
    said += [("r1", "failed", "12:06:00"), ("r2", "sent", "12:20:00"), ("s1", "sent", "12:07:00"), ("m1", "failed", "12:08:00"),
             ("o1", "sent", "12:21:00"), ("x1", "sent", "12:06:00"), ("x1", "delivered", "12:06:01")]  # fmt: skip
    scored = [
        ("R", "12:05:00"),
        ("S", "12:05:00"),
        ("M", "12:05:00"),
        ("D", "11:10:00"),
        ("O", "12:20:00"),
        ("X", "12:05:00"),
    ]
    return loaded_into(
        folder / "home",
        {
            "signals": signals(scored),
            "activations": activations([*sends, *own]),
            "activation_signals": links(
                [("R", "r1"), ("R", "r2"), ("S", "s1"), ("M", "m1"), ("D", "d1"), ("O", "o1"), ("X", "x1")]
            ),
            "message_events": events(said),
            "data_watermarks": MARK,
        },
        [STATES],
    )


def test_continuity_counts_signals_of_a_degraded_channel_saved_by_another(tmp_path):
    """R went by text message; S by the failing e-mail; M was missed, and D, due at 12:10, too; O and X do not count."""
    runtime = outage(tmp_path)
    (found,) = read(runtime, "channel_continuity")
    assert (found.numerator, found.denominator) == (1, 4)
    assert found.warnings[0].startswith("2 stranded, worth 20.00")
    assert found.warnings[1].startswith("1 went out")
    (of_email,) = read(runtime, "channel_continuity", where=(("channel", "email"),))
    assert of_email.denominator == 4
    assert {dict(r.by)["channel"]: r.value for r in read(runtime, "minutes_degraded", by=("channel",))} == {
        "email": 15.0,
        "sms": 0.0,
    }


def test_without_degraded_time_continuity_is_undefined_with_the_reason(tmp_path):
    runtime = outage(tmp_path)
    (found,) = read(runtime, "channel_continuity", where=(("channel", "sms"),))
    assert found.value is None
    assert found.reason


@pytest.mark.parametrize(("k", "n"), [(0, 5), (2, 14), (9, 10), (10, 10)])
def test_the_limit_in_sql_is_wilsons(k, n):
    import sqlalchemy as sa

    from data.sql import real

    with ENGINE.begin() as connection:
        found = connection.execute(sa.select(wilson_high(real(k), real(n)))).scalar_one()
    assert found == pytest.approx(wilson(k, n).high, rel=1e-12)


def test_the_cases_of_the_share_are_its_late_and_missed_signals(tmp_path):
    runtime = outage(tmp_path)
    runtime = replace(runtime, settings=replace(runtime.settings, person_lists=True))
    listed = case_list(runtime, ALL["activation.in_window_share"], Scope())
    rows = {row[0]: dict(zip(listed.columns, row, strict=True)) for row in listed.rows}
    assert set(rows) == {"M", "D"}
    assert rows["M"] | {"state": "missed", "window_end": "2026-03-09 13:05:00", "sent": ""} == rows["M"]
    (share,) = read(runtime, "in_window_share")
    assert share.denominator is not None
    assert len(rows) == share.denominator - (share.numerator or 0)


def test_an_incident_day_is_found_and_ordinary_days_are_not():
    """Two models, 60 days, 40 signals a day each at 90 % and 20 %; on day 17 the first falls to 30 %."""
    n = np.full((60, 2), 40.0)
    good = np.random.default_rng(5).binomial(40, [0.9, 0.2], size=(60, 2)).astype(float)
    assert not incident_days(good, n).any()
    good[17, 0] = 12
    assert list(np.flatnonzero(incident_days(good, n))) == [17]


def test_a_day_of_many_slow_signals_is_no_incident():
    n = np.full((60, 2), 40.0)
    good = np.random.default_rng(6).binomial(40, [0.9, 0.2], size=(60, 2)).astype(float)
    n[30, 1], good[30, 1] = 400, 80
    assert not incident_days(good, n).any()
    assert not incident_days(good[: FEWEST_DAYS - 1], n[: FEWEST_DAYS - 1]).any()


def test_a_weekend_of_waiting_for_a_hand_is_long_by_the_wall_and_short_by_the_desk(tmp_path):
    """Scored Friday 16:00, approved Monday 10:00, sent 10:30: of 66.5 h, 66 waited; of 2.5 working hours, 2."""
    runtime = loaded_into(
        tmp_path / "home",
        {
            "signals": signals([("S", "16:00:00")], 300_000).replace(DAY, "2026-03-06T"),
            "activations": activations([("A", "email", "16:00:00")]).replace(DAY, "2026-03-06T"),
            "activation_signals": links([("S", "A")]),
            "message_events": events([("A", "sent", "10:30:00")]).replace(DAY, "2026-03-09T"),
            "activation_hops": "signal_id,activation_id,hop,entered_at,mode\nS,A,approved,2026-03-09T10:00:00Z,manual\n",
            "data_watermarks": MARK,
        },
        [ROLLUPS["activation.chains"]],
    )
    (wall,), (desk,) = (read(runtime, "manual_share", settings=(("hours", h),)) for h in ("wall", "working"))
    assert (wall.numerator, wall.denominator) == (66 * 3600, 66.5 * 3600)
    assert (desk.numerator, desk.denominator) == (2 * 3600, 2.5 * 3600)
    assert "working hours" in desk.method
