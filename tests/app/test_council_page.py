"""The council's pages: agenda, evidence then and now, a vote saved once, a decision on what was on the screen; the meeting."""

import datetime as dt
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.govern import demo
from app.govern.commands import execute, values_of
from app.govern.model import Actor, Change, Ledger
from app.govern.open import open_ledger
from app.govern.views import open_room
from app.govern.views_gates import plainly
from app.runtime import Runtime, utc_now
from app.settings import Settings
from data import ledger_store
from data.demo import demo_targets
from data.ledger import AUDIT, TABLES
from tests.app.test_pages import open_page, shown
from tests.app.test_register_pages import as_persona

LEAD, CHURN = "GATE-0006", "GATE-0005"


@pytest.fixture(scope="module", autouse=True)
def no_waiting_for_the_disk():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger_store, "PRAGMAS", tuple(p.replace("EXTRA", "OFF") for p in ledger_store.PRAGMAS))
        yield


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, no_waiting_for_the_disk: None) -> Path:
    """A home without a warehouse, whose ledger holds the demo: nothing is measured, so nothing passes."""
    home = tmp_path_factory.mktemp("council")
    (home / "targets.toml").write_text(demo_targets())
    demo.fill(Settings(home=home), utc_now())
    return home


@pytest.fixture
def home(filled: Path, tmp_path: Path) -> Path:
    shutil.copytree(filled, tmp_path / "council")
    return tmp_path / "council"


def ledger_of(home: Path) -> Ledger:
    return open_ledger(Settings(home=home), utc_now)


