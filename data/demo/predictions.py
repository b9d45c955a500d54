"""Predictions and labels of one demo model, with the truth behind them."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from data.demo import files
from data.demo.draws import DAY, Bools, Floats, Ints, World, delay_of, hour_of_day, load_time
from data.demo.features import feature_columns
from data.demo.specs import AGE_BANDS, REGIONS, ModelSpec
from data.demo.truth import Mixture, ModelTruth, logit, separation

_WEEKDAYS = np.array([1.05, 1.1, 1.1, 1.1, 1.05, 0.85, 0.75])
_LOST_LABELS = 0.02
_SENTINEL = -1.0


@dataclass(frozen=True)
class _Calendar:
    """Per day of the demo, shape (days,): version in force, separation it was built for and now has."""

    release: Ints
    built_for: Floats
    now: Floats
    volume: Ints


@dataclass(frozen=True)
class Drawn:
    """Predictions the warehouse knows, in time order: all shapes (n,). `release` is the version in force."""

    day: Ints
    release: Ints
    at: Ints
    loaded: Ints
    person: Ints
    band: Ints
    label: Bools
    score: Floats
    labelled_at: Ints
    label_loaded: Ints
    has_label: Bools

    def rows(self, index: Ints) -> Drawn:
        return Drawn(*(getattr(self, column.name)[index] for column in fields(self)))


@dataclass(frozen=True)
class ModelData:
    """What one model leaves in the warehouse, what a perfect measurement of it would find, and the draws."""

    predictions: pa.Table
    labels: pa.Table
    truth: ModelTruth
    drawn: Drawn


def model_tables(world: World, spec: ModelSpec) -> ModelData:
    """`predictions` and `labels` of one model with their truth."""
    draw = world.stream(f"predictions {spec.model_id}")
    calendar = _calendar(world, spec)
    drawn = _draw(world, spec, calendar, draw)
    ids = files.numbered(f"{spec.model_id}-", drawn.at.size)
    predictions = _prediction_table(world, spec, drawn, ids, draw)
    known = drawn.has_label
    labels = pa.table(
        {
            "prediction_id": ids.filter(pa.array(known)),
            "label": pa.array(drawn.label[known].astype(np.int8)),
            "labelled_at": files.times(drawn.labelled_at[known]),
            "loaded_at": files.times(drawn.label_loaded[known]),
        }
    )
    return ModelData(predictions, labels, _truth(world, spec, calendar, drawn), drawn)


def _calendar(world: World, spec: ModelSpec) -> _Calendar:
    day = np.arange(world.days)
    starts = np.array([round(r.from_share * world.days) for r in spec.releases])
    release = np.searchsorted(starts, day, side="right") - 1
    built_auc = np.array([r.auc for r in spec.releases])
    weeks = day // 7
    auc = np.maximum(built_auc[release] - spec.decay_per_week * weeks, 0.5)
    volume = np.maximum(np.rint(world.persons * spec.daily_share * _WEEKDAYS[world.weekday()]), 1)
    if spec.last_days is not None:
        volume[day < world.days - spec.last_days] = 0
    return _Calendar(release, separation(built_auc)[release], separation(auc), volume.astype(np.int64))


def _draw(world: World, spec: ModelSpec, calendar: _Calendar, draw: np.random.Generator) -> Drawn:
    day = np.repeat(np.arange(world.days), calendar.volume)
    n = day.size
    at = (world.first_day + day) * DAY + hour_of_day(draw, n, spec.batch_hour)
    person = draw.integers(0, world.persons, n)
    band = world.age_band[person].astype(np.int64)
    label = draw.random(n) < spec.base_rate
    score = _scores(spec, calendar, day, band, label, draw)
    labelled_at = at + delay_of(draw, n, spec.delay)
    label_loaded = load_time(draw, labelled_at, 360.0)
    has_label = (label_loaded < world.end) & (draw.random(n) >= _LOST_LABELS)
    loaded = load_time(draw, at, 15.0)
    drawn = Drawn(
        day,
        calendar.release[day],
        at,
        loaded,
        person,
        band,
        label,
        score,
        labelled_at,
        label_loaded,
        has_label,
    )
    in_time = np.flatnonzero(loaded < world.end)
    return drawn.rows(in_time[np.argsort(at[in_time], kind="stable")])


def _scores(
    spec: ModelSpec, calendar: _Calendar, day: Ints, band: Ints, label: Bools, draw: np.random.Generator
) -> Floats:
    """Calibrated for the separation the version was built for; drift is evidence weaker than assumed."""
    evidence = draw.standard_normal(day.size) + label * calendar.now[day]
    built = calendar.built_for[day]
    shift = np.array(spec.band_shift)[band] if spec.about_people else 0.0
    score = 1 / (1 + np.exp(-(logit(spec.base_rate) + built * evidence - built**2 / 2 + shift)))
    return np.where(draw.random(day.size) < spec.sentinel_share, _SENTINEL, score)


def _prediction_table(
    world: World,
    spec: ModelSpec,
    drawn: Drawn,
    ids: pa.Array,
    draw: np.random.Generator,
) -> pa.Table:
    n = drawn.at.size
    versions = [r.version for r in spec.releases]
    decision = (drawn.score >= spec.threshold).astype(np.int8)
    none = pa.nulls(n, pa.string())
    latency = np.round(spec.latency_ms * np.exp(0.4 * draw.standard_normal(n)), 1)
    return pa.table(
        {
            "prediction_id": ids,
            "model_id": files.constant(spec.model_id, n),
            "model_version": files.words(versions, drawn.release),
            "entity_id": files.members(
                "p-" if spec.about_people else "article-", world.persons, drawn.person
            ),
            "predicted_at": files.times(drawn.at),
            "score": pa.array(drawn.score),
            "threshold": pa.array(np.full(n, spec.threshold)),
            "decision": pa.array(decision) if spec.records_decision else pa.nulls(n, pa.int8()),
            "latency_ms": pa.array(latency),
            "cost_amount": pa.array(np.full(n, spec.cost)),
            "attr_age_band": files.words(AGE_BANDS, drawn.band) if spec.about_people else none,
            "attr_region": files.words(REGIONS, world.region[drawn.person]),
            **feature_columns(world, spec, drawn.day),
            "loaded_at": files.times(drawn.loaded),
        }
    )


def _truth(world: World, spec: ModelSpec, calendar: _Calendar, drawn: Drawn) -> ModelTruth:
    usable = drawn.score >= 0
    every, week, band = _mixture(world, spec, calendar, drawn, usable)
    learned, _, _ = _mixture(world, spec, calendar, drawn, usable & drawn.has_label)
    tpr, fpr = every.rates(spec.threshold)
    flagged = spec.base_rate * tpr + (1 - spec.base_rate) * fpr
    by_band = _selection_by_band(spec, every, band) if spec.about_people else ()
    rates = [rate for _, rate in by_band]
    released = np.unique(drawn.release)
    return ModelTruth(
        model_id=spec.model_id,
        versions=tuple(spec.releases[i].version for i in released.tolist()),
        auc=learned.auc(),
        auc_by_week=tuple(every.part(week == w).auc() for w in range(int(week.max()) + 1)),
        base_rate=spec.base_rate,
        threshold=spec.threshold,
        selection_rate=flagged,
        true_positive_rate=tpr,
        false_positive_rate=fpr,
        precision=spec.base_rate * tpr / flagged,
        selection_rate_by_age_band=by_band,
        four_fifths_ratio_by_age_band=min(rates) / max(rates) if rates else None,
        predictions=int(drawn.at.size),
        labels=int(drawn.has_label.sum()),
        out_of_range_scores=int((~usable).sum()),
    )


def _mixture(
    world: World, spec: ModelSpec, calendar: _Calendar, drawn: Drawn, keep: Bools
) -> tuple[Mixture, Ints, Ints]:
    """Parts of constant parameters: (week, release, age band), with the week and the band of each part."""
    bands, releases = len(AGE_BANDS), len(spec.releases)
    day = np.arange(world.days)
    block_of_day = (day // 7) * releases + calendar.release
    block, first = np.unique(block_of_day, return_index=True)
    row = np.searchsorted(block, block_of_day)[drawn.day[keep]] * bands + drawn.band[keep]
    weight = np.bincount(row, minlength=block.size * bands).astype(np.float64)
    built = np.repeat(calendar.built_for[first], bands)
    now = np.repeat(calendar.now[first], bands)
    shift = np.tile(np.array(spec.band_shift if spec.about_people else (0.0,) * bands), block.size)
    negative = logit(spec.base_rate) - built**2 / 2 + shift
    week = np.repeat(block // releases, bands)
    return (
        Mixture(negative + built * now, negative, built, weight),
        week,
        np.tile(np.arange(bands), block.size),
    )


def _selection_by_band(spec: ModelSpec, every: Mixture, band: Ints) -> tuple[tuple[str, float], ...]:
    found = []
    for i, name in enumerate(AGE_BANDS):
        part = every.part(band == i)
        if part.weight.sum() > 0:
            tpr, fpr = part.rates(spec.threshold)
            found.append((name, spec.base_rate * tpr + (1 - spec.base_rate) * fpr))
    return tuple(found)
