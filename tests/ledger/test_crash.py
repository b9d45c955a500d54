"""Crash or raise at every executed line of a write: acknowledged is durable, nothing doubled, no lock left behind.

SQLite's own method: fail at the first line, then the second, until the whole command ran through. A child walks: it
notes which lines of the write path a warm command executes, then carries the command out once for each of them, with a
trace that kills a process of its own there, or raises there in the same process, which then has to go on. Clocks stand
still, so the ledger after a fault and a retry must be, value for value, the ledger after one undisturbed write.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType

import pytest
import sqlalchemy as sa

from app.govern import rows
from app.govern.commands import execute_all, find, values_of
from app.govern.gates.meeting import attendance_id
from app.govern.gates.review import Request, delegating, opening, review_row, voting
from app.govern.model import Actor, Add, Change, Command, Denied, Ledger, Receipt, Step
from app.govern.verify import verify
from data.ledger import AUDIT, TABLES
from data.ledger_store import Store, sqlite_url
from tests.cases import SOAK
from tests.forks import FORKS, forked
from tests.ledger import homes
from tests.ledger.councils import BASELINE, CONDITION, Chamber, chamber
from tests.ledger.homes import RISK, Desk, user, who
from tests.ledger.worlds import APP, INTERVENTION, LATER, PUBLICATION

ROOMS = ("/app/govern/", "/data/ledger", "/data/audit.py", "/data/field")
FORKS.set_forkserver_preload([__name__])
Line = tuple[str, int]
Trace = Callable[[FrameType, str, object], object]


class Interrupted(BaseException):
    """What Streamlit raises inside a script: no Exception, so `except Exception` does not stop it."""


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def interrupt() -> None:
    raise Interrupted


def no_memory() -> None:
    raise MemoryError


MODES = {"kill": kill, "interrupt": interrupt, "memory": no_memory}
START = homes.NOW + dt.timedelta(hours=1)  # after all that the ledger holds


@dataclass(frozen=True)
class Write:
    """Commands that are carried out together, and by whom. `denied`: what becomes of them."""

    commands: tuple[Command, ...]
    actor: Actor
    denied: bool = False

    def on(self, ledger: Ledger, key: str) -> None:
        execute_all(ledger, self.commands, self.actor, key)


QUICK = ("add", "change", "submit", "several", "denied", "user")  # what is tried each time
WRITES = (
    "add", "change", "submit", "accept", "several", "denied", "user", "withdraw", "approve", "open", "vote",
    "delegate", "condition", "decide", "attend", "publish",
)  # fmt: skip
PUBLISHED = tuple(
    Add("publications", values_of(**{**PUBLICATION, "part": at, "parts": 2}), name)
    for at, name in enumerate(("2026-11-01T09:00:00Z", "2026-11-01T09:00:00Z/2"), start=1)
)
ASKED = values_of(risk="RISK-0001", justification="Small", expires=LATER)


def filled(desk: Desk) -> dict[str, Write]:
    """A council that has heard all but one, requests that wait for somebody; and a write of every kind."""
    desk.add("users", homes.ROOT, issuer="demo", subject="zack", name="Zack", roles=("viewer",))
    room = chamber(desk)
    draft = desk.do(Add("acceptances", ASKED))
    waits = desk.step("submit", desk.do(Add("acceptances", ASKED)))
    later = desk.add(
        "baselines", "anna", record_id="later", **{**BASELINE, "title": "Later", "rows_sha256": "d" * 64}
    )
    later = desk.step("submit", later, "anna")
    noted = desk.add("interventions", **INTERVENTION)
    review = room.open()
    desk.add("meetings", "carl", title="November", agenda=(f"review {review.record_id}",))
    room.votes(review.record_id, "carl", "cleo", "cora")
    return {
        "add": Write((Add("risks", values_of(**RISK)),), who("omar")),
        "change": Write((Change("risks", "RISK-0001", 1, values_of(title="New")),), who("omar")),
        "submit": Write((step("submit", draft),), who("omar")),
        "accept": Write((step("accept", waits),), who("carl")),
        "several": Write((Add("acceptances", ASKED), Add("risks", values_of(**RISK))), who("omar")),
        "denied": Write((Add("risks", values_of(**RISK)),), who("vera"), denied=True),
        "user": Write((Step("retire", "users", user("zack"), 1),), who("adam")),
        "withdraw": Write((step("withdraw", noted),), who("omar")),
        "approve": Write((step("approve", later),), who("carl")),
        **council_writes(room, review.record_id),
        "publish": Write(PUBLISHED, APP),
    }


def step(verb: str, receipt: Receipt) -> Step:
    return Step(verb, receipt.register, receipt.record_id, receipt.version)


def council_writes(room: Chamber, review: str) -> dict[str, Write]:
    """What the council's pages would send. Its numbers are read before: only the write is cut short here."""
    found = room.sources
    row = review_row(found.look, review)
    pilot = opening(room.desk.ledger, found, who("omar"), Request("churn", "pilot", "Go on"))
    return {
        "open": Write((pilot,), who("omar")),
        "vote": Write((voting(found.look, row, who("cyrus"), "approve", "because"),), who("cyrus")),
        "delegate": Write((delegating(row, user("olga")),), who("cyrus")),
        "condition": Write((Add("conditions", values_of(review=review, **CONDITION)),), who("carl")),
        "decide": Write((room.deciding(review, "go"),), who("carl")),
        "attend": Write((Add("attendances", values_of(meeting="MEET-0001", person=user("carl")),
                          attendance_id("MEET-0001", user("carl"))),), who("carl")),
    }  # fmt: skip


