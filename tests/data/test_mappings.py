"""Mappings: the ready ones run on DuckDB and PostgreSQL, and whatever is missing is named exactly."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from app.__main__ import cli
from data.dialects import dialect_of, engine_at
from data.mappings import judge, model, views
from data.sql_warehouse import SqlWarehouse
from tests.data import mapping_homes as homes
from tests.data.mapping_homes import NOW, READY

ENGINES = ("duckdb", pytest.param("postgresql", marks=pytest.mark.postgres))


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A dialect and the address of an empty warehouse, which is left as empty."""
    if request.param == "duckdb":
        yield "duckdb", homes.duck_url(tmp_path)
        return
    url = request.getfixturevalue("pg")
    yield "postgresql", url
    homes.empty(url)


def made(name: str, place: tuple[str, str]) -> SqlWarehouse:
    """A provider's own tables, the views over them, and the app's look at these."""
    plan = homes.ready(name)
    dialect, url = place
    homes.fill(url, plan, homes.ROWS[name])
    homes.run(url, views.script(plan, dialect_of(dialect)))
    return SqlWarehouse(url, plan.target)


def rows(warehouse: SqlWarehouse, name: str, *columns: str) -> list[tuple[object, ...]]:
    table = warehouse.tables()[name]
    with warehouse._engine.connect() as db:
        return sorted((tuple(r) for r in db.execute(sa.select(*(table.c[c] for c in columns)))), key=str)


def test_segments_tables_become_ours(place):
    warehouse = made("segment", place)
    events = rows(warehouse, "message_events", "event_id", "activation_id", "event_type")
    assert events == [
        ("d0", "m0|u1", "delivered"), ("d1", "m1|u1", "delivered"), ("d2", "m2|u2", "delivered"),
        ("o0", "m0|u1", "opened"), ("x0", "m0|u1", "unsubscribed"),
    ]  # fmt: skip
    assert rows(warehouse, "outcomes", "outcome_id", "revenue", "currency") == [("order-1", 12.5, "EUR")]
    ((at,),) = rows(warehouse, "suppression_events", "effective_at")
    assert at.astimezone(dt.UTC) == homes.AT.replace(hour=14)  # type: ignore[attr-defined]
    assert rows(warehouse, "signals", "signal_id") == []  # not mapped: no rows, and no error


def test_brazes_tables_become_ours(place):
    warehouse = made("braze", place)
    assert rows(warehouse, "activations", "activation_id", "person_id", "campaign_id") == [
        ("d|b1|v", "u1", "c"), ("d|b2|v", "b2", "k"),
    ]  # fmt: skip
    assert rows(warehouse, "suppression_events", "suppression_event_id", "trigger_type", "action") == [
        ("g1", "opt_out", "suppress"), ("g2", "re_opt_in", "release"),
    ]  # fmt: skip
    opened = rows(warehouse, "message_events", "event_id", "is_machine")
    assert opened == [("o1", True), ("o2", False), ("s1", None), ("s2", None)]
    ((at,), *_) = rows(warehouse, "activations", "created_at")
    assert at.astimezone(dt.UTC) == homes.AT  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", READY)
def test_a_ready_mapping_lacks_nothing(name, place):
    plan = homes.ready(name)
    homes.fill(place[1], plan, homes.ROWS[name])
    engine = engine_at(place[1])
    with engine.connect() as db:
        theirs = judge.their_tables(db, plan)
        found = [f for m in plan.tables for f in judge.in_rows(db, m, plan, NOW)]
    engine.dispose()
    assert [f for f in (*judge.on_paper(plan), *judge.against(plan, theirs), *found) if f.must] == []


def test_what_their_rows_break_is_counted(place):
    plan = homes.ready("braze")
    name = "users_behaviors_subscription_globalstatechange_shared"
    first = homes.BRAZE[name][0]
    later = int(NOW.timestamp()) + 86_400
    odd = [
        first,
        first | {"subscription_status": "Paused", "id": "g3"},
        first | {"id": None, "time": later * 1000},
    ]
    homes.fill(place[1], plan, {name: [*odd, first]})
    mapped = next(m for m in plan.tables if m.name == "suppression_events")
    engine = engine_at(place[1])
    with engine.connect() as db:
        found = {(f.column, f.what): f.rows for f in judge.in_rows(db, mapped, plan, NOW)}
    engine.dispose()
    needs = "empty, and the contract needs it"
    assert found == {
        ("suppression_event_id", needs): 1, ("trigger_type", needs): 1, ("action", needs): 1,
        ("effective_at", "times in the future"): 1, ("", "rows that repeat the key (suppression_event_id)"): 1,
    }  # fmt: skip


