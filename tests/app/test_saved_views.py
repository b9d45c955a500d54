"""A view under a name: kept once, listed for its owner alone, opened by its link, taken off the list."""

from pathlib import Path

import pytest

from app.govern.model import Actor
from app.govern.open import open_ledger
from app.govern.saved_views import LONGEST, forget, save, saved_views
from app.govern.views import open_room
from app.runtime import utc_now
from app.settings import Settings
from tests.app.test_pages import open_page, shown

HANNA, VERA = Actor("demo", "hanna"), Actor("demo", "vera")


@pytest.fixture
def ledger(study_home: Path):
    return open_ledger(Settings(home=study_home), utc_now)


def test_a_view_is_kept_with_its_choices_and_listed_for_its_owner_alone(ledger):
    said = save(
        ledger,
        VERA,
        " Churn, all year ",
        "models",
        {"model": "churn_v3", "period": "52 weeks", "tour": "seen"},
        "k",
    )
    assert said.receipt is not None
    (view,) = saved_views(open_room(ledger, VERA))
    assert (view.title, view.page, view.choices) == (
        "Churn, all year",
        "models",
        {"model": "churn_v3", "period": "52 weeks"},
    )
    assert saved_views(open_room(ledger, HANNA)) == ()
    assert saved_views(open_room(ledger, None)) == ()


def test_a_view_needs_a_name_and_choices_that_an_address_can_hold(ledger):
    assert save(ledger, VERA, "  ", "models", {}, "a").receipt is None
    assert "too long" in save(ledger, VERA, "Long", "models", {"q": "x" * LONGEST}, "b").text
    assert saved_views(open_room(ledger, VERA)) == ()


def test_only_its_owner_takes_a_view_off_the_list(ledger):
    save(ledger, VERA, "Mine", "risks", {}, "k")
    (view,) = saved_views(open_room(ledger, VERA))
    assert "Refused" in forget(open_room(ledger, HANNA), view.row, "f1").text
    assert forget(open_room(ledger, VERA), view.row, "f2").receipt is not None
    assert saved_views(open_room(ledger, VERA)) == ()


def test_a_reader_keeps_a_view_on_the_page_and_finds_its_link(study_home, monkeypatch):
    at = open_page(study_home, "scorecard", monkeypatch, period="4 weeks")
    at.session_state["share"] = True
    at.run()
    at.text_input(key="saved_view_name").set_value("Four weeks")
    next(b for b in at.button if b.label == "Keep this view").click().run()
    assert not at.exception
    assert 'href="./?period=4+weeks">Four weeks</a>' in shown(at)
    next(b for b in at.button if b.label == "Remove").click().run()
    assert "Four weeks</a>" not in shown(at)