@dataclass(frozen=True)
class Files:
    """Ledgers on SQLite: copies of a file."""

    start: Path
    path: Path
    lines_apart = 1 if SOAK else 47  # every line in the soak, some otherwise

    def fresh(self) -> str:
        shutil.copy(self.start, self.path)
        self.path.with_name(self.path.name + "-journal").unlink(missing_ok=True)
        return sqlite_url(self.path)


@dataclass(frozen=True)
class Databases:
    """Ledgers on PostgreSQL: databases made from a template."""

    url: str
    lines_apart = 1 if SOAK else 185

    def fresh(self) -> str:
        on_server(
            self.url,
            "DROP DATABASE IF EXISTS crashed WITH (FORCE)",
            "CREATE DATABASE crashed TEMPLATE crash_start STRATEGY FILE_COPY",
        )
        return database(self.url, "crashed")


def database(url: str, name: str) -> str:
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)


def on_server(url: str, *statements: str) -> None:
    server = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with server.connect() as db:
        for statement in statements:
            db.exec_driver_sql(statement)
    server.dispose()


@dataclass(frozen=True)
class World:
    """Where a write begins, again and again, and the writes that can be tried there."""

    ledgers: Files | Databases
    writes: Mapping[str, Write]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def world(request, tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[World]:
    if request.param == "sqlite":
        folder = tmp_path_factory.mktemp("crash")
        writes = filled(homes.copy_of(template, folder / "start.sqlite"))
        yield World(Files(folder / "start.sqlite", folder / "ledger.sqlite"), writes)
        return
    url = str(request.getfixturevalue("pg"))
    on_server(url, "DROP DATABASE IF EXISTS crash_start WITH (FORCE)", "CREATE DATABASE crash_start")
    desk = homes.fresh_on(database(url, "crash_start")).people()
    writes = filled(desk)
    desk.ledger.store.close()
    yield World(Databases(url), writes)
    on_server(url, *(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in ("crashed", "crash_start")))


def noting(met: dict[Line, None]) -> Trace:
    """Notes each line of the write path, in the order in which they are first executed."""

    def on_line(frame: FrameType, event: str, _: object) -> object:
        if event == "line":
            met[frame.f_code.co_filename, frame.f_lineno] = None
        return on_line

    return lambda frame, *_: on_line if any(room in frame.f_code.co_filename for room in ROOMS) else None


def aimed(at: Line, act: Callable[[], None]) -> Trace:
    """Acts once, when the line is executed for the first time. Only functions that hold it are looked at."""

    def on_line(frame: FrameType, event: str, _: object) -> object:
        if event == "line" and frame.f_lineno == at[1]:
            sys.settrace(None)
            act()
        return on_line

    def on_call(frame: FrameType, *_: object) -> object:
        code = frame.f_code
        here = code.co_filename == at[0] and any(line == at[1] for *_, line in code.co_lines())
        return on_line if here else None

    return on_call


def carried_out(ledger: Ledger, write: Write, trace: Trace | None = None) -> None:
    """The write, under a trace; a denial is how it ends where it is denied."""
    ledger.clock.now = START  # type: ignore[attr-defined]
    sys.settrace(trace)
    try:
        with pytest.raises(Denied) if write.denied else contextlib.nullcontext():
            write.on(ledger, "the key")
    finally:
        sys.settrace(None)


def acknowledged(ledger: Ledger, write: Write, line: Line, mode: str) -> bool:
    """Carry out the write with a fault at the line. Was it acknowledged nevertheless?"""
    fired: list[Line] = []

    def act() -> None:
        fired.append(line)
        MODES[mode]()

    if mode == "kill":
        ledger.store.close()  # a fork may not share its connections
        process = os.fork()
        if process == 0:
            with contextlib.suppress(BaseException):
                carried_out(ledger, write, aimed(line, kill))
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL, line
        return False
    try:
        carried_out(ledger, write, aimed(line, act))
    except BaseException:  # noqa: BLE001 SQLite turns what is raised in its callbacks into an error of its own
        assert fired, line
        return False
    assert fired, line
    return True


def held(store: Store, write: Write) -> tuple[object, ...]:
    """How many rows every register has, and every value of those that are written to; the trail too.

    Registers only grow: triggers refuse everything else, so that a count says whether another one was touched.
    """
    count = sa.func.count()
    every = [sa.select(sa.literal(name), count).select_from(table) for name, table in TABLES.items()]
    touched = [TABLES[name] for name in dict.fromkeys(c.register for c in write.commands)]
    if not write.denied:  # each denied attempt is an entry of its own
        touched.append(AUDIT)
    with store.read() as db:
        counts = db.execute(sa.union_all(*every)).all()
        return *counts, *(db.execute(sa.select(t).order_by(*t.primary_key)).all() for t in touched)


@dataclass
class Walk:
    """What a walk through a write found: lines at which it failed, and how often the write was kept unsaid."""

    lines: int = 0
    unsaid: int = 0


def walk(ledgers: Files | Databases, write: Write, mode: str, said: Connection) -> None:
    """In a child of one thread."""
    try:
        said.send(walked(ledgers, write, mode))
    except BaseException:  # noqa: BLE001 whatever it is, the parent has to hear of it
        said.send(traceback.format_exc())


def walked(ledgers: Files | Databases, write: Write, mode: str) -> Walk:
    met = dict[Line, None]()
    ledger = Ledger(Store(ledgers.fresh()), homes.Ticking(START))
    for trace in (
        None,
        noting(met),
    ):  # the second time nothing is imported or computed once and for all any more
        ledgers.fresh()
        before = held(ledger.store, write)
        carried_out(ledger, write, trace)
        wanted = held(ledger.store, write)
    found = Walk()
    for line in list(met)[:: ledgers.lines_apart]:
        ledgers.fresh()
        heard = acknowledged(ledger, write, line, mode)
        kept = find(ledger, "the key") is not None
        assert kept or write.denied or not heard, line  # acknowledged is durable
        assert held(ledger.store, write) == (wanted if kept else before), line  # all of it or nothing
        carried_out(ledger, write)  # at once and with the same ledger: a lock left behind would time out
        assert held(ledger.store, write) == wanted, line  # nothing lost, nothing doubled
        found.lines += 1
        found.unsaid += kept and not heard
    proof = verify(ledger.store, deep=True)
    assert proof.state == "intact", proof.findings
    ledger.store.close()
    return found


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", WRITES)
def test_a_fault_at_any_line_loses_and_doubles_nothing(name: str, mode: str, world: World):
    if not SOAK and name not in (QUICK if isinstance(world.ledgers, Files) else ("several",)):
        pytest.skip("the other writes belong to make soak")
    here, there = FORKS.Pipe(duplex=False)
    process = forked(walk, world.ledgers, world.writes[name], mode, there)
    there.close()
    found = here.recv()
    process.join()
    assert isinstance(found, Walk), found
    assert found.lines * world.ledgers.lines_apart > 100  # the fault really walked through the command
    if SOAK and not world.writes[name].denied:
        assert found.unsaid  # somewhere the commit is durable and the answer lost: the retry told the truth


def test_a_hostile_actor_in_the_middle_changes_nothing(world: World):
    desk = Desk(Store(world.ledgers.fresh()))
    with pytest.raises(Denied):
        desk.do(Step("retire", "risks", "RISK-0001", 1), Actor("demo", "nobody"))
    with desk.ledger.store.read() as db:
        row = rows.current(db, "risks", "RISK-0001")
    assert row is not None
    assert row.state == "active"
