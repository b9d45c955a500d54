"""The same rows from CSV, NDJSON and Parquet, packed or not, become the same facts."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.lake import Lake
from data.load import csv_text
from data.load.readers import NotPlain, TextBatch
from tests.cases import CASES, needs_cases
from tests.data.load_homes import HEAD, NOW, ROW, load, rows, written

UTC = dt.UTC
EXPECTED = [
    ("007", "m", "NA", dt.datetime(2026, 1, 1, tzinfo=UTC), 0.5, 1, "None"),
    ("8", "m", 'é,"x"', dt.datetime(2026, 1, 2, 11, 30, 0, 123456, tzinfo=UTC), 1e-3, None, None),
]
SHOWN = ("prediction_id", "model_id", "entity_id", "predicted_at", "score", "decision", "attr_race")
CSV = (
    "Prediction_ID, model_id,entity_id,predicted_at,score,decision,attr_Race\n"
    "007,m,NA,2026-01-01T00:00:00Z,0.5,true,None\n"
    '8,m,"é,""x""",2026-01-02T13:30:00.1234567+02:00,1e-3,,\n'
)
RECORDS = [
    {
        "prediction_id": "007", "model_id": "m", "entity_id": "NA", "predicted_at": "2026-01-01T00:00:00Z",
        "score": 0.5, "decision": True, "attr_race": "None",
    },
    {
        "attr_race": None, "prediction_id": 8, "model_id": "m", "entity_id": 'é,"x"',
        "predicted_at": "2026-01-02 13:30:00.123456+0200", "score": 0.001, "decision": "",
    },
]  # fmt: skip


def as_parquet(path: Path) -> Path:
    table = pa.table(
        {
            "prediction_id": pa.array(["007", "8"]).dictionary_encode(),
            "model_id": pa.array(["m", "m"], pa.large_string()),
            "entity_id": ["NA", 'é,"x"'],
            "predicted_at": pa.array([EXPECTED[0][3], EXPECTED[1][3]], pa.timestamp("ns", tz="Europe/Paris")),
            "score": [0.5, 0.001],
            "decision": pa.array([True, None]),
            "attr_race": ["None", ""],
        }
    )
    pq.write_table(table, path)
    return path


@pytest.mark.parametrize(
    "name", ["p.csv", "p.CSV.gz", "bom.csv", "crlf.csv", "p.ndjson", "p.jsonl.gz", "p.json", "p.parquet"]
)
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    lake = Lake(tmp_path / "home")
    text = CSV if "csv" in name.lower() else "\n".join(json.dumps(r) for r in RECORDS)
    text = {"bom.csv": "\ufeff" + CSV, "crlf.csv": CSV.replace("\n", "\r\n")}.get(name, text)
    path = as_parquet(tmp_path / name) if name.endswith("parquet") else tmp_path / name
    if not name.endswith("parquet"):
        written(tmp_path, name.replace("CSV", "csv"), text)
        path = path.with_name(name.replace("CSV", "csv"))
    report = load(lake, "predictions", path)
    assert (report.outcome, report.rows_read, report.rows_new) == ("loaded", 2, 2), report.message()
    assert rows(lake, "predictions", SHOWN) == EXPECTED


