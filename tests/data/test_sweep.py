"""What a crashed load left behind goes with the next one, and only once nobody can be reading it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from data.lake import GRACE_SECONDS, Lake
from tests.data.load_homes import HEAD, ROW, load, rows, written


def orphan(lake: Lake, name: str, age_seconds: float) -> Path:
    """A finished data file that no commit names, last written `age_seconds` ago."""
    folder = lake.home / "facts" / "predictions" / "day=20454"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.parquet"
    path.write_bytes(b"finished, never committed")
    os.utime(path, (time.time() - age_seconds,) * 2)
    return path


def test_the_next_load_removes_an_old_orphan_and_spares_a_young_one(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home")
    old, young = orphan(lake, "old", GRACE_SECONDS + 60), orphan(lake, "young", 60)
    load(lake, "predictions", written(tmp_path, "a.csv", HEAD + ROW))
    assert not old.exists()
    assert young.exists()
    assert len(rows(lake, "predictions")) == 1


def test_a_second_process_sees_each_commit_at_once(tmp_path: Path) -> None:
    writer, reader = Lake(tmp_path / "home"), Lake(tmp_path / "home")
    assert reader.manifest.files("facts") == ()
    load(writer, "predictions", written(tmp_path, "a.csv", HEAD + ROW))
    assert reader.manifest.files("facts") == Lake(tmp_path / "home").manifest.files("facts") != ()
