"""Writers killed and servers stopped at random instants: what was acknowledged is there, once, in an intact chain.

Writers are processes of their own; each says on a pipe what it is about to write and what was acknowledged. After
every stop the parent compares: acknowledged writes are there; every write that was begun, tried again, is there once.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.govern.commands import execute, find, values_of
from app.govern.model import Add, Ledger
from app.govern.verify import verify
from data.ledger import AUDIT, TABLES
from data.ledger_store import Store, sqlite_url
from tests import postgres
from tests.cases import SOAK, lane
from tests.forks import FORKS, forked
from tests.ledger import homes
from tests.ledger.homes import RISK, Desk, who

FORKS.set_forkserver_preload([__name__])
KILLS, STOPS = (1_000, 100) if SOAK else (6, 1)
A_FILE = 50  # kills of one ledger: after that a fresh copy, so that looking at it stays quick
WRITERS = 4


def written(ledger: Ledger, key: str) -> None:
    execute(ledger, Add("risks", values_of(**RISK | {"title": key})), who("omar"), key)


def write_on(url: str, name: str, told: Connection) -> None:
    """Write risks until stopped; say what is begun and what was acknowledged."""
    ledger = Ledger(Store(url), homes.Ticking())
    with contextlib.suppress(sa.exc.OperationalError):  # the server is gone: this writer's end
        for n in range(100_000):
            key = f"{name}-{n}"
            told.send(("begun", key))
            written(ledger, key)
            told.send(("kept", key))


@dataclass
class Writer:
    """A process that writes, and all that it has said."""

    process: ForkServerProcess
    ear: Connection
    begun: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    @classmethod
    def start(cls, url: str, name: str) -> Writer:
        ear, mouth = FORKS.Pipe(duplex=False)
        process = forked(write_on, url, name, mouth)
        mouth.close()
        return cls(process, ear)

    def at_work(self) -> None:
        """Wait until it has written once, so that it is stopped somewhere in its writing."""
        while not self.kept:
            assert self.ear.poll(60), "the writer never wrote"
            self.hear()

    def hear(self) -> None:
        what, key = self.ear.recv()
        (self.begun if what == "begun" else self.kept).append(key)

    def ended(self) -> None:
        """Wait for its end and hear it out."""
        with contextlib.suppress(EOFError):
            while True:
                self.hear()
        self.process.join()


def look(ledger: Ledger, writers: list[Writer]) -> tuple[int, int]:
    """Nothing acknowledged is lost, nothing is doubled, a retry gives each write once; acknowledged, and unsaid."""
    kept = [k for w in writers for k in w.kept]
    assert [k for k in kept if find(ledger, k) is None] == []
    open_ = sorted({k for w in writers for k in w.begun} - set(kept))
    unsaid = sum(find(ledger, k) is not None for k in open_)
    for key in open_:
        written(ledger, key)  # at once: a lock left behind would time out
    titles = TABLES["risks"].c.title
    with ledger.store.read() as db:
        held = db.execute(sa.select(titles, sa.func.count()).group_by(titles)).all()
    counts = dict(held)
    assert all(counts.get(k) == 1 for k in (*kept, *open_))
    proof = verify(ledger.store, deep=True)
    assert proof.state == "intact", proof.findings
    assert proof.rows == Desk(ledger.store).count(AUDIT, AUDIT.c.outcome == "done")
    return len(kept), unsaid


def campaign(
    ledgers: Iterator[Ledger], stop: Callable[[list[Writer]], None], turns: int, writers: int, longest: float
) -> None:
    dice, kept, unsaid = random.Random(3), 0, 0
    for turn in range(turns):
        ledger = next(ledgers)
        url = ledger.store.url.render_as_string(hide_password=False)
        crew = [Writer.start(url, f"{turn}-{w}") for w in range(writers)]
        for writer in crew:
            writer.at_work()
        time.sleep(dice.uniform(0, longest))
        stop(crew)
        for writer in crew:
            writer.ended()
        found = look(ledger, crew)
        kept, unsaid = kept + found[0], unsaid + found[1]
    print(f"{turns} stops of {writers} writers: {kept} acknowledged, {unsaid} kept but not acknowledged")
    assert kept >= turns // 4  # they were really writing


@pytest.mark.slow
def test_kills_at_random_instants_lose_and_double_nothing_on_sqlite(
    durable: None, template: Path, tmp_path: Path
):
    def ledgers() -> Iterator[Ledger]:
        for turn in range(KILLS):
            if turn % A_FILE == 0:
                path = tmp_path / f"{turn}.sqlite"
                shutil.copy(template, path)
                Desk(Store(sqlite_url(path))).initiative()
            yield Ledger(Store(sqlite_url(path)), homes.Ticking())

    def kill(crew: list[Writer]) -> None:
        for writer in crew:
            writer.process.kill()

    campaign(ledgers(), kill, KILLS, 2, 0.35)


@pytest.mark.slow
@pytest.mark.postgres
def test_immediate_stops_of_the_server_lose_and_double_nothing():
    lane("PostgreSQL (apt-get install postgresql)", postgres.binaries() is not None)
    with postgres.cluster() as own:
        homes.fresh_on(own.url).people().initiative()

        def ledgers() -> Iterator[Ledger]:
            while True:
                yield Ledger(Store(own.url), homes.Ticking())

        def crash(crew: list[Writer]) -> None:
            own.stop()
            own.start()

        campaign(ledgers(), crash, STOPS, WRITERS, 1.0)
