"""Bad files are refused with the rule, the line, the value and what to do; nothing is changed."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.contracts import LoadError
from data.lake import Lake
from data.load.report import FILE_ADVICE
from data.load.tables import load_tables
from tests.data.load_homes import HEAD, NOW, ROW, load, rows, written

GOOD = HEAD + ROW
TIME = "2026-01-01T00:00:00Z"


def row(id_: str = "2", time: str = TIME, score: str = "0.5") -> str:
    return f"{id_},m,b,{time},{score}\n"


def workbook() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
    return held.getvalue()


# what is wrong: the content, then the rule, the column and the line that the report must name
CSV_CASES: dict[str, tuple[str | bytes, str, str | None, int | None]] = {
    "not a number": (GOOD + row(score="nan"), "not_finite", "score", 3),
    "infinite": (GOOD + row(score="-Infinity"), "not_finite", "score", 3),
    "overflow": (GOOD + row(score="1e999"), "not_finite", "score", 3),
    "decimal comma": (GOOD + row(score='"0,5"'), "not_number", "score", 3),
    "thousands": (GOOD + row(score='"1,234.5"'), "not_number", "score", 3),
    "word for a number": (GOOD + row(score="N/A"), "not_number", "score", 3),
    "naive time": (GOOD + row(time="2026-01-01 00:00:00"), "naive_time", "predicted_at", 3),
    "date for a time": (GOOD + row(time="2026-01-01"), "naive_time", "predicted_at", 3),
    "thirtieth of February": (GOOD + row(time="2026-02-30T00:00:00Z"), "not_time", "predicted_at", 3),
    "day first": (GOOD + row(time="01/02/2026 10:00Z"), "not_time", "predicted_at", 3),
    "serial day": (GOOD + row(time="45355"), "not_time", "predicted_at", 3),
    "future": (GOOD + row(time="2026-11-01T09:05:01Z"), "future_time", "predicted_at", 3),
    "before 1970": (GOOD + row(time="1969-12-31T23:59:59Z"), "before_1970", "predicted_at", 3),
    "missing value": (GOOD + row(score=""), "missing", "score", 3),
    "missing id": (GOOD + row(id_=""), "missing", "prediction_id", 3),
    "NUL in an id": (GOOD + row(id_="a\0b"), "nul_character", "prediction_id", 3),
    "too many fields": (GOOD + row().replace("0.5", "0.5,9"), "ragged_row", None, 3),
    "too few fields": (GOOD + "2,m\n", "ragged_row", None, 3),
    "ragged after a blank line": (GOOD + "\n\n2,m\n", "ragged_row", None, 5),
    "bad after a quoted newline": (GOOD + row('"a\nb"') + row(score="x"), "not_number", "score", 5),
    "ragged after carriage returns": ((GOOD + "2,m\n").replace("\n", "\r"), "ragged_row", None, 3),
    "unclosed quote": (GOOD + '2,"x\n3,m\n', "unclosed_quote", None, 3),
    "text after a quote": (GOOD + row('"x"y'), "text_after_quote", None, 3),
    "not UTF-8": ((GOOD + row("é")).encode("latin-1"), "not_utf8", None, 3),
    "mixed encodings": (GOOD.encode() + row("é").encode() + row("ü").encode("latin-1"), "not_utf8", None, 4),
    "missing column": (GOOD.replace("score", "attr_x"), "missing_column", "score", 1),
    "unknown column": (HEAD.replace("\n", ",colour\n"), "unknown_column", "colour", 1),
    "open column with a comma": (HEAD.replace("\n", ',"attr_a,b"\n'), "unknown_column", "attr_a,b", 1),
    "duplicate column": (
        HEAD.replace("\n", ",Score\n") + ROW.replace("\n", ",1\n"),
        "duplicate_column",
        "score",
        1,
    ),
    "unnamed column": (HEAD.replace("\n", ",\n") + ROW.replace("\n", ",1\n"), "unnamed_column", None, 1),
    "empty": ("", "empty", None, None),
    "blank": ("\n\n", "empty", None, None),
    "header only": (HEAD, "header_only", None, None),
    "header without an end": (HEAD.strip(), "header_only", None, None),
    "semicolons": (GOOD.replace(",", ";"), "wrong_delimiter", None, 1),
    "sep line": ("sep=;\n" + GOOD.replace(",", ";"), "wrong_delimiter", None, 1),
    "workbook": (workbook(), "not_csv", None, None),
    "PDF": (b"%PDF-1.7\n", "not_csv", None, None),
    "web page": ("<!DOCTYPE html><table></table>", "not_csv", None, None),
    "gzip without its name": (b"\x1f\x8b\x08\x00\x00", "not_csv", None, None),
    "UTF-16": (GOOD.encode("utf-16"), "not_csv", None, None),
    "UTF-16 without a mark": (GOOD.encode("utf-16-le"), "not_csv", None, None),
    "random bytes": (bytes(range(256)) * 4, "not_utf8", None, 2),
}


@pytest.mark.parametrize("case", CSV_CASES)
def test_a_bad_csv_is_refused_by_rule_and_line(tmp_path: Path, case: str) -> None:
    content, rule, column, line = CSV_CASES[case]
    lake = Lake(tmp_path / "home")
    report = load(lake, "predictions", written(tmp_path, "p.csv", content))
    assert report.outcome == "refused"
    group = report.problems[0]
    assert (group.rule, group.column, group.examples[0][0]) == (rule, column, line), report.message()
    assert group.what_to_do in report.message()
    assert rows(lake, "predictions") == []
    assert [(x.outcome, x.rows_new) for x in lake.manifest.loads()] == [("refused", 0)]
    assert list((lake.home / "scratch").iterdir()) == []


NDJSON_CASES = {
    "array": ('[{"prediction_id": "1"}]', "json_array", None, 1),
    "not an object": (None, "not_json", None, 2),
    "trailing comma": ('{"a": 1,}', "not_json", None, 2),
    "nested": ('{"prediction_id": {"a": 1}}', "nested_value", "prediction_id", 2),
    "list": ('{"prediction_id": [1]}', "nested_value", "prediction_id", 2),
    "name twice": ('{"prediction_id": "1", "Prediction_ID": "2"}', "duplicate_column", None, 2),
    "unknown name": ('{"colour": "red"}', "unknown_column", "colour", 1),
    "half a surrogate pair": ('{"prediction_id": "\\ud800"}', "not_utf8", "prediction_id", 2),
    "NaN": (
        '{"prediction_id":"2","model_id":"m","entity_id":"b","predicted_at":"2026-01-01T00:00:00Z","score":NaN}',
        "not_finite", "score", 2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NDJSON_CASES)
def test_a_bad_ndjson_is_refused_by_rule_and_line(tmp_path: Path, case: str) -> None:
    content, rule, column, line = NDJSON_CASES[case]
    good = '{"prediction_id":"1","model_id":"m","entity_id":"b","predicted_at":"2026-01-01T00:00:00Z","score":0.5}'
    text = content if case == "array" else f"{good}\n{content or '5'}\n"
    report = load(Lake(tmp_path / "home"), "predictions", written(tmp_path, "p.ndjson", text or ""))
    group = report.problems[0]
    found = (report.outcome, group.rule, group.column, group.examples[0][0])
    assert found == ("refused", rule, column, line), report.message()


def frame(**changed: pa.Array) -> pa.Table:
    when = pa.array([1_767_225_600_000_000], pa.timestamp("us", tz="UTC"))
    columns = {
        "prediction_id": ["1"],
        "model_id": ["m"],
        "entity_id": ["e"],
        "predicted_at": when,
        "score": [0.5],
    }
    return pa.table(columns | changed)


PARQUET_CASES = {
    "naive times": (
        frame(predicted_at=pa.array([0], pa.timestamp("us"))),
        "naive_parquet_time",
        "predicted_at",
    ),
    "nested": (frame(entity_id=pa.array([["a"]])), "nested_value", "entity_id"),
    "bytes": (frame(entity_id=pa.array([b"a"])), "wrong_type", "entity_id"),
    "float ids": (frame(entity_id=pa.array([7.0])), "wrong_type", "entity_id"),
    "NaN": (frame(score=pa.array([float("nan")])), "not_finite", "score"),
    "a date for a time": (frame(predicted_at=pa.array([1], pa.date32())), "naive_time", "predicted_at"),
    "no rows": (frame().slice(0, 0), "header_only", None),
}


@pytest.mark.parametrize("case", PARQUET_CASES)
def test_a_bad_parquet_is_refused_by_rule(tmp_path: Path, case: str) -> None:
    table, rule, column = PARQUET_CASES[case]
    pq.write_table(table, tmp_path / "p.parquet")
    report = load(Lake(tmp_path / "home"), "predictions", tmp_path / "p.parquet")
    group = report.problems[0]
    assert (report.outcome, group.rule, group.column) == ("refused", rule, column), report.message()


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("p.parquet", b"PAR1 and no more", "not_parquet"),
        ("p.parquet", b"id\n1\n", "not_parquet"),
        ("p.txt", b"id\n1\n", "wrong_extension"),
        ("p.xlsx", workbook(), "wrong_extension"),
        ("p.parquet.gz", b"", "wrong_extension"),
        ("p.ndjson", b"", "empty"),
        ("p.ndjson", workbook(), "not_json"),
    ],
)
def test_a_file_that_is_something_else_is_refused(
    tmp_path: Path, name: str, content: bytes, rule: str
) -> None:
    report = load(Lake(tmp_path / "home"), "predictions", written(tmp_path, name, content))
    assert (report.outcome, report.problems[0].rule) == ("refused", rule)


def test_a_missing_file_a_folder_and_a_broken_archive_are_refused(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    broken = written(tmp_path, "p.csv.gz", GOOD)
    broken.write_bytes(broken.read_bytes()[:-12])
    (tmp_path / "plain.csv.gz").write_text(GOOD)
    (tmp_path / "folder.csv").mkdir()
    files = [tmp_path / n for n in ("none.csv", "folder.csv", "p.csv.gz", "plain.csv.gz")]
    reports = load_tables(lake, "predictions", files, now=NOW)
    assert [r.problems[0].rule for r in reports] == ["unreadable", "unreadable", "not_gzip", "not_gzip"]
    assert [x.outcome for x in lake.manifest.loads()] == ["refused"] * 4


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_large_archive_that_breaks_midway_is_refused(tmp_path: Path, damage: str) -> None:
    packed = written(tmp_path, "p.csv.gz", HEAD + "".join(row(f"{i}-{hash(str(i))}") for i in range(60_000)))
    data = packed.read_bytes()
    half = len(data) // 2
    packed.write_bytes(data[:half] if damage == "cut" else data[:half] + b"\xff" * 64 + data[half + 64 :])
    report = load(Lake(tmp_path / "home"), "predictions", packed)
    assert report.outcome == "refused"
    assert report.problems[0].rule in ("not_gzip", "not_utf8", "ragged_row", "nul_character")


def test_a_file_with_very_many_unknown_columns_has_a_short_message(tmp_path: Path) -> None:
    names = ",".join(f"x{i}" for i in range(3_000))
    report = load(
        Lake(tmp_path / "home"), "predictions", written(tmp_path, "p.csv", HEAD.replace("\n", f",{names}\n"))
    )
    assert report.outcome == "refused"
    assert len(report.problems) == 3_000
    assert len(report.message()) < 10_000


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "p.csv", GOOD)

    def append(_rows: int) -> None:
        path.write_text(GOOD + row("3"))

    reports = load_tables(Lake(tmp_path / "home"), "predictions", [path], now=NOW, progress=append)
    assert reports[0].problems[0].rule == "changed_while_read"


def test_an_unknown_table_is_bad_use_and_the_tables_are_named(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"Did you mean predictions\?.*activations, "):
        load_tables(Lake(tmp_path / "home"), "prediction", [], now=NOW)


def test_a_long_value_is_taken_and_a_huge_one_is_refused(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    long = written(tmp_path, "a.csv", GOOD + row('"' + "x" * (1 << 20) + '"'))
    huge = written(tmp_path, "b.csv", GOOD + row('"' + "x" * (9 << 20) + '"'))
    assert load(lake, "predictions", long).outcome == "loaded"
    group = load(lake, "predictions", huge).problems[0]
    assert group.rule == "value_too_long"


@pytest.mark.parametrize("seconds", [0, 300])
def test_five_minutes_ahead_is_not_the_future(tmp_path: Path, seconds: int) -> None:
    time = NOW.replace(minute=seconds // 60).isoformat()
    assert (
        load(
            Lake(tmp_path / "home"), "predictions", written(tmp_path, "p.csv", HEAD + row(time=time))
        ).outcome
        == "loaded"
    )


def test_plans_may_lie_ahead_and_vocabularies_are_closed(tmp_path: Path) -> None:
    head = "delivery_id,initiative_id,event,event_at,planned_at\n"
    good = head + f"1,i,idea,{TIME},2030-01-01T00:00:00Z\n"
    lake = Lake(tmp_path / "home")
    assert load(lake, "delivery_events", written(tmp_path, "a.csv", good)).outcome == "loaded"
    report = load(lake, "delivery_events", written(tmp_path, "b.csv", good.replace("idea", "Idea")))
    assert [(p.rule, p.column, p.examples) for p in report.problems] == [
        ("not_allowed", "event", ((2, "Idea"),))
    ]
    assert "Write one of: idea, pilot_started" in report.message()


def test_every_rule_of_a_file_says_what_to_do() -> None:
    assert all(text.endswith(".") and len(text) > 15 for text in FILE_ADVICE.values())
