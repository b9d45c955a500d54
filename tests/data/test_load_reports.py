"""What a load leaves behind: the report of bad rows, the good rows on request, and nothing at all from a dry run."""

from __future__ import annotations

import csv
from pathlib import Path

from data.lake import Lake
from tests.data.load_homes import HEAD, ROW, load, rows, tree, written

GOOD = HEAD + ROW


def row(id_: str = "2", time: str = "2026-01-01T00:00:00Z", score: str = "0.5") -> str:
    return f"{id_},m,b,{time},{score}\n"


def test_all_bad_rows_are_listed_in_the_report_and_formulas_are_inert(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    bad = [row(f"b{i}", score=f"=1+{i}") for i in range(9)] + [row("c", time="soon", score="-")]
    report = load(lake, "predictions", written(tmp_path, "p.csv", GOOD + "".join(bad)))
    assert report.report is not None
    assert report.report.parent == lake.home / "rejects"
    with report.report.open(newline="") as handle:
        listed = list(csv.DictReader(handle))
    assert list(listed[0]) == ["file", "line", "column", "value", "rule", "what_to_do"]
    assert [(r["line"], r["column"], r["value"], r["rule"]) for r in listed] == [
        *((str(3 + i), "score", f"'=1+{i}", "not_number") for i in range(9)),
        ("12", "predicted_at", "soon", "not_time"),
        ("12", "score", "'-", "not_number"),
    ]
    assert (report.rows_read, report.rows_rejected, report.rows_new) == (11, 10, 0)
    score = next(p for p in report.problems if p.column == "score")
    assert (score.count, score.examples) == (10, ((3, "=1+0"), (4, "=1+1"), (5, "=1+2")))


def test_accept_valid_loads_the_good_rows_and_reports_the_bad(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    text = GOOD + row("x", score="nan") + "ragged\n" + row("y")
    report = load(lake, "predictions", written(tmp_path, "p.csv", text), accept_valid=True)
    assert (report.outcome, report.rows_read, report.rows_new, report.rows_rejected) == ("loaded", 4, 2, 2)
    assert [r[0] for r in rows(lake, "predictions", ("prediction_id",))] == ["007", "y"]
    assert report.report is not None
    assert report.report.stat().st_mode & 0o077 == 0


def test_accept_valid_does_not_take_a_file_without_a_good_row_or_without_meaning(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    for text in (HEAD + row(score="nan"), GOOD + '2,"x\n'):
        report = load(lake, "predictions", written(tmp_path, "p.csv", text), accept_valid=True)
        assert report.outcome == "refused"
    assert rows(lake, "predictions") == []


def test_a_dry_run_changes_nothing_at_all(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    load(lake, "predictions", written(tmp_path, "p.csv", GOOD))
    before = tree(lake.home)
    fresh = written(tmp_path, "q.csv", GOOD + row())
    bad = written(tmp_path, "r.csv", GOOD + row(score="nan"))
    known = written(tmp_path, "s.csv", GOOD + "\n")
    reports = [load(lake, "predictions", f, dry_run=True) for f in (fresh, bad, known)]
    assert [(r.outcome, r.rows_new, r.rows_known) for r in reports] == [
        ("dry run", 1, 1), ("refused", 0, 0), ("nothing new", 0, 1),
    ]  # fmt: skip
    assert reports[1].report is None
    assert tree(lake.home) == before
