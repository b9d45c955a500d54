"""Numbers, times and names as people read them."""

import datetime as dt
from dataclasses import replace

import pytest

from app.measure import words
from metrics import ALL
from metrics.core.metric import Reading, Unit
from metrics.core.verdict import Comparator, Target

NB = words.NBSP
AUC, PRECISION, GAP = (ALL[k] for k in ("model.auc", "model.precision", "value.responder_difference"))
MONEY = ALL["value.mean_difference"]


def reading(value, low=None, high=None, n=1234, reason=""):
    return Reading("k", (), value, low, high, n, None, None, Unit.SHARE, "m", reason, (), None, "v")


@pytest.mark.parametrize(
    ("metric", "numbers", "value", "interval"),
    [
        (PRECISION, (0.63, 0.61, 0.65), f"63{NB}%", f"61 to 65{NB}%"),
        (PRECISION, (0.4891, 0.482, 0.496), f"48.9{NB}%", f"48.2 to 49.6{NB}%"),
        (PRECISION, (0.0, 0.0, 0.0004), f"0.00{NB}%", f"0.00 to 0.04{NB}%"),
        (AUC, (0.84321, 0.838, 0.848), "0.843", "0.838 to 0.848"),
        (GAP, (0.0765896, 0.07, 0.083), f"+7.7{NB}points", f"+7.0 to +8.3{NB}points"),
        (GAP, (-0.02, -0.05, 0.01), f"\u22122{NB}points", f"\u22125 to +1{NB}points"),
        (MONEY, (0.7698272, 0.48514, 1.05451), "+0.77", "+0.49 to +1.05"),
        (MONEY, (-0.28, -0.44, -0.12), "\u22120.28", "\u22120.44 to \u22120.12"),
        (MONEY, (4_210_000.0, 3_100_000.0, 5_300_000.0), f"+4.2{NB}M", f"+3.1{NB}M to +5.3{NB}M"),
    ],
)
def test_a_value_shows_the_digits_its_interval_supports(metric, numbers, value, interval):
    text = words.shown(metric, reading(*numbers))
    assert (text.value, text.interval, text.n) == (value, interval, "1,234")


def test_an_undefined_value_is_a_dash_and_never_a_zero():
    text = words.shown(AUC, reading(None, reason="no labels"))
    assert text.value == "\u2013"
    assert text.interval == ""


def test_no_number_of_any_metric_is_shown_as_nan_or_in_exponents():
    for metric in ALL.values():
        for value in (0.0, 1e-9, 0.5, 1.0, 12345.678, 9.9e11):
            text = words.shown(metric, reading(value, value * 0.9, value * 1.1)).value
            assert "e" not in text.replace("under", "").replace("eed", "") or metric.unit is Unit.P_VALUE
            assert "nan" not in text


def test_a_negative_zero_has_no_sign():
    assert words.shown(MONEY, reading(-0.0004, -0.4, 0.4)).value == "0.00"


def test_a_target_keeps_the_digits_it_was_written_with():
    target = Target("model.auc", Comparator.AT_LEAST, 0.75)
    assert words.target_words(AUC, target) == "at least 0.75"
    assert words.target_words(PRECISION, replace(target, threshold=0.8)) == f"at least 80{NB}%"
    assert words.target_words(GAP, replace(target, threshold=0.01)) == f"at least 1{NB}point"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.12, f"120{NB}ms"),
        (45, f"45{NB}s"),
        (90, f"1{NB}min 30{NB}s"),
        (34_800, f"9{NB}h 40{NB}min"),
        (86_400, f"1{NB}day"),
        (3 * 86_400 + 7200, f"3{NB}days 2{NB}h"),
        (40 * 86_400, f"40{NB}days"),
        (-90, f"\u22121{NB}min 30{NB}s"),
    ],
)
def test_a_duration_is_said_as_people_say_it(seconds, said):
    assert words.duration(seconds) == said


def test_dates_are_unambiguous():
    assert words.date(dt.date(2026, 11, 26)) == f"26{NB}Nov{NB}2026"
    assert (
        words.days_between(dt.date(2026, 8, 24), dt.date(2026, 11, 22)) == f"24{NB}Aug to 22{NB}Nov{NB}2026"
    )
    assert words.days_between(dt.date(2025, 12, 1), dt.date(2026, 1, 2)).startswith(f"1{NB}Dec{NB}2025")


def test_a_time_is_shown_in_utc():
    east = dt.timezone(dt.timedelta(hours=5, minutes=30))
    assert words.moment(dt.datetime(2026, 11, 26, 3, 0, tzinfo=east)) == f"25{NB}Nov{NB}2026, 21:30{NB}UTC"


def test_lists_end_with_how_many_more_there_are():
    assert words.listed(("a",)) == "a"
    assert words.listed(("a", "b", "c")) == "a, b and c"
    assert words.listed(("a", "b", "c", "d", "e")) == "a, b, c and 2 more"
