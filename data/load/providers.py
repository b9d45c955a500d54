"""`load segment|braze|sendgrid|twilio`: provider payloads into the warehouse tables.

A file is read whole, mapped to canonical rows, given its persons, and then goes the ordinary way of
`data.load.tables`, table by table: first as a trial of all tables, then for good. So a file with a bad record
changes nothing, and loading it again changes nothing either.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from data.contracts import contract_for
from data.lake import Lake
from data.load import braze, segment, sendgrid, twilio
from data.load.canonical import STATUS_RANK, Outbox, Row
from data.load.identify import held, settled
from data.load.payloads import BadRecord, Payload, read_payloads
from data.load.report import FILE_ADVICE, LoadReport, Outcome, Problem, Unreadable
from data.load.tables import load_tables

Provider = Literal["segment", "braze", "sendgrid", "twilio"]
Counts = tuple[tuple[str, int], ...]
_ORDER = (
    "people identity_links person_merges signals activations activation_signals message_events"
    " suppression_events consents outcomes"
).split()
_ADVICE = {
    "wrong_extension": "Name the file .json, .ndjson (.jsonl) or .csv; .gz may follow.",
    "not_json": "Write a JSON array, or one JSON object a line.",
    "empty": "Send a file with at least one record.",
    "duplicate_column": "Keep one column of each name.",
}


@dataclass(frozen=True)
class _Source:
    """A provider's mapper: adds the rows of a record and returns its name, empty where it knows no such event."""

    map_record: Callable[[Payload, Outbox], str]
    name_of: Callable[[Payload], str]


def _event_name(p: Payload) -> str:
    return p.text("event") or "a record without event"


PROVIDERS: dict[str, _Source] = {
    "segment": _Source(segment.map_record, segment.name_of),
    "braze": _Source(braze.map_record, braze.name_of),
    "sendgrid": _Source(sendgrid.map_record, _event_name),
    "twilio": _Source(twilio.map_record, twilio.name_of),
}


@dataclass(frozen=True)
class ProviderReport:
    """What became of one file of a provider. Counts are (what, how many), most frequent first.

    `mapped` and `unknown` count records by the provider's own event names; `not_kept` what is known but has no
    place in the tables; `inferred` what the source does not tell; `reached` messages by how far they got;
    `repeated` events told more than once. `problems` name the record, the field, the value and what to do.
    """

    provider: str
    file: str
    records: int
    outcome: Outcome
    tables: tuple[tuple[str, LoadReport], ...] = ()
    mapped: Counts = ()
    unknown: Counts = ()
    not_kept: Counts = ()
    inferred: Counts = ()
    reached: Counts = ()
    repeated: int = 0
    problems: tuple[str, ...] = ()

    def message(self) -> str:
        """The report in words, several lines."""
        tail = " Nothing was changed." if self.outcome in ("refused", "dry run") else ""
        lines = [f"{self.file} from {self.provider}: {self.outcome}; {self.records:,} records read.{tail}"]
        lines += [f"  {problem}" for problem in self.problems]
        for table, report in self.tables:
            lines.append(f"  {table}: {report.rows_new:,} new, {report.rows_known:,} known before")
        for title, counts in (
            ("mapped", self.mapped),
            ("unknown event types, not loaded", self.unknown),
            ("known but not kept", self.not_kept),
            ("inferred", self.inferred),
            ("messages by furthest state", self.reached),
        ):
            if counts:
                lines.append(f"  {title}: " + "; ".join(f"{name} {n:,}" for name, n in counts))
        if self.repeated:
            lines.append(f"  told more than once, counted once: {self.repeated:,}")
        return "\n".join(lines)


def load_provider(
    lake: Lake, provider: str, files: Sequence[Path], *, now: dt.datetime, dry_run: bool = False
) -> tuple[ProviderReport, ...]:
    """Load payload files of a provider; one report a file, in the given order.

    `now` is the injected clock (aware). A file with a bad record is 'refused' and changes nothing. Raises
    ValueError for an unknown provider, LakeBusyError when another loader holds the lake.
    """
    if provider not in PROVIDERS:
        raise ValueError(f"There is no provider {provider!r}. Providers: {', '.join(sorted(PROVIDERS))}.")
    if now.tzinfo is None:
        raise ValueError("now must be an aware time")
    return tuple(_load(lake, provider, file, now, dry_run=dry_run) for file in files)


