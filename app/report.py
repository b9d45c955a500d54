"""What the command line prints: one JSON document or plain text on stdout, progress on stderr."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import enum
import sys
from collections.abc import Callable, Iterator, Sequence
from errno import ENOSPC
from pathlib import Path
from typing import Any

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.measure.refresh import Progress as Step
from data.dialects import NAMES, dialect_of, text_of
from data.engines import Warehouse
from data.ledger_views import tables_at
from data.sql import Facts, Span
from metrics import ALL
from metrics.core.metric import Metric, Reading

DIALECTS = NAMES


def metric(key: str) -> Metric[Any]:
    """The metric of a key; an error that lists its family's keys otherwise."""
    if key in ALL:
        return ALL[key]
    family = [k for k, m in ALL.items() if m.family == key.partition(".")[0]]
    raise click.UsageError(f"no metric {key!r}; there is: {', '.join(family or sorted(ALL))}")


def trouble(error: OSError) -> str:
    """What the system refused, on what, and what to do where that is known."""
    where = f" ({error.filename})" if error.filename else ""
    todo = (
        "; free some space and run the same command again: nothing was half written"
        if error.errno == ENOSPC
        else ""
    )
    return f"{error.strerror or error}{where}{todo}"


def emit(value: object, *, js: bool) -> None:
    """Print a dataclass or a sequence of them."""
    if js:
        click.echo(json_of(value))
        return
    for item in value if isinstance(value, Sequence) else (value,):
        click.echo(item.message() if hasattr(item, "message") else _line(item))


def json_of(value: object) -> bytes:
    """A dataclass, or a sequence of them, as one JSON document."""
    option = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_SERIALIZE_NUMPY
    return orjson.dumps(value, default=_plain, option=option)


def _is_pairs(name: str, value: object) -> bool:
    """Whether a field holds the pairs of a breakdown; other fields of these names hold plain names."""
    return name in ("by", "where") and isinstance(value, tuple) and all(isinstance(p, tuple) for p in value)


def _plain(value: object) -> object:
    """JSON forms of what orjson does not know; pairs of a breakdown become an object."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            f.name: getattr(value, f.name) for f in dataclasses.fields(value) if not f.name.startswith("_")
        }
        return {k: dict(v) if _is_pairs(k, v) else v for k, v in fields.items() if not callable(v)}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(type(value).__name__)


def _line(item: object) -> str:
    """One line of text for a Reading or any other record."""
    if not isinstance(item, Reading):
        return "  ".join(f"{k}={v}" for k, v in dict(_plain(item)).items())  # type: ignore[call-overload]
    by = " ".join(f"{k}={v}" for k, v in item.by)
    if item.value is None:
        return f"{item.key}  {by}  -  {item.reason}"
    interval = "" if item.low is None else f"  {item.low:.6g} to {item.high:.6g}"
    notes = "".join(f"\n    {w}" for w in item.warnings)
    return f"{item.key}  {by}  {item.value:.6g}{interval}  n={item.n}{notes}"


@contextlib.contextmanager
def counting(what: str) -> Iterator[Callable[[int], None]]:
    """A counter on stderr; silent when nobody is watching."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.completed:,.0f} " + what), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda rows: bar.update(task, completed=rows)


@contextlib.contextmanager
def steps() -> Iterator[Callable[[Step], None]]:
    """A bar of days done for each rollup, on stderr."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        tasks: dict[str, Any] = {}

        def show(step: Step) -> None:
            if step.rollup not in tasks:
                tasks[step.rollup] = bar.add_task(step.rollup, total=step.days)
            bar.update(tasks[step.rollup], completed=step.done)

        yield show


@dataclasses.dataclass(frozen=True)
class Declaration:
    """A metric's words, as the catalogue prints them."""

    key: str
    title: str
    question: str
    definition: str
    why: str
    dimension: str
    unit: str
    direction: str
    interval: str
    owner: str
    min_n: int
    stale_after_days: float
    rollup: str
    tables: tuple[str, ...]
    dims: tuple[str, ...]
    settings: tuple[str, ...]
    references: tuple[str, ...]
    version: int

    def message(self) -> str:
        return f"{self.key:44} {self.title}"


def catalogue() -> tuple[Declaration, ...]:
    """Every metric's declaration, in the order of the registry."""
    return tuple(
        Declaration(
            m.key, m.title, m.question, m.definition, m.why, m.dimension.value, m.unit.value, m.direction.value,
            m.interval, m.owner, m.min_n, m.stale_after.total_seconds() / 86400, m.rollup.key, m.rollup.tables,
            m.rollup.dims, tuple(f"{s.name}={s.default}" for s in m.settings), m.references, m.version,
        )
        for m in ALL.values()
    )  # fmt: skip


def sql_of(shown: Metric[Any], warehouse: Warehouse, dialect: str | None) -> str:
    """The metric's statement in a dialect, with the constants written out."""
    tables = tables_at() if shown.rollup.ledger else warehouse.tables()
    facts = Facts(tables, shown.rollup.resolved_dims(tables), Span(0, 40_000))
    return text_of(shown.rollup.select(facts), dialect_of(dialect) if dialect else warehouse.dialect)
