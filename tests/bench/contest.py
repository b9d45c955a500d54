"""Contenders measured beside each other: each in a process of its own, so that peak memory is its own."""

from __future__ import annotations

import importlib
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
Found = dict[str, int]


@dataclass(frozen=True)
class Contender:
    """What to run on a home, what to import before the clock starts, how many times, and whom to compare it with."""

    run: Callable[[Path], Found]
    imports: tuple[str, ...]
    against: str = "ours"
    rounds: int = 3


def measured(module: str, name: str, home: Path, most_seconds: float | None = None) -> dict[str, object]:
    """Run one contender in its own process; wall and processor seconds and peak memory (MiB) of its work.

    Raises RuntimeError where it fails, or is not done after `most_seconds`.
    """
    command = [sys.executable, "-m", module, name, str(home)]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=most_seconds
        )
    except subprocess.TimeoutExpired as late:
        raise RuntimeError(f"{name}: not done after {late.timeout:.0f} s") from late
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def run_one(contender: Contender, home: Path) -> None:
    for module in contender.imports:  # start-up is not what is compared
        importlib.import_module(module)
    started, used = time.perf_counter(), time.process_time()
    result = contender.run(home)
    seconds, used = time.perf_counter() - started, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "processor": used, "peak": peak, "result": result}))


def contest(module: str, contenders: Mapping[str, Contender], home: Path) -> list[str]:
    """A table of medians and ratios, in one run and taking turns; raises where the contenders disagree."""
    runs: dict[str, list[dict[str, object]]] = {name: [] for name in contenders}
    for turn in range(max(c.rounds for c in contenders.values())):
        for name, contender in contenders.items():
            if turn < contender.rounds:
                runs[name].append(measured(module, name, home))
    answers = {name: rounds[0]["result"] for name, rounds in runs.items()}
    if len({json.dumps(a, sort_keys=True) for a in answers.values()}) != 1:
        raise RuntimeError(f"the contenders disagree: {answers}")
    return table(contenders, runs)


def table(contenders: Mapping[str, Contender], runs: Mapping[str, Sequence[dict[str, object]]]) -> list[str]:
    def of(name: str, what: str) -> list[float]:
        return [float(str(r[what])) for r in runs[name]]

    lines = [
        "", "| contender | seconds (median) | spread | processor seconds | peak MiB | times ours |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for name, contender in contenders.items():
        seconds, median = of(name, "seconds"), statistics.median(of(name, "seconds"))
        ratio = median / statistics.median(of(contender.against, "seconds"))
        lines.append(
            f"| {name} | {median:.2f} | {min(seconds):.2f} to {max(seconds):.2f} | "
            f"{statistics.median(of(name, 'processor')):.2f} | {max(of(name, 'peak')):.0f} | {ratio:.2f} |"
        )
    return lines


def machine() -> str:
    return (
        f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores, "
        f"load average {os.getloadavg()[0]:.1f}"
    )


def written(name: str, title: str, lines: Sequence[str]) -> None:
    """Print the result and keep it under docs/results."""
    text = "\n".join(lines)
    print(text)
    folder = ROOT / "docs" / "results"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text(f"# Benchmark: {title}\n\n{text}\n")
