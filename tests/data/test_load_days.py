"""A label is stored under the day of its prediction, whichever of the two is loaded first."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.lake import Lake
from data.manifest import NO_DAY
from tests.data.load_homes import HEAD, load, rows, written

LABELS = "prediction_id,label,labelled_at\n"


def label(number: int) -> str:
    return f"p{number},{number % 2},2026-06-01T00:00:00Z\n"


def prediction(number: int) -> str:
    return f"p{number},m,e,2026-01-{1 + number % 5:02d}T00:00:00Z,0.5\n"


def homes(lake: Lake) -> dict[int, int]:
    """Labels by the day they are stored under."""
    days: dict[int, int] = {}
    for file in lake.manifest.files("facts", "labels"):
        days[file.day] = days.get(file.day, 0) + file.rows
    return days


def test_labels_wait_for_their_predictions_and_move_in_the_same_commit(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    load(lake, "labels", written(tmp_path, "l.csv", LABELS + "".join(map(label, range(12)))))
    assert homes(lake) == {NO_DAY: 12}
    before = lake.manifest.generation()
    load(lake, "predictions", written(tmp_path, "p.csv", HEAD + "".join(map(prediction, range(10)))))
    assert lake.manifest.generation() == before + 1
    assert homes(lake) == {NO_DAY: 2, **dict.fromkeys(range(20454, 20459), 2)}
    assert lake.manifest.touched(("labels",), before) == {"labels": (NO_DAY, *range(20454, 20459))}
    assert len(rows(lake, "labels")) == 12


def test_labels_after_their_predictions_go_to_their_days_at_once(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    load(lake, "predictions", written(tmp_path, "p.csv", HEAD + "".join(map(prediction, range(10)))))
    load(lake, "labels", written(tmp_path, "l.csv", LABELS + "".join(map(label, [3, 8, 11, 0]))))
    assert homes(lake) == {NO_DAY: 1, 20454: 1, 20457: 2}
    assert dict(rows(lake, "labels", ("prediction_id", "label"))) == {"p0": 0, "p11": 1, "p3": 1, "p8": 0}


def test_a_load_of_predictions_without_waiting_labels_leaves_labels_alone(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    load(lake, "labels", written(tmp_path, "l.csv", LABELS + label(99)))
    files = lake.manifest.files("facts", "labels")
    load(lake, "predictions", written(tmp_path, "p.csv", HEAD + "".join(map(prediction, range(10)))))
    assert lake.manifest.files("facts", "labels") == files


def test_a_label_is_known_again_after_it_has_moved(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    load(lake, "labels", written(tmp_path, "a.csv", LABELS + label(1)))
    load(lake, "predictions", written(tmp_path, "p.csv", HEAD + prediction(1)))
    assert (
        load(lake, "labels", written(tmp_path, "b.csv", LABELS + label(1) + label(1))).outcome
        == "nothing new"
    )
    changed = written(tmp_path, "c.csv", LABELS + label(1).replace(",1,", ",0,"))
    assert load(lake, "labels", changed).problems[0].rule == "key_conflict"


STEPS = st.lists(
    st.tuples(st.booleans(), st.sets(st.integers(0, 30), min_size=1, max_size=12)), min_size=1, max_size=7
)


@settings(max_examples=15)
@given(steps=STEPS)
def test_in_any_order_of_loads_every_known_label_lies_under_its_prediction(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[bool, set[int]]]
) -> None:
    folder = tmp_path_factory.mktemp("days")
    lake = Lake(folder / "home")
    for at, (labels, numbers) in enumerate(steps):
        text = LABELS + "".join(map(label, numbers)) if labels else HEAD + "".join(map(prediction, numbers))
        load(lake, "labels" if labels else "predictions", written(folder, f"{at}.csv", text))
    predicted = {n for labels, numbers in steps if not labels for n in numbers}
    labelled = {n for labels, numbers in steps if labels for n in numbers}
    expected: dict[int, int] = {}
    for n in labelled:
        day = 20454 + n % 5 if n in predicted else NO_DAY
        expected[day] = expected.get(day, 0) + 1
    assert homes(lake) == expected
    assert len(rows(lake, "labels")) == len(labelled)
    assert len(rows(lake, "predictions")) == len(predicted)
    assert lake.damaged() == []
