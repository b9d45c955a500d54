"""`load table:NAME`: a file into a warehouse table, whole or not at all.

A file is read as text, checked against the contract, staged on disk, compared with what the lake holds and then
published in one commit. A crash anywhere leaves only files that no manifest row names.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from data.contracts import Contract, check, contract_for, with_header
from data.disk import sha256_of
from data.lake import Lake, duck
from data.load import days, dedupe, publish
from data.load.hashes import Hashes, key_sql, row_hashes
from data.load.readers import NotPlain, Source, open_source
from data.load.report import Findings, LoadReport, Outcome, Problem, Unreadable, reject_path
from data.load.stage import Stage, event_days
from data.manifest import Load

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Options:
    """How to load; `now` is the injected clock (aware, UTC)."""

    now: dt.datetime
    accept_valid: bool = False
    dry_run: bool = False
    progress: Progress | None = None


def load_tables(
    lake: Lake,
    name: str,
    files: Sequence[Path],
    *,
    now: dt.datetime,
    accept_valid: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> tuple[LoadReport, ...]:
    """Load files into a table, each in a transaction of its own; one report a file, in the given order.

    A file with any bad row changes nothing ('refused'), unless `accept_valid`: then its good rows are loaded.
    `dry_run` does everything but commit, and writes no report file. `progress` gets the rows done so far.
    Raises LoadError for an unknown table, LakeBusyError when another loader holds the lake.
    """
    if now.tzinfo is None:
        raise ValueError("now must be an aware time")
    contract = contract_for(name)
    options = Options(now, accept_valid, dry_run, progress)
    reports: list[LoadReport] = []
    for file in files:
        done = sum(r.rows_read for r in reports)
        reports.append(_Attempt(lake, contract, file, options, done).run())
    return tuple(reports)


class _Attempt:
    """One file on its way into the lake."""

    def __init__(self, lake: Lake, contract: Contract, file: Path, options: Options, done: int) -> None:
        self.lake, self.contract, self.file, self.options = lake, contract, file, options
        self.sha256 = ""
        self.unit = "line"
        self.read = self.rejected = 0
        self._done = done
        self._stage: Stage | None = None
        self.findings = Findings(str(file), None)

    def run(self) -> LoadReport:
        lock = contextlib.nullcontext() if self.options.dry_run else self.lake.lock("load")
        with lock:
            try:
                return self._swept(self._run())
            except Unreadable as fault:
                for problem in fault.problems:
                    self.findings.add(self.contract, problem)
                return self._finish("refused", 0, 0)
            finally:
                self.findings.discard()
                if self._stage is not None:
                    self._stage.discard()

    def _swept(self, report: LoadReport) -> LoadReport:
        """Remove a crashed load's finished files, which only a loader may judge."""
        if report.outcome == "loaded":
            self.lake.sweep(folders=("facts",))
        return report

    def _run(self) -> LoadReport:
        self.sha256 = self._digest()
        path = reject_path(self.lake.home, self.contract.name, self.sha256, self.options.now)
        self.findings = Findings(str(self.file), None if self.options.dry_run else path)
        earlier = self.lake.manifest.loaded(self.contract.name, self.sha256)
        if earlier:
            self.read, self.rejected = earlier.rows_read, earlier.rows_rejected
            return self._finish("nothing new", 0, self.read - self.rejected)
        self._stage_file()
        if self._changed():
            raise Unreadable(Problem("changed_while_read"))
        if self._refused() or self._stage is None or not self._stage.rows:
            return self._finish("refused", 0, 0)
        return self._publish(self._stage)

    def _digest(self) -> str:
        try:
            self._stat = self.file.stat()
            return sha256_of(self.file)
        except OSError as fault:
            raise Unreadable(Problem("unreadable", value=fault.strerror or str(fault))) from fault

    def _changed(self) -> bool:
        try:
            stat = self.file.stat()
        except OSError:
            return True
        return (stat.st_mtime_ns, stat.st_size) != (self._stat.st_mtime_ns, self._stat.st_size)

    def _refused(self) -> bool:
        return self.rejected > 0 and not self.options.accept_valid

    def _stage_file(self) -> None:
        """Read, check and stage the file by the fastest lane that can tell what it means."""
        source = open_source(self.file, self.contract)
        self.unit = source.unit
        self.contract, names, faults = with_header(self.contract, source.header)
        if faults:
            raise Unreadable(*(Problem(f.rule, 1, f.column or None, f.value or None) for f in faults))
        for number in range(len(source.lanes)):
            try:
                self._stage_lane(source, number, names)
                break
            except NotPlain:
                self._restart()
        if not self.read:
            raise Unreadable(Problem("header_only"))

    def _restart(self) -> None:
        self.read = self.rejected = 0
        self.findings.restart()
        if self._stage is not None:
            self._stage.discard()

    def _stage_lane(self, source: Source, number: int, names: tuple[str, ...]) -> None:
        self._stage = Stage(self.lake.draft())
        for batch in source.lanes[number]():
            text = dict(zip(names, batch.columns, strict=True))
            checked = check(self.contract, text, batch.lines, self.options.now)
            for problem in batch.problems:
                self.findings.add(self.contract, problem)
            self.findings.add_faults(self.contract, checked.faults, batch.lines)
            self.read += len(batch.lines) + batch.rejected
            self.rejected += checked.rejected + batch.rejected
            if not self._refused():
                self._stage.add(checked.rows, event_days(self.contract, checked.rows))
            if self.options.progress:
                self.options.progress(self._done + self.read)
        self._stage.close()

    def _publish(self, stage: Stage) -> LoadReport:
        """Compare with the lake, write the new rows and commit."""
        with contextlib.closing(duck(self.lake.home, memory="400MB")) as con:
            hashes = row_hashes(con, str(stage.path), key_sql(self.contract.key), stage.rows)
            held = self.lake.manifest.files("facts", self.contract.name)
            report = functools.partial(self.findings.add, self.contract)
            found = dedupe.resolve(con, self.lake, self.contract, stage, hashes, held, report)
            self.rejected += found.conflicts
            if self._refused():
                return self._finish("refused", 0, 0)
            known = found.known + found.moved
            new = int(found.keep.sum()) - found.moved
            if self.options.dry_run:
                return self._finish("dry run" if new or found.moved else "nothing new", new, known)
            if not found.keep.any():
                return self._finish("nothing new" if known else "refused", 0, known)
            change = self._change(con, stage, hashes, found)
        return self._finish("loaded", new, known, change)

    def _change(
        self, con: duckdb.DuckDBPyConnection, stage: Stage, hashes: Hashes, found: dedupe.Resolved
    ) -> publish.Change:
        """Every file the commit adds and removes."""
        change = publish.Change()
        keep = found.keep
        if self.contract.day_of:
            homes = days.parent_days(con, self.lake, self.contract, hashes)
            self._stage = stage = days.restage(self.lake, stage, keep, homes)
            keep = np.ones(stage.rows, dtype=bool)
        change.add += publish.write_days(self.lake, self.contract, stage, keep)
        publish.replace(self.lake, self.contract, found.removed, change)
        publish.compact(self.lake, self.contract, change)
        for child in days.children_of(self.contract.name):
            days.rehome(con, self.lake, child, hashes[keep], stage.days()[keep], change)
            publish.compact(self.lake, child, change)
        return change

    def _finish(
        self, outcome: Outcome, new: int, known: int, change: publish.Change | None = None
    ) -> LoadReport:
        report = self.findings.publish()
        load = Load(
            self.contract.name, str(self.file), self.sha256, self.read, new, known, self.rejected, outcome,
            self.options.now.isoformat(),
        )  # fmt: skip
        if change:
            self.lake.manifest.commit_facts(tuple(change.add), tuple(change.remove), load)
        elif not self.options.dry_run:
            self.lake.manifest.record(load)
        return LoadReport(
            self.contract.name, str(self.file), self.read, new, known, self.rejected, outcome,
            self.findings.groups(), report, self.unit,
        )  # fmt: skip
