"""Baselines in the ledger: once for one content, approved by somebody else, undone by a pointer, whole after any stop."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from app.__main__ import cli
from app.govern import evidence, rows
from app.govern.backup import backup, restore
from app.govern.baselines import store
from app.govern.baselines.dialect import Dialect
from app.govern.baselines.effects import effects, uses
from app.govern.baselines.store import Request, Series, check, in_force, known, state_of, upload
from app.govern.model import Denied, Row, Step
from app.govern.verify import verify
from app.settings import Settings
from data.ledger import AUDIT, TABLES
from data.registers import REGISTERS
from tests.cases import ROOT, SOAK
from tests.ledger import homes
from tests.ledger.homes import Desk, who

SHARES = "period,numerator,denominator\n2026-01-01,{0},1000\n2026-02-01,130,1000\n"
SERIES = Series("model.recall", "month", (), "churn")


def wanted(
    folder: Path, text: str = SHARES.format(120), name: str = "march.csv", series: Series = SERIES
) -> Request:
    path = folder / f"upload-{abs(hash(text))}"
    path.write_text(text)
    return Request(path, name, series, Dialect())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def held(lite: Desk) -> Desk:
    lite.initiative()
    return lite


def bring(desk: Desk, settings: Settings, folder: Path, first: int = 120, actor: str = "anna") -> Row:
    _, receipt = upload(desk.ledger, settings, wanted(folder, SHARES.format(first)), who(actor))
    assert receipt is not None
    row = known(desk.ledger, receipt.record_id)
    assert row is not None
    return row


def step(desk: Desk, verb: str, record_id: str, actor: str) -> Row:
    row = known(desk.ledger, record_id)
    assert row is not None
    desk.do(Step(verb, "baselines", record_id, row.version), actor)
    row = known(desk.ledger, record_id)
    assert row is not None
    return row


def approved(desk: Desk, settings: Settings, folder: Path, first: int = 120) -> Row:
    row = bring(desk, settings, folder, first)
    step(desk, "submit", row.record_id, "anna")
    return step(desk, "approve", row.record_id, "carl")


def every(desk: Desk) -> tuple[Row, ...]:
    with desk.ledger.store.read() as db:
        return rows.rows(db, "baselines")


def shelf(desk: Desk) -> dict[str, dict[str, Row]]:
    with desk.ledger.store.read() as db:
        return {name: {r.record_id: r for r in rows.rows(db, name)} for name in REGISTERS}


def test_an_upload_is_a_draft_with_its_file_and_its_rows_kept_by_hash(held, settings, tmp_path):
    row = bring(held, settings, tmp_path)
    root = evidence.folder(settings)
    assert (row.state, row["rows"], row["value"]) == ("draft", 2, 0.125)
    assert evidence.path_of(root, row.text("sha256")).read_text() == SHARES.format(120)
    assert evidence.path_of(root, row.text("rows_sha256")).read_text().startswith("period,numerator")
    assert not list((tmp_path / "quarantine").iterdir())


def test_the_same_content_is_recorded_once_whoever_brings_it_and_however_it_is_written(
    held, settings, tmp_path
):
    bring(held, settings, tmp_path)
    lines = SHARES.format(120).splitlines()
    other = wanted(tmp_path, "\r\n".join([lines[0], *reversed(lines[1:])]) + "\r\n", "other.csv")
    for actor in ("anna", "omar"):
        checked, receipt = upload(held.ledger, settings, other, who(actor))
        assert receipt is None
        assert checked.known is not None
        assert checked.known.by == who("anna")
    assert held.count(TABLES["baselines"]) == 1


def test_a_file_with_something_to_mend_changes_nothing(held, settings, tmp_path):
    before = held.count(AUDIT)
    checked, receipt = upload(held.ledger, settings, wanted(tmp_path, SHARES.format("many")), who("anna"))
    assert (receipt, checked.sound) == (None, False)
    assert b"Write a plain number" in checked.marked
    assert held.count(AUDIT) == before
    assert not evidence.folder(settings).exists()


@pytest.mark.parametrize("actor", ["vera", "carl", "adam"])
def test_only_analysts_and_owners_bring_baselines_in(actor, held, settings, tmp_path):
    with pytest.raises(Denied):
        upload(held.ledger, settings, wanted(tmp_path), who(actor))
    assert held.count(AUDIT, AUDIT.c.outcome == "denied") == 1


def test_nobody_approves_their_own_nor_what_their_initiative_gains_by(held, settings, tmp_path):
    row = bring(held, settings, tmp_path, actor="olga")
    step(held, "submit", row.record_id, "olga")
    for actor in ("olga", "omar", "anna", "vera", "adam"):  # omar sponsors the initiative
        with pytest.raises(Denied):
            step(held, "approve", row.record_id, actor)
    assert step(held, "approve", row.record_id, "carl").state == "approved"
    assert held.count(AUDIT, AUDIT.c.outcome == "denied") == 5


def test_a_baseline_that_was_not_handed_in_cannot_be_approved(held, settings, tmp_path):
    row = bring(held, settings, tmp_path)
    with pytest.raises(Denied, match="it is draft"):
        step(held, "approve", row.record_id, "carl")


def test_the_newest_approval_is_in_force_and_the_undo_moves_the_pointer_back(held, settings, tmp_path):
    old = approved(held, settings, tmp_path, 120)
    new = approved(held, settings, tmp_path, 140)
    assert {r.record_id: state_of(r, every(held)) for r in every(held)} == {
        old.record_id: "superseded", new.record_id: "in force",
    }  # fmt: skip
    step(held, "reinstate", old.record_id, "cleo")
    front = in_force(every(held), SERIES)
    assert front is not None
    assert front.record_id == old.record_id
    step(held, "revoke", old.record_id, "cleo")
    front = in_force(every(held), SERIES)
    assert front is not None
    assert front.record_id == new.record_id


def test_series_do_not_replace_one_another(held, settings, tmp_path):
    approved(held, settings, tmp_path)
    for series in (Series("model.recall", "month"), Series("model.precision", "month", (), "churn"),
                   Series("model.recall", "month", ("model_id=m1",), "churn")):  # fmt: skip
        assert in_force(every(held), series) is None


def test_the_dry_run_tells_what_changes_and_who_relies_on_it(held, settings, tmp_path):
    row = approved(held, settings, tmp_path)
    held.add("studies", "anna", record_id="s1", title="Study", design="did", plan_hash="a" * 64, plan="{}",
             baseline=row.record_id)  # fmt: skip
    checked = check(held.ledger, settings, wanted(tmp_path, SHARES.format(150)))
    found = effects(checked, shelf(held), None)
    assert [(e.what, e.before, e.after) for e in found] == [
        ("Baseline of model.recall by month", "12\xa0% (11 to 14\xa0%)", "14\xa0% (13 to 16\xa0%)"),
        ("Study s1", f"relies on {row.record_id}", "stays as it is until renewed"),
    ]
    assert [(u.register, u.record_id) for u in uses(shelf(held), row.record_id)] == [("studies", "s1")]
    assert checked.findings.difference is not None
    assert checked.findings.difference.changed == 1


def test_kept_files_are_verified_and_travel_in_a_backup(held, settings, tmp_path):
    _, receipt = upload(
        held.ledger, settings, wanted(tmp_path, SHARES.format(120).replace("\n", "\r\n")), who("anna")
    )
    assert receipt is not None
    assert backup(held.ledger, settings, tmp_path / "b.zip").evidence == 2
    (tmp_path / "other").mkdir()
    fresh = homes.fresh(tmp_path / "other" / "ledger.sqlite")
    assert restore(fresh.ledger, Settings(home=tmp_path / "other"), tmp_path / "b.zip").evidence == 2
    row = known(fresh.ledger, receipt.record_id)
    assert row is not None
    path = evidence.path_of(evidence.folder(settings), row.text("rows_sha256"))
    path.write_text(path.read_text().replace("120", "210"))
    found = verify(held.ledger.store, deep=True, files=evidence.folder(settings)).findings
    assert [(f.kind, f.detail.endswith("altered")) for f in found] == [("evidence", True)]


def test_a_name_is_shown_without_what_cannot_be_seen():
    assert store.shown_name("../../etc/pass\u202ewd\n.csv") == "passwd.csv"
    assert len(store.shown_name("x" * 500)) == 120


@pytest.mark.parametrize("fail_at", range(1, 6))
def test_a_disk_that_is_full_at_any_point_leaves_the_former_baseline(
    fail_at, held, settings, tmp_path, monkeypatch
):
    row = approved(held, settings, tmp_path)
    real, calls = os.fsync, 0

    def fsync(handle: int) -> None:
        nonlocal calls
        calls += 1
        if calls == fail_at:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with contextlib.suppress(OSError):
        upload(held.ledger, settings, wanted(tmp_path, SHARES.format(500)), who("anna"))
    monkeypatch.setattr(os, "fsync", real)
    front = in_force(every(held), SERIES)
    assert front is not None
    assert front.record_id == row.record_id
    assert verify(held.ledger.store, deep=True, files=evidence.folder(settings)).state == "intact"
    assert not list(evidence.folder(settings).glob("*.tmp"))


_CRASH = """
import os, signal, sys
from pathlib import Path
from app.govern.baselines import store
from app.govern import evidence
from tests.ledger import homes, test_baselines as t
from app.settings import Settings
from data.ledger_store import Store, sqlite_url
home, at = Path(sys.argv[1]), int(sys.argv[2])
desk = homes.Desk(Store(sqlite_url(home / "ledger.sqlite")))
places, seen = ("keep", "_record", "sync_folder", "execute"), 0
def dying(real):
    def call(*a, **k):
        global seen
        for when in ("before", "after"):
            if when == "after":
                result = real(*a, **k)
            seen += 1
            if seen == at:
                os.kill(os.getpid(), signal.SIGKILL)
        return result
    return call