def test_clocks_default_to_the_event_time_and_absent_columns_are_null(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    text = HEAD.replace("score", "score,received_at,loaded_at") + (
        "a,m,e,2026-01-01T00:00:00Z,0.5,,\n"
        "b,m,e,2026-01-01T00:00:00Z,0.5,2026-01-02T00:00:00Z,\n"
        "c,m,e,2026-01-01T00:00:00Z,0.5,2026-01-02T00:00:00Z,2026-01-03T00:00:00Z\n"
    )
    load(lake, "predictions", written(tmp_path, "p.csv", text))
    found = rows(lake, "predictions", ("prediction_id", "received_at", "loaded_at", "threshold"))
    days = [(i, r.day, k.day, t) for i, r, k, t in found]
    assert days == [("a", 1, 1, None), ("b", 2, 2, None), ("c", 2, 3, None)]


def test_an_undated_table_waits_outside_the_days_and_has_no_clocks(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    load(lake, "people", written(tmp_path, "p.csv", "person_id,is_test\n1,TRUE\n2,0\n3,\n"))
    assert [f.day for f in lake.manifest.files("facts", "people")] == [-1]
    found = rows(lake, "people", ("person_id", "is_test", "loaded_at"))
    assert found == [("1", True, None), ("2", False, None), ("3", None, None)]


def test_a_cost_is_stored_under_its_date(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    text = "cost_id,initiative_id,cost_date,category,amount,currency\nc,i,2027-01-01,run,-0,EUR\n"
    assert load(lake, "costs", written(tmp_path, "c.csv", text)).outcome == "loaded"
    assert [f.day for f in lake.manifest.files("facts", "costs")] == [
        (dt.date(2027, 1, 1) - dt.date(1970, 1, 1)).days
    ]


def test_there_is_one_file_a_day_and_load_and_it_lists_its_columns(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    text = HEAD + "".join(f"p{i},m,e,2026-01-{1 + i % 7:02d}T00:00:00Z,0.5\n" for i in range(700))
    load(lake, "predictions", written(tmp_path, "p.csv", text))
    files = lake.manifest.files("facts", "predictions")
    assert len({f.day for f in files}) == len(files) == 7
    assert all(f.rows == 100 and set(SHOWN[:-1]) <= set(f.columns) for f in files)
    assert lake.damaged() == []


def test_many_small_files_of_a_day_become_one_without_losing_a_row(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    for i in range(12):
        extra = ",attr_a" if i % 2 else ""
        text = (
            HEAD.replace("\n", f"{extra}\n") + f"p{i},m,e,2026-01-01T00:00:00Z,0.5{',x' if extra else ''}\n"
        )
        load(lake, "predictions", written(tmp_path, f"{i}.csv", text))
    files = lake.manifest.files("facts", "predictions")
    assert len(files) <= 8
    assert sum(f.rows for f in files) == 12
    found = dict(rows(lake, "predictions", ("prediction_id", "attr_a")))
    assert found == {f"p{i}": "x" if i % 2 else None for i in range(12)}


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)


@settings(max_examples=40)
@given(
    ids=st.lists(TEXT, min_size=1, max_size=8, unique=True), kind=st.sampled_from(["csv", "quoted", "ndjson"])
)
def test_any_text_without_nul_is_kept_exactly(
    tmp_path_factory: pytest.TempPathFactory, ids: list[str], kind: str
) -> None:
    folder = tmp_path_factory.mktemp("text")
    lake = Lake(folder / "home")
    fields = [[i, "m", i, "2026-01-01T00:00:00Z", "0.5"] for i in ids]
    names = HEAD.strip().split(",")
    if kind == "ndjson":
        path = written(
            folder, "p.ndjson", "\n".join(json.dumps(dict(zip(names, f, strict=True))) for f in fields)
        )
    else:
        out = io.StringIO()
        csv.writer(out, quoting=csv.QUOTE_ALL if kind == "quoted" else csv.QUOTE_MINIMAL).writerows(
            [names, *fields]
        )
        path = written(folder, "p.csv", out.getvalue())
    report = load(lake, "predictions", path)
    assert report.outcome == "loaded", report.message()
    found = rows(lake, "predictions", ("prediction_id", "entity_id"))
    assert sorted(found) == sorted((i, i) for i in ids)


PLAIN = st.text(st.sampled_from(list("ab1é, \t'")), max_size=5)
TANGLED = st.text(st.sampled_from(list('ab,"\n\r')), max_size=40)


def batches(found: list[TextBatch]) -> tuple[list[list[str | None]], list[int]]:
    columns = [[v for b in found for v in b.columns[i].to_pylist()] for i in range(len(found[0].columns))]
    return columns, [n for b in found for n in b.lines.tolist()]


@settings(max_examples=300)
@given(
    cells=st.lists(st.tuples(PLAIN, PLAIN), min_size=1, max_size=6),
    tangle=TANGLED,
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_the_fast_lane_agrees_with_the_strict_one_or_steps_aside(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str]], tangle: str, end: str
) -> None:
    lines = [
        f'"{a}","{b}"' if i % 2 else f"{a.replace(',', '')},{b.replace(',', '')}"
        for i, (a, b) in enumerate(cells)
    ]
    path = written(tmp_path_factory.mktemp("lanes"), "t.csv", end.join(["x,y", *lines, tangle]))
    try:
        fast = list(csv_text._fast(path, 2, packed=False))
    except NotPlain:
        return
    strict = list(csv_text._strict(path, 2, packed=False))
    assert batches(fast) == batches(strict)


def test_a_clean_file_with_quotes_around_values_takes_the_fast_lane(tmp_path: Path) -> None:
    path = written(tmp_path, "t.csv", '"x","y"\n"a,b","c"\n"",d\n')
    assert batches(list(csv_text._fast(path, 2, packed=False))) == ([["a,b", None], ["c", "d"]], [2, 3])


def test_lines_are_counted_across_blocks_of_the_fast_lane(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_text, "_BLOCK", 64)
    path = written(tmp_path, "t.csv", "x,y\n" + "".join(f"{i},{i}\n" for i in range(2, 500)))
    columns, lines = batches(list(csv_text._fast(path, 2, packed=False)))
    assert columns[0] == [str(n) for n in lines] == [str(n) for n in range(2, 500)]


@needs_cases
@pytest.mark.parametrize("file", sorted((CASES / "golden").glob("*.csv")), ids=lambda f: f.stem)
def test_the_golden_files_load_and_load_again_as_nothing_new(tmp_path: Path, file: Path) -> None:
    lake = Lake(tmp_path / "home")
    first, second = load(lake, file.stem, file), load(lake, file.stem, file)
    assert (first.outcome, second.outcome) == ("loaded", "nothing new"), first.message()
    assert first.rows_read == first.rows_new + first.rows_known
    assert len(rows(lake, file.stem)) == first.rows_new


def test_progress_counts_the_rows_of_all_files(tmp_path: Path) -> None:
    from data.load.tables import load_tables

    files = [written(tmp_path, f"{i}.csv", HEAD + ROW.replace("007", f"{i}")) for i in range(3)]
    seen: list[int] = []
    load_tables(Lake(tmp_path / "home"), "predictions", files, now=NOW, progress=seen.append)
    assert seen == [1, 2, 3]