def _load(lake: Lake, provider: str, file: Path, now: dt.datetime, *, dry_run: bool) -> ProviderReport:
    out = Outbox(provider)
    try:
        problems = _map(provider, file, now, out)
    except Unreadable as fault:
        problems = tuple(_in_words(p) for p in fault.problems)
    if problems:
        return ProviderReport(provider, str(file), out.records, "refused", problems=problems)
    rows = settled(lake, out)
    _count_unsent(rows, out)
    tables, problems = _store(lake, rows, out, file, now, dry_run=dry_run)
    report = ProviderReport(provider, str(file), out.records, _outcome(tables, dry_run=dry_run), tables)
    if problems:
        report = dataclasses.replace(report, outcome="refused", problems=problems)
    return dataclasses.replace(
        report, mapped=_ranked(out.mapped), unknown=_ranked(out.unknown), not_kept=_ranked(out.not_kept),
        inferred=_ranked(out.inferred), reached=_reached(rows), repeated=out.repeated,
    )  # fmt: skip


def _map(provider: str, file: Path, now: dt.datetime, out: Outbox) -> tuple[str, ...]:
    """Map every record; returns what is wrong with those that cannot be mapped (at most 20 are named)."""
    source, problems = PROVIDERS[provider], []
    for payload in read_payloads(file, now):
        out.records += 1
        try:
            name = source.map_record(payload, out)
            if name:
                out.mapped[name] += 1
            else:
                out.unknown[source.name_of(payload)] += 1
        except BadRecord as fault:
            problems.append(str(fault))
    if not out.records:
        raise Unreadable(Problem("empty"))
    more = len(problems) - 20
    return tuple(problems[:20]) + ((f"and {more:,} more records like these",) if more > 0 else ())


def _in_words(problem: Problem) -> str:
    place = f"line {problem.line:,}: " if problem.line else ""
    value = f": {problem.value}" if problem.value else ""
    advice = _ADVICE.get(problem.rule) or FILE_ADVICE.get(problem.rule, "Correct the file.")
    advice = (
        "Name the file .json, .ndjson (.jsonl) or .csv; .gz may follow."
        if problem.rule == "wrong_extension"
        else advice
    )
    advice = "Write a JSON array, or one JSON object a line." if problem.rule == "not_json" else advice
    return f"{place}{problem.rule.replace('_', ' ')}{value}. {advice}"


def _count_unsent(rows: Sequence[Row], out: Outbox) -> None:
    """Messages that arrived, or were acted on, without a word of when they were sent."""
    states: dict[str, set[str]] = {}
    for row in rows:
        if row.table == "message_events":
            states.setdefault(row.value("activation_id") or "", set()).add(row.value("event_type") or "")
    unsent = sum(
        "sent" not in s and bool(s & {"delivered", "opened", "clicked", "read"}) for s in states.values()
    )
    if unsent:
        out.inferred["send time of a message (this file only bounds it by what followed)"] += unsent
    for row in rows:
        if row.table == "message_events" and row.quality:
            out.inferred[f"time of an event: {row.quality.name.lower().replace('_', ' ')}"] += 1


def _reached(rows: Sequence[Row]) -> Counts:
    """Messages of the file by their furthest state: the order of arrival has no say."""
    best: dict[str, str] = {}
    for row in rows:
        if row.table == "message_events":
            activation, state = row.value("activation_id") or "", row.value("event_type") or ""
            best[activation] = max(best.get(activation, state), state, key=lambda s: (STATUS_RANK[s], s))
    found: dict[str, int] = {}
    for state in best.values():
        found[state] = found.get(state, 0) + 1
    return tuple(sorted(found.items(), key=lambda p: STATUS_RANK[p[0]]))