def plan_of(text: str, folder: Path) -> model.Plan:
    path = folder / "map.yaml"
    path.write_text(text)
    return model.read(path)


def test_a_table_or_column_they_do_not_have_is_named_with_its_nearest(tmp_path):
    plan = plan_of("tables: {people: {from: user, columns: {person_id: uid, country: land}}}", tmp_path)
    theirs = {"users": ("id",), "": ("users",)}
    (found,) = judge.against(plan, theirs)
    assert "there is no table user" in found.what
    assert "did you mean users?" in found.what
    assert len(judge.against(plan, {"user": ("id", "uidd"), "": ("user",)})) == 2


def test_a_required_column_and_a_word_outside_the_contract_are_missing_on_paper(tmp_path):
    text = "tables: {message_events: {from: e, columns: {event_id: id, event_type: {value: boom}}}}"
    said = [f.message() for f in judge.on_paper(plan_of(text, tmp_path)) if f.must]
    assert [m.split(":")[0].split()[-1] for m in said] == [
        "message_events.source", "message_events.activation_id", "message_events.event_at", "message_events.event_type",
    ]  # fmt: skip
    assert "Write one of: queued, sent" in said[-1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tables: {peple: {from: u, columns: {}}}", "did you mean people"),
        ("tables: {people: {from: u, columns: {persn_id: id}}}", "did you mean person_id"),
        ("tables: {people: {from: u, columns: {person_id: {valeu: x}}}}", "exactly one of"),
        ("tables: {people: {from: u, columns: {person_id: {words: {a: b}}}}}", "say with `of:`"),
        ("tables: {people: {from: u, columns: {person_id: {join: id}}}}", "join takes a list"),
        ("tables: {people: {form: u, columns: {}}}", "did you mean from"),
        ("tables: {people: {from: u, columns: {person_id: id}, where: [{column: a}]}}", "one of: is, is_not, filled"),
        ("tables: [", "no sound YAML"),
        ("mapping: x", "write `tables:`"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_understood_is_refused_with_its_place(text, says, tmp_path):
    with pytest.raises(model.MappingError, match=says):
        plan_of(text, tmp_path)


def test_the_command_writes_the_views_and_says_what_is_missing(tmp_path):
    plan = homes.ready("segment")
    url = homes.duck_url(tmp_path)
    homes.fill(url, plan, homes.SEGMENT)
    out = tmp_path / "views.sql"
    path = str(model.FOLDER / "segment.yaml")
    run = CliRunner().invoke(
        cli, ["--home", str(tmp_path / "home"), "map", path, "--url", url, "--out", str(out)]
    )
    assert run.exit_code == 0, run.output
    assert "not mapped  signals" in run.stderr
    assert out.read_text().count("CREATE OR REPLACE VIEW") == len(plan.tables)
    bare = CliRunner().invoke(
        cli, ["--home", str(tmp_path / "home"), "map", path, "--dialect", "databricks", "--no-check"]
    )
    assert bare.exit_code == 0
    assert "timestamp_micros" in bare.stdout
    assert "not checked against any warehouse" in bare.stderr


def test_the_command_fails_where_their_tables_are_absent(tmp_path):
    url = homes.duck_url(tmp_path)
    engine = sa.create_engine(url)
    with engine.begin() as db:
        db.exec_driver_sql("CREATE SCHEMA production")
    engine.dispose()
    path = str(model.FOLDER / "segment.yaml")
    run = CliRunner().invoke(cli, ["--home", str(tmp_path / "home"), "map", path, "--url", url])
    assert run.exit_code == 1
    assert "MISSING  outcomes: there is no table order_completed in schema production" in run.stderr
