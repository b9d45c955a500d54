"""The first screen: which model is shown, what is said first, and that no word goes further than its verdict."""

import datetime as dt
from dataclasses import replace

import pytest

from app.measure.experiment_cards import claim, value_board
from app.measure.fairness_cards import fairness_board
from app.measure.health import checks, health
from app.measure.judged import Frame, weakest
from app.measure.model_cards import model_detail, model_lines
from app.measure.scope import Period, View, ground, window
from app.measure.scorecard import Tally, headline, scorecard
from app.runtime import Runtime
from metrics import ALL
from metrics.core.metric import Dimension
from metrics.core.verdict import Comparator, State, Target
from tests.conftest import NOW


def frame(runtime: Runtime, view: View | None = None, targets: tuple[Target, ...] | None = None) -> Frame:
    readings = runtime.readings.pinned()
    chosen = view or View(period=Period.ALL)
    aims = runtime.targets() if targets is None else targets
    return Frame(runtime, readings, chosen, window(chosen, ground(readings)), aims, NOW)


def target(
    metric: str, threshold: float, comparator: Comparator = Comparator.AT_LEAST, **where: str
) -> Target:
    return Target(metric, comparator, threshold, max_age=dt.timedelta(days=30), where=tuple(where.items()))


def test_the_tile_of_several_models_shows_the_weakest_and_names_it(enterprise):
    made = frame(enterprise, targets=(target("model.auc", 0.9),))
    tile = scorecard(made).columns[0].tiles[0]
    values = [j.reading.value for j in made.read(ALL["model.auc"]) if j.verdict.state is State.NOT_MET]
    assert tile.one.reading.value == min(values)
    assert tile.note == f"weakest of {len(tile.among)}: {tile.one.subject}"


def test_with_a_chosen_model_the_tile_shows_that_model(enterprise):
    made = frame(enterprise, View(model="offer_v5", period=Period.ALL), (target("model.auc", 0.5),))
    tile = scorecard(made).columns[0].tiles[0]
    assert dict(tile.one.reading.by)["model_id"] == "offer_v5"


def test_unmeasured_comes_before_met(enterprise):
    made = frame(enterprise, targets=(target("model.auc", 0.1),))
    judged = [j for j in made.read(ALL["model.auc"]) if j.reading.value is not None]  # young models have none
    hidden = replace(judged[0], verdict=replace(judged[0].verdict, state=State.NO_DATA))
    assert weakest((*judged[1:], hidden)) == hidden


def test_the_sentence_names_the_widest_miss_of_the_business_first(enterprise):
    aims = (target("model.auc", 0.99), target("value.mean_difference", 1e6))
    board = scorecard(frame(enterprise, targets=aims))
    assert board.needs[0].metric.dimension is Dimension.BUSINESS
    assert board.sentence.startswith(board.needs[0].subject)
    assert board.tally.not_met == len(board.needs)


def test_the_sentence_says_when_all_targets_are_met(enterprise):
    board = scorecard(frame(enterprise, targets=(target("model.predictions", 1),)))
    assert board.sentence == f"All {board.tally.total} targets are met."


def test_without_targets_nothing_is_judged(enterprise):
    board = scorecard(frame(enterprise, targets=()))
    assert board.sentence == "No target is set, so nothing can be judged."
    assert board.tally.total == 0
    assert board.columns[0].tiles


def test_an_empty_warehouse_says_what_to_load(empty):
    board = scorecard(frame(empty))
    assert board.sentence == "There is nothing to judge yet."
    assert "Load" in board.detail
    assert all(c.missing for c in board.columns)


def test_a_dimension_that_is_not_measured_says_honestly_what_it_needs(enterprise):
    column = next(c for c in scorecard(frame(enterprise)).columns if c.dimension is Dimension.LEARNING)
    if not column.tiles:
        assert column.missing.startswith("Nothing")


def test_headline_counts_what_cannot_be_called(enterprise):
    made = frame(enterprise, targets=(target("model.auc", 0.5),))
    judged = tuple(
        replace(j, verdict=replace(j.verdict, state=State.INCONCLUSIVE)) for j in made.read(ALL["model.auc"])
    )
    sentence, _ = headline(judged, (), Tally(0, 0, len(judged), 0), measured=True)
    assert sentence == f"No target is missed, but {len(judged)} of {len(judged)} cannot be called yet."


