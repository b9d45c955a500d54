"""The Activation page: it draws, its states add up, its cases are listed only when asked for."""

import re

from app.runtime import Runtime
from tests.app.test_pages import open_page, shown


def test_the_page_draws_the_simulated_enterprise_with_its_headlines(enterprise: Runtime, monkeypatch):
    at = open_page(enterprise.settings.home, "activation", monkeypatch)
    text = shown(at)
    for title in ("Signals activated in their window", "Median time to activation", "Burn rate"):
        assert title in text
    assert len(at.get("plotly_chart")) == 3
    assert any(str(b.key).startswith("open-activation-in-window-share") for b in at.button)


def test_the_states_add_up_to_all_signals(enterprise: Runtime, monkeypatch):
    text = shown(open_page(enterprise.settings.home, "activation", monkeypatch))
    whole, total = (
        int(n.replace(",", "")) for n in re.search(r"add up to ([\d,]+) of ([\d,]+)", text).groups()
    )
    assert whole == total > 0
    legend = text[text.index("What became of all") : text.index("add up to")]
    assert sum(int(n.replace(",", "")) for n in re.findall(r"<b>([\d,]+)</b>", legend)) == total


def test_the_page_of_one_model_speaks_of_it_alone(enterprise: Runtime, monkeypatch):
    text = shown(open_page(enterprise.settings.home, "activation", monkeypatch, model="churn_v3"))
    assert "churn_v3" in text
    assert "weakest of" not in text


def test_an_empty_home_says_what_to_load(empty: Runtime, monkeypatch):
    text = shown(open_page(empty.settings.home, "activation", monkeypatch))
    assert "No signal has been followed yet" in text
    assert "load signals" in text.lower()


def test_a_headline_opens_its_drawer(enterprise: Runtime, monkeypatch):
    at = open_page(enterprise.settings.home, "activation", monkeypatch)
    next(b for b in at.button if str(b.key).startswith("open-activation-latency-median")).click().run()
    assert not at.exception
    assert "Kaplan-Meier" in shown(at)


def test_the_cases_are_read_only_when_asked_for(enterprise: Runtime, monkeypatch):
    at = open_page(enterprise.settings.home, "activation", monkeypatch)
    assert "person" not in " ".join(re.findall(r"<th[^>]*>([^<]*)</th>", shown(at)))
    at.toggle(key="cases-activation.in_window_share").set_value(True).run()
    assert not at.exception
    head = re.findall(r"<th[^>]*>([^<]*)</th>", shown(at))
    assert {"signal", "person", "state", "window end"} <= set(head)


def test_lists_of_persons_can_be_switched_off(enterprise: Runtime, monkeypatch):
    monkeypatch.setenv("THROUGHLINE_PERSON_LISTS", "no")
    at = open_page(enterprise.settings.home, "activation", monkeypatch)
    at.toggle(key="cases-activation.in_window_share").set_value(True).run()
    assert any("switched off" in c.value for c in at.caption)
