"""Registers as files: what goes out comes back unchanged, runs nowhere, and is imported whole or not at all."""

import csv
import io
import zipfile
from pathlib import Path

import openpyxl
import pytest

from app.govern import sheets, sheets_xlsx
from app.govern.commands import execute_all
from app.govern.model import Add, Change
from app.govern.sheets import export_csv, plan_csv
from app.govern.sheets_xlsx import export_xlsx, plan_xlsx
from app.govern.shelf import UNSHELVED
from app.govern.views import Room, open_room
from app.govern.views_sheets import offer
from data.ledger import AUDIT, TABLES
from data.registers import REGISTERS
from tests.ledger.homes import OWNERSHIP, RISK, Desk, user, who

RISKS = REGISTERS["risks"]
FORMULAS = ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\uff1dHYPERLINK(1)", "'=quoted")


@pytest.fixture
def room(lite: Desk) -> Room:
    lite.initiative()
    lite.add("ownership", **OWNERSHIP)
    for title in FORMULAS:
        lite.add("risks", **RISK | {"title": title})
    return open_room(lite.ledger, who("omar"))


def book(lines: list[list[object]], name: str = "risks") -> bytes:
    made = openpyxl.Workbook()
    made.active.title = name
    for line in lines:
        made.active.append(line)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def cells(content: bytes) -> list[list[openpyxl.cell.Cell]]:
    return [list(row) for row in openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows()]


def test_a_file_taken_away_and_brought_back_changes_nothing(room: Room):
    for name, register in REGISTERS.items():
        if name in UNSHELVED:
            continue  # documents under a hash: they are written by `publish` alone and no sheet holds them
        rows, held = room.rows(name), room.shelf[name]
        for plan in (
            plan_csv(register, export_csv(register, rows), held),
            plan_xlsx(register, export_xlsx(register, rows), held),
        ):
            assert (plan.commands, plan.faults, plan.unchanged) == ((), (), len(rows)), name


def test_no_cell_of_a_file_is_a_formula(room: Room):
    rows = room.rows("risks")
    found = [c for line in cells(export_xlsx(RISKS, rows)) for c in line]
    assert {c.data_type for c in found} <= {"s", "n", "inlineStr"}
    titles = [c.value for c in found if isinstance(c.value, str) and c.value.startswith("'")]
    assert titles == ["'" + t for t in FORMULAS]
    written = [c for line in csv.reader(io.StringIO(export_csv(RISKS, rows))) for c in line]
    assert not [c for c in written if c.startswith(("=", "+", "-", "@"))]


def test_the_dry_run_says_what_the_ledger_would_say_and_writes_nothing(room: Room):
    before = _counts(room)
    text = export_csv(RISKS, room.rows("risks"))
    lines = text.splitlines()
    bad = "\r\n".join([
        lines[0], lines[1].replace(",churn,", ",nowhere,", 1), lines[2].replace(",mitigate,", ",hope,"),
        lines[3].replace("RISK-0003", "RISK-9999"),
    ])  # fmt: skip
    plan = offer(room, RISKS, "risks.csv", bad.encode()).plan
    assert [(f.line, f.column, f.value) for f in plan.faults] == [
        (3, "treatment", "hope"),
        (4, "record_id", "RISK-9999"),
    ]
    plan = offer(room, RISKS, "risks.csv", "\r\n".join([lines[0], bad.splitlines()[1]]).encode()).plan
    ((line, column, value, advice),) = [(f.line, f.column, f.value, f.advice) for f in plan.faults]
    assert (line, column, value) == (2, "initiative", "nowhere")
    assert "choose one from initiatives" in advice
    assert _counts(room) == before


def _counts(room: Room) -> tuple[int, int]:
    import sqlalchemy as sa

    with room.ledger.store.read() as db:
        tables = (AUDIT, TABLES["risks"])
        first, second = (db.execute(sa.select(sa.func.count()).select_from(t)).scalar_one() for t in tables)
    return first, second


def test_an_import_is_whole_and_once(room: Room):
    lines = cells(export_xlsx(RISKS, room.rows("risks")))
    values = [[c.value for c in line] for line in lines]
    at = values[0].index("current_likelihood"), values[0].index("current_impact")
    for line in values[1:]:
        line[at[0]], line[at[1]] = 3, 2.0
    new = ["", "", "", *values[1][3:]]
    found = offer(room, RISKS, "Risks.XLSX", book([*values, new]))
    assert found.plan.faults == ()
    assert [type(c) for c in found.plan.commands] == [Change] * len(FORMULAS) + [Add]
    first = execute_all(room.ledger, found.plan.commands, who("omar"), found.key)
    assert [r.replay for r in execute_all(room.ledger, found.plan.commands, who("omar"), found.key)] == [
        True
    ] * len(first)
    again = offer(open_room(room.ledger, who("omar")), RISKS, "risks.xlsx", book(values)).plan
    assert (again.commands, again.unchanged) == ((), len(FORMULAS))


