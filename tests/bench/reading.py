"""`python -m tests.bench.reading`: how much of a page's time is the reading of rollups, at three years of cells.

Every page of the home of tests/bench/years.py is drawn in this process, and the time inside Readings and the rollup store
is counted: the first time, when nothing is kept (in a server app/warm.py has read it by then), once in every period, and
then again in all of them. Results go to docs/results/reading.md.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.contest import ROOT, machine, written
from tests.bench.pages import PAGES, ROUNDS, SCOPED

MOST_MS = 10.0


@dataclass
class Counted:
    """Seconds inside the outermost counted call, and how many of those went to the files."""

    seconds: float = 0.0
    files: int = 0
    depth: int = 0

    def over(self, call: Callable[..., Any], *, files: bool = False) -> Callable[..., Any]:
        @functools.wraps(call)
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.files += files
            self.depth += 1
            began = time.perf_counter()
            try:
                return call(*args, **kwargs)
            finally:
                self.depth -= 1
                if not self.depth:
                    self.seconds += time.perf_counter() - began

        return counted

    def taken(self) -> tuple[float, int]:
        """Milliseconds and reads of files since the last question."""
        told = 1e3 * self.seconds, self.files
        self.seconds, self.files = 0.0, 0
        return told


def counting() -> Counted:
    """Count in every way by which a page comes to cells."""
    from app.measure.readings import Readings
    from app.measure.store import RollupStore

    count = Counted()
    for name in ("_computed", "matured", "dimensions", "values", "days", "cells", "made", "derived", "as_of"):
        setattr(Readings, name, count.over(getattr(Readings, name)))
    for name, reads in (("columns", True), ("first_last", False), ("state", False), ("held", False)):
        setattr(RollupStore, name, count.over(getattr(RollupStore, name), files=reads))
    return count


def drawn(home: Path) -> list[str]:
    """A table: milliseconds of reading in the first drawing of every period, and in those after it."""
    from streamlit.testing.v1 import AppTest

    from app.measure.scope import Period

    os.environ["THROUGHLINE_HOME"] = str(home)
    count = counting()
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=600)
    app.run()
    lines = [
        "| page | first ms | worst period for the first time, ms | files read | again: median ms | worst ms | files read |",
        "|---|---|---|---|---|---|---|",
    ]
    worst = 0.0
    for page in PAGES:
        count.taken()
        if page != "scorecard":
            app.switch_page(str(ROOT / "pages" / f"{page}.py"))
        app.run()
        first = count.taken()
        periods = list(Period) if page in SCOPED else [None]
        turns = []
        for turn in range(len(periods) + ROUNDS):
            if period := periods[turn % len(periods)]:
                app.selectbox(key="period").set_value(period)
            app.run()
            assert not app.exception, (page, app.exception)
            turns.append(count.taken())
        further, again = turns[: len(periods)], turns[len(periods) :]
        times = np.array([ms for ms, _ in again])
        worst = max(worst, float(times.max()))
        lines.append(
            f"| {page} | {first[0]:.0f} | {max(ms for ms, _ in further):.0f} | {sum(n for _, n in (first, *further))} |"
            f" {np.median(times):.2f} | {times.max():.2f} | {sum(n for _, n in again)} |"
        )
        print(lines[-1], flush=True)
    return [*lines, "", f"The worst of all pages: {worst:.2f} ms; asked: below {MOST_MS:.0f} ms."]


def main() -> None:
    from tests.bench import years

    with years.given_or_made() as home:
        lines = [f"3 years of cells. {machine()}.", "", *drawn(home)]
    written("reading", "reading rollups on pages", lines)


if __name__ == "__main__":
    main()
