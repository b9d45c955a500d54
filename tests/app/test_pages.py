"""Every page on every kind of warehouse: it draws, it says what is missing, it never shows a fault."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.runtime import Runtime
from tests.cases import ROOT
from tests.conftest import refreshed

PAGES = (
    "scorecard",
    "chain",
    "models",
    "fairness",
    "generated",
    "activation",
    "suppression",
    "identity",
    "value",
    "definitions",
    "health",
)
PATIENCE = 120


def shown(at: AppTest) -> str:
    """All text of a page's markup, charts aside."""
    return " ".join(e.proto.body for e in at.get("html"))


def open_page(home: Path, page: str, monkeypatch: pytest.MonkeyPatch, **query: str) -> AppTest:
    monkeypatch.setenv("THROUGHLINE_HOME", str(home))
    at = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=PATIENCE)
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    if page != "scorecard":
        at.switch_page(str(ROOT / "pages" / f"{page}.py")).run()
    assert not at.exception, at.exception
    return at


@pytest.mark.parametrize("page", PAGES)
def test_every_page_draws_the_simulated_enterprise(page, enterprise: Runtime, monkeypatch):
    at = open_page(enterprise.settings.home, page, monkeypatch)
    assert len(shown(at)) > 500


@pytest.mark.parametrize("page", PAGES)
def test_every_page_draws_an_empty_warehouse_and_says_what_to_do(page, empty: Runtime, monkeypatch):
    at = open_page(empty.settings.home, page, monkeypatch)
    if page != "definitions":
        assert "load" in shown(at).lower()
        assert "refresh" in shown(at).lower()


def predictions(rows: int, *, attribute: str = "", score: float = 0.4) -> str:
    head = "prediction_id,model_id,entity_id,predicted_at,score,threshold" + (
        ",attr_group" if attribute else ""
    )
    end = f",{attribute}" if attribute else ""
    lines = [
        f"{i},m,e{i},2026-10-{1 + i % 28:02d}T00:00:00Z,{score + i / 1000},0.5{end}" for i in range(rows)
    ]
    return "\n".join([head, *lines]) + "\n"


def labels(rows: int, label: int) -> str:
    return "prediction_id,label,labelled_at\n" + "".join(
        f"{i},{label},2026-10-30T00:00:00Z\n" for i in range(rows)
    )


@pytest.mark.parametrize(
    "tables",
    [
        {"predictions": predictions(60)},
        {"predictions": predictions(60), "labels": labels(60, 1)},
        {"predictions": predictions(60, attribute="only"), "labels": labels(60, 0)},
    ],
    ids=["no labels yet", "one class only", "one segment"],
)
def test_every_page_draws_data_that_cannot_answer_yet(tables, loaded, monkeypatch):
    """One visit to all pages, as a reader makes it: loading the data takes longer than a page."""
    at = open_page(loaded(**tables).settings.home, "scorecard", monkeypatch)
    for page in PAGES[1:]:
        at.switch_page(str(ROOT / "pages" / f"{page}.py")).run()
        assert not at.exception, (page, at.exception)


def test_a_model_without_labels_says_that_labels_are_missing(loaded, monkeypatch):
    runtime = loaded(predictions=predictions(60))
    assert "label" in shown(open_page(runtime.settings.home, "models", monkeypatch))


def test_a_number_that_does_not_exist_is_a_dash_with_its_reason(loaded, monkeypatch):
    runtime = loaded(predictions=predictions(60), labels=labels(60, 1))
    (runtime.settings.home / "targets.toml").write_text(
        '[[target]]\nmetric = "model.auc"\ncomparator = "at least"\nthreshold = 0.7\n'
    )
    text = shown(open_page(runtime.settings.home, "scorecard", monkeypatch))
    assert '<span class="tl-value">\u2013</span>' in text
    assert "no data" in text


def test_loaded_but_not_refreshed_data_say_so(tmp_path, monkeypatch):
    from app.measure import demo
    from app.runtime import open_runtime
    from app.settings import Settings
    from tests.conftest import NOW

    runtime = open_runtime(Settings(home=tmp_path / "home"))
    demo.write(runtime, NOW, days=7, persons=120, seed=3)
    assert "refresh" in shown(open_page(runtime.settings.home, "health", monkeypatch)).lower()
    refreshed(runtime)
    assert "Numbers reflect every row loaded" in shown(
        open_page(runtime.settings.home, "health", monkeypatch)
    )


def test_a_link_carries_the_view(enterprise: Runtime, monkeypatch):
    at = open_page(enterprise.settings.home, "models", monkeypatch, model="offer_v5", period="4 weeks")
    assert "offer_v5 \u00b7" in shown(at)
    assert at.selectbox(key="period").value == "4 weeks"


def test_a_link_to_a_model_that_is_gone_shows_all_models(enterprise: Runtime, monkeypatch):
    at = open_page(enterprise.settings.home, "scorecard", monkeypatch, model="gone", period="nonsense")
    assert "all models" in shown(at)


def test_a_past_view_reads_what_was_known_then(enterprise: Runtime, monkeypatch):
    at = open_page(enterprise.settings.home, "scorecard", monkeypatch, as_of="2026-10-20")
    assert "as known on" in shown(at)


def test_a_tile_opens_its_drawer_with_question_history_and_sql(enterprise: Runtime, monkeypatch):
    at = open_page(enterprise.settings.home, "scorecard", monkeypatch)
    opener = next(b for b in at.button if str(b.key).startswith("open-model-auc"))
    opener.click().run()
    assert not at.exception
    assert "Why it matters" in shown(at)
    assert any("SELECT" in c.value for c in at.code)


def test_choosing_a_model_narrows_every_page(enterprise: Runtime, monkeypatch):
    at = open_page(enterprise.settings.home, "models", monkeypatch)
    at.button(key="open-model-lead-v2").click().run()
    assert at.selectbox(key="model").value == "lead_v2"
    assert not at.exception


def test_the_measures_without_a_target_can_be_shown(enterprise: Runtime, monkeypatch):
    at = open_page(enterprise.settings.home, "scorecard", monkeypatch)
    before = len(at.button)
    at.toggle(key="all").set_value(True).run()
    assert not at.exception
    assert len(at.button) > before


def test_definitions_are_found_by_their_words(enterprise: Runtime, monkeypatch):
    at = open_page(enterprise.settings.home, "definitions", monkeypatch, q="four-fifths")
    assert [e.label.split("**")[1] for e in at.expander if "**" in e.label] == [
        "Four-fifths rule: lowest selection ratio", "Four-fifths rule where attributes meet",
    ]  # fmt: skip


def test_a_name_from_the_data_cannot_become_markup(loaded, monkeypatch):
    evil = "<img src=x onerror=alert(1)>"
    text = predictions(60).replace(",m,", f",{evil},")
    runtime = loaded(predictions=text, labels=labels(60, 1))
    for page in PAGES:
        body = shown(open_page(runtime.settings.home, page, monkeypatch))
        assert "<img" not in body
