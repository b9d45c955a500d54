"""Initiatives, Ownership, Risks, Contracts, Audit trail: they draw, they save once, they refuse, they show text as text."""

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.govern import demo, rows
from app.govern.commands import execute, values_of
from app.govern.model import Actor, Change, Ledger
from app.govern.open import open_ledger
from app.govern.views import open_room
from app.runtime import Runtime, utc_now
from app.settings import Settings
from app.ui import forms
from data import ledger_store
from data.demo import demo_targets
from data.ledger import AUDIT, TABLES
from data.registers import REGISTERS
from data.registers.gates import COUNCIL
from metrics._delivery_waits import WAITS
from tests.app.test_pages import open_page, shown
from tests.cases import ROOT
from tests.metrics.homes import loaded_into

PAGES = ("initiatives", "ownership", "risks", "contracts", "audit", "baselines", "portfolio")
EVIL = "<img src=//evil.test/x onerror=alert(1)> ![b](https://evil.test/b.png) [c](javascript:alert(1)) $x$ :red[d]"


@pytest.fixture(scope="module", autouse=True)
def no_waiting_for_the_disk():
    with pytest.MonkeyPatch.context() as patch:
        quick = tuple(p.replace("EXTRA", "OFF") for p in ledger_store.PRAGMAS)
        patch.setattr(ledger_store, "PRAGMAS", quick)
        yield


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, no_waiting_for_the_disk: None) -> Path:
    """A home whose ledger holds the demo; to be copied."""
    home = tmp_path_factory.mktemp("filled")
    (home / "targets.toml").write_text(demo_targets())
    demo.fill(Settings(home=home), utc_now())
    return home


@pytest.fixture
def home(filled: Path, tmp_path: Path) -> Path:
    shutil.copytree(filled, tmp_path / "home")
    return tmp_path / "home"


def ledger_of(home: Path) -> Ledger:
    return open_ledger(Settings(home=home), utc_now)


