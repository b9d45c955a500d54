"""Contracts that the warehouse keeps or breaks, and what a broken one does to the numbers that rest on it."""

import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.govern.admissibility import Contracts, failures
from app.govern.commands import execute, values_of
from app.govern.contract_checks import BROKEN, KEPT, UNMEASURED, evaluate, table_facts
from app.govern.model import OPERATOR, Actor, Add, Change, Row
from app.govern.open import open_ledger
from app.govern.quality import Bound, Quality, Unrun, rules_of
from app.measure.readings import Readings
from app.runtime import Runtime, open_runtime, utc_now
from app.settings import Settings
from metrics import ALL
from metrics.core.metric import Scope
from metrics.core.verdict import Comparator, State, Target, judge
from tests import postgres

TOM = Actor("demo", "tom")
UNITS = "experiment_id,unit_id,arm,assigned_at,stratum,outcome\n" + "".join(
    f"x,u{n % 99},{'control' if n % 2 else 'offer'},2026-10-0{1 + n % 8}T00:00:00Z,{'north' if n % 5 else ''},{n % 7}\n"
    for n in range(99)
)
METRIC = ALL["value.units"]


def document(*rules: dict, columns: tuple[dict, ...] = ({"name": "unit_id"},), **more: object) -> str:
    table = {"name": "experiment_units", "properties": list(columns), "quality": list(rules)}
    return json.dumps({"apiVersion": "v3.1.0", "kind": "DataContract", "schema": [table]} | more)


def values(text: str, **more: object) -> tuple:
    plain = {
        "title": "Units", "contract_version": "1", "status": "active", "table_name": "experiment_units",
        "owner": TOM.identity, "document": text,
    }  # fmt: skip
    return values_of(**plain | more)  # type: ignore[arg-type]


def sign(settings: Settings, text: str, name: str = "units", **more: object) -> None:
    """Record the contract, or a new version of it."""
    ledger = open_ledger(settings, utc_now)
    with ledger.store.read() as db:
        from app.govern import rows

        held = rows.current(db, "contracts", name)
        known = rows.current(db, "users", TOM.identity)
    if known is None:
        root = Actor(OPERATOR, "root")
        execute(
            ledger,
            Add("users", values_of(issuer="demo", subject="tom", name="Tom", roles=("analyst",))),
            root,
            "u",
        )
    command = (
        Change("contracts", name, held.version, values(text, **more)) if held else Add("contracts", values(text, **more), name)
    )  # fmt: skip
    execute(ledger, command, TOM, f"{name}-{held.version if held else 0}")


def contract_row(text: str, **more: object) -> Row:
    plain = {"freshness_hours": None, "volume_min": None, "availability_percent": None, "purpose": None}
    held = plain | dict(values(text, **more))
    return Row("contracts", "units", 1, 1, "active", utc_now(), TOM, "", held)  # type: ignore[arg-type]


def results(runtime: Runtime, text: str, **more: object) -> list[tuple[str, str, str]]:
    row = contract_row(text, **more)
    facts = table_facts(runtime.warehouse, runtime.lake, (row,))
    return [(r.rule, r.state, r.why) for r in evaluate(row, facts["experiment_units"], utc_now())]


def library(metric: str, **more: object) -> dict:
    return {"type": "library", "metric": metric} | more


def stratum(*rules: dict) -> dict:
    return {"name": "stratum", "quality": list(rules)}


@pytest.fixture
def home(loaded: Callable[..., Runtime]) -> Runtime:
    return loaded(experiment_units=UNITS)


def test_a_broken_contract_withholds_the_number_and_names_itself_until_it_is_kept(home: Runtime):
    assert failures(home, METRIC) == ()
    assert home.readings.read(METRIC, Scope())[0].value == 99
    sign(home.settings, document(library("rowCount", mustBeLessThan=50)))
    (reason,) = failures(home, METRIC)
    assert "contract Units (units) is broken: rowCount, 99 rows, promised less than 50; since 2" in reason
    (reading,) = home.readings.read(METRIC, Scope())
    assert (reading.value, reading.low, reading.high) == (None, None, None)
    assert reading.reason == reason
    target = Target(METRIC.key, Comparator.AT_LEAST, 1)
    verdict = judge(reading, target, utc_now())
    assert (verdict.state, verdict.passes) == (State.NO_DATA, False)
    assert "Units" in verdict.why
    sign(home.settings, document(library("rowCount", mustBeLessThan=500)))
    assert failures(home, METRIC) == ()
    assert home.readings.read(METRIC, Scope())[0].value == 99


def test_late_data_keep_their_number_but_pass_no_target(home: Runtime):
    sign(home.settings, document(), freshness_hours=0.0)
    (reading,) = home.readings.read(METRIC, Scope())
    assert reading.value == 99
    assert "freshness" in reading.warnings[-1]
    verdict = judge(
        reading, Target(METRIC.key, Comparator.AT_LEAST, 1, max_age=dt.timedelta(days=9999)), utc_now()
    )
    assert (verdict.state, verdict.passes) == (State.STALE, False)
    assert "contract Units (units)" in verdict.why


