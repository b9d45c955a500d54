"""Laws of the ledger: one way in, nothing overwritten, and pages that cannot break a write."""

from __future__ import annotations

import ast
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.govern import worker
from app.govern.commands import values_of
from app.govern.model import Add, Denied
from data.ledger import TABLES
from tests.cases import ROOT
from tests.ledger.homes import INITIATIVE, Desk, who
from tests.ledger.worlds import filled

WRITERS = {
    "app/govern/commands.py",
    "app/govern/backup.py",
}  # the second only writes back what the first had written


def test_only_the_write_path_and_restore_open_a_write_transaction():
    found = set()
    for path in (p for room in ("app", "data", "pages", "metrics") for p in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Attribute)
                and node.attr == "write"
                and "store" in ast.unparse(node.value)
            ):
                found.add(str(path.relative_to(ROOT)))
    assert found == WRITERS


def test_nothing_of_the_ledger_imports_streamlit():
    for path in [
        *(ROOT / "app" / "govern").glob("*.py"),
        ROOT / "app" / "ledger_cli.py",
        *(ROOT / "data").glob("ledger*.py"),
    ]:
        assert "streamlit" not in "".join(
            ast.unparse(n)
            for n in ast.walk(ast.parse(path.read_text()))
            if isinstance(n, ast.Import | ast.ImportFrom)
        )


def test_a_whole_history_is_written_with_inserts_only(lite: Desk, tmp_path: Path):
    statements: list[str] = []
    engine = lite.ledger.store._engine
    sa.event.listen(engine, "before_cursor_execute", lambda *a: statements.append(a[2].split()[0].upper()))
    filled(lite, tmp_path)
    assert set(statements) <= {"SELECT", "INSERT", "BEGIN"}
    assert "INSERT" in statements


def test_a_page_gets_its_receipt_from_another_thread(lite: Desk):
    command = Add("initiatives", values_of(**INITIATIVE), "churn")
    receipt = worker.submit(lite.ledger, command, who("omar"), "k")
    again = worker.submit(lite.ledger, command, who("omar"), "k")
    assert (again.hash, again.replay) == (receipt.hash, True)
    with pytest.raises(Denied):
        worker.submit(lite.ledger, command, who("vera"), "k2")


def test_a_slow_write_is_unsure_and_then_found_with_its_key(lite: Desk):
    command, gate = Add("initiatives", values_of(**INITIATIVE), "churn"), threading.Event()
    clock = lite.ledger.clock

    def slow() -> object:
        gate.wait(5)
        return clock()

    object.__setattr__(lite.ledger, "clock", slow)
    with pytest.raises(worker.Unsure, match="will not be recorded twice"):
        worker.submit(lite.ledger, command, who("omar"), "k", patience=0.05)
    gate.set()
    receipt = worker.submit(lite.ledger, command, who("omar"), "k")
    assert lite.count(TABLES["initiatives"]) == 1
    assert receipt.record_id == "churn"


def test_commits_are_quick_with_durable_settings(durable: None, lite: Desk):
    lite.initiative()
    target = lite.add(
        "targets", metric="model.auc", comparator="at least", threshold=1, valid_from="2026-01-01"
    )
    seconds = []
    for n in range(100):
        started = time.perf_counter()
        lite.add("check_ins", "carl", target=target.record_id, confidence="on track", comment=f"{n}")
        seconds.append(time.perf_counter() - started)
    assert sorted(seconds)[98] < 0.25  # the goal is 0.05 on a machine of its own
