"""The scorecard of one initiative, comments and interventions, early warning, strategy map, publications, files of tables."""

import datetime as dt
import io
import shutil
from pathlib import Path

import openpyxl
import pytest

from app.govern import demo, demo_acts, demo_board, rows
from app.govern.board.publish import publish
from app.govern.model import OPERATOR, Actor, Change
from app.govern.open import open_ledger
from app.govern.remarks import effects
from app.govern.views import open_room
from app.measure import narrow
from app.measure.early import early_board, weeks_left
from app.measure.judged import Frame
from app.measure.lasting import told
from app.measure.narrow import Narrow
from app.measure.scope import Period, View, ground, window
from app.measure.scorecard import scorecard
from app.measure.strategy import strategy_map
from app.measure.takeaway import as_csv, as_xlsx, plain
from app.runtime import Runtime, open_runtime, utc_now
from app.settings import Settings
from app.ui.terms import TERMS, explained
from data import ledger_store
from metrics import ALL
from metrics.core.metric import Reading, Unit
from metrics.core.persistence import Course
from metrics.core.verdict import Comparator, Target
from tests.app.test_pages import open_page, shown
from tests.cases import ROOT
from tests.conftest import NOW

CHURN = Narrow("churn-retention", "Churn retention", ("churn_v3",), ("churn_holdout",))


