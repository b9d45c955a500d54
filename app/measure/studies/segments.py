"""Who gains: the uplift part of a randomised study, scored by columns that were known before it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from app.measure.studies.spec import Spec, SpecError
from app.measure.studies.table import Table
from metrics.attribution import uplift
from metrics.attribution.result import StudyError
from metrics.attribution.uplift import METHODS, Group, Units
from metrics.core.shapes import Floats, Ints


@dataclass(frozen=True)
class Uplift:
    """Whether columns tell who gains. `groups`: tenths of the score, those expected to gain most first.

    The Qini coefficient is per unit, in units of the outcome, positive where the order is better than none;
    `random_sd` is the scatter of scores that are worth nothing. `reason` where it could not be learnt.
    """

    method: str
    by: tuple[str, ...]
    n: int
    qini: float | None = None
    low: float | None = None
    high: float | None = None
    random_sd: float | None = None
    ranks: bool = False
    groups: tuple[Group, ...] = ()
    reason: str = ""


def uplift_of(spec: Spec, table: Table, treated: Floats, rows: Ints, seed: int) -> Uplift | None:
    """The uplift that the plan asks for; None where it asks for none. `treated` (n,) belongs to `rows` (n,)."""
    if not spec.uplift_by:
        return None
    method = spec.uplift_method or METHODS[1]
    _possible(spec, method)
    outcome = table.numbers(spec.outcome)[rows]
    known = np.isfinite(outcome)
    features = np.column_stack([_feature(table, name)[rows] for name in spec.uplift_by])[known]
    split = spec.expected_split or float(treated[known].mean())
    sign = 1.0 if spec.direction == "higher_is_better" else -1.0
    units = Units(features, treated[known], sign * outcome[known], split)
    asked = Uplift(method.replace("_", "-"), spec.uplift_by, int(known.sum()))
    try:
        score = uplift.scores(units, method, seed % 2**32)
    except StudyError as error:
        return replace(asked, reason=str(error))
    found = uplift.qini(score, units, seed)
    groups = uplift.groups(score, replace(units, outcome=outcome[known]))
    return replace(
        asked, qini=found.value, low=found.low, high=found.high, random_sd=found.random_sd, ranks=found.ranks, groups=groups
    )  # fmt: skip


def _possible(spec: Spec, method: str) -> None:
    if method not in METHODS:
        raise SpecError(f"uplift_method: {method!r} is not one of {', '.join(METHODS)}")
    for key, given in (("cluster", spec.cluster), ("denominator", spec.denominator)):
        if given is not None:
            raise SpecError(f"uplift_by: it is not given for studies with `{key}`; leave one of them out")
    late = sorted({spec.outcome, spec.arm or "", *spec.after_treatment} & set(spec.uplift_by))
    if late:
        raise SpecError(
            f"uplift_by: {late[0]} is not known before the study; name columns measured before it"
        )


def _feature(table: Table, name: str) -> Floats:
    """A column as numbers; names by their place in the order of the alphabet, missing cells as such."""
    if table.is_numeric(name):
        return table.numbers(name)
    held = table.levels(name)
    place = np.argsort(np.argsort(np.array(held.names, dtype=str), kind="stable"), kind="stable").astype(
        float
    )
    return np.where(held.codes < 0, np.nan, place[held.codes])
