"""Metric, Rollup, Reading, Scope: the nouns of the product, all frozen.

`warehouse rows -> SELECT -> rollup cell -> finaliser (pure numpy) -> Reading -> tile`: a Rollup is the SELECT
and its additive cells, a Metric the finaliser with its words, a Reading the only thing that leaves `metrics/`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import sqlalchemy as sa

from data.sql import Facts, Limit
from metrics.core.shapes import Columns, Shape

if TYPE_CHECKING:
    from metrics.core.cohorts import Cohorts

C = TypeVar("C")  # the typed cells of a rollup
ATTRIBUTES = "attr_*"  # a rollup dimension that stands for every protected attribute the warehouse holds

INTERSECTION = "people"  # a rollup dimension whose groups are intersections of protected attributes


def protected(dim: str) -> bool:
    """Whether the groups of a dimension are groups of people, of which small ones are not shown."""
    return dim.startswith("attr_") or dim == INTERSECTION


class Unit(StrEnum):
    SHARE = "share"
    SCORE = "score"
    COUNT = "count"
    MONEY = "money"
    SECONDS = "seconds"
    NUMBER = "number"
    RATIO = "ratio"
    P_VALUE = "p value"


class Direction(StrEnum):
    """Which way is better. There is no default: a metric that does not know is not a metric."""

    HIGHER = "higher is better"
    LOWER = "lower is better"
    NEITHER = "neither"


class Dimension(StrEnum):
    TECHNICAL = "technical"
    BUSINESS = "business"
    PROCESS = "process"
    LEARNING = "learning"


@dataclass(frozen=True)
class Estimate:
    """What a finaliser says: a value with its interval, or None with the reason in words."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    numerator: float | None = None
    denominator: float | None = None
    method: str = ""
    reason: str = ""
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.value is None and not self.reason:
            raise ValueError("an undefined number needs a reason")
        numbers = (self.value, self.low, self.high, self.numerator, self.denominator)
        if any(x is not None and not abs(x) < float("inf") for x in numbers):
            raise ValueError(f"not a finite number: {numbers}")


def undefined(reason: str, n: int = 0, warnings: tuple[str, ...] = ()) -> Estimate:
    """An estimate that does not exist, and why."""
    return Estimate(None, n=n, reason=reason, warnings=warnings)


@dataclass(frozen=True)
class Reading:
    """One number as shown: the estimate with what it is of, when the data end, and which data and definition.

    `as_of` is the newest load the number reflects (UTC), `version` names data generation and definition.
    `inadmissible`: broken data contracts on what it was read from, each by name; such a number passes no target.
    """

    key: str
    by: tuple[tuple[str, str | None], ...]
    value: float | None
    low: float | None
    high: float | None
    n: int
    numerator: float | None
    denominator: float | None
    unit: Unit
    method: str
    reason: str
    warnings: tuple[str, ...]
    as_of: dt.datetime | None
    version: str
    inadmissible: tuple[str, ...] = ()


@dataclass(frozen=True)
class Setting:
    """A choice a reader may make about a metric (`--set NAME=VALUE`); no choices means free text."""

    name: str
    default: str
    help: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Choice:
    """The settings in force for one reading."""

    values: tuple[tuple[str, str], ...] = ()

    def __getitem__(self, name: str) -> str:
        return dict(self.values)[name]


@dataclass(frozen=True)
class Scope:
    """What is asked: pinned dimensions, breakdown, first and last day (both included), knowledge time, settings.

    `by` may name dimensions of the rollup and one of `day`, `week`, `month`; `limits` are set by a metric's `cohorts`.
    """

    where: tuple[tuple[str, str], ...] = ()
    by: tuple[str, ...] = ()
    since: dt.date | None = None
    until: dt.date | None = None
    as_of: dt.datetime | None = None
    settings: tuple[tuple[str, str], ...] = ()
    limits: tuple[Limit, ...] = ()


class Reach(StrEnum):
    """Which partitions of a table the days asked for need."""

    OWN = "the same days"
    LATER = "the same days and all later ones"
    ALL = "every day"


Touch = Callable[[Facts], sa.Select[tuple[int]]]


@dataclass(frozen=True)
class Keyed:
    """How changed rows reach single rows of a rollup's first table, so that a refresh computes these and no others.

    Every cell is a sum over those rows (named by `key`), and each lies on one day. `moved`: by table, a column of the
    first table and a SELECT of its values whose cells the changed rows (shown under that table's name) can move.
    `cuts`: large tables, in order, each with a test of the rows that the cells of the kept ones need; facts show
    tables cut before it, and the first table, as already cut. `aging`: a test of the rows of the first table that
    time alone moved since an observation end (the facts' `observed_us`), itself or by overtaking them.
    """

    key: str
    moved: tuple[tuple[str, str, Callable[[Facts], sa.Select[tuple[str]]]], ...]
    cuts: tuple[tuple[str, Callable[[Facts], sa.ColumnElement[bool]]], ...]
    aging: Callable[[Facts], sa.ColumnElement[bool]] | None = None


