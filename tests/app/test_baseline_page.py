"""The page of baselines: a file is looked at, recorded once, approved by somebody else, and shown as text."""

from app.govern import rows
from app.govern.baselines.store import state_of
from app.ui import forms
from data.ledger import TABLES
from tests.app.test_pages import open_page, shown
from tests.app.test_register_pages import as_persona, count, ledger_of

GOOD = "period,numerator,denominator\n2026-01-01,120,1000\n2026-02-01,130,1000\n"


def held(home):
    with ledger_of(home).store.read() as db:
        return rows.rows(db, "baselines")


def with_file(home, monkeypatch, text: str, name: str = "a.csv", persona: str = "tom"):
    at = as_persona(open_page(home, "baselines", monkeypatch), persona)
    at.selectbox(key="base/metric").set_value("model.recall").run()
    path = home / "quarantine" / "browser-test"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    at.session_state["base/held"] = (str(path), name)
    at.run()
    assert not at.exception
    return at


def new_of(home, before):
    return next(r for r in held(home) if r.record_id not in {b.record_id for b in before})


def test_a_sound_file_is_shown_recorded_once_and_approved_by_somebody_else(study_home, monkeypatch):
    home = study_home
    before = held(home)
    at = with_file(home, monkeypatch, GOOD)
    assert "all sound" in shown(at)
    at.button(key="base/go").click().run()
    assert not at.exception
    row = new_of(home, before)
    assert f"Recorded {row.record_id}" in shown(at)
    step(at, "submit", row)
    assert not [b for b in at.button if b.key and b.key.startswith("step-approve")]
    as_persona(at, "hanna")
    at.selectbox(key=forms.picked("baselines")).set_value(row.record_id).run()
    step(at, "approve", new_of(home, before))
    assert state_of(new_of(home, before), held(home)) == "in force"
    assert count(home, TABLES["baselines"], TABLES["baselines"].c.record_id == row.record_id) == 3


def step(at, verb, row):
    at.button(key=f"step-{verb}-{row.record_id}-{row.version}").click().run()
    assert not at.exception


def test_faults_are_grouped_by_what_mends_them_and_nothing_is_recorded(study_home, monkeypatch):
    home = study_home
    before = len(held(home))
    at = with_file(
        home, monkeypatch, GOOD.replace("120", "12%").replace("130", "<img src=x onerror=alert(1)>")
    )
    text = shown(at)
    assert "Write the share as a number" in text
    assert "<img src=x" not in text
    assert not [b for b in at.button if b.key == "base/go"]
    assert len(held(home)) == before


def test_a_disguised_file_is_refused_with_the_reason(study_home, monkeypatch):
    home = study_home
    assert "not what its name says" in shown(with_file(home, monkeypatch, "%PDF-1.7", "a.xlsx"))


def test_who_may_not_bring_baselines_in_sees_no_form(study_home, monkeypatch):
    home = study_home
    at = as_persona(open_page(home, "baselines", monkeypatch), "vera")
    assert not [s for s in at.selectbox if s.key == "base/metric"]
    assert "Analysts and owners bring" in shown(at)


def test_a_dialect_that_does_not_hold_together_is_said_at_once(study_home, monkeypatch):
    home = study_home
    at = as_persona(open_page(home, "baselines", monkeypatch), "tom")
    at.selectbox(key="base/decimal").set_value("comma").run()
    assert "cannot part columns and decimals" in shown(at)
