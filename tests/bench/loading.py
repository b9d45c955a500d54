"""`python -m tests.bench.loading`: ten million prediction rows from CSV into an empty lake; limits 60 s and 1 GiB on 2 cores."""

from __future__ import annotations

import datetime as dt
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = int(os.environ.get("THROUGHLINE_BENCH_ROWS", "10000000"))
ROOT = Path(__file__).resolve().parents[2]


def write_rows(file: Path) -> None:
    """A CSV file of ROWS predictions over thirty days, in no order of time."""
    from data.lake import duck

    con = duck(file.parent)
    con.execute(f"""
        COPY (SELECT 'p' || i AS prediction_id, 'model_' || (i % 7) AS model_id, 'e' || (hash(i) % 1000000) AS entity_id,
                strftime(make_timestamp(1767225600000000 + CAST(hash(i + 1) % 2592000000 AS BIGINT) * 1000),
                  '%Y-%m-%dT%H:%M:%S.%gZ') AS predicted_at,
                round((hash(i + 2) % 1000003) / 1000003.0, 6) AS score, 0.5 AS threshold,
                'segment_' || (hash(i + 3) % 8) AS attr_segment
              FROM range({ROWS}) r(i)) TO '{file}' (HEADER)
    """)


def load(home: Path, file: Path) -> None:
    from data.lake import Lake
    from data.load.tables import load_tables

    started = time.perf_counter()
    (report,) = load_tables(Lake(home), "predictions", [file], now=dt.datetime.now(dt.UTC))
    seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    assert report.rows_new == ROWS, report.message()
    cpu = used.ru_utime + used.ru_stime
    print(f"{seconds:.1f} s wall, {cpu:.1f} s of processor, peak {used.ru_maxrss / 1024:.0f} MiB")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "predictions.csv"
        write_rows(file)
        size = file.stat().st_size / 2**20
        command = [sys.executable, "-m", "tests.bench.loading", f"{folder}/home", str(file)]
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    text = (
        f"# Benchmark: loading\n\n{ROWS:,} predictions in one CSV file of {size:,.0f} MiB into an empty lake: {said}.\n\n"
        f"Limits: 60 s and 1,024 MiB. {platform.platform()}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the end.\n"
    )
    print(text)
    (ROOT / "docs" / "results" / "loading.md").write_text(text)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        load(Path(sys.argv[1]), Path(sys.argv[2]))
    else:
        main()
