"""The parent's side of the child process: hands it files, waits no longer than allowed, and survives whatever it does."""

from __future__ import annotations

import dataclasses
import json
import os
import select
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from app.govern.baselines.child import NO_ROOM, TOO_COSTLY, Job
from app.govern.baselines.examine import Change, Difference, Findings, Sums
from app.govern.baselines.repairs import Example, Repair
from app.settings import ROOT

MEMORY = 480 << 20  # above the child's own 100 MB or so: it stays below 600 MiB
PATIENCE = 15  # seconds beyond a job's own


@dataclass(frozen=True)
class Seen:
    """What became of a file in the child: its findings and the child's peak memory in bytes."""

    findings: Findings
    peak: int


class Sandbox:
    """A child process that is started when it is first needed, and again if it was lost. Threads may share it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._guard = threading.Lock()

    def look(self, job: Job) -> Seen:
        """Have the child look at one file. A child that dies of it is a finding, never an error."""
        with self._guard:
            answer = self._ask(job)
        path = Path(job.out) / "findings.json"
        if answer is None or answer["status"] != 0 or not path.exists():
            return Seen(
                _lost(None if answer is None else answer["status"]), 0 if answer is None else answer["peak"]
            )
        return Seen(findings_of(path.read_text()), answer["peak"])

    def close(self) -> None:
        """End the child; the next file starts another."""
        with self._guard:
            self._end()

    def _ask(self, job: Job) -> dict[str, int] | None:
        child = self._running()
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(json.dumps(dataclasses.asdict(job)) + "\n")
            child.stdin.flush()
        except BrokenPipeError:
            self._end()
            return None
        ready, _, _ = select.select([child.stdout], [], [], job.seconds + PATIENCE)
        line = child.stdout.readline() if ready else ""
        if not line:
            self._end()
            return None
        found: dict[str, int] = json.loads(line)
        return found

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "LC_ALL", "TZ", "HOME")}
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app.govern.baselines.child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                cwd=ROOT, text=True, env={**kept, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process = None


def _lost(status: int | None) -> Findings:
    """Why a fork ended without an answer, by its exit status; None where it never came."""
    if status == NO_ROOM:
        return Findings(refused="no_room")
    if status == TOO_COSTLY:
        return Findings(refused="too_costly", detail="memory")
    timed_out = status in (-signal.SIGALRM, -signal.SIGXCPU, None)
    return Findings(refused="too_costly", detail="time" if timed_out else f"the reader ended with {status}")


SANDBOX = Sandbox()


def findings_of(text: str) -> Findings:
    """Findings from the child's JSON."""
    found = json.loads(text)
    repairs = tuple(
        Repair(r["code"], r["action"], r["count"], tuple(Example(**e) for e in r["examples"]))
        for r in found["repairs"]
    )
    held = found["difference"]
    difference = held and Difference(
        held["new"], held["changed"], held["same"], held["gone"], tuple(Change(**c) for c in held["examples"])
    )
    return Findings(
        found["refused"], found["detail"], repairs, found["bad_rows"], tuple(found["ignored"]),
        tuple(tuple(row) for row in found["preview"]), found["sums"] and Sums(**found["sums"]), found["rows_sha256"],
        difference,
    )  # fmt: skip