def _ranked(counts: dict[str, int]) -> Counts:
    return tuple(sorted(((k, n) for k, n in counts.items() if n), key=lambda p: (-p[1], p[0])))


def _outcome(tables: Sequence[tuple[str, LoadReport]], *, dry_run: bool) -> Outcome:
    if any(r.outcome in ("loaded", "dry run") and r.rows_new for _, r in tables):
        return "dry run" if dry_run else "loaded"
    return "nothing new"


def _store(
    lake: Lake, rows: Sequence[Row], out: Outbox, file: Path, now: dt.datetime, *, dry_run: bool
) -> tuple[tuple[tuple[str, LoadReport], ...], tuple[str, ...]]:
    """Every table on trial; then, unless one refuses or this is a dry run, for good."""
    drafts = {t: _fresh(lake, t, own, out) for t in _ORDER if (own := [r for r in rows if r.table == t])}
    paths = {t: _written(lake, t, fresh, file, out.source) for t, (fresh, _) in drafts.items() if fresh}
    try:
        done = _through(lake, paths, now, dry_run=True)
        refused = tuple(p for t in done for p in _refusal(done[t], drafts[t][0]))
        if not dry_run and not refused:
            done = _through(lake, paths, now, dry_run=False)
    finally:
        for path in paths.values():
            path.unlink(missing_ok=True)
    reports = []
    for table, (fresh, known) in drafts.items():
        found = done.get(table) or LoadReport(table, str(file), 0, 0, 0, 0, "nothing new")
        read, before = len(fresh) + known, found.rows_known + known
        reports.append((table, dataclasses.replace(found, file=str(file), rows_read=read, rows_known=before)))
    return tuple(reports), refused


def _through(lake: Lake, paths: dict[str, Path], now: dt.datetime, *, dry_run: bool) -> dict[str, LoadReport]:
    return {t: load_tables(lake, t, [path], now=now, dry_run=dry_run)[0] for t, path in paths.items()}


def _fresh(lake: Lake, table: str, rows: list[Row], out: Outbox) -> tuple[list[Row], int]:
    """The rows whose key the lake does not hold, and how many it does.

    Facts are never changed: a message or an event told again, by another file with another clock, is known.
    """
    contract = contract_for(table)
    if contract.mutable:
        return rows, 0
    keys: dict[str, list[str | None]] = {c: [r.value(c) for r in rows] for c in contract.key}
    known = set(held(lake, table, contract.key, keys))
    fresh = [r for r in rows if r.key() not in known]
    if table == "activations" and known:
        out.not_kept["cost of a message that was loaded before without one"] += _lost_costs(lake, rows, keys)
    return fresh, len(rows) - len(fresh)


def _lost_costs(lake: Lake, rows: Sequence[Row], keys: dict[str, list[str | None]]) -> int:
    """Messages that the lake holds without the cost the file knows."""
    bare = {
        a for a, cost in held(lake, "activations", ("activation_id", "cost_amount"), keys) if cost is None
    }
    return sum(r.value("cost_amount") is not None and r.key()[0] in bare for r in rows)


def _written(lake: Lake, table: str, rows: Sequence[Row], file: Path, provider: str) -> Path:
    """The rows as NDJSON in the lake's scratch folder, under a name that the record of loads can show."""
    path = lake.draft().with_suffix(f".{provider}.{file.name}.{table}.ndjson")
    with path.open("w", encoding="utf-8") as handle:
        handle.writelines(json.dumps(dict(row.values), ensure_ascii=True) + "\n" for row in rows)
    return path


def _refusal(report: LoadReport, rows: Sequence[Row]) -> list[str]:
    """What the contract says against rows, by the record they came from."""
    if report.outcome != "refused":
        return []
    words = []
    for group in report.problems:
        records = ", ".join(f"{rows[line - 1].place:,} ({value})" for line, value in group.examples if line)
        words.append(
            f"{report.name}, column {group.column}: {group.rule.replace('_', ' ')} in record {records}."
            f" {group.what_to_do}"
        )
    return words
