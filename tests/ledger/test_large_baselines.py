"""Baseline files beyond what a browser may bring, by the command line: streamed, in bounded memory here and in the child.

In the soak 60 MB of each kind; THROUGHLINE_LARGE_MB=500 measures the size that is promised (docs/results/baselines.md).
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cases import ROOT, SOAK
from tests.ledger.homes import Desk

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not SOAK, reason="minutes for each file: make soak")]
SIZE = int(os.environ.get("THROUGHLINE_LARGE_MB", "60")) << 20
UNITS = 20_000
CHILD, PARENT = 600 << 20, 80 << 20


@dataclass(frozen=True)
class Ran:
    """A command's answer, its own peak and that of the processes it started, in bytes, and its seconds."""

    answer: dict[str, object]
    own: int
    child: int
    seconds: float


def day(at: int) -> str:
    return f"{2000 + at // 336}-{at // 28 % 12 + 1:02d}-{at % 28 + 1:02d}"


NOTE = "counted by hand in the store and signed by its manager on the day"


def as_csv(path: Path) -> None:
    """Days in order, units of a day in none: 95 bytes a row."""
    rng = random.Random(3)
    with path.open("w") as file:
        file.write("period,unit,value,n,note\n")
        at = 0
        while file.tell() < SIZE:
            units = rng.sample(range(UNITS), UNITS)
            file.write(
                "".join(f"{day(at)},store {u:05d},{u % 97 + 0.25},{u % 13 + 1},{NOTE}\n" for u in units)
            )
            at += 1


def as_parquet(path: Path) -> None:
    """The same rows with values that do not pack, not packed."""
    rng = random.Random(3)
    words = ("period", "unit", "note")
    schema = pa.schema([(n, pa.string()) for n in words] + [("value", pa.float64()), ("n", pa.int64())])
    with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as file:
        at = 0
        while path.stat().st_size < SIZE:
            columns = [
                [day(at)] * UNITS, [f"store {u:05d}" for u in rng.sample(range(UNITS), UNITS)], [NOTE] * UNITS,
                [rng.random() for _ in range(UNITS)], [1 + u % 13 for u in range(UNITS)],
            ]  # fmt: skip
            file.write_table(pa.table(columns, schema=schema))
            at += 1


def run(home: Path, file: Path, verb: str = "upload") -> Ran:
    """The command in a process of its own, watched until it ends."""
    command = [
        sys.executable, "-m", "app", "--home", str(home), "baseline", verb, str(file), "--metric", "value.mean_difference",
        "--grain", "day-unit", "--json", *(("--as", "anna") if verb == "upload" else ()),
    ]  # fmt: skip
    began, own, child = time.monotonic(), 0, 0
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        seen = psutil.Process(process.pid)
        while process.poll() is None:
            with contextlib.suppress(psutil.Error):
                own = max(own, seen.memory_info().rss)
                child = max([child, *(c.memory_info().rss for c in seen.children(recursive=True))])
            time.sleep(0.1)
        assert process.stdout is not None
        answer = json.loads(process.stdout.read())
    assert process.returncode == 0, answer
    return Ran(answer, own, child, time.monotonic() - began)


@pytest.mark.parametrize(("name", "write"), [("large.csv", as_csv), ("large.parquet", as_parquet)])
def test_a_file_beyond_the_browsers_size_is_taken_in_bounded_memory(
    name: str, write: Callable[[Path], None], lite: Desk, tmp_path: Path
):
    lite.initiative()
    small = tmp_path / "small.csv"
    small.write_text("period,unit,value,n\n2024-01-01,store 1,1.5,3\n")
    few = run(tmp_path, small, "check")
    large = tmp_path / name
    write(large)
    many = run(tmp_path, large)
    mib = 1 << 20
    print(
        f"{name}: {large.stat().st_size / mib:.0f} MiB, {many.answer['rows']:,} rows, {many.seconds:.0f} s, child"
        f" {many.child / mib:.0f} MiB, command {many.own / mib:.0f} MiB ({(many.own - few.own) / mib:+.0f} to a file of one row)"
    )
    assert many.answer["outcome"] == "uploaded"
    assert many.child < CHILD
    assert many.own - few.own < PARENT