evidence.keep, evidence.sync_folder = dying(evidence.keep), dying(evidence.sync_folder)
store._record, store.execute = dying(store._record), dying(store.execute)
store.upload(desk.ledger, Settings(home=home), t.wanted(home, t.SHARES.format(170)), t.who("anna"))
"""


@pytest.mark.parametrize("at", range(1, 13) if SOAK else (2, 7, 11))
def test_a_kill_at_any_point_leaves_the_former_baseline_and_the_next_upload_goes_on(
    at, held, settings, tmp_path
):
    row = approved(held, settings, tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", _CRASH, str(tmp_path), str(at)], cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    front = in_force(every(held), SERIES)
    assert front is not None
    assert front.record_id == row.record_id
    assert verify(held.ledger.store, deep=True, files=evidence.folder(settings)).state == "intact"
    checked, receipt = upload(held.ledger, settings, wanted(tmp_path, SHARES.format(170)), who("anna"))
    assert (receipt is not None) or (checked.known is not None)
    assert held.count(TABLES["baselines"], TABLES["baselines"].c.version == 1) == 2


def test_the_server_does_not_grow_with_a_file_of_the_browsers_size(held, settings, tmp_path):
    path = tmp_path / "large"
    with path.open("w") as file:
        file.write("period,unit,value,n,note\n")
        for at in range(12_000):
            file.write(f"2026-01-01,u{at},1,1,{'x' * 4_000}\n")
    assert 45 << 20 < path.stat().st_size < 50 << 20
    request = Request(path, "large.csv", Series("value.mean_difference", "day-unit"), Dialect())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    checked = check(held.ledger, settings, request)
    assert checked.sound
    assert checked.peak < 600 << 20
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 80 << 20


def test_a_file_above_the_browsers_size_is_for_the_command_line(held, settings, tmp_path):
    checked = check(held.ledger, settings, wanted(tmp_path), most=10)
    assert (checked.findings.refused, checked.sound) == ("too_large", False)


def command(home: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--home", str(home), "baseline", *words])


def test_the_command_line_checks_uploads_and_tells_history(held, settings, tmp_path):
    file, options = (
        tmp_path / "m.csv",
        ("--metric", "model.recall", "--grain", "month", "--initiative", "churn", "--json"),
    )
    file.write_text(SHARES.format("x"))
    done = command(tmp_path, "check", str(file), *options, "--marked", str(tmp_path / "mend.csv"))
    assert (done.exit_code, json.loads(done.stdout)["repairs"][0]["code"]) == (1, "not_a_number")
    assert "Write a plain number" in (tmp_path / "mend.csv").read_text("utf-8-sig")
    file.write_text(SHARES.format(120))
    done = command(tmp_path, "upload", str(file), *options, "--as", "anna")
    assert done.exit_code == 0, done.output
    record_id = json.loads(done.stdout)["baseline"]
    assert isinstance(command(tmp_path, "approve", record_id, "--as", "anna").exception, Denied)
    told = json.loads(command(tmp_path, "history", "--json").stdout)
    assert [(v["baseline"], v["state"], v["who"]) for v in told] == [(record_id, "draft", "demo|anna")]


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk of 6 MB of its own: the system itself says when it is full."""
    place = tmp_path_factory.mktemp("disk")
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", place], check=False, capture_output=True
    ).returncode:
        pytest.skip("mounting a small disk needs root")
    yield place
    subprocess.run(["umount", "-l", place], check=True)  # a connection to its ledger may still be open