def test_only_contracts_that_bind_and_only_their_tables_count(home: Runtime):
    sign(home.settings, document(library("rowCount", mustBe=0)), status="draft")
    assert failures(home, METRIC) == ()
    sign(home.settings, document(library("rowCount", mustBe=0)))
    assert failures(home, METRIC)
    assert failures(home, ALL["model.auc"]) == ()
    past = Scope(as_of=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    assert home.readings.read(METRIC, past)[0].inadmissible == ()


def test_a_page_run_sees_one_answer_and_a_new_load_is_measured_again(home: Runtime, tmp_path: Path):
    from data.load.tables import load_tables

    sign(home.settings, document(library("rowCount", mustBeLessThan=100)))
    pinned = home.readings.pinned()
    assert pinned.read(METRIC, Scope())[0].value == 99
    more = tmp_path / "more.csv"
    more.write_text(UNITS.replace("x,u", "x,v"))
    load_tables(home.lake, "experiment_units", [more], now=utc_now())
    assert pinned.read(METRIC, Scope())[0].value == 99
    assert failures(home, METRIC)
    assert isinstance(home.contracts, Contracts)
    assert isinstance(home.readings, Readings)


def test_a_table_that_is_not_there_breaks_its_contract(home: Runtime):
    sign(home.settings, document(), table_name="no_such_table")
    assert failures(home, METRIC) == ()
    row = contract_row(document(), table_name="no_such_table")
    (only,) = evaluate(row, None, utc_now())
    assert (only.state, only.why) == (BROKEN, "the warehouse has no table no_such_table")


RULES = document(
    library("rowCount", mustBeBetween=[90, 100]),
    library("rowCount", mustBeGreaterThan=98, unit="rows"),
    library("duplicateValues", mustBe=0, arguments={"properties": ["experiment_id", "unit_id"]}),
    library("duplicateValues", mustBeLessOrEqualTo=1, unit="percent", arguments={"properties": ["experiment_id"]}),
    columns=(
        {"name": "unit_id", "unique": True, "required": True},
        stratum(
            library("nullValues", mustBeLessThan=30, unit="percent"),
            library("missingValues", mustBe=20, arguments={"missingValues": [None, "", "n/a"]}),
            library("invalidValues", mustBe=0, arguments={"validValues": ["north", "south"]}),
            library("invalidValues", mustBe=0, arguments={"pattern": "^s"}),
            {"type": "sql", "query": "SELECT 1", "mustBe": 1},
            {"type": "text", "description": "It is good."},
            library("medianValue", mustBe=1), library("nullValues"), library("nullValues", mustBe="many"),
        ),
        {"name": "outcome", "quality": [library("invalidValues", mustBe=15, arguments={"validValues": [0, 1, 2, 3, 4, 5]})]},
        {"name": "assigned_at", "quality": [library("invalidValues", mustBe=0, arguments={"validValues": ["x"]})]},
    ),
)  # fmt: skip


def check_rules(runtime: Runtime) -> None:
    found = results(runtime, RULES, volume_min=None)
    assert sorted((rule, state) for rule, state, _ in found) == sorted([
        ("columns", KEPT), ("rowCount", KEPT), ("rowCount", KEPT), ("duplicateValues of experiment_id, unit_id", KEPT),
        ("duplicateValues of experiment_id", BROKEN), ("nullValues of unit_id", KEPT),
        ("duplicateValues of unit_id", KEPT), ("nullValues of stratum", KEPT), ("missingValues of stratum", KEPT),
        ("invalidValues of stratum", KEPT), ("invalidValues of stratum", BROKEN), ("sql of stratum", UNMEASURED),
        ("text of stratum", UNMEASURED), ("medianValue of stratum", UNMEASURED),
        ("nullValues of stratum", UNMEASURED), ("nullValues of stratum", UNMEASURED),
        ("invalidValues of outcome", BROKEN), ("invalidValues of assigned_at", UNMEASURED),
    ])  # fmt: skip
    said = [why for _, state, why in found if state == BROKEN]
    assert "98.9899 %, promised at most 1 %" in said
    assert "14 rows, promised exactly 15" in said


def test_every_library_rule_is_measured_and_no_other_is_run(home: Runtime):
    check_rules(home)


@pytest.mark.postgres
def test_postgresql_measures_the_same(home: Runtime, pg: str, tmp_path: Path):
    postgres.mirror(home.lake, pg, "contracts")
    check_rules(open_runtime(Settings(home=tmp_path / "pg", warehouse_url=pg, warehouse_schema="contracts")))


@pytest.mark.parametrize(
    ("operator", "numbers", "inside", "outside"),
    [
        ("mustBe", (5,), 5, 6), ("mustNotBe", (5,), 4, 5), ("mustBeGreaterThan", (5,), 6, 5),
        ("mustBeGreaterOrEqualTo", (5,), 5, 4), ("mustBeLessThan", (5,), 4, 5), ("mustBeLessOrEqualTo", (5,), 5, 6),
        ("mustBeBetween", (5, 7), 7, 8), ("mustNotBeBetween", (5, 7), 8, 7),
    ],
)  # fmt: skip
def test_each_operator_holds_on_its_own_side(operator, numbers, inside, outside):
    bound = Bound(operator, numbers)
    assert bound.holds(inside)
    assert not bound.holds(outside)


def test_a_rule_that_cannot_be_read_is_never_counted_as_kept():
    odd = [
        {"metric": "rowCount", "mustBeBetween": [1]}, {"metric": "rowCount", "mustBe": True},
        {"metric": "rowCount", "mustBe": "1e999"}, {"rule": "rowCount"}, {},
    ]  # fmt: skip
    assert all(isinstance(r, Unrun) for r in rules_of(document(*odd)))
    assert rules_of(json.dumps({"schema": []})) == ()
    (old,) = rules_of(document({"rule": "rowCount", "mustBeGreaterThan": 3}))
    assert old == dataclasses.replace(
        Quality("rowCount", (), ()), bounds=(Bound("mustBeGreaterThan", (3.0,)),)
    )
