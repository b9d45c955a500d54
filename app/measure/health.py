"""Data health: what is loaded, how fresh it is, what was refused and why; and the checks of `python -m app check`."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app.measure import words
from app.runtime import Runtime
from app.settings import MODES
from data import schema
from data.load.report import reject_path
from data.manifest import NO_DAY, Load
from data.sql import date_of, micros
from metrics import ROLLUPS
from metrics.core.metric import Rollup

STALE_AFTER = dt.timedelta(days=7)
MOST_REASONS = 5
MOST_LINES = 20_000  # of a report file; enough to rank its rules
DAMAGE_SHOWN = 3


@dataclass(frozen=True)
class Check:
    """One thing that must hold, and what to do where it does not."""

    name: str
    holds: bool
    detail: str
    what_to_do: str = ""

    def message(self) -> str:
        head = f"{'holds' if self.holds else 'FAILS'}  {self.name}: {self.detail}"
        return head if self.holds or not self.what_to_do else f"{head}\n       {self.what_to_do}"


@dataclass(frozen=True)
class TableHealth:
    """One warehouse table. Days and rows are None where a company's own warehouse does not tell them cheaply."""

    name: str
    rows: int | None
    first: dt.date | None
    last: dt.date | None
    loaded: dt.datetime | None
    comment: str


@dataclass(frozen=True)
class RollupHealth:
    """How far one rollup reflects the warehouse; `behind` where facts are newer."""

    key: str
    title: str
    refreshed: dt.datetime | None
    as_of: dt.datetime | None
    days: int
    rows: int
    seconds: float
    behind: bool


@dataclass(frozen=True)
class Refusal:
    """Why rows of a file were refused: rule, column and how many; never the values, which may name people."""

    rule: str
    column: str
    count: int
    what_to_do: str


@dataclass(frozen=True)
class LoadHealth:
    """One file handed to the loader and what became of it."""

    load: Load
    at: dt.datetime
    reasons: tuple[Refusal, ...]
    report: str


@dataclass(frozen=True)
class Watermark:
    """How far a source says it is complete."""

    source: str
    complete_through: dt.datetime


@dataclass(frozen=True)
class Health:
    """The whole page."""

    tables: tuple[TableHealth, ...]
    empty: tuple[str, ...]
    rollups: tuple[RollupHealth, ...]
    loads: tuple[LoadHealth, ...]
    watermarks: tuple[Watermark, ...]
    embedded: bool

    @property
    def behind(self) -> tuple[RollupHealth, ...]:
        return tuple(r for r in self.rollups if r.behind)

    @property
    def refused(self) -> tuple[LoadHealth, ...]:
        return tuple(x for x in self.loads if x.load.rows_rejected or x.load.outcome == "refused")


def health(runtime: Runtime) -> Health:
    """Look at the manifest, the watermarks and the report files."""
    tables = _tables(runtime)
    return Health(
        tables=tuple(t for t in tables if t.rows != 0),
        empty=tuple(t.name for t in tables if t.rows == 0),
        rollups=_rollups(runtime),
        loads=tuple(_load(runtime, x) for x in runtime.lake.manifest.loads()),
        watermarks=_watermarks(runtime),
        embedded=runtime.settings.warehouse_url is None,
    )


def _tables(runtime: Runtime) -> tuple[TableHealth, ...]:
    if runtime.settings.warehouse_url is not None:
        needed = sorted({n for r in ROLLUPS.values() if not r.ledger for n in r.tables})
        return tuple(TableHealth(n, None, None, None, None, _comment(n)) for n in needed)
    files = runtime.lake.manifest.files("facts")
    loads = runtime.lake.manifest.loads(1000)
    found = []
    for name in schema.METADATA.tables:
        own = [f for f in files if f.name == name]
        days = [f.day for f in own if f.day != NO_DAY]
        at = next((_time(x.at) for x in loads if x.name == name and x.outcome == "loaded"), None)
        first, last = (date_of(min(days)), date_of(max(days))) if days else (None, None)
        found.append(TableHealth(name, sum(f.rows for f in own), first, last, at, _comment(name)))
    return tuple(found)


def _comment(name: str) -> str:
    return schema.METADATA.tables[name].comment or ""


