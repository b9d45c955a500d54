"""Suppression and Identity on every kind of warehouse: they draw, they add up, they say what is missing."""

import datetime as dt
import re

import pytest

from app.measure.cases import case_list
from app.measure.suppression_cards import CHOICES, TIERS, chosen, obligations, suppression_board
from app.runtime import Runtime
from app.ui import session
from metrics import ALL
from metrics.core.metric import Scope
from tests.app.test_pages import open_page, shown
from tests.cases import SOAK
from tests.conftest import NOW

PAGES = ("suppression", "identity")
VIEWS = [
    ("strict", "truth", "effective"),
    ("industry", "known", "received"),
    ("industry", "truth", "effective"),
]


@pytest.mark.parametrize("page", PAGES)
def test_the_page_draws_the_simulated_enterprise(page, enterprise: Runtime, monkeypatch):
    at = open_page(enterprise.settings.home, page, monkeypatch)
    assert len(shown(at)) > 1_000
    assert at.get("plotly_chart")


@pytest.mark.parametrize("page", PAGES)
def test_the_page_draws_an_empty_warehouse_and_says_what_to_do(page, empty: Runtime, monkeypatch):
    at = open_page(empty.settings.home, page, monkeypatch)
    assert "load" in shown(at).lower()
    assert "refresh" in shown(at).lower()


@pytest.mark.parametrize("view", VIEWS, ids="-".join)
def test_the_tiers_and_the_heat_map_add_up_to_the_violations_of_every_view(
    view, enterprise: Runtime, monkeypatch
):
    names = [s.name for s in CHOICES]
    at = open_page(enterprise.settings.home, "suppression", monkeypatch)
    for name, value in zip(names, view, strict=True):
        at.selectbox(key=name).set_value(value)
    at.run()
    assert not at.exception
    frame = at.session_state[session.FRAME]
    board = suppression_board(chosen(frame, tuple(zip(names, view, strict=True))))
    assert [t for t, _ in board.tiers] == list(TIERS)
    assert sum(n for _, n in board.tiers) == board.violations == board.crossings.total
    assert sum(n for row in board.crossings.counts for n in row) == board.violations
    said = re.search(r"([\d,]+) messages? went to people who had said stop", shown(at))
    assert said is not None
    assert int(said[1].replace(",", "")) == board.violations


@pytest.mark.parametrize("view", VIEWS, ids="-".join)
def test_the_lists_hold_the_cases_that_the_headlines_count(view, enterprise: Runtime):
    settings = tuple(zip([s.name for s in CHOICES], view, strict=True))
    runtime = Runtime(
        **{f: getattr(enterprise, f) for f in enterprise.__dataclass_fields__}
        | {"settings": type(enterprise.settings)(home=enterprise.settings.home, person_lists=True)}
    )
    violations = ALL["suppression.violations"]
    scope = Scope(settings=settings)
    found = case_list(runtime, violations, scope)
    assert len(found.rows) == enterprise.readings.read(violations, scope)[0].value
    persons = enterprise.readings.read(ALL["suppression.persons_affected"], scope)[0].value
    assert len({row[found.columns.index("person")] for row in found.rows}) == persons
    tiers = {
        dict(r.by)["tier"]: r.value
        for r in enterprise.readings.read(ALL["suppression.violations_by_tier"], scope)
    }
    listed = [row[found.columns.index("tier")] for row in found.rows]
    assert {t: listed.count(t) for t in TIERS} == {t: tiers.get(t, 0) or 0 for t in TIERS}
    risk = ALL["suppression.at_risk_persons"]
    for kind in ("any", "soft", "hard"):
        asked = Scope(settings=(settings[0], settings[2], ("kind", kind)))
        rows = case_list(runtime, risk, asked).rows
        assert len({row[0] for row in rows}) == enterprise.readings.read(risk, asked)[0].value


def test_a_list_of_persons_needs_leave(enterprise: Runtime):
    assert not enterprise.settings.person_lists
    found = case_list(enterprise, ALL["suppression.violations"], Scope())
    assert found.rows == ()
    assert "person_lists" in found.refused


def test_every_tile_opens_its_drawer_without_a_fault(enterprise: Runtime, monkeypatch):
    at = open_page(enterprise.settings.home, "suppression", monkeypatch)
    at.button(key="open-stops").click().run()
    assert not at.exception
    assert "Why it matters" in shown(at)


def test_what_is_asked_of_the_warehouse_opens_a_drawer_too(enterprise: Runtime, monkeypatch):
    at = open_page(enterprise.settings.home, "identity", monkeypatch)
    at.button(key="open-identity-records-per-person").click().run()
    assert not at.exception
    assert "Why it matters" in shown(at)


@pytest.mark.slow
@pytest.mark.skipif(not SOAK, reason="the whole page from the warehouse: make soak")
def test_a_past_view_is_read_as_it_was_known(enterprise: Runtime, monkeypatch):
    for page in PAGES:
        at = open_page(enterprise.settings.home, page, monkeypatch, as_of="2026-10-20")
        assert "as known on" in shown(at)


def test_sends_without_any_stop_are_no_violation(loaded, monkeypatch):
    runtime = loaded(
        activations="activation_id,person_id,channel,purpose\na,p,email,marketing\n",
        message_events="source,event_id,activation_id,event_type,event_at\nprov,e,a,sent,2026-10-20T00:00:00Z\n",
    )
    for page in PAGES:
        at = open_page(runtime.settings.home, page, monkeypatch)
        assert "<img" not in shown(at)
    assert "No message went to anyone" in shown(open_page(runtime.settings.home, "suppression", monkeypatch))


def test_every_obligation_has_a_source_and_a_date_of_review():
    found = obligations(NOW.date())
    assert found
    assert all(row.rule.source and row.until and row.given for row in found)
    assert not any(row.overdue for row in found)
    assert any(row.overdue for row in obligations(dt.date(2030, 1, 1)))


def test_the_action_list_is_shown_and_can_be_taken_away(enterprise: Runtime, monkeypatch):
    at = open_page(enterprise.settings.home, "suppression", monkeypatch)
    before = shown(at)
    at.toggle(key="cases-risk").set_value(True).run()
    assert not at.exception
    assert shown(at).count("<tr>") > before.count("<tr>")
    assert len([b for b in at.get("download_button") if not str(b.key).startswith("table-")]) == 1
