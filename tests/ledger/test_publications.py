"""What the board saw: frozen once, read back exactly, compared, restated when late rows arrive, never changed."""

import datetime as dt
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.__main__ import cli
from app.govern.board.compare import compare, restate
from app.govern.board.document import PublicationError, read, text_of
from app.govern.board.publish import PART, close, document, published
from app.govern.board.publish import publish as freeze
from app.govern.model import OPERATOR, Actor
from app.govern.open import open_ledger
from app.measure.refresh import refresh
from app.runtime import Runtime, open_runtime
from app.settings import Settings
from data.audit import sha256
from data.load.tables import load_tables
from metrics import ALL, ROLLUPS
from metrics.core.verdict import State
from tests.conftest import NOW

ROOT = Actor(OPERATOR, "root")
LATER = NOW + dt.timedelta(days=2)


def csv(name: str, rows: range, now: dt.datetime) -> str:
    """Predictions of October with outcomes that half follow the score, known since `now`."""
    known = now.isoformat()
    if name == "predictions":
        head = "prediction_id,model_id,entity_id,predicted_at,score,threshold,loaded_at\n"
        return head + "".join(
            f"{i},m,e{i},2026-10-{1 + i % 31:02d}T00:00:00Z,{(i * 7 % 100) / 100},0.5,{known}\n" for i in rows
        )
    head = "prediction_id,label,labelled_at,loaded_at\n"
    return head + "".join(
        f"{i},{int((i * 7 % 100) + (i % 3) * 20 > 60)},2026-10-31T12:00:00Z,{known}\n" for i in rows
    )


