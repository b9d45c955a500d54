"""What most readers ask for first is read before they come, and a page then asks the store for nothing."""

import pytest

from app import warm
from app.measure.shelf import Shelf
from app.runtime import Runtime
from app.settings import Settings


def test_a_page_read_ahead_asks_the_store_for_nothing(enterprise: Runtime, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(warm, "PERIODS", warm.PERIODS[:1])
    rests: list[float] = []
    assert warm.warm(enterprise, rests.append) == len(warm.BOARDS) == len(rests)
    assert max(rests) <= warm.MOST_REST

    def refuse(*_: object) -> None:
        raise AssertionError("the store was asked")

    (frame,) = warm.frames(enterprise)
    monkeypatch.setattr(type(enterprise.store), "columns", refuse)
    for board in (
        warm.scorecard,
        warm.chain_board,
        warm.early_board,
        warm.activation_board,
        warm.suppression_board,
    ):
        board(frame)


def test_an_empty_home_and_a_board_with_a_fault_end_quietly(empty: Runtime, enterprise: Runtime, monkeypatch):
    assert warm.warm(empty, lambda _: None) == 0

    def broken(_: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr(warm, "BOARDS", (broken,))
    assert warm.warm(enterprise, lambda _: None) == len(warm.PERIODS)
    assert isinstance(empty.settings, Settings)


def test_a_shelf_lets_go_of_what_was_asked_least_by_number_and_by_size():
    by_number, by_size = Shelf[int](2), Shelf[int](9, 100)
    for n in range(3):
        by_number.keep(n, n)
        by_number.find(0)
    assert [by_number.find(n) for n in range(3)] == [0, None, 2]
    for n, size in enumerate((60, 30, 30)):
        by_size.keep(n, n, size)
    assert [by_size.find(n) for n in range(3)] == [None, 1, 2]
    by_size.keep(3, 3, 1000)
    assert (len(by_size), by_size.find(3)) == (1, 3)


def test_one_models_answer_out_of_all_is_the_answer_that_is_asked_for_alone(enterprise: Runtime):
    from dataclasses import replace

    from app.measure.scope import View
    from metrics import ALL
    from tests.app.test_scorecard import frame

    made = frame(enterprise, View(model="churn_v3"))
    fresh = replace(made, readings=enterprise.readings.pinned())
    for key in (
        "model.auc",
        "model.precision",
        "fairness.four_fifths",
        "fairness.false_positive_rate_difference",
        "model.brier",
    ):
        metric = ALL[key]
        asked = made.scope(metric)
        assert made.readings.read(metric, asked) == fresh.readings._answer(metric, asked), key
