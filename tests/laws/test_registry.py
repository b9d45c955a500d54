"""Laws over the registry: nothing can join the product half declared."""

import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import operators
from sqlalchemy.sql.expression import ColumnElement

import metrics
from data import schema
from data.engines import DuckPool
from data.ledger_views import tables_at
from data.sql import Facts, Span
from metrics import ALL, FAMILIES, ROLLUPS
from metrics.core.metric import Direction, Metric, Rollup
from metrics.core.shapes import Counts, columns_of

FACTS_TABLES = {
    name: schema.extended(t, ("attr_race", "feat_x") if name == "predictions" else ())
    for name, t in schema.METADATA.tables.items()
} | dict(tables_at())


def statement(rollup: Rollup) -> sa.Select:
    return rollup.select(Facts(FACTS_TABLES, rollup.resolved_dims(FACTS_TABLES), Span(20_000, 20_030)))


def test_families_are_the_files_of_the_folder():
    files = {p.stem for p in Path(metrics.__file__).parent.glob("[a-z]*.py")}
    assert {f.__name__.split(".")[-1] for f in FAMILIES} == files


def test_a_keys_first_part_is_its_file():
    for family in FAMILIES:
        assert all(m.key.split(".")[0] == family.__name__.split(".")[-1] for m in family.METRICS)


def test_keys_are_unique_and_the_registry_is_complete():
    keys = [m.key for f in FAMILIES for m in f.METRICS]
    assert len(keys) == len(set(keys))
    assert set(keys) == set(ALL)


def test_every_rollup_of_a_metric_is_registered():
    assert {m.rollup.key for m in ALL.values()} <= set(ROLLUPS)


@pytest.mark.parametrize("metric", ALL.values(), ids=ALL.keys())
def test_every_metric_is_declared_in_words(metric: Metric):
    assert 3 <= len(metric.title) <= 60
    assert metric.question.endswith("?"), metric.question
    for text in (metric.definition, metric.why):
        assert len(text.split()) >= 5, text
        assert text.rstrip().endswith("."), text
    assert metric.owner
    assert metric.interval
    assert isinstance(metric.direction, Direction)
    assert set(metric.apart) <= set(metric.rollup.dims)


def test_direction_and_owner_have_no_default():
    parameters = inspect.signature(Metric).parameters
    assert parameters["direction"].default is inspect.Parameter.empty
    assert parameters["owner"].default is inspect.Parameter.empty


@pytest.mark.parametrize("rollup", ROLLUPS.values(), ids=ROLLUPS.keys())
def test_a_rollup_selects_just_what_it_declares(rollup: Rollup):
    wanted = ["day", *rollup.resolved_dims(FACTS_TABLES), *rollup.inner, *columns_of(rollup.shapes)]
    assert sorted(statement(rollup).selected_columns.keys()) == sorted(wanted)
    assert any(isinstance(s, Counts) for s in rollup.shapes)


AGGREGATES = {"count", "sum", "avg", "var_pop"}  # not min and max: they hand over one person's value


def sources(table: sa.FromClause, key: str) -> list[ColumnElement]:
    """What a column of a subquery, CTE or alias is made of; every arm of a union counts."""
    inner = table.element
    while isinstance(inner, sa.Subquery | sa.CTE | sa.Alias):
        inner = inner.element
    arms = inner.selects if isinstance(inner, sa.CompoundSelect) else [inner]
    at = list(inner.selected_columns.keys()).index(key) if hasattr(inner, "selected_columns") else -1
    flat = [a.element if isinstance(a, sa.sql.selectable.SelectStatementGrouping) else a for a in arms]
    return [list(arm.selected_columns)[at] if at >= 0 else arm.c[key] for arm in flat]


def personal_outputs(select: sa.Select) -> set[str]:
    """Personal columns that reach the result other than inside an aggregate or a yes-or-no test."""
    found, seen = set(), set()

    def walk(element: ColumnElement, inside: bool) -> None:
        if inside or (mark := id(element)) in seen:  # deep statements share their parts
            return
        seen.add(mark)
        table = getattr(element, "table", None)
        if isinstance(table, sa.Subquery | sa.CTE | sa.Alias):
            for source in sources(table, element.key):
                walk(source, inside)
        elif isinstance(element, sa.Column):
            if element.info.get("personal"):
                found.add(element.name)
        elif isinstance(element, sa.Over):
            walk(element.element, inside)  # what parts or orders the rows does not leave with them
        else:
            tested = isinstance(element, sa.BinaryExpression) and operators.is_comparison(element.operator)
            inside = tested or getattr(element, "name", "") in AGGREGATES
            for child in element.get_children():
                if isinstance(child, ColumnElement) or hasattr(child, "get_children"):
                    walk(child, inside)

    kept.append(select)  # ids name objects only while these live
    for column in select.selected_columns:
        walk(column, False)
    return found


kept: list[sa.Select] = []


@pytest.mark.parametrize("rollup", ROLLUPS.values(), ids=ROLLUPS.keys())
def test_no_personal_column_leaves_the_warehouse(rollup: Rollup):
    assert personal_outputs(statement(rollup)) == set()


def test_the_personal_column_law_catches_an_offender():
    t = FACTS_TABLES["predictions"]
    inner = sa.select(t.c.entity_id.label("who"), t.c.score).subquery()
    assert personal_outputs(sa.select(inner.c.who)) == {"entity_id"}
    assert personal_outputs(sa.select(sa.func.count(inner.c.who.distinct()).label("n"))) == set()
    named = sa.select(inner.c.who.label("a")).cte("named")
    assert personal_outputs(sa.select(named.alias().c.a)) == {"entity_id"}
    score = sa.cast(t.c.score, sa.Text).label("a")
    assert personal_outputs(
        sa.select(sa.select(score).union_all(sa.select(t.c.entity_id)).subquery().c.a)
    ) == {"entity_id"}
    assert personal_outputs(sa.select(sa.case((t.c.entity_id == "x", 1), else_=0).label("one"))) == set()


@pytest.mark.parametrize("rollup", ROLLUPS.values(), ids=ROLLUPS.keys())
def test_the_sql_compiles_where_we_run_it(rollup: Rollup, tmp_path: Path):
    for dialect in (postgresql.dialect(), DuckPool(tmp_path).engine.dialect):
        assert "GROUP BY" in str(statement(rollup).compile(dialect=dialect)).upper()


def elements(statement: sa.Select) -> Iterator[sa.sql.ClauseElement]:
    """Every part of a statement once, however often it is shared (plain iteration is exponential in the depth)."""
    waiting, seen = [statement], {id(statement): statement}
    while waiting:
        element = waiting.pop()
        yield element
        new = [c for c in element.get_children() if id(c) not in seen]
        seen |= {id(c): c for c in new}
        waiting += new


def test_no_statement_uses_what_engines_disagree_on():
    banned = {"date_trunc", "percentile_cont", "greatest", "least", "rollup", "lateral"}
    for rollup in ROLLUPS.values():
        names = {
            e.name.lower()
            for e in elements(statement(rollup))
            if isinstance(e, sa.sql.functions.FunctionElement)
        }
        assert not names & banned, (rollup.key, names & banned)
