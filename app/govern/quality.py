"""Quality rules of a data contract (ODCS 3.1 `library` metrics) as one portable statement over the warehouse.

`rowCount`, `nullValues`, `missingValues`, `invalidValues` and `duplicateValues` with every `mustBe` operator, in rows or
per cent. Rules of other types (text, sql, custom) are never run: they are reported as not measured, and nobody's SQL is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement, FromClause

from data.sql import double

METRICS = ("rowCount", "nullValues", "missingValues", "invalidValues", "duplicateValues")
# Operator -> how it is said. Pairs bound a range, both ends included.
OPERATORS = {
    "mustBe": "exactly", "mustNotBe": "not", "mustBeGreaterThan": "more than", "mustBeGreaterOrEqualTo": "at least",
    "mustBeLessThan": "less than", "mustBeLessOrEqualTo": "at most", "mustBeBetween": "between",
    "mustNotBeBetween": "not between",
}  # fmt: skip
MOST_RULES = 200
_HOLDS: Mapping[str, Callable[[float, float, float], bool]] = {
    "mustBe": lambda x, a, _: x == a,
    "mustNotBe": lambda x, a, _: x != a,
    "mustBeGreaterThan": lambda x, a, _: x > a,
    "mustBeGreaterOrEqualTo": lambda x, a, _: x >= a,
    "mustBeLessThan": lambda x, a, _: x < a,
    "mustBeLessOrEqualTo": lambda x, a, _: x <= a,
    "mustBeBetween": lambda x, a, b: a <= x <= b,
    "mustNotBeBetween": lambda x, a, b: not a <= x <= b,
}
Literal = str | float | bool | None


@dataclass(frozen=True)
class Bound:
    """One operator of a rule with its one or two numbers."""

    operator: str
    numbers: tuple[float, ...]

    def holds(self, value: float) -> bool:
        return _HOLDS[self.operator](value, self.numbers[0], self.numbers[-1])

    def said(self, unit: str) -> str:
        return f"{OPERATORS[self.operator]} {' and '.join(f'{n:,.6g}' for n in self.numbers)}{unit}"


@dataclass(frozen=True)
class Quality:
    """A library rule. `columns`: none for rowCount, several where a key of several columns must be unique."""

    metric: str
    columns: tuple[str, ...]
    bounds: tuple[Bound, ...]
    percent: bool = False
    values: tuple[Literal, ...] = ()
    pattern: str | None = None

    @property
    def name(self) -> str:
        return f"{self.metric} of {', '.join(self.columns)}" if self.columns else self.metric


@dataclass(frozen=True)
class Unrun:
    """A rule that is not measured here, and why."""

    name: str
    why: str


@dataclass(frozen=True)
class Measured:
    """Rows counted by a rule out of all rows; None of both where the rule could not be asked."""

    rule: Quality
    count: int
    rows: int

    @property
    def value(self) -> float | None:
        """Rows, or per cent of all rows: None where there are none."""
        if not self.rule.percent:
            return float(self.count)
        return 100.0 * self.count / self.rows if self.rows else None

    @property
    def broken(self) -> tuple[str, ...]:
        """The bounds that do not hold, as they are said."""
        value = self.value
        unit = " %" if self.rule.percent else ""
        return () if value is None else tuple(b.said(unit) for b in self.rule.bounds if not b.holds(value))


def rules_of(document: str) -> tuple[Quality | Unrun, ...]:
    """Every quality rule of a contract's document (JSON), those of the table first."""
    tables = json.loads(document).get("schema") or [{}]
    table = tables[0] if isinstance(tables, list) and isinstance(tables[0], dict) else {}
    found = [_rule(r, ()) for r in _dicts(table.get("quality"))]
    for field in _dicts(table.get("properties")):
        name = str(field.get("physicalName") or field.get("name") or "")
        found += [_rule(r, (name,)) for r in _dicts(field.get("quality"))]
        if field.get("required") is True:
            found.append(Quality("nullValues", (name,), (Bound("mustBe", (0.0,)),)))
        if field.get("unique") is True:
            found.append(Quality("duplicateValues", (name,), (Bound("mustBe", (0.0,)),)))
    return tuple(found[:MOST_RULES])


