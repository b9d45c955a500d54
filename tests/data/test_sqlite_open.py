"""Connections that stay open: never of another file, never of another process, and a look anew reads the file itself."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from data.ledger_store import Store, sqlite_url
from data.manifest import Load, Manifest


def filled(path: Path, word: str) -> Path:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE said (word TEXT)")
        db.execute("INSERT INTO said VALUES (?)", (word,))
    return path


def said(store: Store, *, anew: bool = False) -> str:
    with store.read_anew() if anew else store.read() as db:
        return str(db.exec_driver_sql("SELECT word FROM said").scalar())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(sqlite_url(filled(tmp_path / "ledger.sqlite", "first")))


def test_a_file_put_in_the_place_of_the_former_is_the_one_that_is_read(store: Store, tmp_path: Path):
    assert said(store) == "first"
    filled(tmp_path / "other.sqlite", "second").replace(tmp_path / "ledger.sqlite")
    assert said(store) == "second"


def test_what_another_connection_commits_is_seen(store: Store, tmp_path: Path):
    assert said(store) == "first"
    with sqlite3.connect(tmp_path / "ledger.sqlite") as db:
        db.execute("UPDATE said SET word = 'third'")
    assert said(store) == "third"


def test_bytes_changed_behind_the_databases_back_are_seen_by_a_look_anew(store: Store, tmp_path: Path):
    """The change counter of the file stays as it was, so an open connection may go on with the pages it has."""
    assert said(store) == "first"
    path = tmp_path / "ledger.sqlite"
    whole = path.read_bytes()
    assert whole.count(b"first") == 1
    with path.open("r+b") as file:
        file.seek(whole.index(b"first"))
        file.write(b"FORGE")
    assert said(store, anew=True) == "FORGE"


def test_a_forked_process_opens_connections_of_its_own(store: Store):
    with store.read() as db:
        before = id(db.connection.dbapi_connection)
    child = os.fork()
    if child == 0:
        with store.read() as db:
            os._exit(1 if id(db.connection.dbapi_connection) == before else 0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_control_file_that_was_put_back_is_read_again(tmp_path: Path):
    path = tmp_path / "control.sqlite"
    manifest = Manifest(path)
    kept = shutil.copy(path, tmp_path / "kept.sqlite")
    before = manifest.generation()
    manifest.record(Load("labels", "f.csv", "0", 0, 0, 0, 0, "refused", "now"))
    assert manifest.generation() == before + 1
    Path(kept).replace(path)
    assert manifest.generation() == before