def count(home: Path, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
    with ledger_of(home).store.read() as db:
        return int(db.execute(sa.select(sa.func.count()).select_from(table).where(*where)).scalar_one())


def opened(home: Path, number: str, monkeypatch, persona: str = "hanna"):
    at = as_persona(open_page(home, "council", monkeypatch), persona)
    at.selectbox(key="item").set_value(number).run()
    assert not at.exception
    return at


def press(at, label: str):
    return next(b for b in at.button if b.label == label).click().run()


def cast(at, number: str, vote: str, statement: str = ""):
    at.radio(key=f"vote/{number}").set_value(vote)
    at.text_area(key=f"said-vote/{number}").set_value(statement)
    return press(at, "Vote")


def test_the_agenda_names_what_is_due_and_every_item_opens(home, monkeypatch):
    at = open_page(home, "council", monkeypatch)
    text = shown(at)
    assert "3 open reviews" in text
    assert "lapsed" in text
    assert "Go decisions still held 90 days later" in text
    for number in ("GATE-0003", CHURN, "GATE-0008"):
        at.selectbox(key="item").set_value(number).run()
        assert not at.exception
        assert "Frozen on" in shown(at)
    assert "SHA-256" in shown(at)


def test_the_page_draws_an_empty_ledger_and_closes_in_production(empty: Runtime, home, monkeypatch):
    assert "python -m app" in shown(open_page(empty.settings.home, "council", monkeypatch))
    monkeypatch.setenv("THROUGHLINE_MODE", "production")
    assert "Nobody is signed in" in shown(open_page(home, "council", monkeypatch))


@pytest.mark.parametrize("persona", ["jonas"])
def test_the_page_draws_for_everybody_and_offers_no_vote_to_those_without_a_seat(persona, home, monkeypatch):
    at = opened(home, LEAD, monkeypatch, persona)
    assert not [b for b in at.button if b.label == "Vote"]
    assert "You do not vote here" in shown(at)


def test_a_vote_is_saved_once_and_then_the_quorum_is_full(home, monkeypatch):
    votes = TABLES["gate_votes"]
    before = count(home, votes, votes.c.review == LEAD), count(home, AUDIT)
    at = cast(opened(home, LEAD, monkeypatch), LEAD, "approve")
    assert f"Recorded {LEAD} demo|hanna" in shown(at)
    assert "3 of 3 votes for the quorum" in shown(at)
    assert (count(home, votes, votes.c.review == LEAD), count(home, AUDIT)) == (before[0] + 1, before[1] + 1)
    assert not [b for b in at.button if b.label == "Vote"]


def test_a_rejection_without_a_word_is_sent_back_with_advice(home, monkeypatch):
    at = cast(opened(home, LEAD, monkeypatch), LEAD, "reject")
    assert "needs a statement" in shown(at)
    assert "reject" in shown(cast(at, LEAD, "reject", "Too early."))


def test_a_role_revoked_while_the_page_is_open_is_refused_at_the_click(home, monkeypatch):
    at = opened(home, LEAD, monkeypatch)
    at.radio(key=f"vote/{LEAD}").set_value("approve")
    row = open_room(ledger_of(home), Actor("demo", "hanna")).shelf["users"]["demo|hanna"]
    change = Change("users", row.record_id, row.version, values_of(roles=("viewer",)))
    execute(ledger_of(home), change, Actor("demo", "adam"), "revoked")
    press(at, "Vote")
    assert "Refused, and the attempt is in the audit trail" in shown(at)
    votes = TABLES["gate_votes"]
    assert count(home, votes, votes.c.by_subject == "hanna", votes.c.review == LEAD) == 0


def test_unmeasured_evidence_leaves_no_go_and_the_hold_is_recorded_with_its_hash(home, monkeypatch):
    at = cast(opened(home, LEAD, monkeypatch), LEAD, "approve")
    assert "Neither Go nor Conditional go is open" in shown(at)
    assert at.radio(key=f"decide/{LEAD}/outcome").options == ["Hold", "Recycle"]
    for name in ("context", "options", "drivers", "consequences"):
        at.text_area(key=f"decide/{LEAD}/{name}").set_value(f"The {name}.")
    press(at, "Record the decision")
    assert not at.exception
    assert f"Recorded {LEAD}, version 1" in shown(at)
    with ledger_of(home).store.read() as db:
        kept = db.execute(
            sa.select(TABLES["gate_decisions"]).where(TABLES["gate_decisions"].c.record_id == LEAD)
        ).one()
    assert (kept.outcome, kept.basis_sha256 in shown(at)) == ("hold", True)


def test_an_owner_opens_a_review_and_a_condition_is_proposed(home, monkeypatch):
    at = as_persona(open_page(home, "council", monkeypatch), "mira")
    at.selectbox(key="ask/initiative").set_value("churn-retention")
    at.selectbox(key="ask/gate").set_value("production")
    at.text_area(key="ask/request").set_value("<img src=x onerror=alert(1)> run it every day")
    press(at, "Freeze the evidence and open")
    assert "Recorded GATE-0009, version 1" in shown(at)
    assert "<img" not in shown(at)
    at = opened(home, "GATE-0009", monkeypatch, "david")
    at.text_input(key="condition/GATE-0009/title").set_value("The rollback is tested")
    at.selectbox(key="condition/GATE-0009/criterion").set_value("rollback")
    at.selectbox(key="condition/GATE-0009/owner").set_value("demo|mira")
    press(at, "Propose")
    assert "due: " in shown(at)  # the day is missing
    at.date_input(key="condition/GATE-0009/due").set_value(utc_now().date() + dt.timedelta(days=30))
    press(at, "Propose")
    assert "Recorded COND-0003" in shown(at)


# The meeting.


@pytest.fixture
def sitting(home, monkeypatch):
    """The page of a member who has opened a meeting and entered it."""
    at = as_persona(open_page(home, "meeting", monkeypatch), "hanna")
    at.text_input(key="meeting/title").set_value("<b>November</b>")
    press(at, "Open the meeting")
    return press(at, "Enter the meeting")


def to(at, number: str):
    """Go to an item by its button in the list of all items."""
    return next(b for b in at.button if number in b.label and b.key.startswith("meeting-to-")).click().run()


def test_a_meeting_is_opened_with_what_is_due_and_shows_one_item_at_a_time(sitting, home):
    text = shown(sitting)
    assert "MEET-0002, &lt;b&gt;November&lt;/b&gt;" in text
    assert "Item 1 of 4" in text
    assert "In the meeting: Hanna Lindqvist" in text
    first = {n for n in ("GATE-0006", "GATE-0007", "GATE-0008", "GATE-0003") if f"Review {n}" in text}
    assert len(first) == 1
    for at in range(2, 5):
        next(b for b in sitting.button if b.key == "meeting-next").click().run()
        assert not sitting.exception
        assert f"Item {at} of 4" in shown(sitting)
    assert "was to be ratified by" in shown(sitting)
    with ledger_of(home).store.read() as db:
        kept = db.execute(
            TABLES["meetings"].select().where(TABLES["meetings"].c.record_id == "MEET-0002")
        ).one()
    assert len(kept.agenda) == 4


def test_a_member_votes_decides_and_closes_in_the_meeting(sitting, home):
    at = to(sitting, LEAD)
    assert "2 of 3 votes for the quorum" in shown(at)
    at = cast(at, LEAD, "approve")
    assert "3 of 3 votes for the quorum" in shown(at)
    at.radio(key=f"decide/{LEAD}/outcome").set_value("hold")
    for name in ("context", "options", "drivers", "consequences"):
        at.text_area(key=f"decide/{LEAD}/{name}").set_value(f"The {name}.")
    press(at, "Record the decision")
    assert not at.exception
    assert "Decision-makers" in shown(at)
    at.text_area(key="meeting/remarks").set_value("Short.")
    press(at, "Close the meeting")
    assert not at.exception
    assert count(home, TABLES["minutes"]) == 2  # the diary has one too
    text = shown(at)
    assert "MEET-0002" in text
    assert "1 decision." in text
    assert "What matters most" in text  # no meeting is on any more


def test_who_may_not_open_a_meeting_sees_who_may(home, monkeypatch):
    at = as_persona(open_page(home, "meeting", monkeypatch), "jonas")
    assert "A member of the council opens one" in shown(at)
    assert not [b for b in at.button if b.label == "Open the meeting"]


def test_a_criterion_is_told_by_its_term_alone_and_an_identifier_eats_no_other_word():
    keys = ("benefit: met", "precision", "posture: POST-0001 met", "auc: a", "auc: b")
    why = "not met: benefit: met, posture: POST-0001 met; no data: auc: a"
    assert plainly(keys, why) == "not met: benefit, posture; no data: auc: a"
