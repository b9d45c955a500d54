"""Units of one demo experiment, with the effect that was really planted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from data.demo import files
from data.demo.draws import DAY, Bools, Floats, Ints, World, hour_of_day, load_time
from data.demo.specs import REGIONS, Amount, ExperimentSpec, Share, Spend
from data.demo.truth import ExperimentTruth

_MONTH = 30
_EXPOSED_SHARE = 0.9


@dataclass(frozen=True)
class _Outcome:
    """Outcome, its value before the experiment (or None) and the true effect on each unit: shapes (n,)."""

    value: Floats
    before: Floats | None
    effect: Floats
    control_mean: float
    responder_effect: float | None


@dataclass(frozen=True)
class Assignment:
    """Who was enrolled, when (microseconds) and in which arm: shapes (n,)."""

    person: Ints
    at: Ints
    treated: Bools


def experiment_table(world: World, spec: ExperimentSpec) -> tuple[pa.Table, ExperimentTruth, Assignment]:
    """`experiment_units` of one experiment, its true effects and the arms that signals must respect."""
    draw = world.stream(f"experiment {spec.experiment_id}")
    n = max(2, round(world.persons * spec.units_share))
    day = np.sort(draw.integers(0, world.days, n))
    assigned = (world.first_day + day) * DAY + hour_of_day(draw, n, None)
    treated = draw.random(n) < 0.5
    person = draw.choice(world.persons, n, replace=n > world.persons)
    outcome = _outcome(spec, day, treated, draw)
    observed = load_time(draw, assigned + spec.observe_days * DAY, 360.0)
    enrolled = load_time(draw, assigned, 60.0)
    kept = enrolled < world.end
    mature = observed < world.end
    exposed_at = assigned + draw.integers(DAY // 4, 3 * DAY, n)
    loaded = np.where(mature, observed, enrolled)
    exposed = treated & (draw.random(n) < _EXPOSED_SHARE) & (exposed_at < loaded)
    before = outcome.before if outcome.before is not None else np.zeros(n)
    table = pa.table(
        {
            "experiment_id": files.constant(spec.experiment_id, n),
            "unit_id": _unit_ids(world, spec, person),
            "arm": files.words((spec.comparison, spec.treated), treated.astype(np.int64)),
            "assigned_at": files.times(assigned),
            "stratum": files.words(REGIONS, world.region[person]),
            "cluster_id": _cluster_ids(spec, n, draw),
            "outcome": files.optional_floats(outcome.value, mature),
            "pre_outcome": files.optional_floats(before, np.full(n, outcome.before is not None)),
            "exposed_at": files.optional_times(exposed_at, exposed),
            "loaded_at": files.times(loaded),
        }
    )
    truth = _truth(world, spec, outcome, day, kept, mature & kept)
    return table.filter(pa.array(kept)), truth, Assignment(person, assigned, treated)


def _unit_ids(world: World, spec: ExperimentSpec, person: Ints) -> pa.Array:
    """People keep their person id; tasks and lines are numbered."""
    if spec.unit == "p":
        return files.members("p-", world.persons, person)
    return files.numbered(f"{spec.unit}-", person.size)


def _cluster_ids(spec: ExperimentSpec, n: int, draw: np.random.Generator) -> pa.Array:
    if spec.clusters is None:
        return pa.nulls(n, pa.string())
    return files.members("team-member-", spec.clusters, draw.integers(0, spec.clusters, n))


def _outcome(spec: ExperimentSpec, day: Ints, treated: Bools, draw: np.random.Generator) -> _Outcome:
    n = day.size
    match spec.outcome:
        case Share(control, with_it):
            value = (draw.random(n) < np.where(treated, with_it, control)).astype(np.float64)
            effect = with_it - control
            return _Outcome(value, None, np.full(n, effect), control, effect)
        case Spend(control, with_it, mean, sigma):
            buys = draw.random(n) < np.where(treated, with_it, control)
            value = np.where(buys, _amounts(draw, n, mean, sigma), 0.0)
            before = np.where(draw.random(n) < control, _amounts(draw, n, mean, sigma), 0.0)
            effect = with_it - control
            return _Outcome(value, before, np.full(n, effect * mean), control * mean, effect)
        case Amount() as amount:
            return _normal_outcome(amount, day, treated, draw)


def _amounts(draw: np.random.Generator, n: int, mean: float, sigma: float) -> Floats:
    """Log-normal purchases in cents with the given mean."""
    return np.round(mean * np.exp(sigma * draw.standard_normal(n) - sigma**2 / 2), 2)


def _normal_outcome(amount: Amount, day: Ints, treated: Bools, draw: np.random.Generator) -> _Outcome:
    halvings = 0.0 if amount.half_life_days is None else day / amount.half_life_days
    effect = np.full(day.size, amount.effect) * 0.5**halvings
    common, own = draw.standard_normal((2, day.size))
    rho = amount.prior_correlation
    noise = rho * common + np.sqrt(1 - rho**2) * own
    value = amount.control + amount.sd * noise + np.where(treated, effect, 0.0)
    return _Outcome(value, amount.control + amount.sd * common, effect, amount.control, None)


def _truth(
    world: World,
    spec: ExperimentSpec,
    outcome: _Outcome,
    day: Ints,
    kept: Bools,
    mature: Bools,
) -> ExperimentTruth:
    months = range(-(-world.days // _MONTH))
    return ExperimentTruth(
        experiment_id=spec.experiment_id,
        comparison=spec.comparison,
        treated=spec.treated,
        effect=_mean(outcome.effect[mature]),
        responder_effect=outcome.responder_effect,
        control_mean=outcome.control_mean,
        effect_by_month=tuple(_mean(outcome.effect[mature & (day // _MONTH == m)]) for m in months),
        units=int(kept.sum()),
        mature_units=int(mature.sum()),
    )


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if values.size else None
