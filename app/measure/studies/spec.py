"""The specification of a study: what the YAML says, checked key by key. Nothing is guessed."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DESIGNS = ("randomised", "did", "staggered", "synthetic_control", "interrupted_series")
DIRECTIONS = ("higher_is_better", "lower_is_better")
CONTROL_GROUPS = ("never_treated", "not_yet_treated")
AGGREGATIONS = ("group", "simple", "dynamic", "calendar")
SYNTHETIC = ("sdid", "demeaned_sc", "sc")
FAMILIES = ("gaussian", "poisson", "quasipoisson")

BESIDE = frozenset(  # what cannot be the outcome itself
    "denominator unit period arm pre_outcome stratum cluster adjust_for treated_unit post weight covariates cohort controls "
    "offset exposed".split()
)

Scalar = str | int | float | bool | dt.date


class SpecError(ValueError):
    """A specification that cannot be run; the message names the key, its value and what to write instead."""


@dataclass(frozen=True)
class Source:
    """Where rows come from: a file with its dialect, or a warehouse table with equalities."""

    path: Path | None = None
    delimiter: str = ","
    decimal: str = "."
    table: str | None = None
    where: tuple[tuple[str, Scalar], ...] = ()

    @property
    def name(self) -> str:
        return self.path.name if self.path else f"warehouse table {self.table}"


@dataclass(frozen=True)
class UnitValue:
    """Money for one unit of the outcome: low, most likely and high."""

    low: float
    mid: float
    high: float


@dataclass(frozen=True)
class Money:
    """Value and cost of a study's effect."""

    unit_value: UnitValue
    recapture: float
    costs: Source | None
    discount_rate: float


@dataclass(frozen=True)
class Spec:
    """A study. Columns that a design does not use are None or empty."""

    name: str
    design: str
    source: Source
    direction: str
    coding_confirmed: bool
    outcome: str
    denominator: str | None = None
    unit: str | None = None
    period: str | None = None
    arm: str | None = None
    treated: Scalar | None = None
    control: Scalar | None = None
    expected_split: float | None = None
    pre_outcome: str | None = None
    stratum: str | None = None
    cluster: str | None = None
    log_outcome: bool = False
    adjust_for: tuple[str, ...] = ()
    log_adjust: bool = False
    after_treatment: tuple[str, ...] = ()
    treated_unit: str | None = None
    post: str | None = None
    treated_from: Scalar | None = None
    weight: str | None = None
    covariates: tuple[str, ...] = ()
    cohort: str | None = None
    control_group: str = "never_treated"
    aggregation: str = "group"
    treated_units: tuple[Scalar, ...] = ()
    method: str = "sdid"
    controls: tuple[str, ...] = ()
    offset: str | None = None
    family: str = "gaussian"
    season_period: float | None = None
    harmonics: int = 0
    flow: bool = False
    anticipation: int = 0
    planned_end: Scalar | None = None
    planned_units: float | None = None
    looks: tuple[float, ...] = ()
    uplift_by: tuple[str, ...] = ()
    uplift_method: str | None = None
    exposed: str | None = None
    chosen_on_baseline: bool | None = None
    other_interventions: tuple[str, ...] | None = None
    money: Money | None = None
    initiative: str | None = None
    baseline: str | None = None
    unused: tuple[str, ...] = ()


def truth(value: Scalar) -> str:
    """A value of the specification as the text that a file holds for it."""
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def unit_value_of(value: object) -> UnitValue:
    """Money for one unit from what a specification writes: one number, or {low, mid, high}. Raises SpecError."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return UnitValue(float(value), float(value), float(value))
    if not isinstance(value, dict) or set(value) != {"low", "mid", "high"}:
        raise SpecError(f"unit_value: {value!r}; write {{low: 1, mid: 2, high: 3}}")
    parts = [value[k] for k in ("low", "mid", "high")]
    if not all(isinstance(p, int | float) and not isinstance(p, bool) and math.isfinite(p) for p in parts):
        raise SpecError(f"unit_value: {value!r}; low, mid and high are numbers")
    low, mid, high = (float(p) for p in parts)
    if not low <= mid <= high:
        raise SpecError(f"unit_value: {value!r}; it must hold that low <= mid <= high")
    return UnitValue(low, mid, high)


def apart(outcome: str, found: Mapping[str, object], used: tuple[str, ...]) -> None:
    """Refuse an outcome that is also what it is compared by."""
    for key in used:
        value = found.get(key)
        listed = value if isinstance(value, list) else [value]
        if key in BESIDE and outcome in listed:
            raise SpecError(f"outcome: column {outcome} is also named as {key}; name another column")
