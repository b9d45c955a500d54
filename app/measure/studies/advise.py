"""Which design can be used: read off the columns that a file has. It proposes; people confirm, and the gates decide."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.measure.studies.periods import Periods, periods_of
from app.measure.studies.rows_in import read_table
from app.measure.studies.spec import Source, SpecError
from app.measure.studies.table import Levels, Table

FIT, NEEDS, NO = "fits", "needs more", "cannot"
_ARMS = (
    "arm",
    "treat",
    "group",
    "variant",
    "treatment",
    "treated",
    "assignment",
    "experiment_group",
    "test_group",
)
_UNITS = (
    "unit",
    "unit_id",
    "id",
    "user",
    "user_id",
    "person_id",
    "store",
    "region",
    "state",
    "county",
    "customer",
)
_PERIODS = ("period", "date", "day", "week", "month", "quarter", "year", "time")
_COHORTS = ("cohort", "first_treated", "first_treat", "first.treat", "adopted", "adoption", "treated_from")
_BEFORE = ("pre", "before", "baseline")
LEAST_CLUSTERS, LEAST_DONORS, LEAST_SERIES = 20, 19, 24


@dataclass(frozen=True)
class Role:
    """A column that may play a part in a study, and why it looks so."""

    role: str
    column: str
    why: str


@dataclass(frozen=True)
class Advice:
    """One design: whether the columns allow it, why, what is wanting, and the lines of its specification."""

    design: str
    verdict: str
    why: str
    wanting: tuple[str, ...]
    spec: str


@dataclass(frozen=True)
class Advised:
    """All designs, the strongest evidence first, and the roles that columns seem to play."""

    file: str
    rows: int
    roles: tuple[Role, ...]
    designs: tuple[Advice, ...]

    def message(self) -> str:
        lines = [f"{self.file}: {self.rows:,} rows"]
        lines += [f"  {r.column} may be the {r.role}: {r.why}" for r in self.roles]
        for one in self.designs:
            lines.append(f"{one.verdict:10} {one.design}: {one.why}")
            lines += [f"             {w}" for w in one.wanting]
        return "\n".join(lines)


@dataclass(frozen=True)
class _Shape:
    """What the columns hold, counted."""

    rows: int
    arm: Levels | None
    units: Levels | None
    periods: Periods | None
    columns: dict[str, str]
    own_arms: int | None

    def column(self, role: str) -> str:
        return self.columns.get(role, f"<{role}>")


def advise(path: Path, delimiter: str = ",", decimal: str = ".") -> Advised:
    """Advice on a file. Raises SpecError for one that cannot be read."""
    table = read_table(Source(path, delimiter, decimal))
    roles = _with_unit(table, _roles(table))
    shape = _shape(table, {r.role: r.column for r in reversed(roles)})
    designs = (_randomised(shape), _did(shape), _staggered(shape), _synthetic(shape), _series(shape))
    return Advised(
        path.name, len(table), roles, tuple(sorted(designs, key=lambda d: (FIT, NEEDS, NO).index(d.verdict)))
    )


def _roles(table: Table) -> list[Role]:
    """Columns by their names, confirmed by what they hold; the first of each role is used."""
    found = []
    for name in table.names:
        plain = name.strip().lower().replace(" ", "_")
        levels = table.levels(name)
        few = len([n for n in levels.names if n.strip()])
        if plain in _COHORTS:
            found.append(Role("cohort", name, "its name says when a unit was first treated"))
        elif plain in _PERIODS and _is_period(table, name):
            found.append(Role("period", name, f"{few} periods"))
        elif plain in _ARMS and 2 <= few <= 10:
            found.append(Role("arm", name, f"{few} values: {', '.join(levels.names[:4])}"))
        elif plain in _UNITS or plain.endswith("_id"):
            found.append(Role("unit", name, f"{few:,} different values"))
        elif plain.startswith(_BEFORE) and table.is_numeric(name):
            found.append(Role("pre_outcome", name, "its name says that it was measured before"))
        elif plain in ("stratum", "cluster", "cluster_id"):
            found.append(Role(plain.removesuffix("_id"), name, f"{few:,} values"))
        elif table.is_numeric(name):
            found.append(Role("outcome", name, "it is numeric and no other part is seen in it"))
    return found


def _with_unit(table: Table, roles: list[Role]) -> tuple[Role, ...]:
    """Where no name tells the unit: the first column that has one row for each of its values in every period."""
    period = next((r.column for r in roles if r.role == "period"), None)
    if period is None or any(r.role == "unit" for r in roles):
        return tuple(roles)
    at = table.levels(period).codes
    for role in roles:
        held = table.levels(role.column)
        pairs = len(np.unique(np.column_stack([held.codes, at]), axis=0))
        if role.role in ("outcome", "arm") and pairs == len(table) and 1 < len(held.names) < len(table):
            unit = Role("unit", role.column, "every period has one row for each of its values")
            return (unit, *(r for r in roles if r is not role))
    return tuple(roles)


def _is_period(table: Table, name: str) -> bool:
    try:
        return len(periods_of(table, name).labels) > 1
    except SpecError:
        return False


def _shape(table: Table, columns: dict[str, str]) -> _Shape:
    arm = table.levels(columns["arm"]) if "arm" in columns else None
    units = table.levels(columns["unit"]) if "unit" in columns else None
    periods = periods_of(table, columns["period"]) if "period" in columns else None
    return _Shape(len(table), arm, units, periods, columns, _crossing(arm, units))


def _crossing(arm: Levels | None, units: Levels | None) -> int | None:
    """How many units have rows in more than one arm; None where it cannot be known."""
    if arm is None or units is None:
        return None
    pairs = np.unique(np.column_stack([units.codes, arm.codes]), axis=0)
    return int(len(pairs) - len(np.unique(pairs[:, 0])))


def _randomised(shape: _Shape) -> Advice:
    spec = (
        f"design: randomised\narm: {shape.column('arm')}\ntreated: <value>\ncontrol: <value>\nexpected_split: <share of treated>"
        f"\noutcome: {shape.column('outcome')}"
    )
    if "pre_outcome" in shape.columns:
        spec += f"\npre_outcome: {shape.column('pre_outcome')}"
    if shape.arm is None:
        return Advice(
            "randomised",
            NO,
            "no column says which arm a unit was in",
            ("keep the assignment in a column named arm",),
            spec,
        )
    if shape.own_arms:
        why = f"{shape.own_arms:,} units have rows in several arms"
        return Advice("randomised", NO, why, ("find out why; assign by a wider unit",), spec)
    wanting = ["only if the arm was drawn by lot: say who drew it and how; the split is tested against it"]
    if "pre_outcome" not in shape.columns:
        wanting.append(
            "the outcome before the study would narrow the interval and show whether the arms were alike"
        )
    return Advice("randomised", FIT, "there are arms, and every unit is in one of them", tuple(wanting), spec)


def _panel(shape: _Shape, design: str) -> Advice | None:
    """What is wanting of a panel of units by periods; None where nothing is."""
    lacks = tuple(f"name a {role} column" for role in ("unit", "period") if role not in shape.columns)
    if lacks:
        return Advice(design, NO, "it needs units over periods", lacks, "")
    assert shape.periods is not None
    if len(shape.periods.labels) < 4:
        why = f"{len(shape.periods.labels)} periods: whether units moved alike before cannot be checked"
        return Advice(design, NEEDS, why, ("bring at least 3 periods before the start",), "")
    return None


def _did(shape: _Shape) -> Advice:
    spec = (
        f"design: did\nunit: {shape.column('unit')}\nperiod: {shape.column('period')}\ntreated_unit: {shape.column('arm')}"
        f"\ntreated_from: <first treated period>\noutcome: {shape.column('outcome')}"
    )
    short = _panel(shape, "did")
    if short is not None:
        return short
    assert shape.units is not None
    if shape.arm is None:
        return Advice(
            "did", NEEDS, "no column says which units were treated", ("add a column treated, 1 or 0",), spec
        )
    count = len(shape.units.names)
    if count < LEAST_CLUSTERS:
        why = f"{count} units: fewer than {LEAST_CLUSTERS}, so intervals by unit are not to be trusted"
        return Advice("did", NEEDS, why, ("add units, or use a synthetic control",), spec)
    return Advice(
        "did",
        FIT,
        f"{count:,} units over {_count(shape)} periods",
        ("one common start for all treated",),
        spec,
    )


def _count(shape: _Shape) -> int:
    return 0 if shape.periods is None else len(shape.periods.labels)


def _staggered(shape: _Shape) -> Advice:
    spec = (
        f"design: staggered\nunit: {shape.column('unit')}\nperiod: {shape.column('period')}\ncohort: {shape.column('cohort')}"
        f"\noutcome: {shape.column('outcome')}"
    )
    short = _panel(shape, "staggered")
    if short is not None:
        return short
    if "cohort" not in shape.columns:
        todo = ("add a column cohort: the first treated period, 0 or empty for never",)
        return Advice("staggered", NO, "no column says when a unit was first treated", todo, spec)
    return Advice("staggered", FIT, "units were first treated at times the file tells", (), spec)


def _synthetic(shape: _Shape) -> Advice:
    spec = (
        f"design: synthetic_control\nunit: {shape.column('unit')}\nperiod: {shape.column('period')}\ntreated_units: [<value>]"
        f"\ntreated_from: <first treated period>\noutcome: {shape.column('outcome')}"
    )
    short = _panel(shape, "synthetic_control")
    if short is not None:
        return short
    assert shape.units is not None
    donors = len(shape.units.names) - 1
    wanting = ["at least 10 periods before the start, and more than after it"]
    if donors < LEAST_DONORS:
        why = f"{donors} possible donors: fewer than {LEAST_DONORS} cannot reach p = 0.05"
        return Advice("synthetic_control", NEEDS, why, (*wanting, "add untreated units"), spec)
    if _count(shape) < 12:
        return Advice("synthetic_control", NEEDS, f"{_count(shape)} periods are few", tuple(wanting), spec)
    return Advice(
        "synthetic_control",
        FIT,
        f"{donors} possible donors over {_count(shape)} periods",
        tuple(wanting),
        spec,
    )


def _series(shape: _Shape) -> Advice:
    spec = (
        f"design: interrupted_series\nperiod: {shape.column('period')}\ntreated_from: <first treated period>"
        f"\noutcome: {shape.column('outcome')}"
    )
    if shape.periods is None:
        return Advice("interrupted_series", NO, "there is no period column", ("name a period column",), spec)
    count = _count(shape)
    if shape.rows > count:
        why = f"{shape.rows:,} rows for {count} periods: one series has one row a period"
        return Advice("interrupted_series", NEEDS, why, ("add the rows up by period",), spec)
    if count < LEAST_SERIES:
        why = f"{count} periods: fewer than {LEAST_SERIES}"
        return Advice("interrupted_series", NEEDS, why, ("bring two seasons before the start",), spec)
    wanting = (
        ("a column that the treatment could not have moved, as a control",) if len(shape.columns) < 3 else ()
    )
    return Advice("interrupted_series", FIT, f"one series of {count} periods", wanting, spec)
