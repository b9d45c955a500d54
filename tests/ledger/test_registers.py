"""Fields, sheets, lint, targets and contracts."""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from app.govern import books, lint, odcs, rows
from app.govern.commands import execute_all
from app.govern.lint import Book
from app.govern.model import Actor, Row
from app.govern.sheets import export_csv, guarded, plan_csv, unguarded
from data.field_text import FieldError, parse, shown
from data.fields import Field, Kind
from data.registers import REGISTERS
from metrics.core.verdict import Comparator, Target
from tests.ledger import homes
from tests.ledger.homes import NOW, RISK, Desk, user, who
from tests.ledger.worlds import LATER, filled

TODAY = NOW.date()
TEXT = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00"), max_size=40)


# Fields.


def test_every_field_has_a_title_and_every_choice_field_its_choices():
    for register in REGISTERS.values():
        assert len({f.name for f in register.fields}) == len(register.fields)
        assert register.field(register.label)
        for field in register.fields:
            assert field.title
            assert bool(field.choices) is (field.kind in (Kind.CHOICE, Kind.CHOICES))
            assert bool(field.ref) is (field.kind is Kind.REF)
            assert not field.ref or field.ref in REGISTERS


VALUES = {
    Kind.TEXT: TEXT.filter(lambda t: not any(c in t for c in "\r\n")), Kind.LONG: TEXT,
    Kind.INT: st.integers(-(2**53), 2**53), Kind.NUMBER: st.floats(allow_nan=False, allow_infinity=False),
    Kind.FLAG: st.booleans(), Kind.DAY: st.dates(), Kind.TIME: st.datetimes(timezones=st.just(dt.UTC)),
    Kind.WORDS: st.lists(TEXT, max_size=4).map(tuple),
}  # fmt: skip


@given(st.data())
@pytest.mark.parametrize("kind", VALUES)
def test_what_is_parsed_is_shown_and_parsed_the_same(kind: Kind, data: st.DataObject):
    field = Field("x", "X", kind)
    value = parse(field, data.draw(VALUES[kind]))
    assert parse(field, shown(value)) == value


@pytest.mark.parametrize("value", ["2026-01-01T00:00:00", "soon", 5, dt.datetime(2026, 1, 1)])
def test_times_without_a_zone_are_refused(value: object):
    with pytest.raises(FieldError, match="with its offset"):
        parse(Field("x", "X", Kind.TIME), value)  # type: ignore[arg-type]


# Sheets.


