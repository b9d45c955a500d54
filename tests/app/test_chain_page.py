"""The page "Where value is lost": it draws, its bars add up, its sentence goes no further than its interval."""

from dataclasses import replace

import pytest

from app.measure.chain_cards import chain_board, closings, constraint_sentence
from app.measure.scope import View
from app.measure.scorecard import scorecard
from app.runtime import Runtime
from metrics import ALL
from tests.app.test_pages import open_page, shown
from tests.app.test_scorecard import frame


def test_the_page_draws_the_chain_of_the_enterprise(enterprise: Runtime, monkeypatch):
    at = open_page(enterprise.settings.home, "chain", monkeypatch)
    text = shown(at)
    assert len(at.get("plotly_chart")) == 2
    assert "What if one link were closed?" in text
    assert "Lost to latency" in text
    at.radio(key="chain-left").set_value(0.2).run()
    assert not at.exception


def test_an_empty_home_says_what_to_load(empty: Runtime, monkeypatch):
    text = shown(open_page(empty.settings.home, "chain", monkeypatch))
    assert "No chain can be drawn yet" in text
    assert "load signals" in text.lower()


def test_the_bars_add_up_from_potential_to_net_value(enterprise: Runtime):
    board = chain_board(frame(enterprise))
    steps = {s.name: s.money.value for s in board.steps}
    left = steps.pop("Potential")
    net, cost, reached = (
        steps.pop("Net value"),
        steps.pop("Less cost of ownership"),
        steps.pop("Reached in window"),
    )
    assert left - sum(steps.values()) == pytest.approx(reached)
    assert reached - cost == pytest.approx(net)
    (value,) = frame(enterprise).read(ALL["chain.net_value"])
    assert value.reading.value == pytest.approx(net)


def test_the_churn_page_says_where_its_signals_die(enterprise: Runtime):
    churn = frame(enterprise, View(model="churn_v3", period=frame(enterprise).view.period))
    assert "to latency" in constraint_sentence(churn)
    assert max(closings(chain_board(churn).chain, 0.0), key=lambda c: c.n).link == "latency"


def test_a_return_that_may_be_nothing_is_called_so_and_a_claim_a_claim(enterprise: Runtime):
    made = frame(enterprise)
    reading = made.read(ALL["chain.recoverable_value"])[0].reading
    assert reading.low <= 0
    assert "cannot be told from nothing" in constraint_sentence(made)
    young = frame(enterprise, replace(made.view, model="price_v1"))
    assert "own claim" in constraint_sentence(young)


def test_the_scorecard_says_the_constraint_in_one_sentence(enterprise: Runtime, empty: Runtime, monkeypatch):
    made = frame(enterprise)
    assert scorecard(made).constraint == constraint_sentence(made) != ""
    assert scorecard(frame(empty)).constraint == ""
    assert ">constraint</span>" in shown(open_page(enterprise.settings.home, "scorecard", monkeypatch))
