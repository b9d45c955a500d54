"""Crash or raise at every executed line of a write: acknowledged is durable, nothing doubled, no lock left behind.

SQLite's own method: fail at the first line, then the second, until the whole command runs through. A child runs the
command with a trace on every module of the write path and dies, or raises, at line k; the parent then looks. Children
are forked from a server of one thread: a fork of the test process itself would inherit the locks of its threads.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import pytest
import sqlalchemy as sa

from app.govern import rows
from app.govern.commands import execute, execute_all, find, values_of
from app.govern.model import Actor, Add, Change, Command, Denied, Ledger, Step
from app.govern.verify import verify
from data.ledger import AUDIT
from data.ledger_store import Store, sqlite_url
from tests.cases import SOAK
from tests.forks import FORKS, forked
from tests.ledger import homes
from tests.ledger.homes import RISK, Desk, who
from tests.ledger.worlds import LATER

ROOMS = ("/app/govern/", "/data/ledger", "/data/audit.py", "/data/field")
EVERY = 1 if SOAK else 47  # every line in the soak, some otherwise
FORKS.set_forkserver_preload([__name__])
ACKNOWLEDGED, CUT_SHORT, WENT_THROUGH, FAILED = 10, 11, 12, 13


class Interrupted(BaseException):
    """What Streamlit raises inside a script: no Exception, so `except Exception` does not stop it."""


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def interrupt() -> None:
    raise Interrupted


def no_memory() -> None:
    raise MemoryError


MODES = {"kill": kill, "interrupt": interrupt, "memory": no_memory}
ACCEPTANCE = values_of(risk="RISK-0001", justification="Small", expires=LATER)
CASES: dict[str, tuple[tuple[Command, ...], str]] = {
    "add": ((Add("risks", values_of(**RISK)),), "omar"),
    "change": ((Change("risks", "RISK-0001", 1, values_of(title="New")),), "omar"),
    "submit": ((Step("submit", "acceptances", "ACC-0001", 1),), "omar"),
    "several": ((Add("acceptances", ACCEPTANCE), Add("risks", values_of(**RISK))), "omar"),
    "denied": ((Add("risks", values_of(**RISK)),), "vera"),
    "user": ((Step("retire", "users", homes.user("zack"), 1),), "adam"),
}


def filled(desk: Desk) -> Desk:
    desk.add("users", homes.ROOT, issuer="demo", subject="zack", name="Zack", roles=("viewer",))
    desk.initiative()
    desk.add("risks", **RISK)
    desk.do(Add("acceptances", ACCEPTANCE))
    return desk


@dataclass(frozen=True)
class Files:
    """Ledgers on SQLite: copies of a file."""

    start: Path
    path: Path

    def fresh(self) -> str:
        shutil.copy(self.start, self.path)
        self.path.with_name(self.path.name + "-journal").unlink(missing_ok=True)
        return sqlite_url(self.path)


@dataclass(frozen=True)
class Databases:
    """Ledgers on PostgreSQL: databases made from a template."""

    server: sa.Engine
    url: sa.URL

    def fresh(self) -> str:
        with self.server.connect() as db:
            db.exec_driver_sql("DROP DATABASE IF EXISTS crashed WITH (FORCE)")
            db.exec_driver_sql("CREATE DATABASE crashed TEMPLATE crash_start STRATEGY FILE_COPY")
        return self.url.set(database="crashed").render_as_string(hide_password=False)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def world(request, tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[Files | Databases]:
    """Where a case begins, again and again."""
    if request.param == "sqlite":
        folder = tmp_path_factory.mktemp("crash")
        filled(homes.copy_of(template, folder / "start.sqlite"))
        yield Files(folder / "start.sqlite", folder / "ledger.sqlite")
        return
    url = sa.make_url(request.getfixturevalue("pg"))
    server = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with server.connect() as db:
        db.exec_driver_sql("DROP DATABASE IF EXISTS crash_start WITH (FORCE)")
        db.exec_driver_sql("CREATE DATABASE crash_start")
    start = url.set(database="crash_start").render_as_string(hide_password=False)
    filled(homes.fresh_on(start).people()).ledger.store.close()
    yield Databases(server, url)
    with server.connect() as db:
        for name in ("crashed", "crash_start"):
            db.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    server.dispose()


def tracer(at: int, act: Callable[[], None]) -> Callable[[FrameType, str, object], object]:
    """Acts once, when the `at`-th different line of the write path is executed for the first time."""
    met: set[tuple[str, int]] = set()

    def on_line(frame: FrameType, event: str, _: object) -> object:
        line = (frame.f_code.co_filename, frame.f_lineno)
        if event == "line" and line not in met:
            met.add(line)
            if len(met) == at:
                sys.settrace(None)
                act()
        return on_line

    def on_call(frame: FrameType, event: str, _: object) -> object:
        return on_line if any(room in frame.f_code.co_filename for room in ROOMS) else None

    return on_call


def attempt(ledger: Ledger, case: str, key: str) -> None:
    commands, actor = CASES[case]
    execute_all(ledger, commands, who(actor), key)


def run(url: str, case: str, at: int, mode: str) -> int:
    """Run the case in a child with a fault at line `at`; its exit code."""
    process = forked(child, url, case, at, mode)
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def child(url: str, case: str, at: int, mode: str) -> None:
    """How the case ended is the exit status: the child's memory of what it was told."""
    status = WENT_THROUGH
    try:
        ledger = Ledger(Store(url), homes.Ticking())
        fired: list[int] = []

        def act_once() -> None:
            fired.append(1)
            MODES[mode]()

        sys.settrace(tracer(at, act_once))
        try:
            attempt(ledger, case, "the key")
        except Denied:
            status = ACKNOWLEDGED if fired else WENT_THROUGH
        except BaseException:  # noqa: BLE001 SQLite turns what is raised in its callbacks into an error of its own
            status = CUT_SHORT if fired else FAILED
        else:
            status = ACKNOWLEDGED if fired else WENT_THROUGH
        sys.settrace(None)
        if status == CUT_SHORT:
            ledger.store.check()  # the thread that was cut short can go on with the same ledger
            execute(ledger, Add("initiatives", values_of(**homes.INITIATIVE), "after"), who("omar"), "after")
    finally:
        os._exit(status)


