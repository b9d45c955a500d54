"""What approving a baseline would change, and what a baseline was used by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.govern.baselines.level import Level
from app.govern.baselines.store import Checked, Series
from app.govern.model import Row
from app.measure import words
from app.measure.readings import Readings
from data.fields import Kind
from data.registers import REGISTERS
from metrics import ALL
from metrics.core.metric import Reading, Scope

Shelf = Mapping[str, Mapping[str, Row]]


@dataclass(frozen=True)
class Effect:
    """One number that depends on the baseline, before and after, in words."""

    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Use:
    """A record that names a baseline."""

    register: str
    record_id: str
    state: str


def effects(checked: Checked, shelf: Shelf, readings: Readings | None) -> tuple[Effect, ...]:
    """The baseline itself, the metric's distance from it today, and every record that relies on the one in force."""
    if checked.level is None:
        return ()
    series, old, new = checked.request.series, held_level(checked.before), checked.level
    found = [Effect(f"Baseline of {series.metric} by {series.grain}", told(series, old), told(series, new))]
    if readings is not None:
        found += [_distance(series, reading, old, new) for reading in _today(series, readings)]
    if checked.before is not None:
        for use in uses(shelf, checked.before.record_id):
            noun = REGISTERS[use.register].noun.capitalize()
            found.append(
                Effect(
                    f"{noun} {use.record_id}",
                    f"relies on {checked.before.record_id}",
                    "stays as it is until renewed",
                )
            )
    return tuple(found)


def held_level(row: Row | None) -> Level | None:
    """The figures that a recorded baseline came to."""
    if row is None or not isinstance(row["value"], float):
        return None
    low, high = row["low"], row["high"]
    return Level(
        row["value"],
        low if isinstance(low, float) else None,
        high if isinstance(high, float) else None,
        0,
        "",
    )


def told(series: Series, level: Level | None) -> str:
    """A level in the metric's unit, with its interval."""
    if level is None:
        return "none"
    metric = ALL[series.metric]
    ends = (level.low, level.high)
    shown = words.shown(
        metric,
        Reading(
            metric.key, (), level.value, *ends, 0, None, None, metric.unit, level.method, "", (), None, "",
        ),
    )  # fmt: skip
    return f"{shown.value} ({shown.interval})" if None not in ends else shown.value


def _today(series: Series, readings: Readings) -> tuple[Reading, ...]:
    """The metric as it reads now in the baseline's scope; nothing where the scope cannot be read."""
    where = tuple(sorted((n.strip(), v.strip()) for n, _, v in (w.partition("=") for w in series.scope)))
    try:
        found = readings.read(ALL[series.metric], Scope(where=where))
    except ValueError:
        return ()
    return tuple(r for r in found if r.value is not None)[:5]


def _distance(series: Series, now: Reading, old: Level | None, new: Level) -> Effect:
    whose = " ".join(f"{v}" for _, v in now.by if v)
    name = f"{ALL[series.metric].title}{f' of {whose}' if whose else ''} against the baseline"
    return Effect(name, _gap(now, old), _gap(now, new))


def _gap(now: Reading, level: Level | None) -> str:
    """A plain difference: who it is caused by is for a study to say."""
    return "no baseline" if level is None or now.value is None else f"{now.value - level.value:+.4g}"


def uses(shelf: Shelf, record_id: str) -> tuple[Use, ...]:
    """Records of other registers that name a baseline: studies by reference, gates in what they wrote down."""
    found = []
    for name, held in shelf.items():
        if name == "baselines":
            continue
        fields = [
            f.name for f in REGISTERS[name].fields if f.kind in (Kind.REF, Kind.LONG, Kind.WORDS, Kind.TEXT)
        ]
        found += [
            Use(name, r.record_id, r.state)
            for r in held.values()
            if any(record_id in str(r[f]) for f in fields)
        ]
    return tuple(found)