@dataclass(frozen=True)
class Rollup(Generic[C]):
    """Additive cells per day and dimension, and the SELECT that makes them from the warehouse.

    `tables`: warehouse tables it reads. The first gives the cells their days; new rows of the others make
    days dirty too: the same days, unless `touched` has a SELECT of `day` for them (given only the new rows of that
    table) or None, which says that new rows move nothing by themselves. `reach`: partitions needed of a table.
    `unsettled`: a dimension's value whose days are recomputed each time, because they change with time alone.
    `observed`: sources whose watermarks say how far the cells observe; their time is in the `observed_us` column.
    `dims`: dimensions a reader may slice by (`attr_*` stands for all protected attributes held).
    `inner`: integer keys kept inside a slice for the finaliser (a score bin, a decision); those in `words` hold text.
    `history`: finalisers also get the group's cells of all days, in columns `all_<name>`, to compare the days asked for.
    `select`: statement with columns `day`, the dims, the inner keys and every column of `shapes`.
    `cells`: makes the finaliser's typed arrays of one slice.
    `derived`: settles columns of the statement that SQL can only prepare (a deadline on a holiday calendar).
    `keyed`: how to bring cells up to date row by row; its cells hold counts and sums, and some count is never 0.
    `by_days`: asked for some days at a time, because its statement reads of other tables what these days speak of.
    `stored`: False for queries asked of the warehouse each time (exact answers on demand).
    `ledger`: the SELECT counts in the ledger's registers, which `tables` then names; never stored, and without days.
    """

    key: str
    title: str
    tables: tuple[str, ...]
    dims: tuple[str, ...]
    shapes: tuple[Shape, ...]
    select: Callable[[Facts], sa.Select[tuple[object, ...]]]
    cells: Callable[[Columns], C]
    inner: tuple[str, ...] = ()
    version: int = 1
    stored: bool = True
    ledger: bool = False
    touched: tuple[tuple[str, Touch | None], ...] = ()
    reach: tuple[tuple[str, Reach], ...] = ()
    unsettled: tuple[str, str] | None = None
    observed: tuple[str, ...] = ()
    derived: Callable[[Columns], Columns] | None = None
    keyed: Keyed | None = None
    words: tuple[str, ...] = ()
    history: bool = False
    by_days: bool = False

    def resolved_dims(self, tables: Mapping[str, sa.FromClause]) -> tuple[str, ...]:
        """The dims with `attr_*` replaced by the attributes that the warehouse really holds."""
        held = sorted({c for t in self.tables for c in tables[t].c.keys() if c.startswith("attr_")})  # noqa: SIM118 (a column collection, not a dict)
        return tuple(d for dim in self.dims for d in (held if dim == ATTRIBUTES else [dim]))


@dataclass(frozen=True)
class Contrast(Generic[C]):
    """A comparison of each group with a reference group of the same dimension.

    `reference`: names that are the comparison (control, holdout; merged where several are present); empty means
    the reader's `reference` setting, else the largest group. `size` gives a group's n.
    `every`: report each group even when no breakdown is asked for; otherwise the answer without a breakdown is
    the group of greatest `badness` among those with at least min_n.
    """

    dim: str
    compare: Callable[[C, C, Choice], Estimate]
    size: Callable[[C], int]
    reference: tuple[str, ...] = ()
    every: bool = False
    badness: Callable[[float], float] = abs


@dataclass(frozen=True)
class Cases:
    """The rows behind a headline, as a list that a person reads and acts on; never the way to a number.

    `select`: statement whose columns are shown under their own names (times as microseconds end in `_us`), most urgent
    row first. `tables`: what it reads. `observed`, `derived`: as in a Rollup.
    """

    title: str
    tables: tuple[str, ...]
    select: Callable[[Facts, Choice], sa.Select[Any]]
    observed: tuple[str, ...] = ()
    derived: Callable[[Columns], Columns] | None = None


@dataclass(frozen=True)
class Metric(Generic[C]):
    """One number's whole declaration: words, computation, judgement. Exactly one of finalise and contrast."""

    key: str
    title: str
    question: str
    definition: str
    why: str
    dimension: Dimension
    unit: Unit
    direction: Direction
    rollup: Rollup[C]
    interval: str
    owner: str
    finalise: Callable[[C, Choice], Estimate] | None = None
    contrast: Contrast[C] | None = None
    apart: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()
    min_n: int = 30
    stale_after: dt.timedelta = field(default=dt.timedelta(days=7))
    references: tuple[str, ...] = ()
    version: int = 1
    cases: Cases | None = None
    cohorts: Cohorts[Any] | None = None

    def __post_init__(self) -> None:
        if (self.finalise is None) == (self.contrast is None):
            raise ValueError(f"{self.key}: give one of finalise and contrast")

    @property
    def family(self) -> str:
        return self.key.split(".", 1)[0]

    def choice(self, given: tuple[tuple[str, str], ...]) -> Choice:
        """The settings in force; ValueError for a name or value this metric does not know."""
        known = {s.name: s for s in self.settings}
        for name, value in given:
            if name not in known:
                allowed = ", ".join(known) or "none"
                raise ValueError(f"{self.key} has no setting {name!r}; it has: {allowed}")
            if known[name].choices and value not in known[name].choices:
                raise ValueError(f"{name}={value!r}: choose one of {', '.join(known[name].choices)}")
        return Choice(tuple(({s.name: s.default for s in self.settings} | dict(given)).items()))