def _dicts(value: object) -> list[Mapping[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _rule(rule: Mapping[str, Any], columns: tuple[str, ...]) -> Quality | Unrun:
    metric = str(rule.get("metric") or rule.get("rule") or "")
    name = f"{metric or rule.get('type') or 'rule'} of {columns[0]}" if columns else metric or "rule"
    kind = rule.get("type") or "library"
    if kind != "library":
        return Unrun(name, f"rules of type {kind} are not run here; write it as a library metric")
    if metric not in METRICS:
        return Unrun(name, f"the metric {metric!r} is not known; use one of {', '.join(METRICS)}")
    try:
        bounds = tuple(Bound(o, _numbers(o, rule[o])) for o in OPERATORS if o in rule)
    except ValueError:
        return Unrun(name, "an operator has no number; write one, or two in a list for between")
    if not bounds:
        return Unrun(name, f"it has no operator; write one of {', '.join(OPERATORS)}")
    given = rule.get("arguments")
    arguments: Mapping[str, Any] = given if isinstance(given, dict) else {}
    pattern = arguments.get("pattern")
    listed = arguments.get("missingValues" if metric == "missingValues" else "validValues")
    keys = columns or tuple(str(p) for p in arguments.get("properties") or ())
    return Quality(
        metric, () if metric == "rowCount" else keys, bounds, str(rule.get("unit", "rows")) in ("percent", "%"),
        tuple(listed) if isinstance(listed, list) else (), str(pattern) if pattern else None,
    )  # fmt: skip


def _numbers(operator: str, value: object) -> tuple[float, ...]:
    """The numbers of an operator. Raises ValueError where there are not as many as it needs."""
    given = value if isinstance(value, list) else [value]
    wanted = 2 if operator.endswith("Between") else 1
    if len(given) != wanted or any(isinstance(v, bool) for v in given):
        raise ValueError(f"{operator} takes {wanted}")
    numbers = tuple(float(str(v)) for v in given)
    if not all(abs(n) < float("inf") for n in numbers):
        raise ValueError(f"{operator} takes finite numbers")
    return numbers


def why_unrun(rule: Quality, table: FromClause, dialect: str) -> str:
    """Why a rule cannot be asked of this table; empty where it can."""
    missing = [c for c in rule.columns if c not in table.c]
    if missing:
        return f"the table has no column {missing[0]}"
    if rule.metric != "rowCount" and not rule.columns:
        return "it names no column; list them under arguments, properties"
    if rule.metric == "invalidValues" and not (rule.values or rule.pattern):
        return "it names neither validValues nor a pattern"
    if rule.pattern and dialect not in ("duckdb", "postgresql"):
        return f"patterns are not asked of {dialect}"
    column = table.c[rule.columns[0]] if rule.columns else None
    if column is not None and rule.values and _kind(column) == "other":
        return f"the values of {column.name} are neither text nor numbers"
    return ""


def counted(rules: tuple[Quality, ...], table: FromClause, dialect: str) -> sa.Select[Any]:
    """One row: `rows`, and `q0`, `q1`, ... the rows that each rule counts. Duplicates are asked apart."""
    columns = [
        sa.func.count(sa.case((_test(r, table, dialect), 1))).label(f"q{at}")
        for at, r in enumerate(rules)
        if r.metric not in ("rowCount", "duplicateValues")
    ]
    every: list[sa.ColumnElement[Any]] = [sa.func.count().label("rows"), *columns]
    return sa.select(*every).select_from(table)


def duplicates(rule: Quality, table: FromClause) -> sa.Select[Any]:
    """Rows beyond the first of each value (of each combination of values); rows with a NULL among them do not count."""
    keys = [table.c[c].label(f"k{at}") for at, c in enumerate(rule.columns)]
    inner = sa.select(*keys).where(*(table.c[c].is_not(None) for c in rule.columns)).subquery("k")
    groups = sa.select(sa.func.count().label("n")).select_from(inner).group_by(*inner.c).subquery("g")
    return sa.select(sa.func.coalesce(sa.func.sum(groups.c.n - 1), 0).label("beyond"))


def _test(rule: Quality, table: FromClause, dialect: str) -> ColumnElement[bool]:
    column = table.c[rule.columns[0]]
    if rule.metric == "nullValues":
        return column.is_(None)
    if rule.metric == "missingValues":
        given = tuple(v for v in rule.values if v is not None)
        return sa.or_(column.is_(None), _among(column, given)) if given else column.is_(None)
    tests = [sa.not_(_among(column, rule.values))] if rule.values else []
    if rule.pattern:
        tests.append(sa.not_(_matches(column, rule.pattern, dialect)))
    return sa.and_(column.is_not(None), sa.or_(*tests))


def _kind(column: ColumnElement[Any]) -> str:
    if isinstance(column.type, sa.String):
        return "text"
    return "number" if isinstance(column.type, sa.Numeric | sa.Float | sa.Integer) else "other"


def _among(column: ColumnElement[Any], values: tuple[Literal, ...]) -> ColumnElement[bool]:
    """Whether a value is one of a list, compared as what the column holds."""
    if _kind(column) == "text":
        return column.in_([str(v) for v in values if v is not None])
    numbers = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    return double(column).in_(numbers) if numbers else sa.false()


def _matches(column: ColumnElement[Any], pattern: str, dialect: str) -> ColumnElement[bool]:
    """Whether the pattern is found in the value, as in the standard: anchors are written in the pattern."""
    text = sa.cast(column, sa.Text)
    if dialect == "duckdb":
        return sa.func.regexp_matches(text, pattern)
    return text.op("~", is_comparison=True)(pattern)
