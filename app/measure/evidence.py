"""How we know one number: its words, history, breakdowns and SQL. What a tile's drawer shows."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.measure import words
from app.measure.judged import Frame, Judged, history
from app.report import sql_of
from metrics.core.metric import Direction, Metric, Reading

BETTER = {
    Direction.HIGHER: "Higher is better",
    Direction.LOWER: "Lower is better",
    Direction.NEITHER: "Neither way",
}


@dataclass(frozen=True)
class Evidence:
    """`facts` are (name, text) pairs in reading order; `dims` what the number can be broken down by."""

    facts: tuple[tuple[str, str], ...]
    history: tuple[Reading, ...]
    dims: tuple[str, ...]
    sql: str
    engine: str


def evidence(frame: Frame, one: Judged) -> Evidence:
    """Everything behind one judged reading."""
    pinned = {name for name, _ in one.reading.by}
    dims = tuple(d for d in frame.readings.dimensions(one.metric.rollup) if d not in pinned)
    warehouse = frame.runtime.warehouse
    sql = sql_of(one.metric, warehouse, None)
    return Evidence(
        (*words_of(one.metric), *_of(one, frame)), history(frame, one), dims, sql, warehouse.dialect.name
    )


def words_of(metric: Metric[object]) -> tuple[tuple[str, str], ...]:
    """A metric's declaration in words."""
    days = metric.stale_after.days
    pairs = (
        ("Question", metric.question),
        ("Definition", metric.definition),
        ("Why it matters", metric.why),
        ("Better", BETTER[metric.direction]),
        (
            "Interval",
            f"95 %, {metric.interval}" if not metric.interval.startswith("none") else metric.interval,
        ),
        ("Least n", words.count(metric.min_n)),
        ("Stale after", words.plural(days, "day")),
        ("Owner", metric.owner),
        ("Source", ", ".join(metric.references)),
    )
    return tuple((name, value) for name, value in pairs if value)


def _of(one: Judged, frame: Frame) -> tuple[tuple[str, str], ...]:
    reading = one.reading
    pairs = [("Method used", reading.method)]
    if reading.numerator is not None and reading.denominator is not None:
        pairs.append(
            (
                "Counts",
                f"{words.formatted(reading.numerator, ',.6g')} of {words.formatted(reading.denominator, ',.6g')}",
            )
        )
    if reading.as_of:
        fresh = f"{words.moment(reading.as_of)} ({words.ago(reading.as_of, frame.now)})"
        pairs.append(("Data as of", fresh))
    pairs += [("Days", frame.days.words()), ("Key", f"{reading.key}, version {reading.version}")]
    return tuple((name, value) for name, value in pairs if value)


def breakdown(frame: Frame, one: Judged, dim: str) -> tuple[Judged, ...]:
    """The same number for each value of a dimension, under the reading's own group."""
    where = tuple((k, v) for k, v in one.reading.by if v is not None and not _of_contrast(one.metric, k))
    asked = replace(frame.scope(one.metric), where=where, by=(dim,))
    found = frame.readings.read(one.metric, asked)
    own = tuple(replace(r, by=tuple(p for p in r.by if p not in where)) for r in found)
    judged = frame.judge(one.metric, found)
    return tuple(replace(j, reading=r) for j, r in zip(judged, own, strict=True))


def _of_contrast(metric: Metric[object], name: str) -> bool:
    contrast = metric.contrast
    return contrast is not None and (
        name == contrast.dim or (contrast.dim.endswith("*") and name.startswith("attr_"))
    )