def test_an_effect_that_straddles_zero_is_never_called_caused(enterprise):
    for card in value_board(frame(enterprise)).cards:
        reading = card.effect.reading
        if reading.low is not None and reading.low <= 0 <= reading.high:
            assert "caused" not in card.sentence


def test_a_broken_split_claims_no_effect(enterprise):
    effect = value_board(frame(enterprise)).cards[0].effect
    sure = replace(effect, reading=replace(effect.reading, value=5.0, low=4.0, high=6.0))
    assert "caused" in claim(sure, broken=False)
    assert claim(sure, broken=True) == "The split between the arms is broken, so no effect is claimed."


def test_model_lines_speak_of_a_hundred_flagged(enterprise):
    lines = model_lines(frame(enterprise))
    assert {line.model for line in lines} == set(ground(enterprise.readings).models)
    assert any(line.sentence.startswith("Of 100 flagged, ") for line in lines)


def test_the_curves_of_a_model_add_up(enterprise):
    detail = model_detail(frame(enterprise), "offer_v5")
    assert detail.roc is not None
    assert detail.bars is not None
    assert detail.roc.true_positive_rate[-1] == pytest.approx(1.0)
    assert detail.bars.positive.sum() == pytest.approx(1.0)
    assert detail.bars.negative.sum() == pytest.approx(1.0)


def test_fairness_takes_the_model_that_asks_for_attention_first(enterprise):
    made = frame(enterprise, targets=(target("fairness.four_fifths", 0.8),))
    board = fairness_board(made)
    known = [j.reading.value for j in made.read(ALL["fairness.four_fifths"]) if j.reading.value is not None]
    assert board.verdict is not None
    assert board.verdict.reading.value in known
    assert {c.name for c in board.cards} >= {"attr_age_band"}


def test_one_page_reads_one_state_of_the_data(loaded):
    head = "prediction_id,model_id,entity_id,predicted_at,score\n"
    runtime = loaded(predictions=head + "1,m,a,2026-10-01T00:00:00Z,0.5\n")
    pinned = runtime.readings.pinned()
    again = loaded(predictions=head + "2,m,b,2026-10-02T00:00:00Z,0.5\n")
    metric = ALL["model.predictions"]
    made = frame(again)
    assert pinned.read(metric, replace(made.scope(metric), since=None, until=None))[0].value == 1
    assert made.readings.read(metric, replace(made.scope(metric), since=None, until=None))[0].value == 2


def test_a_refused_file_is_shown_with_its_reasons_but_not_its_values(loaded, tmp_path):
    from data.load.tables import load_tables

    runtime = loaded(
        predictions="prediction_id,model_id,entity_id,predicted_at,score\n1,m,a,2026-10-01T00:00:00Z,0.5\n"
    )
    bad = tmp_path / "bad.csv"
    bad.write_text(
        "prediction_id,model_id,entity_id,predicted_at,score\n2,m,secret_person,2026-10-01 00:00:00,nan\n"
    )
    load_tables(runtime.lake, "predictions", [bad], now=NOW)
    refused = health(runtime).refused
    assert [r.load.outcome for r in refused] == ["refused"]
    assert {r.column for r in refused[0].reasons} == {"predicted_at", "score"}
    assert "secret_person" not in str(refused)


def test_checks_hold_on_a_fresh_enterprise_and_fail_on_an_empty_one(enterprise, empty):
    assert [c.name for c in checks(enterprise, NOW) if not c.holds] == []
    assert {c.name for c in checks(empty, NOW) if not c.holds} == {"tables", "freshness"}


def test_a_damaged_file_fails_the_check(loaded):
    runtime = loaded(
        predictions="prediction_id,model_id,entity_id,predicted_at,score\n1,m,a,2026-10-01T00:00:00Z,0.5\n"
    )
    file = runtime.lake.manifest.files("facts")[0]
    path = runtime.lake.home / file.path
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    failing = [c for c in checks(runtime, NOW) if not c.holds]
    assert "files" in {c.name for c in failing}
    assert file.path in next(c.detail for c in failing if c.name == "files")
