"""Backups restore to a verified state, on either database, or not at all."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from app.govern import anchors
from app.govern.backup import backup, restore
from app.govern.verify import entries, verify
from app.settings import Settings
from data.ledger import AUDIT
from data.ledger_store import LedgerError
from tests.ledger import homes
from tests.ledger.homes import Desk
from tests.ledger.worlds import filled


@pytest.fixture
def source(lite: Desk, tmp_path: Path) -> tuple[Desk, Settings, Path]:
    """A filled ledger and its backup."""
    settings = Settings(home=tmp_path)
    filled(lite, tmp_path)
    for text in ("{}", "[]"):
        content = text.encode()
        (tmp_path / "packs").mkdir(exist_ok=True)
        (tmp_path / "packs" / f"{hashlib.sha256(content).hexdigest()}.json").write_bytes(content)
    backup(lite.ledger, settings, tmp_path / "out" / "ledger.backup")
    return lite, settings, tmp_path / "out" / "ledger.backup"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_backup_restores_to_the_same_hashes(
    kind: str, source: tuple[Desk, Settings, Path], tmp_path: Path, request: pytest.FixtureRequest
):
    desk, settings, file = source
    home = Settings(home=tmp_path / "other")
    other = (
        homes.fresh(home.home / "l.sqlite")
        if kind == "sqlite"
        else homes.fresh_on(request.getfixturevalue("pg"))
    )
    done = restore(other.ledger, home, file, anchors.public_key(settings))
    with desk.ledger.store.read() as one, other.ledger.store.read() as two:
        assert list(entries(one)) == list(entries(two))
    assert (done.entries, done.evidence, done.packs) == (desk.count(AUDIT), 2, 2)
    kept = {f.name: f.read_bytes() for f in (settings.home / "packs").iterdir()}
    assert {f.name: f.read_bytes() for f in (home.home / "packs").iterdir()} == kept
    assert verify(other.ledger.store, deep=True, files=home.home / "evidence").state == "intact"
    other.ledger.clock.now = desk.ledger.clock.now
    assert other.initiative("after").number == done.entries + 1


def test_an_altered_snapshot_is_not_backed_up(source: tuple[Desk, Settings, Path]):
    desk, settings, _ = source
    next((settings.home / "packs").iterdir()).write_text("altered")
    with pytest.raises(LedgerError, match="was altered"):
        backup(desk.ledger, settings, settings.home / "again.backup")
    assert not (settings.home / "again.backup").exists()


def test_a_backup_writes_an_anchor(source: tuple[Desk, Settings, Path]):
    desk, settings, _ = source
    anchor = anchors.newest(settings)
    assert anchor is not None
    assert anchor.count == desk.count(AUDIT)
    assert anchor.file == desk.ledger.store.digest()


def test_restoring_over_rows_is_refused(source: tuple[Desk, Settings, Path]):
    desk, settings, file = source
    with pytest.raises(LedgerError, match="not empty"):
        restore(desk.ledger, settings, file)


def test_a_broken_or_empty_ledger_is_not_backed_up(tmp_path: Path):
    desk = homes.fresh(tmp_path / "l.sqlite")
    with pytest.raises(LedgerError, match="it is empty"):
        backup(desk.ledger, Settings(home=tmp_path), tmp_path / "b")
    assert not (tmp_path / "b").exists()


def rewritten(file: Path, name: str, old: bytes, new: bytes) -> Path:
    out = file.with_name("altered")
    with zipfile.ZipFile(file) as pack, zipfile.ZipFile(out, "w") as copy:
        for part in pack.namelist():
            data = pack.read(part)
            copy.writestr(part, data.replace(old, new) if part.startswith(name) else data)
    return out


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("trail", b"Small", b"Large"),
        ("trail", b"\n{", b"\n\n{"),
        ("trail", b"demo", b"evil"),
        ("anchor", b"at 2026", b"at 2027"),
        ("evidence", b"a test", b"b test"),
        ("packs", b"{}", b"{ }"),
    ],
)
def test_an_altered_backup_restores_nothing(
    name: str, old: bytes, new: bytes, source: tuple[Desk, Settings, Path], tmp_path: Path
):
    file = rewritten(source[2], name, old, new)
    desk = homes.fresh(tmp_path / "other" / "l.sqlite")
    with pytest.raises((LedgerError, ValueError)):
        restore(desk.ledger, Settings(home=tmp_path / "other"), file)
    assert desk.count(AUDIT) == 0


def test_a_backup_of_another_key_is_refused(source: tuple[Desk, Settings, Path], tmp_path: Path):
    desk = homes.fresh(tmp_path / "other" / "l.sqlite")
    with pytest.raises(LedgerError, match="signed by"):
        restore(desk.ledger, Settings(home=tmp_path / "other"), source[2], "00" * 32)


def test_what_is_no_backup_says_so(tmp_path: Path):
    (tmp_path / "b").write_text("hello")
    with pytest.raises(LedgerError, match="not a sound backup"):
        restore(homes.fresh(tmp_path / "l.sqlite").ledger, Settings(home=tmp_path), tmp_path / "b")