@pytest.fixture(scope="module")
def kept(enterprise: Runtime, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small enterprise with people, initiatives, comments and interventions: made once, then copied."""
    home = tmp_path_factory.mktemp("board") / "home"
    shutil.copytree(enterprise.settings.home, home)
    acts = (*demo_acts.USERS, *demo_acts.INITIATIVES, *demo_acts.OWNERSHIP, *demo_board.ACTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger_store, "PRAGMAS", tuple(p.replace("EXTRA", "OFF") for p in ledger_store.PRAGMAS))
        patch.setattr(demo, "diary", lambda _: tuple(sorted(acts, key=lambda act: -act.days_ago)))
        demo.fill(Settings(home=home), utc_now())
    return home


@pytest.fixture
def home(kept: Path, tmp_path: Path) -> Path:
    shutil.copytree(kept, tmp_path / "home")
    return tmp_path / "home"


def frame_of(runtime: Runtime) -> Frame:
    readings, view = runtime.readings.pinned(), View(period=Period.ALL)
    return Frame(runtime, readings, view, window(view, ground(readings)), runtime.targets(), NOW)


def test_an_initiatives_scorecard_holds_its_own_numbers_and_nobody_elses(enterprise):
    frame = frame_of(enterprise)
    board = scorecard(frame, about=CHURN)
    readings = [t.one.reading for c in board.columns for t in c.tiles]
    assert readings
    for one in readings:
        pins = dict(one.by)
        assert pins.get("model_id", "churn_v3") == "churn_v3"
        assert pins.get("experiment_id", "churn_holdout") == "churn_holdout"
        assert pins.keys() & {"model_id", "experiment_id", "initiative_id", "initiative"}
    assert narrow.read(frame, ALL["model.auc"], Narrow("x", "X")) == ()


def test_the_first_screen_answers_three_questions_and_follows_the_initiative(home, monkeypatch):
    at = open_page(home, "scorecard", monkeypatch)
    text = shown(at)
    assert "Attributed value" in text
    assert "Needs a decision" in text
    assert "New here?" in text
    at.selectbox(key="initiative").set_value("churn-retention").run()
    assert not at.exception
    assert (
        "churn_v3" not in shown(at).split("Technical")[1].split("Business")[0]
    )  # called by its initiative's name
    assert "Churn retention" in shown(at)
    at.button(key="tour-no").click().run()
    assert "New here?" not in shown(at)


def test_a_comment_is_written_once_signed_and_marked_on_the_line(home, monkeypatch):
    at = open_page(home, "scorecard", monkeypatch)
    next(b for b in at.button if str(b.key).startswith("open-model-auc")).click().run()
    area = next(a for a in at.text_area if a.label == "Your comment")
    area.set_value("<b>Why</b> so low?")
    next(b for b in at.button if b.label == "Add the comment").click().run()
    assert not at.exception
    with open_ledger(Settings(home=home), utc_now).store.read() as db:
        said = [r for r in rows.rows(db, "comments") if r.text("comment") == "<b>Why</b> so low?"]
    assert len(said) == 1
    assert said[0].by == Actor("demo", "hanna")
    assert said[0].text("metric") == "model.auc"


def test_what_was_done_stands_with_the_number_before_and_after_and_claims_no_cause(home):
    runtime = open_runtime(Settings(home=home))
    room = open_room(open_ledger(Settings(home=home), utc_now), Actor("demo", "hanna"))
    frame = frame_of(runtime)
    found = {e.metric: e for e in effects(frame, room, room.live("interventions"))}
    assert set(found) == {"adoption.accepted_share", "suppression.clean_stop_rate"}
    assert all(e.why or e.change for e in found.values())
    assert all(e.good is None or e.change for e in found.values())


def test_early_warning_and_strategy_speak_of_what_is_measured(enterprise):
    frame = frame_of(enterprise)
    board = early_board(frame)
    assert board.indicators
    assert all(a.text.endswith(".") for a in board.warnings)
    map_ = strategy_map(frame)
    assert {link.promise.cause for link in map_.links} <= set(ALL)
    assert all("cause" in link.sentence() or "No" in link.sentence() for link in map_.links)


def test_the_new_pages_draw_with_and_without_data(home, empty, monkeypatch):
    publish(
        open_runtime(Settings(home=home)),
        open_ledger(Settings(home=home), utc_now),
        Actor(OPERATOR, "x"),
        NOW,
    )
    for place in (home, empty.settings.home):
        at = open_page(place, "early", monkeypatch)
        for page in ("strategy", "publications"):
            at.switch_page(str(ROOT / "pages" / f"{page}.py")).run()
            assert not at.exception, at.exception
            assert len(shown(at)) > 200


def weekly(*values: float) -> tuple[Reading, ...]:
    first = dt.date(2026, 8, 3)
    return tuple(
        Reading("model.auc", (("week", (first + dt.timedelta(weeks=i)).isoformat()),), v, v - 0.01, v + 0.01, 100, None,
                None, Unit.SCORE, "", "", (), NOW, "g1.d1")
        for i, v in enumerate(values)
    )  # fmt: skip


def test_a_trend_that_clearly_heads_for_its_target_warns_and_noise_does_not():
    target = Target("model.auc", Comparator.AT_LEAST, 0.70)
    assert weeks_left(weekly(0.80, 0.79, 0.78, 0.77, 0.76, 0.75, 0.74), target) == 4
    assert weeks_left(weekly(0.80, 0.801, 0.799, 0.80, 0.801, 0.80), target) is None
    assert weeks_left(weekly(0.74, 0.75, 0.76, 0.77, 0.78, 0.79), target) is None
    assert weeks_left(weekly(0.80, 0.79, 0.78), target) is None


def test_an_effect_that_fades_is_called_fading_and_one_that_lasts_is_not(enterprise):
    one = next(j for j in frame_of(enterprise).read(ALL["value.mean_difference"]))

    def monthly(*values: float) -> tuple[Reading, ...]:
        return tuple(
            Reading("value.mean_difference", (("month", f"2026-{5 + i:02d}-01"),), v, v - 1.5, v + 1.5, 500, None, None,
                    Unit.NUMBER, "", "", (), NOW, "g1.d1")
            for i, v in enumerate(values)
        )  # fmt: skip

    assert told(one, monthly(8, 5.2, 3.1, 2.0, 1.1)).course is Course.FADING
    assert "it halves in about" in told(one, monthly(8, 5.2, 3.1, 2.0, 1.1)).sentence
    assert told(one, monthly(6, 5.8, 6.3, 6.1)).course is Course.SUSTAINED
    assert told(one, monthly(0.2, -0.3, 0.1)).course is Course.UNCLEAR
    assert told(one, monthly(8, 5)).course is Course.UNKNOWN


def test_any_table_leaves_as_a_file_without_markup_and_without_formulas():
    columns, lines = ("Name", "Value"), (("<b>A</b><br>b &amp; c", "=1+1"), ("<i>x</i>", "\u22120.5"))
    assert plain(lines[0][0]) == "A; b & c"
    text = as_csv(columns, lines).decode("utf-8-sig")
    assert text.splitlines()[1] == "A; b & c,'=1+1"
    sheet = openpyxl.load_workbook(io.BytesIO(as_xlsx("A [table]", columns, lines))).active
    assert [[c.value for c in row] for row in sheet.iter_rows()][2] == ["x", "\u22120.5"]
    assert sheet.freeze_panes == "B2"


def test_words_are_explained_once_and_text_stays_text():
    found = explained("The constraint, <img src=x> and the constraint again: latency")
    assert found.count("data-tip") == 2
    assert "<img" not in found
    assert all(meaning.endswith(".") for meaning in TERMS.values())


def test_nobody_changes_a_comment(home):
    from app.govern.commands import execute, values_of
    from app.govern.model import CommandError

    ledger = open_ledger(Settings(home=home), utc_now)
    with pytest.raises(CommandError):
        execute(
            ledger, Change("comments", "COM-0001", 1, values_of(comment="Nicer")), Actor("demo", "priya"), "k"
        )
