"""`python -m tests.bench.ledger`: how long a decision takes to be durable, on SQLite and PostgreSQL.

A decision is one command: policy, checks, row version, audit entry, commit, receipt read back on a new connection.
Results go to docs/results/ledger.md.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import numpy as np

from app.govern import demo
from app.govern.commands import execute, values_of
from app.govern.model import Add, Ledger
from app.govern.open import open_ledger
from app.govern.verify import verify
from app.runtime import utc_now
from app.settings import Settings
from data.demo import demo_targets
from tests import postgres
from tests.bench.contest import machine, written
from tests.ledger import homes

COMMITS = int(os.environ.get("THROUGHLINE_BENCH_COMMITS", "1000"))


def timed(ledger: Ledger) -> np.ndarray:
    """Milliseconds of each of COMMITS decisions: a risk is written down."""
    took = []
    with ledger.store.read() as db:
        initiative = str(db.exec_driver_sql("SELECT min(record_id) FROM initiatives").scalar_one())
    actor = homes.who("hanna")  # the demo's chair of the council
    for n in range(COMMITS):
        risk = homes.RISK | {"initiative": initiative, "title": f"Risk {n}", "owner": actor.identity}
        started = time.perf_counter()
        execute(ledger, Add("risks", values_of(**risk)), actor, f"bench-{n}")
        took.append(1e3 * (time.perf_counter() - started))
    return np.array(took)


def line(name: str, took: np.ndarray) -> str:
    p50, p99, worst = np.quantile(took, [0.5, 0.99, 1.0])
    return f"| {name} | {p50:.1f} | {p99:.1f} | {worst:.1f} |"


def main() -> None:
    lines = [
        f"{COMMITS:,} decisions one after the other on a ledger that holds the demo. {machine()}.", "",
        "| database | median ms | 99th percentile ms | worst ms |", "|---|---|---|---|",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "targets.toml").write_text(demo_targets())
        demo.fill(Settings(home=home), utc_now())
        ledger = open_ledger(Settings(home=home), utc_now)
        lines.append(line("SQLite", timed(ledger)))
        started = time.perf_counter()
        proof = verify(ledger.store, deep=True)
        took = time.perf_counter() - started
    if postgres.binaries() is not None:
        with postgres.server() as url:
            desk = homes.fresh_on(url).people()
            desk.initiative()
            desk.add("users", homes.ROOT, issuer="demo", subject="hanna", name="Hanna", roles=("council",))
            lines.append(line("PostgreSQL (fsync off)", timed(desk.ledger)))
    lines += ["", f"Deep verification of {proof.entries:,} entries: {took:.2f} s, {proof.state}."]
    written("ledger", "decisions", lines)


if __name__ == "__main__":
    main()
