"""What was known, who was whom, and until when: the ground the other three modules stand on.

Rules (E)
E1. A row is known at `as_of` when its `loaded_at`, else its `received_at`, else its event time, is at or before
    `as_of`; a row with none of the three was always known. Without `as_of` everything is known.
E2. Rows of one key count once, with the earliest time at which any of them was known; of a table that may be
    corrected (people, links, merges, outcomes, watermarks) the version loaded last counts.
E3. The observation end T1 is the smallest known watermark among those of source `all` and of the tables signals,
    activations, activation_signals, activation_hops, message_events, suppression_events and outcomes; without
    one, the greatest known scored_at, event_at (message), effective_at, occurred_at or entered_at. It is never
    later than `as_of`. The two ends are inclusive: an event at exactly T1 was observed.
E4. `received_at` defaults to the event time.
E5. A merge holds at time t when merged_at <= t and it is not reverted at or before t. Persons are the undirected
    components of the merges that hold at `as_of` (without `as_of`: all that are not reverted). A component is
    named by its smallest member.
E6. Rows belong to the component of their person_id. In the view `known`, a row stands for its record_id where
    that record occurs in any known merge (either end), else for its person_id; a send and a suppression are then
    linked only when their nodes are connected by merges that hold at `as_of` (E5) and were made at or before the
    moment of the send, and their persons are one in today's closure too (`known` is a subset of `truth`).
E7. Times compare in microseconds. A row without person_id belongs to nobody.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Tables = Mapping[str, Iterable[Mapping[str, Any]]]

SECOND = 1_000_000
DAY = 86_400 * SECOND
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

KEYS: dict[str, tuple[str, ...]] = {
    "people": ("person_id",),
    "identity_links": ("link_id",),
    "person_merges": ("from_person_id", "to_person_id", "merged_at"),
    "signals": ("signal_id",),
    "activations": ("activation_id",),
    "activation_signals": ("signal_id", "activation_id"),
    "activation_hops": ("signal_id", "activation_id", "hop"),
    "message_events": ("source", "event_id"),
    "suppression_events": ("suppression_event_id",),
    "suppression_propagations": ("suppression_event_id", "channel", "system"),
    "consents": ("consent_id",),
    "outcomes": ("outcome_id",),
    "feedback_events": ("signal_id", "outcome_id"),
    "data_watermarks": ("source",),
}
EVENT_TIME = {
    "person_merges": "merged_at",
    "signals": "scored_at",
    "activation_hops": "entered_at",
    "message_events": "event_at",
    "suppression_events": "effective_at",
    "consents": "captured_at",
    "outcomes": "occurred_at",
    "feedback_events": "ingested_at",
}
MUTABLE = {"people", "identity_links", "person_merges", "outcomes", "data_watermarks"}
SOURCES = "signals activations activation_signals activation_hops message_events suppression_events outcomes".split()
TIMES = {"features_as_of", "valid_from", "valid_to", "scheduled_for", "ack_lo", "ack_hi"} | {
    "entered_at_lo",
    "entered_at_hi",
}
FLOATS = {"window_seconds", "expected_value", "score", "weight", "revenue", "label", "cost_amount"}
FLAGS = {"is_test", "is_machine"}


@dataclass(frozen=True)
class View:
    """The settings of a run. Times of tolerance are seconds; `as_of` is ISO text or microseconds."""

    policy: str = "strict"
    identity: str = "truth"
    clock: str = "effective"
    as_of: str | int | None = None
    skew_seconds: float = 5.0
    grace_seconds: float = 60.0
    maturity_days: float = 30.0
    confirmation_seconds: float = 300.0
    conversion_programmes: tuple[str, ...] = ("abandoned_cart",)
    not_conversions: tuple[str, ...] = ("churn",)


def micros(value: object) -> int | None:
    """Epoch microseconds of ISO text with an offset; numbers are microseconds already; empty is None."""
    if value is None or value == "":
        return None
    if isinstance(value, int):
        return value
    moment = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value))
    delta = moment - EPOCH  # refuses a naive time
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds


def seconds(us: int) -> float:
    return us / SECOND


def typed(row: Mapping[str, Any]) -> Row:
    """One row with its values typed by the column's name."""
    return {name: _value(name, value) for name, value in row.items()}


def _value(name: str, value: object) -> object:
    if value is None or value == "":
        return None
    if name.endswith("_at") or name in TIMES:
        return micros(value)
    if name in FLOATS:
        return float(str(value))
    if name in FLAGS:
        return str(value).strip().lower() in {"1", "true"}
    return str(value)