def counted(desk: Desk) -> int:
    """Rows in all registers, after a look that everything is whole: as many as entries that say done."""
    proof = verify(desk.ledger.store, deep=True)
    assert proof.state == "intact", proof.findings
    assert proof.rows == desk.count(AUDIT, AUDIT.c.outcome == "done")
    return proof.rows


def after(url: str, case: str, code: int, before: int, *, denied: bool) -> bool:
    """The ledger after a fault, then after a retry; True where the write had been kept but not acknowledged."""
    desk = Desk(Store(url))
    kept = find(desk.ledger, "the key") is not None
    assert code in (-signal.SIGKILL, CUT_SHORT, ACKNOWLEDGED), code
    if code == ACKNOWLEDGED and not denied:
        assert kept
    held = counted(desk)
    extra = 1 if code == CUT_SHORT else 0  # what the child wrote afterwards to show that no lock was left
    wanted = len(CASES[case][0])
    assert held == before + extra + (wanted if kept else 0)
    if denied:
        with pytest.raises(Denied):
            attempt(desk.ledger, case, "the key")
    else:
        attempt(desk.ledger, case, "the key")  # at once: a leaked lock would time out
    assert counted(desk) == before + extra + (0 if denied else wanted)
    desk.ledger.store.close()
    return kept and code != ACKNOWLEDGED


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", CASES)
def test_a_fault_at_any_line_loses_and_doubles_nothing(case: str, mode: str, world: Files | Databases):
    if isinstance(world, Databases) and case != "several" and EVERY > 1:
        pytest.skip("on PostgreSQL the other cases belong to make soak")
    desk = Desk(Store(world.fresh()))
    before, unsaid, lines = counted(desk), 0, 0
    desk.ledger.store.close()
    for at in itertools.count(1, EVERY if isinstance(world, Files) else max(1, 4 * EVERY - 3)):
        url = world.fresh()
        code = run(url, case, at, mode)
        if code == WENT_THROUGH:
            break
        unsaid += after(url, case, code, before, denied=case == "denied")
        lines = at
    assert lines + 4 * EVERY > 100  # the fault really walked through the command
    if EVERY == 1 and case != "denied":
        assert unsaid  # somewhere the commit is durable and the answer lost: the retry told the truth


def test_a_hostile_actor_in_the_middle_changes_nothing(world: Files | Databases):
    desk = Desk(Store(world.fresh()))
    with pytest.raises(Denied):
        desk.do(Step("retire", "risks", "RISK-0001", 1), Actor("demo", "nobody"))
    with desk.ledger.store.read() as db:
        row = rows.current(db, "risks", "RISK-0001")
    assert row is not None
    assert row.state == "active"