def count(home: Path, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
    with ledger_of(home).store.read() as db:
        return int(db.execute(sa.select(sa.func.count()).select_from(table).where(*where)).scalar_one())


def as_persona(at, name: str):
    return at.selectbox(key="persona").set_value(name).run()


def opened(home: Path, page: str, register: str, record_id: str, monkeypatch, persona: str = "hanna"):
    at = as_persona(open_page(home, page, monkeypatch), persona)
    at.selectbox(key=forms.picked(register)).set_value(record_id).run()
    assert not at.exception
    return at


def draft_of(at, slot: str):
    return at.session_state[f"draft/{slot}"]


def save(at, draft):
    button = next(b for b in at.button if f"form-{draft.key}" in b.proto.form_id)
    return button.click().run()


@pytest.mark.parametrize("page", PAGES)
def test_the_page_draws_a_filled_ledger(page, home, monkeypatch):
    assert len(shown(open_page(home, page, monkeypatch))) > 3_000


def visited(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """Every page's name and markup, one after the other."""
    at = open_page(home, PAGES[0], monkeypatch)
    yield PAGES[0], shown(at)
    for page in PAGES[1:]:
        at.switch_page(str(ROOT / "pages" / f"{page}.py")).run()
        assert not at.exception, page
        yield page, shown(at)


def test_every_page_draws_an_empty_ledger_and_says_what_to_do(empty: Runtime, monkeypatch):
    for page, text in visited(empty.settings.home, monkeypatch):
        assert "python -m app" in text, page


def test_in_production_nobody_reads_the_ledger_before_signing_in(home, monkeypatch):
    monkeypatch.setenv("THROUGHLINE_MODE", "production")
    for page, text in visited(home, monkeypatch):
        assert "Nobody is signed in" in text, page
        assert "Churn" not in text, page


@pytest.mark.parametrize("page", PAGES)
def test_the_page_draws_for_everybody(page, home, monkeypatch):
    at = open_page(home, page, monkeypatch)
    for name in ("mira", "tom", "vera", "adam"):
        as_persona(at, name)
        assert not at.exception


# Written by commands, by pages with tests of their own, or from a number's drawer (test_board_pages).
ELSEWHERE = {
    "users", "alerts", "baselines", "studies", "study_results", "publications", "comments", "interventions",
    "saved_views", *COUNCIL,
}  # fmt: skip


def test_every_register_has_a_page():
    shown_on = [r for names in _registers().values() for r in names]
    assert sorted(shown_on) == sorted(r for r in REGISTERS if r not in ELSEWHERE)


@pytest.mark.parametrize("page", ["initiatives", "ownership", "risks", "contracts"])
def test_every_register_has_a_form_that_opens(page, home, monkeypatch):
    at = open_page(home, page, monkeypatch)
    for register in _registers()[page]:
        if page != "contracts":
            at.session_state["register"] = register
            at.run()
        assert f"draft/{register}/" in at.session_state, register
        with ledger_of(home).store.read() as db:
            found = rows.rows(db, register)
        if found:
            at.selectbox(key=forms.picked(register)).set_value(found[0].record_id).run()
            assert not at.exception, register
            assert "version" in shown(at), register


def _registers() -> dict[str, tuple[str, ...]]:
    from app.govern import views_contracts, views_initiatives, views_ownership, views_risks

    return {
        "initiatives": views_initiatives.REGISTERS,
        "ownership": views_ownership.REGISTERS,
        "risks": views_risks.REGISTERS,
        "contracts": views_contracts.REGISTERS,
    }


def test_saving_once_writes_one_row_and_one_audit_entry(home, monkeypatch):
    before = count(home, TABLES["initiatives"]), count(home, AUDIT)
    at = opened(home, "initiatives", "initiatives", "lead-scoring", monkeypatch)
    draft = draft_of(at, "initiatives/lead-scoring")
    at.text_input(key=f"{draft.key}/title").set_value("Lead scoring, north")
    save(at, draft)
    assert not at.exception
    assert "Recorded lead-scoring" in shown(at)
    assert (count(home, TABLES["initiatives"]), count(home, AUDIT)) == (before[0] + 1, before[1] + 1)
    assert "Lead scoring, north" in shown(at)
    assert draft_of(at, "initiatives/lead-scoring").key != draft.key
    at.run()  # the second click of a double one draws the page again
    assert "Recorded lead-scoring" in shown(at)
    at.session_state["stands/initiatives/lead-scoring"] = 0.0
    at.run()
    assert "Recorded lead-scoring" not in shown(at)


def test_a_double_submit_with_the_same_key_gives_the_same_receipt(home, monkeypatch):
    at = opened(home, "initiatives", "initiatives", "lead-scoring", monkeypatch)
    draft = draft_of(at, "initiatives/lead-scoring")
    at.text_input(key=f"{draft.key}/title").set_value("Saved twice")
    save(at, draft)
    first = at.session_state[f"receipt/{draft.key}"].receipt
    size = count(home, AUDIT)
    # The answer was lost and the same form is sent again: its key and its values are what they were.
    del at.session_state[f"receipt/{draft.key}"]
    at.session_state["draft/initiatives/lead-scoring"] = draft
    at.run()
    at.text_input(key=f"{draft.key}/title").set_value("Saved twice")
    save(at, draft)
    second = at.session_state[f"receipt/{draft.key}"].receipt
    assert second.replay
    assert (second.number, second.hash) == (first.number, first.hash)
    assert count(home, AUDIT) == size


def test_a_persona_without_the_right_is_refused_with_the_reason_and_the_attempt_is_audited(home, monkeypatch):
    before = count(home, AUDIT, AUDIT.c.outcome == "denied")
    at = opened(home, "initiatives", "initiatives", "lead-scoring", monkeypatch, "vera")
    draft = draft_of(at, "initiatives/lead-scoring")
    at.text_input(key=f"{draft.key}/title").set_value("Mine now")
    save(at, draft)
    assert "your rights (viewer) do not allow it" in shown(at)
    assert count(home, AUDIT, AUDIT.c.outcome == "denied") == before + 1
    assert count(home, TABLES["initiatives"], TABLES["initiatives"].c.title == "Mine now") == 0


def test_a_version_written_meanwhile_is_not_overwritten(home, monkeypatch):
    at = opened(home, "initiatives", "initiatives", "lead-scoring", monkeypatch)
    draft = draft_of(at, "initiatives/lead-scoring")
    change = Change("initiatives", "lead-scoring", draft.version, values_of(title="Somebody was quicker"))
    execute(ledger_of(home), change, Actor("demo", "jonas"), "meanwhile")
    at.text_input(key=f"{draft.key}/title").set_value("Too late")
    save(at, draft)
    assert "was changed by demo|jonas" in shown(at)
    assert count(home, TABLES["initiatives"], TABLES["initiatives"].c.title == "Too late") == 0
    at.button(key=f"renew-{draft.key}").click().run()
    assert draft_of(at, "initiatives/lead-scoring").version == draft.version + 1


def test_adding_a_record_asks_for_what_is_missing_beside_its_field_then_opens_it(home, monkeypatch):
    at = as_persona(open_page(home, "initiatives", monkeypatch), "mira")
    draft = draft_of(at, "initiatives/")
    at.text_input(key=f"{draft.key}/record_id").set_value("new-one")
    at.text_input(key=f"{draft.key}/title").set_value("New one")
    save(at, draft)
    assert "Fill in business hypothesis; it is required." in shown(at)
    assert draft_of(at, "initiatives/").key == draft.key
    for name in ("hypothesis", "outcome"):
        field = next(e for e in (*at.text_area, *at.text_input) if e.key == f"{draft.key}/{name}")
        field.set_value("Because it helps")
    at.selectbox(key=f"{draft.key}/stage").set_value("hypothesis")
    at.selectbox(key=f"{draft.key}/materiality").set_value("tier 3")
    save(at, draft)
    assert "Recorded new-one, version 1" in shown(at)
    assert at.selectbox(key=forms.picked("initiatives")).value == "new-one"
    assert draft_of(at, "initiatives/").key != draft.key


def test_the_council_decides_on_a_request_but_not_on_its_own(home, monkeypatch):
    at = open_page(home, "risks", monkeypatch)
    at.session_state["register"] = "acceptances"
    as_persona(at, "elena")
    at.selectbox(key=forms.picked("acceptances")).set_value("ACC-0003").run()
    assert not any(str(b.key).startswith("step-accept") for b in at.button)
    as_persona(at, "david")
    at.button(key="step-accept-ACC-0003-2").click().run()
    assert "Recorded ACC-0003, version 3" in shown(at)


def test_what_needs_a_reader_opens_its_record(home, monkeypatch):
    at = open_page(home, "risks", monkeypatch)
    assert "Needs you first: 2 of" in shown(at)
    at.button(key="open-need-0").click().run()
    assert at.session_state["register"] in ("acceptances", "exceptions")
    assert "waits for a decision" in shown(at)


def test_the_demo_has_an_orphan_an_expired_acceptance_and_a_failed_contract(home, monkeypatch):
    assert "Pricing pilot has nobody" in shown(open_page(home, "initiatives", monkeypatch))
    assert "7 of 8 initiatives have one accountable person" in shown(
        open_page(home, "ownership", monkeypatch)
    )
    risks = shown(open_page(home, "risks", monkeypatch))
    assert "expired acceptance relied on" in risks
    assert "current above inherent" in risks
    assert "household_id" in shown(open_page(home, "contracts", monkeypatch))


def test_cards_are_held_against_measurements_and_files_can_be_kept(home, monkeypatch):
    text = shown(open_page(home, "initiatives", monkeypatch))
    assert "Model cards beside today" in text
    assert "not measured" in text


def test_the_ledgers_own_numbers_stand_on_their_pages(home, monkeypatch):
    text = shown(open_page(home, "ownership", monkeypatch))
    assert "Orphaned initiatives" in text
    at = open_page(home, "risks", monkeypatch)
    assert "Acceptances relied on though not in force" in shown(at)
    at.button(key="open-risk-expired-relied-on").click().run()
    assert not at.exception
    assert "treated by acceptance" in shown(at)


def test_the_trail_is_searched_and_proved(home, monkeypatch):
    at = open_page(home, "audit", monkeypatch)
    at.text_input(key="q").set_value("ACC-0001").run()
    assert "4 entries" in shown(at)
    at.button(key="verify").click().run()
    assert not at.exception
    assert "Nothing was altered" in shown(at)


def test_the_trail_says_what_was_altered(home, monkeypatch):
    import sqlite3

    with sqlite3.connect(home / "ledger.sqlite") as db:
        db.execute("DROP TRIGGER risks_no_update")
        db.execute("UPDATE risks SET title = 'Harmless' WHERE record_id = 'RISK-0001'")
    at = open_page(home, "audit", monkeypatch)
    at.button(key="verify").click().run()
    assert "not what was written; the first bad entry is" in shown(at)


@pytest.mark.parametrize("page", PAGES)
def test_text_of_users_is_shown_as_text(page, home, monkeypatch):
    ledger = ledger_of(home)
    acts = (
        ("initiatives", "lead-scoring", "jonas", {"title": EVIL, "outcome": EVIL}),
        ("risks", "RISK-0001", "mira", {"title": EVIL, "cause": EVIL}),
        ("contracts", "labels-v1", "tom", {"title": EVIL, "purpose": EVIL}),
        ("ownership", "lead-scoring", "hanna", {"authority": EVIL}),
    )
    for register, record_id, who, values in acts:
        seen = open_room(ledger, Actor("demo", who)).shelf[register][record_id].version
        change = Change(register, record_id, seen, values_of(**values), EVIL)
        execute(ledger, change, Actor("demo", who), f"evil {register}")
    at = open_page(home, page, monkeypatch)
    for register, record_id, _, _ in acts:
        if any(s.key == forms.picked(register) for s in at.selectbox):
            at.selectbox(key=forms.picked(register)).set_value(record_id).run()
    assert not at.exception
    assert "<img" not in shown(at)
    labels = [*(b.label for b in at.button), *(e.label for e in at.expander), *(m.value for m in at.markdown)]
    assert not [x for x in labels if "evil.test" in x]


def test_targets_come_from_the_ledger_once_it_has_any(home):
    from app.measure.targets import load_targets
    from app.runtime import open_runtime

    runtime = open_runtime(Settings(home=home))
    assert {t for t in runtime.targets() if not t.note.startswith("latency budget of")} == set(
        load_targets(home)
    )
    (home / "targets.toml").unlink()
    assert len(runtime.targets()) > 20


def test_asking_for_targets_makes_no_ledger(empty: Runtime):
    assert empty.targets() == ()
    assert not (empty.settings.home / "ledger.sqlite").exists()


def test_days_of_the_demo_move_with_the_clock(tmp_path):
    now = dt.datetime(2027, 3, 1, 12, tzinfo=dt.UTC)
    demo.fill(Settings(home=tmp_path), now)
    with open_ledger(Settings(home=tmp_path), utc_now).store.read() as db:
        assert max(r.at for r in rows.rows(db, "acceptances")) <= now


def test_a_contract_taken_away_and_brought_back_changes_nothing_and_a_new_one_is_added(home):
    from app.govern import odcs
    from app.govern.views_contracts import import_yaml
    from app.govern.views_forms import carry_out

    room = open_room(ledger_of(home), Actor("demo", "tom"))
    for row in room.rows("contracts"):
        text = odcs.export_yaml(row)
        assert import_yaml(room, text).values == ()
        new = import_yaml(room, text.replace(f"id: {row.record_id}", f"id: {row.record_id}-b"))
        assert carry_out(room.ledger, new, Actor("demo", "tom"), f"yaml {row.record_id}").receipt


def test_a_sheet_is_imported_whole_once(home):
    from app.govern.sheets import export_csv, plan_csv
    from app.govern.views_forms import carry_out_all

    room = open_room(ledger_of(home), Actor("demo", "hanna"))
    register = REGISTERS["risks"]
    text = export_csv(register, room.rows("risks"))
    assert plan_csv(register, text, room.shelf["risks"]).commands == ()
    plan = plan_csv(register, text.replace("mitigate", "transfer"), room.shelf["risks"])
    first = carry_out_all(room.ledger, plan.commands, Actor("demo", "hanna"), "csv/1")
    again = carry_out_all(room.ledger, plan.commands, Actor("demo", "hanna"), "csv/1")
    assert first.receipt is not None
    assert again.receipt is not None
    assert (again.receipt.number, again.receipt.replay) == (first.receipt.number, True)
    with room.ledger.store.read() as db:
        treated = [r["treatment"] for r in rows.rows(db, "risks")]
    assert "mitigate" not in treated


PILOTS = (
    "delivery_id,initiative_id,event,event_at\n"
    "1,churn-retention,pilot_started,2026-02-01T00:00:00Z\n2,developer-tool,pilot_started,2026-02-01T00:00:00Z\n"
    "3,lead-scoring,pilot_started,2026-01-01T00:00:00Z\n4,lead-scoring,production,2026-05-01T00:00:00Z\n"
)


def test_the_portfolio_tells_the_pilot_traps_finds_by_words_and_shows_readiness(home, monkeypatch):
    mark = "source,complete_through_at\nall,2026-10-31T00:00:00Z\n"
    loaded_into(home, {"delivery_events": PILOTS, "data_watermarks": mark}, (WAITS,))
    at = open_page(home, "portfolio", monkeypatch)
    text = shown(at)
    assert "Churn retention and Developer tool have outlived the pilot that was promised." in text
    assert "days past its promise" in text
    assert "Balance of horizon and risk" in text
    assert "minimum viable context" in text
    assert len(at.get("plotly_chart")) == 1
    at.text_input(key="find_initiatives").set_value("pricing").run()
    assert not at.exception
    assert "1 of 8 initiatives have these words" in shown(at)
    assert "nobody answers for it" in shown(at)
    at.text_input(key="find_initiatives").set_value("no such words").run()
    assert "No initiative has these words" in shown(at)