ROOMS = (
    0,
    24,
    60,
    100,
    150,
    200,
)  # KiB left: the child's rows, the kept file, the kept rows and the ledger need some each


def test_a_disk_without_room_leaves_the_former_baseline_and_with_room_the_upload_goes_on(
    small_disk: Path, template: Path, tmp_path: Path
):
    desk, settings = homes.copy_of(template, small_disk / "ledger.sqlite"), Settings(home=small_disk)
    desk.initiative()
    row = approved(desk, settings, tmp_path)
    said = set()
    for room in ROOMS:
        lines = (f"{1950 + m // 12}-{m % 12 + 1:02d}-01,{room + 1},{100_000 + m}" for m in range(900))
        wish = wanted(
            tmp_path, "\n".join(("period,numerator,denominator,note", *(f"{x},{'x' * 60}" for x in lines)))
        )
        filler = small_disk / "filler"
        filler.write_bytes(bytes(max(0, shutil.disk_usage(small_disk).free - (room << 10))))
        try:
            checked, receipt = upload(desk.ledger, settings, wish, who("anna"))
            said.add(checked.findings.refused or "taken")
            assert (receipt is None) == bool(checked.findings.refused)
        except (OSError, sa.exc.OperationalError) as error:
            said.add(type(error).__name__)
        finally:
            filler.unlink()
        front = in_force(every(desk), SERIES)
        assert front is not None
        assert front.record_id == row.record_id
        assert verify(desk.ledger.store, deep=True, files=evidence.folder(settings)).state == "intact"
        assert not list(evidence.folder(settings).glob("*.tmp"))
        checked, receipt = upload(desk.ledger, settings, wish, who("anna"))
        assert receipt is not None or checked.known is not None
    assert {"no_room", "OSError"} <= said, said