def test_somebody_without_the_right_sees_it_in_the_dry_run_and_no_denial_is_recorded(room: Room):
    before = _counts(room)
    text = export_csv(RISKS, room.rows("risks")).replace("mitigate", "transfer")
    viewer = open_room(room.ledger, who("vera"))
    plan = offer(viewer, RISKS, "risks.csv", text.encode()).plan
    assert len(plan.faults) == len(FORMULAS)
    assert "your rights (viewer) do not allow it" in plan.faults[0].advice
    assert _counts(room) == before


def test_two_lines_about_one_record_are_refused(room: Room):
    text = export_csv(RISKS, room.rows("risks")[:1]).replace("mitigate", "transfer")
    lines = text.splitlines()
    plan = plan_csv(RISKS, "\r\n".join([*lines, lines[1]]), room.shelf["risks"])
    assert [(f.line, f.column) for f in plan.faults] == [(3, "record_id")]


def test_formulas_and_errors_in_a_workbook_are_named_with_their_cell(room: Room):
    plan = plan_xlsx(
        RISKS,
        book([["record_id", "title"], ["RISK-0001", "=1+1"], ["RISK-0002", "#REF!"]]),
        room.shelf["risks"],
    )
    assert [(f.line, f.column, f.value) for f in plan.faults] == [(2, "B", "=1+1"), (3, "B", "#REF!")]


def packed(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, content in parts.items():
            pack.writestr(name, content)
    return out.getvalue()


def doctored(content: bytes, old: bytes, new: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as pack:
        return packed(**{i.filename: pack.read(i).replace(old, new) for i in pack.infolist()})


HOSTILE = {
    "no archive": (b"PK\x03\x04 not really", "no sound workbook"),
    "empty": (b"", "no sound workbook"),
    "no workbook": (packed(a=b"x"), "no workbook that can be read"),
    "too large": (b"x" * (sheets_xlsx.MOST_BYTES + 1), "larger than 5 MB"),
    "a bomb": (packed(a=b"\0" * (sheets_xlsx.MOST_INFLATED + 1)), "unpacks to more than 60 MB"),
    "many parts": (packed(**{str(n): b"" for n in range(300)}), "300 parts"),
    "entities": (packed(a=b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]>'), "document type"),
    "wide entities": (packed(a='<!DOCTYPE x [<!ENTITY a "b">]>'.encode("utf-16")), "document type"),
    "many columns": (book([["x"] * 300]), "more than 200 columns"),
    "a far row": (doctored(book([["title"], ["x"]]), b'r="2"', b'r="1048576"'), "more than 20,001 rows"),
    "no numbers": (
        doctored(book([["version"], [1]]), b"<v>1</v>", b"<v>one</v>"),
        "cannot be read after row",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_workbook_is_refused_in_words(name: str):
    content, why = HOSTILE[name]
    plan = plan_xlsx(RISKS, content, {})
    assert plan.commands == ()
    assert why in plan.faults[0].advice


def test_a_workbook_with_two_sheets_is_refused():
    made = openpyxl.Workbook()
    made.create_sheet("second")
    out = io.BytesIO()
    made.save(out)
    assert "2 sheets" in plan_xlsx(RISKS, out.getvalue(), {}).faults[0].advice


def test_a_file_that_is_no_text_or_too_long_is_refused(
    room: Room, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    assert "UTF-8 at byte 0" in offer(room, RISKS, "x.csv", b"\xff\xfe").plan.faults[0].advice
    monkeypatch.setattr(sheets, "MOST_CHARACTERS", 10)
    assert (
        "longer than 10 characters" in offer(room, RISKS, "x.csv", b"record_id,title").plan.faults[0].advice
    )
    monkeypatch.setattr(sheets, "MOST_CHARACTERS", 1000)
    monkeypatch.setattr(sheets, "MOST_LINES", 1)
    assert "more than 1 lines" in offer(room, RISKS, "x.csv", b"title\nx").plan.faults[0].advice
    assert user("omar") == "demo|omar"
