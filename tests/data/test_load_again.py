"""Loading again, overlapping, shuffled or in pieces never counts a row twice and never changes a fact in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.lake import Lake
from data.load import dedupe
from tests.data.load_homes import HEAD, Rows, load, rows, written

TIME = "2026-01-01T00:00:00Z"
MERGES = "from_person_id,to_person_id,merged_at,method,loaded_at\n"
PEOPLE = "person_id,country,loaded_at\n"


def prediction(number: int, score: float = 0.5, loaded: str = "") -> str:
    return f"p{number},m,e,2026-01-{1 + number % 5:02d}T00:00:00Z,{score},{loaded}\n"


PREDICTIONS = HEAD.replace("score", "score,loaded_at")


def test_the_same_bytes_are_nothing_new_whatever_the_name(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    text = PREDICTIONS + "".join(map(prediction, range(20)))
    load(lake, "predictions", written(tmp_path, "a.csv", text))
    generation = lake.manifest.files("facts")
    report = load(lake, "predictions", written(tmp_path, "b.csv", text))
    assert (report.outcome, report.rows_read, report.rows_new, report.rows_known) == (
        "nothing new",
        20,
        0,
        20,
    )
    assert lake.manifest.files("facts") == generation
    assert [x.outcome for x in lake.manifest.loads()] == ["nothing new", "loaded"]


def test_overlapping_files_add_only_what_is_new(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    load(lake, "predictions", written(tmp_path, "a.csv", PREDICTIONS + "".join(map(prediction, range(20)))))
    report = load(
        lake, "predictions", written(tmp_path, "b.csv", PREDICTIONS + "".join(map(prediction, range(10, 30))))
    )
    assert (report.outcome, report.rows_new, report.rows_known) == ("loaded", 10, 10)
    assert len(rows(lake, "predictions")) == 30


def test_a_refused_file_can_be_corrected_and_loaded(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    path = written(tmp_path, "a.csv", PREDICTIONS + prediction(1) + prediction(2).replace("0.5", "half"))
    assert load(lake, "predictions", path).outcome == "refused"
    path.write_text(path.read_text().replace("half", "0.5"))
    assert (load(lake, "predictions", path).outcome, len(rows(lake, "predictions"))) == ("loaded", 2)


CLOCK = st.sampled_from(["", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"])
LINES = st.lists(st.tuples(st.integers(0, 6), CLOCK), min_size=1, max_size=14)


def in_pieces(folder: Path, pieces: list[list[str]], table: str, head: str) -> Rows:
    lake = Lake(folder / "home")
    for number, piece in enumerate(pieces):
        report = load(lake, table, written(folder, f"{number}.csv", head + "".join(piece)))
        assert report.outcome != "refused", report.message()
        assert report.rows_read == report.rows_new + report.rows_known == len(piece)
    return rows(lake, table)


@settings(max_examples=15)
@given(lines=LINES, cut=st.integers(0, 14), order=st.randoms(use_true_random=False))
def test_pieces_in_any_order_give_the_same_rows_and_clocks_as_one_file(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[int, str]], cut: int, order: object
) -> None:
    folder = tmp_path_factory.mktemp("pieces")
    texts = [prediction(n, loaded=c) for n, c in lines]
    shuffled = list(texts)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    pieces = [p for p in (shuffled[:cut], shuffled[cut:]) if p]
    for name in ("whole", "parts"):
        (folder / name).mkdir()
    whole = in_pieces(folder / "whole", [texts], "predictions", PREDICTIONS)
    assert in_pieces(folder / "parts", pieces, "predictions", PREDICTIONS) == whole
    earliest = {n: min(c or "2026-01" for m, c in lines if m == n) for n, _ in lines}
    assert {
        str(r[0]): str(r[-1])[:7]
        for r in rows(Lake(folder / "whole/home"), "predictions", ("prediction_id", "loaded_at"))
    } == {f"p{n}": c[:7] for n, c in earliest.items()}


def test_the_same_key_with_another_value_is_a_conflict_with_both_values(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    load(lake, "predictions", written(tmp_path, "a.csv", PREDICTIONS + prediction(1)))
    report = load(
        lake, "predictions", written(tmp_path, "b.csv", PREDICTIONS + prediction(2) + prediction(1, 0.75))
    )
    group = report.problems[0]
    assert (report.outcome, group.rule, group.column, group.count) == ("refused", "key_conflict", "score", 1)
    assert group.examples == ((3, "prediction_id=p1 has score 0.5 in the warehouse and 0.75 here"),)
    assert len(rows(lake, "predictions")) == 1


def test_a_conflict_within_a_file_names_the_first_line(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    text = PREDICTIONS + prediction(1) + prediction(2) + prediction(2, 0.75) + prediction(2)
    report = load(lake, "predictions", written(tmp_path, "b.csv", text))
    assert report.problems[0].examples == ((4, "prediction_id=p2 has score 0.5 in line 3 and 0.75 here"),)
    report = load(lake, "predictions", written(tmp_path, "b.csv", text), accept_valid=True)
    assert (report.rows_new, report.rows_known, report.rows_rejected) == (2, 1, 1)
    assert rows(lake, "predictions", ("prediction_id", "score")) == [("p1", 0.5), ("p2", 0.5)]


def test_an_open_column_that_one_file_lacks_is_a_difference(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    load(lake, "predictions", written(tmp_path, "a.csv", PREDICTIONS + prediction(1)))
    head = PREDICTIONS.replace("\n", ",attr_a\n")
    same = load(lake, "predictions", written(tmp_path, "b.csv", head + prediction(1).replace("\n", ",\n")))
    other = load(lake, "predictions", written(tmp_path, "c.csv", head + prediction(1).replace("\n", ",x\n")))
    assert same.outcome == "nothing new"
    assert other.problems[0].examples == (
        (2, "prediction_id=p1 has attr_a empty in the warehouse and x here"),
    )


def test_empty_key_parts_compare_equal(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    head = "signal_id,activation_id,hop,entered_at,mode\n"
    line = f"s,,scored,{TIME},automatic\n"
    load(lake, "activation_hops", written(tmp_path, "a.csv", head + line + line))
    load(lake, "activation_hops", written(tmp_path, "b.csv", head + line + f"s,a,scored,{TIME},automatic\n"))
    assert len(rows(lake, "activation_hops")) == 2


def test_a_key_column_may_be_absent_where_it_is_optional(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    load(
        lake,
        "activation_hops",
        written(tmp_path, "a.csv", f"signal_id,hop,entered_at,mode\ns,scored,{TIME},manual\n"),
    )
    again = f"signal_id,hop,entered_at,mode,activation_id\ns,scored,{TIME},manual,\n"
    assert load(lake, "activation_hops", written(tmp_path, "b.csv", again)).outcome == "nothing new"


def test_the_latest_row_replaces_the_earlier_one_in_a_mutable_table(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    head = "outcome_id,person_id,outcome_type,occurred_at,revenue,loaded_at\n"
    first = "1,p,buy,2026-01-01T00:00:00Z,10,2026-02-01T00:00:00Z\n2,p,buy,2026-01-01T00:00:00Z,20,\n"
    later = "1,p,buy,2026-01-05T00:00:00Z,11,2026-03-01T00:00:00Z\n"
    stale = "1,p,buy,2026-01-01T00:00:00Z,9,2026-01-15T00:00:00Z\n"
    load(lake, "outcomes", written(tmp_path, "a.csv", head + first))
    report = load(lake, "outcomes", written(tmp_path, "b.csv", head + later))
    assert (report.outcome, report.rows_new) == ("loaded", 1)
    assert load(lake, "outcomes", written(tmp_path, "c.csv", head + stale)).outcome == "nothing new"
    assert rows(lake, "outcomes", ("outcome_id", "revenue")) == [("1", 11.0), ("2", 20.0)]
    assert sorted(f.day for f in lake.manifest.files("facts", "outcomes")) == [20454, 20458]


def test_without_a_load_time_the_later_load_wins_and_the_later_line(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    for name, text in {"a": "1,DE,\n1,FR,\n2,DE,\n", "b": "1,IT,\n", "c": "2,DE,\n"}.items():
        load(lake, "people", written(tmp_path, f"{name}.csv", PEOPLE + text))
    assert rows(lake, "people", ("person_id", "country")) == [("1", "IT"), ("2", "DE")]
    assert sum(f.rows for f in lake.manifest.files("facts", "people")) == 2


def test_a_person_merge_can_be_reverted(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    head = "from_person_id,to_person_id,merged_at,reverted_at\n"
    load(lake, "person_merges", written(tmp_path, "a.csv", head + f"a,b,{TIME},\nc,d,{TIME},\n"))
    load(lake, "person_merges", written(tmp_path, "b.csv", head + f"a,b,{TIME},2026-01-02T00:00:00Z\n"))
    found = rows(lake, "person_merges", ("from_person_id", "reverted_at"))
    assert [(i, t is not None) for i, t in found] == [("a", True), ("c", False)]


CHANGES = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(["DE", "FR"]), st.integers(1, 28)), min_size=1, max_size=10,
    unique_by=lambda change: (change[0], change[2]),
)  # fmt: skip


@settings(max_examples=15)
@given(changes=CHANGES, cut=st.integers(0, 10))
def test_a_history_of_changes_loaded_in_order_gives_the_same_rows_in_pieces(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, str, int]], cut: int
) -> None:
    folder = tmp_path_factory.mktemp("changes")
    history = sorted(changes, key=lambda change: change[2])
    texts = [f"{p},{c},2026-03-{d:02d}T00:00:00Z\n" for p, c, d in history]
    for name in ("whole", "parts"):
        (folder / name).mkdir()
    whole = in_pieces(folder / "whole", [texts[::-1]], "people", PEOPLE)
    assert (
        in_pieces(folder / "parts", [p for p in (texts[:cut], texts[cut:]) if p], "people", PEOPLE) == whole
    )
    last = {p: c for p, c, _ in history}
    assert dict(rows(Lake(folder / "whole/home"), "people", ("person_id", "country"))) == last


def test_many_candidates_are_judged_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dedupe, "PIECE_KEYS", 7)
    lake = Lake(tmp_path / "home")
    load(lake, "predictions", written(tmp_path, "a.csv", PREDICTIONS + "".join(map(prediction, range(100)))))
    changed = [prediction(n, 0.9 if n % 10 == 0 else 0.5, "2026-01-01T00:00:00Z") for n in range(150)]
    report = load(
        lake, "predictions", written(tmp_path, "b.csv", PREDICTIONS + "".join(changed)), accept_valid=True
    )
    assert (report.rows_new, report.rows_known, report.rows_rejected) == (50, 90, 10), report.message()
    assert len(rows(lake, "predictions")) == 150
    assert {i for i, s in rows(lake, "predictions", ("prediction_id", "score")) if s == 0.9} == {
        f"p{n}" for n in range(100, 150, 10)
    }