def read_folder(folder: Path) -> dict[str, list[dict[str, str]]]:
    """The CSV files of a folder as canonical rows."""
    found: dict[str, list[dict[str, str]]] = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            found[path.stem] = list(csv.DictReader(file))
    return found


def known_since(table: str, row: Row) -> int | None:
    """When the warehouse knew the row (E1); None is always."""
    for column in ("loaded_at", "received_at", EVENT_TIME.get(table, "")):
        if row.get(column) is not None:
            return int(row[column])
    return None


def _deduplicated(table: str, rows: list[Row]) -> list[Row]:
    best: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = tuple(row.get(k) for k in KEYS[table])
        held = best.get(key)
        if held is None:
            best[key] = row
            continue
        new, old = known_since(table, row), known_since(table, held)
        always = -(2**62)
        later = (always if new is None else new) >= (always if old is None else old)
        if later == (
            table in MUTABLE and _words(row) != _words(held)
        ):  # the same words again correct nothing
            best[key] = row
    return list(best.values())


def _words(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in {"received_at", "loaded_at"}}


class Components:
    """Connected components of undirected edges, each named by its smallest member."""

    def __init__(self, edges: Iterable[tuple[str, str]]) -> None:
        near: dict[str, set[str]] = {}
        for a, b in edges:
            near.setdefault(a, set()).add(b)
            near.setdefault(b, set()).add(a)
        self._name: dict[str, str] = {}
        for start in near:
            if start in self._name:
                continue
            seen, todo = {start}, [start]
            while todo:
                for other in near[todo.pop()] - seen:
                    seen.add(other)
                    todo.append(other)
            self._name.update(dict.fromkeys(seen, min(seen)))

    def of(self, node: str) -> str:
        return self._name.get(node, node)


@dataclass
class World:
    """The warehouse as it was known under a view: `rows` by table, the observation end, and who is whom."""

    view: View
    rows: dict[str, list[Row]]
    end: int
    today: Components
    _nodes: set[str] = field(default_factory=set)
    _past: dict[int, Components] = field(default_factory=dict)

    def __getitem__(self, table: str) -> list[Row]:
        return self.rows[table]

    def person(self, row: Row) -> str | None:
        """The person a row is about in today's closure."""
        return None if row.get("person_id") is None else self.today.of(row["person_id"])

    def node(self, row: Row) -> str:
        """What a row stands for in the view `known` (E6)."""
        record = row.get("record_id")
        return str(record if record in self._nodes else row["person_id"])

    def linked_at(self, a: Row, b: Row, at: int) -> bool:
        """Were the two rows known to be one person at a moment?"""
        if at not in self._past:
            made = [m for m in self["person_merges"] if m["merged_at"] <= at]
            self._past[at] = Components(_holding(made, micros(self.view.as_of)))
        past = self._past[at]
        return past.of(self.node(a)) == past.of(self.node(b))


def _holding(merges: list[Row], at: int | None) -> list[tuple[str, str]]:
    return [
        (m["from_person_id"], m["to_person_id"])
        for m in merges
        if (at is None or m["merged_at"] <= at)
        and (m.get("reverted_at") is None or (at is not None and m["reverted_at"] > at))
    ]


def _observation_end(rows: dict[str, list[Row]], as_of: int | None) -> int:
    marks = [w["complete_through_at"] for w in rows["data_watermarks"] if w["source"] in {"all", *SOURCES}]
    events = [r[EVENT_TIME[t]] for t in SOURCES if t in EVENT_TIME for r in rows[t]]
    end = min(marks) if marks else max(events, default=0)
    return end if as_of is None else min(end, as_of)


def world(tables: Tables, view: View | None = None) -> World:
    """The canonical rows as they were known under a view."""
    view = view or View()
    as_of = micros(view.as_of)
    rows: dict[str, list[Row]] = {}
    for table in KEYS:
        unique = _deduplicated(table, [typed(r) for r in tables.get(table, ())])
        since = [(r, known_since(table, r)) for r in unique]
        rows[table] = [r for r, at in since if as_of is None or at is None or at <= as_of]
    merges = rows["person_merges"]
    nodes = {m[end] for m in merges for end in ("from_person_id", "to_person_id")}
    return World(view, rows, _observation_end(rows, as_of), Components(_holding(merges, as_of)), nodes)