def load(runtime: Runtime, folder: Path, rows: range, now: dt.datetime) -> None:
    for name in ("predictions", "labels"):
        path = folder / f"{name}-{rows.start}.csv"
        path.write_text(csv(name, rows, now))
        for report in load_tables(runtime.lake, name, [path], now=now):
            assert report.outcome != "refused", report.message()
    refresh([ROLLUPS["model.scores"]], runtime.warehouse, runtime.store, lambda: now)


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A month of one model, with one target: made once, then copied."""
    folder = tmp_path_factory.mktemp("month")
    runtime = open_runtime(Settings(home=folder / "home"))
    runtime.settings.home.mkdir(parents=True, exist_ok=True)
    (runtime.settings.home / "targets.toml").write_text(
        '[[target]]\nmetric = "model.auc"\ncomparator = "at least"\nthreshold = 0.7\nmax_age_days = 90\n'
    )
    load(runtime, folder, range(400), NOW)
    return folder / "home"


@pytest.fixture
def home(month: Path, tmp_path: Path) -> Runtime:
    shutil.copytree(month, tmp_path / "home")
    return open_runtime(Settings(home=tmp_path / "home"))


def ledger_of(runtime: Runtime):
    return open_ledger(runtime.settings, lambda: LATER)


def test_the_same_data_are_published_once(home):
    ledger = ledger_of(home)
    first = freeze(home, ledger, ROOT, NOW)
    again = freeze(home, ledger, Actor(OPERATOR, "somebody else"), LATER)
    assert not first.replay
    assert again.replay
    assert (again.entry, again.sha256) == (first.entry, first.sha256)
    assert [p.publication for p in published(ledger)] == ["2026-11-01T09:00:00Z"]


def test_a_publication_is_read_back_digit_for_digit_with_target_verdict_and_definition(home):
    ledger = ledger_of(home)
    freeze(home, ledger, ROOT, NOW)
    _, found = document(ledger, "2026-11")
    line = next(x for x in found.lines if x.reading.key == "model.auc")
    assert line.reading.value is not None
    assert line.reading.low is not None
    assert line.aim is not None
    assert line.aim.threshold == 0.7
    assert line.state in (State.MET, State.NOT_MET, State.INCONCLUSIVE)
    assert line.definition == ALL["model.auc"].version
    assert line.reading.as_of == NOW
    assert read(text_of(found), sha256(text_of(found))) == found


def test_a_text_that_was_altered_is_refused(home):
    ledger = ledger_of(home)
    freeze(home, ledger, ROOT, NOW)
    text = text_of(document(ledger, "2026-11")[1])
    with pytest.raises(PublicationError, match="not what its SHA-256 names"):
        read(text.replace('"m"', '"k"', 1), sha256(text))


def test_a_long_document_lies_in_several_records_and_is_read_whole(home, monkeypatch):
    from app.govern.board import publish

    monkeypatch.setattr(publish, "PART", 100)
    ledger = ledger_of(home)
    freeze(home, ledger, ROOT, NOW)
    assert len(text_of(document(ledger, "2026-11")[1])) > 300
    assert len(published(ledger)) == 1
    assert PART > 300


def test_a_month_is_closed_once_its_last_day_is_loaded_and_not_before(home):
    ledger = ledger_of(home)
    with pytest.raises(PublicationError, match="cannot be closed yet"):
        close(home, ledger, ROOT, dt.date(2026, 11, 1), NOW)
    done = close(home, ledger, ROOT, dt.date(2026, 10, 1), NOW)
    assert (done.publication, done.first, done.last) == (
        "2026-10",
        dt.date(2026, 10, 1),
        dt.date(2026, 10, 31),
    )
    assert close(home, ledger, ROOT, dt.date(2026, 10, 1), LATER).replay


def test_late_rows_restate_a_closed_month_and_as_of_then_it_stays_what_it_was(home, tmp_path):
    ledger = ledger_of(home)
    close(home, ledger, ROOT, dt.date(2026, 10, 1), NOW)
    name, found = document(ledger, "2026-10")
    before = restate(name, found, home.readings.pinned())
    assert (before.restated, before.reproduced) == (0, before.asked)
    load(home, tmp_path, range(400, 700), LATER)
    after = restate(name, found, home.readings.pinned())
    assert after.reproduced == after.asked == len(found.lines)
    assert after.restated > 0
    assert document(ledger, "2026-10")[1] == found


def test_two_publications_are_compared_number_by_number(home, tmp_path):
    ledger = ledger_of(home)
    freeze(home, ledger, ROOT, NOW)
    load(home, tmp_path, range(400, 900), LATER)
    freeze(home, ledger, ROOT, LATER)
    a, b = (document(ledger, p.publication) for p in reversed(published(ledger)))
    found = compare(a, b)
    moved = next(m for m in found.moved if m.key == "model.auc")
    assert moved.before != moved.after
    assert compare(a, a).moved == ()
    harder = replace(a[1], lines=tuple(replace(x, definition=x.definition + 1) for x in a[1].lines))
    of = {m: ALL[m].version for m in ALL}
    moved_on = compare(a, ("x", harder)).moved
    assert moved_on
    assert all(f"definition {of[m.key]} became {of[m.key] + 1}" in m.why for m in moved_on)


def test_nothing_is_published_from_an_empty_warehouse(empty):
    with pytest.raises(PublicationError, match="nothing is computed yet"):
        freeze(empty, ledger_of(empty), ROOT, NOW)


def test_the_command_line_publishes_lists_compares_and_restates(home):
    run = CliRunner()
    at = ["--home", str(home.settings.home), "publish"]
    first = run.invoke(cli, [*at, "--json"])
    assert first.exit_code == 0, first.output
    assert json.loads(first.output)["publication"] == "2026-11-01T09:00:00Z"
    assert run.invoke(cli, [*at, "--month", "2026-10"]).exit_code == 0
    names = [p["publication"] for p in json.loads(run.invoke(cli, [*at, "list", "--json"]).output)]
    assert names == ["2026-10", "2026-11-01T09:00:00Z"]
    both = json.loads(run.invoke(cli, [*at, "compare", "2026-10", "2026-11", "--json"]).output)
    assert both["same"] + len(both["moved"]) >= 1
    told = json.loads(run.invoke(cli, [*at, "restate", "2026-10", "--json"]).output)
    assert told["reproduced"] == told["asked"]
    with pytest.raises(PublicationError, match="names no publication"):
        run.invoke(cli, [*at, "compare", "1999", "2026"], catch_exceptions=False)
