"""Whether an experiment's effect lasts, in words: sustained, fading with its half-life, or not clear."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from app.measure import words
from app.measure.judged import Frame, Judged, bucket_of, history
from metrics.core.intervals import Interval
from metrics.core.metric import Reading
from metrics.core.persistence import LONGEST, Course, persistence

EFFECT = "value.mean_difference"


@dataclass(frozen=True)
class Lasting:
    """The course of an effect, and the sentence that tells it."""

    course: Course
    sentence: str


def lasting(frame: Frame, one: Judged) -> Lasting | None:
    """The course of an effect over the months of assignment; None for any other number."""
    if one.metric.key != EFFECT or one.reading.value is None:
        return None
    return told(one, history(frame, one))


def told(one: Judged, trend: tuple[Reading, ...]) -> Lasting:
    """The same from a trend by month."""
    cohorts = [r for r in trend if r.n >= one.metric.min_n and None not in (r.value, r.low, r.high)]
    days = np.array([dt.date.fromisoformat(bucket_of(r) or "").toordinal() for r in cohorts], float)
    found = persistence(days, tuple(Interval(r.value, r.low, r.high) for r in cohorts))  # type: ignore[arg-type]
    if found.course is Course.UNKNOWN:
        return Lasting(found.course, "Too few cohorts to say whether it lasts.")
    first, last = cohorts[0], cohorts[-1]
    ends = f"{_of(one, first)} to {_of(one, last)}"
    match found.course:
        case Course.FADING:
            return Lasting(found.course, f"Fading: from {ends}{_half(found.half_life)}.")
        case Course.SUSTAINED:
            return Lasting(found.course, f"Sustained: the newest cohort still shows {_of(one, last)}.")
        case _:
            return Lasting(
                found.course, f"Not clear whether it lasts: the newest cohort shows {_of(one, last)}."
            )


def _of(one: Judged, reading: Reading) -> str:
    shown = words.shown(one.metric, reading)
    month = dt.date.fromisoformat(bucket_of(reading) or "")
    return f"{shown.value} ({shown.interval}) in {month:%b %Y}"


def _half(found: Interval | None) -> str:
    if found is None:
        return ""
    longest = "longer than can be told" if found.high >= LONGEST else f"{found.high:.0f} days"
    return f"; it halves in about {found.value:.0f} days ({found.low:.0f} to {longest})"
