"""What does not fit in memory goes to a folder that no other engine uses, and is swept where its process was killed."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from data.lake import Lake, duck
from tests.cases import ROOT

ROWS, KEYS = 2_000_000, 1_000_000
QUERY = f"""
    SELECT count(*), sum(n), sum(length(m)) FROM (
      SELECT k, count(*) AS n, max(v) AS m
      FROM (SELECT (i * 7919) % {KEYS} AS k, 'value of row ' || i AS v FROM range({ROWS}) t(i)) GROUP BY k)
"""
# every key has two rows, KEYS apart
WANTED = [(KEYS, ROWS, sum(len(max(f"value of row {i}", f"value of row {i + KEYS}")) for i in range(KEYS)))]
CHILD = f"""
import sys
from pathlib import Path
from data.lake import duck
con = duck(Path(sys.argv[1]), memory="50MB", threads=2)
for _ in range(3):
    print(con.execute({QUERY!r}).fetchall())
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return Lake(tmp_path / "home").home


def test_two_processes_that_spill_at_once_do_not_disturb_each_other(home: Path):
    """A refresh beside the server. With one folder for both, both ended in a segmentation fault."""
    script = home / "child.py"  # from a file: of a command that is typed, DuckDB draws how far it is
    script.write_text(CHILD)
    command, env = [sys.executable, str(script), str(home)], os.environ | {"PYTHONPATH": str(ROOT)}
    both = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [child.communicate()[0] for child in both]
    assert [child.returncode for child in both] == [0, 0]
    assert told == [f"{WANTED}\n" * 3] * 2


def test_two_engines_of_one_process_neither(home: Path):
    """The warehouse's and the rollups'."""
    engines = [duck(home, memory="50MB", threads=2) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda e: e.execute(QUERY).fetchall(), engines)) == [WANTED] * 2
    for engine in engines:
        engine.close()
    assert not list((home / "scratch").iterdir())  # each takes its folder with it


def test_what_a_killed_process_left_is_swept_and_what_is_in_use_is_not(home: Path):
    scratch = home / "scratch"
    for name in ("spill-old", "spill-new"):
        (scratch / name).mkdir()
        (scratch / name / "duckdb_temp_storage_DEFAULT-0.tmp").write_bytes(b"pages")
    for path in (scratch / "spill-old" / "duckdb_temp_storage_DEFAULT-0.tmp", scratch / "spill-old"):
        os.utime(path, (1, 1))
    assert Lake(home).sweep() == 1  # the file; that made the folder new
    os.utime(scratch / "spill-old", (1, 1))
    assert Lake(home).sweep() == 1
    assert [p.name for p in scratch.rglob("*")] == ["spill-new", "duckdb_temp_storage_DEFAULT-0.tmp"]