def _time(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def _rollups(runtime: Runtime) -> tuple[RollupHealth, ...]:
    states = runtime.store.held().refreshes
    found = []
    for rollup in (r for r in ROLLUPS.values() if r.stored):
        state = states.get(rollup.key)
        rows = sum(f.rows for f in runtime.store.files(rollup.key))
        behind = _behind(runtime, rollup, state.mark if state else None)
        as_of = runtime.readings.as_of(rollup)
        refreshed = _time(state.at) if state else None
        days, seconds = (state.days, state.seconds) if state else (0, 0.0)
        found.append(RollupHealth(rollup.key, rollup.title, refreshed, as_of, days, rows, seconds, behind))
    return tuple(found)


def _behind(runtime: Runtime, rollup: Rollup[object], mark: str | None) -> bool:
    """Whether facts came after the rollup's mark. A company's warehouse looks back a day, so it is asked less."""
    if mark is None:
        return any(runtime.warehouse.dirty(rollup.tables, None).days.values())
    dirty = runtime.warehouse.dirty(rollup.tables, mark)
    return bool(dirty.days) if runtime.settings.warehouse_url is None else dirty.mark != mark


def _load(runtime: Runtime, load: Load) -> LoadHealth:
    at = _time(load.at)
    path = reject_path(runtime.settings.home, load.name, load.sha256, at)
    known = bool(load.rows_rejected or load.outcome == "refused") and path.exists()
    return LoadHealth(load, at, tuple(_reasons(path)) if known else (), str(path) if known else "")


def _reasons(path: Path) -> Iterator[Refusal]:
    counts: Counter[tuple[str, str]] = Counter()
    advice: dict[tuple[str, str], str] = {}
    with path.open(encoding="utf-8", newline="") as handle:
        for at, row in enumerate(csv.DictReader(handle)):
            if at >= MOST_LINES:
                break
            key = (row["rule"], row["column"])
            counts[key] += 1
            advice.setdefault(key, row["what_to_do"])
    for (rule, column), count in counts.most_common(MOST_REASONS):
        yield Refusal(rule.replace("_", " "), column, count, advice[rule, column])


def _watermarks(runtime: Runtime) -> tuple[Watermark, ...]:
    table = runtime.warehouse.tables()["data_watermarks"]
    inner = sa.select(table.c.source, micros(table.c.complete_through_at).label("us")).subquery()
    with runtime.warehouse.session(("data_watermarks",)) as session:
        found = session.columns(sa.select(inner.c.source, inner.c.us).order_by(inner.c.source))
    return tuple(
        Watermark(str(source), dt.datetime.fromtimestamp(float(us) / 1e6, dt.UTC))
        for source, us in zip(found["source"], found["us"], strict=True)
    )


def checks(runtime: Runtime, now: dt.datetime) -> tuple[Check, ...]:
    """Everything that must hold for the numbers to be trusted today."""
    return (
        _settings(runtime),
        *_warehouse(runtime),
        _files(runtime),
        *_freshness(runtime, now),
        _targets(runtime),
    )


def _holds(name: str, detail: str) -> Check:
    return Check(name, holds=True, detail=detail)


def _fails(name: str, detail: str, what_to_do: str) -> Check:
    return Check(name, holds=False, detail=detail, what_to_do=what_to_do)


def _one_row(table: sa.FromClause) -> sa.Select[Any]:
    return sa.select(sa.literal(1).label("x")).select_from(table).limit(1)


def _settings(runtime: Runtime) -> Check:
    settings = runtime.settings
    where = "embedded lake" if settings.warehouse_url is None else "the company's warehouse"
    return Check("settings", settings.mode in MODES, f"mode {settings.mode}, home {settings.home}, {where}")


def _warehouse(runtime: Runtime) -> tuple[Check, ...]:
    """Engine reachable, and the tables that some metric reads hold rows."""
    needed = sorted({n for r in ROLLUPS.values() if not r.ledger for n in r.tables})
    try:
        tables = runtime.warehouse.tables()
        with runtime.warehouse.session(tuple(needed)) as session:
            held = [n for n in needed if len(session.columns(_one_row(tables[n]))["x"])]
    except (sa.exc.SQLAlchemyError, OSError, RuntimeError) as error:
        todo = "Check the warehouse URL, the schema name and the network, then try again."
        return (_fails("engine", f"{runtime.warehouse.dialect.name} does not answer: {error}", todo),)
    missing = [n for n in needed if n not in held]
    detail = f"{len(held)} of {len(needed)} tables hold rows"
    answer = _holds("engine", f"{runtime.warehouse.dialect.name} answers")
    todo = f"Load {words.listed(tuple(missing), 6)}." if missing else ""
    return answer, Check(
        "tables", bool(held), detail + (f"; empty: {', '.join(missing)}" if missing else ""), todo
    )


def _files(runtime: Runtime) -> Check:
    bad = runtime.lake.damaged()
    count = sum(len(runtime.lake.manifest.files(s)) for s in ("facts", "rollups"))
    if not bad:
        return _holds("files", f"{words.plural(count, 'data file')}, each with the bytes that were committed")
    todo = "Restore them from a backup, or load their source again; rollups come back with `refresh --full`."
    return _fails(
        "files",
        f"{len(bad)} of {count} damaged or missing: {words.listed(tuple(bad), DAMAGE_SHOWN)}",
        todo,
    )


def _freshness(runtime: Runtime, now: dt.datetime) -> tuple[Check, ...]:
    found = _rollups(runtime)
    behind = [r.key for r in found if r.behind]
    loads = [r.as_of for r in found if r.as_of is not None]
    level = Check("rollups", not behind, f"{len(found) - len(behind)} of {len(found)} reflect every loaded row",
                  f"Run refresh: {words.listed(tuple(behind), 6)} lag behind." if behind else "")  # fmt: skip
    if not loads:
        return level, _fails("freshness", "nothing is computed yet", "Load data, then run refresh.")
    newest = max(loads)
    fresh = now - newest <= STALE_AFTER
    detail = f"newest row loaded {words.moment(newest)}, {words.ago(newest, now)}"
    todo = f"Load newer data: numbers older than {STALE_AFTER.days} days are stale."
    return level, Check("freshness", fresh, detail, "" if fresh else todo)


def _targets(runtime: Runtime) -> Check:
    try:
        count = len(runtime.targets())
    except ValueError as error:
        return _fails("targets", str(error), "Mend targets.toml in the home folder.")
    return _holds("targets", words.plural(count, "dated target"))
