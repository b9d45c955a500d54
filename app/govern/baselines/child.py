"""The process in which files are opened: `python -m app.govern.baselines.child`.

It imports its readers once and then forks for every file, so that a file costs milliseconds, and what a file does to its
process ends with that process. The fork lowers its own limits of memory and time before it opens anything.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import errno
import json
import os
import resource
import signal
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path

from app.govern.baselines.dialect import Dialect
from app.govern.baselines.examine import Findings, examine
from app.govern.baselines.layout import Layout, layout_of
from app.govern.baselines.reading import Limits, Refused, rows_of

TOO_COSTLY = 3  # exit status of a fork that asked for more than its limits
NO_ROOM = 4  # and of one whose rows the disk did not take
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class Job:
    """One file to look at. `memory` in bytes above what the process needs anyway, `seconds` of wall clock."""

    path: str
    kind: str
    metric: str
    unit: str
    grain: str
    dialect: tuple[str, ...]
    now: str
    out: str
    before: str
    unpacked: int
    memory: int
    seconds: int


def serve() -> None:
    """Answer one line of JSON for each line read, until the parent goes away."""
    import openpyxl  # type: ignore[import-untyped]  # noqa: F401 (imported before the fork)
    import pyarrow.parquet  # noqa: F401

    import app.govern.baselines.columns
    import app.govern.baselines.sums
    import app.govern.baselines.workbook  # noqa: F401

    for line in sys.stdin:
        job = Job(**json.loads(line))
        pid = os.fork()
        if pid == 0:
            _work(job)
        _, status, usage = os.wait4(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        sys.stdout.write(json.dumps({"status": code, "peak": usage.ru_maxrss * 1024}) + "\n")
        sys.stdout.flush()


def _work(job: Job) -> None:
    """In the fork: limits first, then the file; never returns."""
    status = 1
    os.dup2(
        os.open(os.devnull, os.O_WRONLY), 1
    )  # the answer is the parent's line; nothing a reader prints may mix with it
    try:
        _limit(job)
        out = Path(job.out)
        (out / "findings.json").write_text(json.dumps(dataclasses.asdict(look(job))))
        status = 0
    except MemoryError:
        status = TOO_COSTLY
    except OSError as error:
        status = NO_ROOM if error.errno in _FULL else 1
    except sqlite3.OperationalError as error:
        status = (
            NO_ROOM if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR) else 1
        )
    finally:
        os._exit(status)


def _limit(job: Job) -> None:
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    most = held + job.memory
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (job.seconds, job.seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 * job.unpacked, 4 * job.unpacked))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, job.seconds)


def look(job: Job) -> Findings:
    """What the file holds; a refusal is a finding too."""
    layout: Layout = layout_of(job.metric, job.unit, job.grain)
    dialect = Dialect(*job.dialect)
    now = dt.datetime.fromisoformat(job.now)
    before = Path(job.before) if job.before else None
    try:
        rows = rows_of(Path(job.path), job.kind, dialect, Limits(job.unpacked))
        return examine(rows, layout, dialect, now, Path(job.out), before, even=job.kind in ("csv", "gz"))
    except Refused as refusal:
        return Findings(refused=refusal.code, detail=refusal.detail)


if __name__ == "__main__":
    serve()
