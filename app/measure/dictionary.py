"""The Definitions page: every metric's declaration, found by words, with its SQL for each engine."""

from __future__ import annotations

from dataclasses import dataclass

from app.measure.evidence import words_of
from app.report import DIALECTS, sql_of
from app.runtime import Runtime
from metrics import ALL
from metrics.core.metric import Metric, Rollup


@dataclass(frozen=True)
class Entry:
    """One metric as the page prints it."""

    metric: Metric[object]
    facts: tuple[tuple[str, str], ...]
    settings: tuple[str, ...]


@dataclass(frozen=True)
class Chapter:
    """The entries of one family."""

    family: str
    entries: tuple[Entry, ...]


def chapters(wanted: str) -> tuple[Chapter, ...]:
    """Families with the metrics whose words hold every wanted word, in the registry's order."""
    asked = wanted.lower().split()
    found = [m for m in ALL.values() if all(word in _text(m) for word in asked)]
    families = dict.fromkeys(m.family for m in found)
    return tuple(Chapter(f, tuple(_entry(m) for m in found if m.family == f)) for f in families)


def _text(metric: Metric[object]) -> str:
    parts = (metric.key, metric.title, metric.question, metric.definition, metric.why, metric.dimension.value)
    return " ".join((*parts, metric.owner)).lower()


def _entry(metric: Metric[object]) -> Entry:
    rollup = metric.rollup
    facts = (
        *words_of(metric),
        ("Reads", ", ".join(rollup.tables)),
        ("Broken down by", ", ".join(rollup.dims)),
        ("Never pooled over", ", ".join(metric.apart)),
        ("Kept", _kept(rollup)),
        ("Key", f"{metric.key}, version {metric.version}"),
    )
    settings = tuple(f"{s.name} (default {s.default or 'empty'}): {s.help}" for s in metric.settings)
    return Entry(metric, tuple(f for f in facts if f[1]), settings)


def _kept(rollup: Rollup[object]) -> str:
    if rollup.ledger:
        return "asked of the ledger each time"
    return "in rollups, refreshed by day" if rollup.stored else "asked of the warehouse each time"


def dialects(runtime: Runtime) -> tuple[str, ...]:
    """Dialects the SQL can be printed in, the warehouse's own first."""
    own = runtime.warehouse.dialect.name
    return (own, *(d for d in DIALECTS if d != own))


def sql(runtime: Runtime, metric: Metric[object], dialect: str) -> str:
    """The metric's statement in a dialect; says so where that dialect's package is not installed."""
    try:
        own = dialect == runtime.warehouse.dialect.name
        return sql_of(metric, runtime.warehouse, None if own else dialect)
    except Exception as error:  # noqa: BLE001 (a dialect's own compiler may refuse in its own way; the page says so)
        return f"-- not available in {dialect} here: {error}"