@given(TEXT | st.sampled_from(["=1+1", "'=1", "''=1", "+1", "-1", "@x", "\t=1", "\r=1", "＝1", "'quoted'"]))
def test_no_cell_runs_and_none_is_changed(text: str):
    cell = guarded(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝"))
    assert unguarded(cell) == text


def held(desk: Desk, register: str) -> dict[str, Row]:
    with desk.ledger.store.read() as db:
        return {r.record_id: r for r in rows.rows(db, register)}


def test_an_export_taken_back_changes_nothing(lite: Desk, tmp_path):
    filled(lite, tmp_path)
    for register in REGISTERS.values():
        current = held(lite, register.name)
        plan = plan_csv(register, export_csv(register, current.values()), current)
        assert (plan.commands, plan.faults, plan.unchanged) == ((), (), len(current)), register.name


def test_a_formula_leaves_as_text_and_comes_back(lite: Desk):
    lite.initiative()
    lite.add("risks", **{**RISK, "title": '=HYPERLINK("http://evil.example")'})
    text = export_csv(REGISTERS["risks"], held(lite, "risks").values())
    (line,) = csv.DictReader(io.StringIO(text))
    assert line["title"].startswith("'=")
    assert line["inherent_impact"] == "4"


def test_a_changed_sheet_becomes_commands_in_one_transaction(lite: Desk):
    lite.initiative()
    lite.add("risks", **RISK)
    register = REGISTERS["risks"]
    text = export_csv(register, held(lite, "risks").values()).replace("Wrong customers", "Other customers")
    lines = text.splitlines()
    fresh = lines[1].replace("RISK-0001,1,active", ",,")
    plan = plan_csv(register, "\n".join([*lines, fresh]), held(lite, "risks"))
    assert [type(c).__name__ for c in plan.commands] == ["Change", "Add"]
    receipts = execute_all(lite.ledger, plan.commands, who("omar"), "import")
    assert [(r.record_id, r.version) for r in receipts] == [("RISK-0001", 2), ("RISK-0002", 1)]


@pytest.mark.parametrize(
    ("text", "column", "advice"),
    [
        ("", "", "empty"),
        ("title,colour\nx,red\n", "colour", "Remove the column"),
        ("title,title\nx,y\n", "title", "Keep one"),
        ("title,category\nx,luck\n", "category", "Write one of"),
        ("title,category\nx\n", "", "there are 1"),
        ("record_id,title\nRISK-0009,x\n", "record_id", "leave it empty"),
        ('title\n"x\n', "", "quoting"),
    ],
)
def test_a_bad_sheet_names_line_column_and_what_to_do(text: str, column: str, advice: str):
    plan = plan_csv(REGISTERS["risks"], text, {})
    assert plan.commands == ()
    assert plan.faults[0].column == column
    assert advice in plan.faults[0].advice


# Lint.


def row(register: str, record_id: str, state: str = "active", version: int = 1, **values: object) -> Row:
    blank = {f.name: None for f in REGISTERS[register].fields}
    return Row(register, record_id, version, 1, state, NOW, Actor("demo", "omar"), "", {**blank, **values})  # type: ignore[arg-type]


def rated(inherent: int, current: int, residual: int, **values: object) -> Row:
    levels = {"inherent": inherent, "current": current, "residual": residual}
    ratings = {f"{k}_likelihood": v for k, v in levels.items()} | {f"{k}_impact": 1 for k in levels}
    return row("risks", "R", **{"owner": "demo|omar", "treatment": "mitigate", **ratings, **values})  # type: ignore[arg-type]


CONTROL = row("controls", "C", risk="R", effectiveness="effective")
DRAFT = row("acceptances", "A", "accepted", risk="R", expires=dt.date(2026, 10, 31))
NOTES = {
    "residual above current": Book(risks=(rated(4, 2, 3),), controls=(CONTROL,)),
    "current above inherent": Book(risks=(rated(2, 3, 1),), controls=(CONTROL,)),
    "residual lowered without a control": Book(risks=(rated(4, 4, 2),)),
    "residual lowered while its indicator worsened": Book(
        risks=(rated(4, 4, 2),), controls=(CONTROL,), risk_history={"R": (rated(4, 4, 3), rated(4, 4, 2))},
        worse=frozenset({"R"}),
    ),
    "no expiry": Book(acceptances=(row("acceptances", "A", "accepted", risk="R"),)),
    "expired acceptance relied on": Book(risks=(rated(4, 4, 4, treatment="accept"),), acceptances=(DRAFT,)),
    "accepted without acceptance": Book(risks=(rated(4, 4, 4, treatment="accept"),)),
    "no owner": Book(risks=(rated(4, 4, 4, owner=None),)),
    "orphan": Book(initiatives=(row("initiatives", "churn"),)),
    "review overdue": Book(risks=(rated(4, 4, 4, next_review=dt.date(2026, 10, 31)),)),
}  # fmt: skip


@pytest.mark.parametrize("rule", NOTES)
def test_each_rule_finds_its_fault_and_nothing_else(rule: str):
    notes = lint.lint(NOTES[rule], TODAY)
    assert [n.rule for n in notes] == [rule]
    assert notes[0].text


def test_a_sound_book_has_no_notes():
    book = Book(
        initiatives=(row("initiatives", "churn"),), ownership=(row("ownership", "churn", initiative="churn", accountable="x"),),
        risks=(rated(4, 3, 2, next_review=TODAY),), controls=(CONTROL,),
        acceptances=(replace(DRAFT, values={**DRAFT.values, "expires": TODAY}),),
    )  # fmt: skip
    assert lint.lint(book, TODAY) == ()


def test_an_ineffective_or_retired_control_holds_nothing():
    for control in (
        row("controls", "C", risk="R", effectiveness="ineffective"),
        replace(CONTROL, state="retired"),
    ):
        assert [n.rule for n in lint.lint(Book(risks=(rated(4, 4, 2),), controls=(control,)), TODAY)]


# Lapses and targets.


def test_a_lapse_acts_once_by_day_and_by_tripwire(lite: Desk):
    lite.initiative()
    lite.add("risks", **RISK)
    for expires in (dt.date(2026, 10, 31), LATER, LATER):
        request = lite.add("acceptances", risk="RISK-0001", justification="Small", expires=expires)
        lite.step("accept", lite.step("submit", request), "carl")
    done = books.act_on_lapses(lite.ledger, breached=frozenset({"ACC-0002"}))
    assert [r.record_id for r in done] == ["ACC-0001", "ACC-0002"]
    assert books.act_on_lapses(lite.ledger, breached=frozenset({"ACC-0002"})) == ()
    assert [r.state for r in held(lite, "acceptances").values()] == ["expired", "expired", "accepted"]
    assert held(lite, "acceptances")["ACC-0001"].reason == "its last day was 2026-10-31"


def test_targets_come_back_as_the_verdict_takes_them(lite: Desk):
    made = {
        "metric": "model.auc", "comparator": "at least", "threshold": 0.75, "scope": ("model_id=m1", "region = north"),
        "min_n": 100, "max_age_days": 2.5, "valid_from": dt.date(2026, 1, 1), "valid_to": dt.date(2026, 12, 31), "note": "n",
    }  # fmt: skip
    target = lite.add("targets", **made)
    lite.step("retire", lite.add("targets", **made))
    assert books.promises(lite.ledger).targets == (
        Target(
            "model.auc", Comparator.AT_LEAST, 0.75, 100, dt.timedelta(days=2.5), (("model_id", "m1"), ("region", "north")),
            dt.date(2026, 1, 1), dt.date(2026, 12, 31), "n",
        ),
    )  # fmt: skip
    assert lite.add("check_ins", target=target.record_id, confidence="at risk", comment="Slow").version == 1


def test_an_empty_field_takes_the_targets_own_default(lite: Desk):
    lite.add("targets", metric="model.auc", comparator="at most", threshold=1, valid_from=TODAY)
    (found,) = books.promises(lite.ledger).targets
    plain = Target("model.auc", Comparator.AT_MOST, 1.0, valid_from=TODAY)
    assert found == plain


# Contracts.

ODCS = """
apiVersion: v3.1.0
kind: DataContract
id: signals-1
name: Signals
version: 1.2.0
status: active
description: {purpose: What models said, limitations: none}
schema:
  - name: signals
    physicalName: signals
    properties: [{name: signal_id, logicalType: string, required: true, unique: true}]
    quality:
      - {type: library, metric: rowCount, mustBeGreaterThan: 999}
      - {type: sql, query: "SELECT 1", mustBe: 0}
slaProperties:
  - {property: latency, value: 1, unit: d}
  - {property: availability, value: 99.5, unit: percent}
team: [{username: anna, role: owner, dateIn: 2026-01-01}]
"""


def imported(lite: Desk) -> Row:
    record_id, values = odcs.values_of(odcs.read_yaml(ODCS), user("anna"))
    lite.add("contracts", "anna", record_id=record_id, **dict(values))
    return held(lite, "contracts")["signals-1"]


def test_a_contract_comes_in_with_its_levels(lite: Desk):
    found = imported(lite)
    assert (found["freshness_hours"], found["volume_min"], found["availability_percent"]) == (
        24.0,
        1000.0,
        99.5,
    )
    assert (found["table_name"], found["purpose"], found["status"]) == (
        "signals",
        "What models said",
        "active",
    )


def test_a_contract_goes_out_as_it_came(lite: Desk):
    assert odcs.read_yaml(odcs.export_yaml(imported(lite))) == odcs.read_yaml(ODCS)


def test_what_was_changed_here_is_in_the_export_and_nothing_else(lite: Desk):
    found = imported(lite)
    values = homes.values_of(freshness_hours=6, volume_min=None, status="retired")
    lite.do(homes.Change("contracts", "signals-1", 1, values), "anna")
    made = yaml.safe_load(odcs.export_yaml(held(lite, "contracts")["signals-1"]))
    assert {"property": "latency", "value": 6.0, "unit": "h"} in made["slaProperties"]
    assert [r["type"] for r in made["schema"][0]["quality"]] == ["sql"]
    assert (made["status"], made["team"][0]["username"]) == ("retired", "anna")
    assert found.version == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kind: DataContract", "kind: Other", "write DataContract"),
        ("v3.1.0", "v9", "apiVersion"),
        ("version: 1.2.0\n", "", "version is missing"),
        ("status: active", "status: live", "write one of proposed"),
        ("schema:", "tables:", "exactly one table"),
        ("unit: d", "unit: moons", "'moons'"),
        ("value: 1,", "value: often,", "write a number"),
        ("apiVersion", "- apiVersion", "not sound YAML|not a mapping"),
        ("name: Signals", "name: !!python/object/apply:os.getcwd []", "not sound YAML"),
    ],
)
def test_a_document_that_is_no_contract_is_refused(old: str, new: str, message: str):
    with pytest.raises(odcs.ContractError, match=message):
        odcs.values_of(odcs.read_yaml(ODCS.replace(old, new, 1)), "demo|anna")
