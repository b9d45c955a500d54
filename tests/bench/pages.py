"""`python -m tests.bench.pages`: how long each page takes on the server, alone and with twenty readers at once.

A home of three years, 200 initiatives, 20 models and 20 channels (tests/bench/years.py) is served by its own command, and
read over the app's own websocket by tests/bench/visitor.py: a time runs from the click to the last byte of the page. So
it holds the script, the drawing of every element and its way to the reader; a browser's own painting is not in it.
Results go to docs/results/pages.md.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from tests.bench import years
from tests.bench.contest import ROOT, machine, written
from tests.bench.visitor import Answer, Visitor, visitor
from tests.browser.chrome import free_port

PAGES = (
    "scorecard", "chain", "early", "strategy", "models", "fairness", "generated", "activation", "suppression", "identity",
    "value", "portfolio", "initiatives", "ownership", "risks", "council", "meeting", "baselines", "contracts", "publications",
    "audit", "definitions", "health",
)  # fmt: skip
SCOPED = ("scorecard", "chain", "early", "strategy", "models", "fairness", "activation", "suppression")
PERIODS = ("4 weeks", "52 weeks", "all days", "13 weeks")
ROUNDS = int(os.environ.get("THROUGHLINE_BENCH_ROUNDS", "12"))
READERS, PACE, MINUTES = 20, 5.0, float(os.environ.get("THROUGHLINE_BENCH_MINUTES", "2"))
IDLE_LOOKS = 4  # seconds without work after which reading ahead is over
LINGERING = 30  # sessions that stay open while memory is weighed


@dataclass(frozen=True)
class Served:
    """The app in a process of its own."""

    url: str
    process: psutil.Process
    started: float

    def used(self) -> float:
        """Processor seconds so far."""
        spent = self.process.cpu_times()
        return float(spent.user + spent.system)

    def resident(self) -> float:
        """MiB that are its own."""
        return float(self.process.memory_full_info().uss) / 2**20


@contextmanager
def served(home: Path) -> Iterator[Served]:
    port = free_port()
    command = [sys.executable, "-m", "app", "--home", str(home), "serve", "--port", str(port)]
    started = time.perf_counter()
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        while not _alive(url):
            if server.poll() is not None:
                raise RuntimeError("the server ended at once")
            time.sleep(0.01)
        yield Served(url, psutil.Process(server.pid), started)
    finally:
        server.terminate()
        server.wait(timeout=30)


def _alive(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


async def cold(app: Served) -> tuple[float, float]:
    """Seconds from the start of the process to its first answer, and to the end of its first page."""
    answered = time.perf_counter() - app.started
    first = await visitor(app.url)
    told = await first.open("")
    _sound([told])
    await first.line.close()
    return answered, time.perf_counter() - app.started


def _sound(answers: Sequence[Answer]) -> None:
    for one in answers:
        if one.faults:
            raise RuntimeError(f"{one.page}: {one.faults[0][:500]}")


def warmed(app: Served) -> float:
    """Processor seconds until what most readers ask for is read ahead (app/warm.py): until the server has nothing to do."""
    began, idle = app.used(), 0
    while idle < IDLE_LOOKS:
        before = app.used()
        time.sleep(1.0)
        idle = idle + 1 if app.used() - before < 0.05 else 0
    return app.used() - began


async def alone(app: Served) -> list[str]:
    """Every page by one reader: the first time after the start, then again and in other scopes."""
    lines = [
        "| page | first ms | median ms | 95th percentile ms | processor ms | KiB |",
        "|---|---|---|---|---|---|",
    ]
    every: list[float] = []
    for page in PAGES:
        reader = await visitor(app.url)
        first = await reader.open(page)
        used, turns = app.used(), []
        for turn in range(ROUNDS):
            if page in SCOPED and turn % 2:
                turns.append(await reader.choose("Period", PERIODS[turn // 2 % len(PERIODS)]))
            else:
                turns.append(await reader.open(page))
        used = app.used() - used
        await reader.line.close()
        _sound([first, *turns])
        times = np.array([1e3 * t.seconds for t in turns])
        every += times.tolist()
        p50, p95 = np.quantile(times, [0.5, 0.95])
        lines.append(
            f"| {page} | {1e3 * first.seconds:.0f} | {p50:.0f} | {p95:.0f} | {1e3 * used / len(turns):.0f} | {first.size / 1024:.0f} |"
        )
        print(lines[-1], flush=True)
    return [*lines, "", f"All pages together, 95th percentile: {np.quantile(every, 0.95):.0f} ms."]


async def crowd(app: Served) -> list[str]:
    """READERS sessions, each clicking every PACE seconds or so: another page, another period."""
    used, began = app.used(), time.perf_counter()
    found = await asyncio.gather(*(_reading(app, seed) for seed in range(READERS)))
    wall, used = time.perf_counter() - began, app.used() - used
    answers = [a for own in found for a in own]
    _sound(answers)
    p50, p95, worst = np.quantile([1e3 * a.seconds for a in answers], [0.5, 0.95, 1.0])
    return [
        f"{READERS} readers, a click about every {PACE:.0f} s, {wall:.0f} s: {len(answers)} clicks, median {p50:.0f} ms, 95th"
        f" percentile {p95:.0f} ms, worst {worst:.0f} ms; the server used {used / wall:.2f} of a processor.",
    ]


async def _reading(app: Served, seed: int) -> list[Answer]:
    draw = random.Random(seed)
    await asyncio.sleep(draw.uniform(0, PACE))
    reader: Visitor = await visitor(app.url)
    answers = [await reader.open(draw.choice(PAGES))]
    until = time.perf_counter() + 60 * MINUTES
    while time.perf_counter() < until:
        await asyncio.sleep(draw.uniform(0.5, 1.5) * PACE)
        if reader.page in SCOPED and draw.random() < 0.4:
            answers.append(await reader.choose("Period", draw.choice(PERIODS)))
        else:
            answers.append(await reader.open(draw.choice(PAGES)))
    await reader.line.close()
    return answers


async def lingering(app: Served) -> float:
    """MiB that one more open session takes: LINGERING of them on the scorecard, once everything is warm."""
    before, open_ = app.resident(), []
    for _ in range(LINGERING):
        reader = await visitor(app.url)
        _sound([await reader.open("")])
        open_.append(reader)
    grown = (app.resident() - before) / LINGERING
    for reader in open_:
        await reader.line.close()
    return grown


async def measure(home: Path) -> list[str]:
    lines = []
    with served(home) as app:
        answer, page = await cold(app)
        lines += [
            f"Cold start: first answer after {answer:.2f} s, first page whole after {page:.2f} s."
            f" Reading ahead then took {warmed(app):.0f} s of processor time.", "",
        ]  # fmt: skip
        lines += [*await alone(app), ""]
        lines += [*await crowd(app), ""]
        grown = await lingering(app)
        lines += [
            f"One more session open on the scorecard: {grown:.2f} MiB; the process holds {app.resident():.0f} MiB."
        ]
    return lines


def main() -> None:
    with years.given_or_made() as home:
        lines = [
            f"3 years, {years.INITIATIVES} initiatives, {years.MODELS} models x {years.CHANNELS} channels. {machine()}.", "",
            *asyncio.run(measure(home)),
        ]  # fmt: skip
    written("pages", "pages", lines)


if __name__ == "__main__":
    main()
