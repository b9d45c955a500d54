"""Every rollup's statement in the words of every engine we name: it compiles, and that engine's grammar reads it.

The engines that are run have their own lanes (`tests/laws/test_parity.py`, `tests/engines`); the others have only this.
"""

from __future__ import annotations

import datetime as dt
from functools import cache

import pytest
import sqlalchemy as sa
import sqlglot

from data.dialects import ENGINES, Engine, NoDialectError, dialect_of, text_of
from data.mappings import model, views
from data.sql import Instant, micros, number_in, time_at
from metrics import ROLLUPS
from tests.cases import SOAK
from tests.laws.test_registry import statement

SHORT = (
    3_000  # characters; longer statements are read in turn, one engine each, as reading them takes seconds
)
IDS = [e.name for e in ENGINES]


@pytest.fixture(autouse=True)
def needs_the_dialect(request: pytest.FixtureRequest) -> None:
    """An engine whose package is not here is skipped by name; the night's environment (requirements-engines.txt) has all."""
    engine = request.node.callspec.params.get("engine") if hasattr(request.node, "callspec") else None
    try:
        if isinstance(engine, Engine):
            dialect_of(engine.name)
    except NoDialectError as error:
        pytest.skip(str(error))


@cache
def statements() -> dict[str, sa.Select]:
    return {key: statement(rollup) for key, rollup in ROLLUPS.items()}


@cache
def texts(name: str) -> dict[str, str]:
    dialect = dialect_of(name)
    return {key: text_of(select, dialect) for key, select in statements().items()}


def turn(engine: Engine) -> list[str]:
    """Rollups whose text this engine's grammar reads: the short ones, and its share of the others; all in the soak."""
    own = list(ENGINES).index(engine)
    return [
        key
        for i, (key, text) in enumerate(texts(engine.name).items())
        if SOAK or len(text) < SHORT or i % len(ENGINES) == own
    ]


@pytest.mark.parametrize("engine", ENGINES, ids=IDS)
def test_every_rollup_compiles_and_is_read_by_the_engines_grammar(engine: Engine):
    for key in turn(engine):
        (tree,) = sqlglot.parse(texts(engine.name)[key], read=engine.grammar)
        assert tree is not None, key
        assert tree.find(sqlglot.exp.Group) is not None, key


@pytest.mark.parametrize("engine", ENGINES, ids=IDS)
def test_no_statement_has_what_the_engine_would_read_otherwise(engine: Engine):
    for key, text in texts(engine.name).items():
        assert "%%" not in text, key  # a driver's escape, no modulo
        assert "param_" not in text, key  # every constant is written out
        if engine.entry.partition(".")[0] in ("databricks", "trino", "snowflake", "bigquery", "clickhousedb"):
            assert "'2024-10-04" not in text, key  # a time as a text is compared as a text, or refused


@pytest.mark.parametrize("engine", ENGINES, ids=IDS)
def test_recursion_ends_by_a_trail_where_union_all_is_all_there_is(engine: Engine):
    text = texts(engine.name)["suppression.stops"].upper()
    assert "RECURSIVE" in text
    assert ("TRAIL" in text) == (engine.name not in ("duckdb", "postgresql"))


@pytest.mark.parametrize("engine", ENGINES, ids=IDS)
def test_the_seam_speaks_every_engine(engine: Engine):
    t = sa.table("t", sa.column("at"), sa.column("word"))
    times = sa.select(micros(t.c.at).label("us"), number_in(t.c.word).label("x")).subquery()
    since = sa.literal(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), Instant())
    whole = sa.select(time_at(times.c.us).label("at"), times.c.x).where(time_at(times.c.us) >= since)
    assert sqlglot.parse_one(text_of(whole, dialect_of(engine.name)), read=engine.grammar) is not None


@pytest.mark.parametrize("engine", ENGINES, ids=IDS)
@pytest.mark.parametrize("name", ["segment", "braze"])
def test_the_ready_mappings_are_read_by_the_engines_grammar(name: str, engine: Engine):
    script = views.script(model.read(model.FOLDER / f"{name}.yaml"), dialect_of(engine.name))
    assert len([t for t in sqlglot.parse(script, read=engine.grammar) if t is not None]) > 5


def test_a_dialect_without_its_package_says_what_to_install(monkeypatch):
    def absent(_: str) -> object:
        raise sa.exc.NoSuchModuleError("no")

    monkeypatch.setattr("data.dialects.registry.load", absent)
    with pytest.raises(NoDialectError, match="pip install trino"):
        dialect_of("trino")
    with pytest.raises(NoDialectError, match="there is: duckdb"):
        dialect_of("oracle")


@pytest.mark.parametrize(
    "engine",
    [e for e in ENGINES if e.name in ("spark", "databricks", "bigquery", "trino")],
    ids=lambda e: e.name,
)
def test_a_date_is_made_a_time_where_the_engines_clock_takes_no_date(engine: Engine):
    """Found on Spark, by the days of changed costs."""
    day, time = (sa.table("costs", sa.column("of", t)).c["of"] for t in (sa.Date(), sa.TIMESTAMP()))
    dialect = dialect_of(engine.name)
    assert "CAST(costs.of AS TIMESTAMP)" in text_of(sa.select(micros(day)), dialect).replace("`", "")
    assert "CAST(costs.of" not in text_of(sa.select(micros(time)), dialect).replace("`", "")
