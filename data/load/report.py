"""What became of a file: problems grouped by what repairs them, and the full list of bad rows as a CSV file."""

from __future__ import annotations

import csv
import datetime as dt
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from data.contracts import Contract, Fault
from data.load.kinds import Positions

EXAMPLES = 3  # of a kind of problem
GROUPS = 20  # kinds of problem in a message; the report file has all
COLUMNS = ("file", "line", "column", "value", "rule", "what_to_do")
Outcome = Literal["loaded", "nothing new", "refused", "dry run"]

FILE_ADVICE = {
    "unreadable": "Check the path and that the file may be read.",
    "wrong_extension": "Name the file .csv, .ndjson (.jsonl, .json) or .parquet; .gz may follow the first two.",
    "empty": "Send a file with a first line of column names and at least one row.",
    "header_only": "Send a file with at least one row below the column names.",
    "not_csv": "Save the data as CSV with commas, UTF-8; or name the file by what it is.",
    "wrong_delimiter": "Separate the fields with commas.",
    "not_gzip": "Compress the file again, or remove .gz from its name.",
    "not_utf8": "Save the file as UTF-8.",
    "unclosed_quote": "Close the quote; a quote inside a quoted value is written twice.",
    "text_after_quote": "Put a comma after the closing quote; a quote inside a quoted value is written twice.",
    "value_too_long": "Shorten the value to at most 8 MiB; look for a quote that is not closed.",
    "ragged_row": "Give the row as many fields as there are column names; quote values that hold a comma.",
    "not_json": "Write one JSON object a line.",
    "json_array": "Write one JSON object a line, not one array.",
    "nested_value": "Write a single value: text, a number, true, false or null.",
    "not_parquet": "Write the Parquet file again: its content cannot be read.",
    "wrong_type": "Write the column as text, or with the type of the contract.",
    "naive_parquet_time": "Write the column with a time zone (timestamp with UTC), or as text with an offset.",
    "key_conflict": "Rows of this table are never changed: correct the values, or give the row a key of its own.",
    "changed_while_read": "Load the file again when nothing writes to it any more.",
}  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """One fault at one place; `line` and `column` are None where the whole file is meant."""

    rule: str
    line: int | None = None
    column: str | None = None
    value: str | None = None


class Unreadable(Exception):  # noqa: N818 (a finding, carried to the report)
    """The file breaks rules that leave its rows without meaning; nothing of it can be loaded."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems[0].rule)
        self.problems = problems


@dataclass(frozen=True)
class ProblemGroup:
    """Faults that the same action repairs: how many, and the first few."""

    rule: str
    column: str | None
    count: int
    examples: tuple[tuple[int | None, str | None], ...]
    what_to_do: str

    def message(self, unit: str) -> str:
        where = f"column {self.column}: " if self.column else ""
        times = f" ({self.count:,} times)" if self.count > 1 else ""
        shown = "; ".join(_example(unit, line, value) for line, value in self.examples)
        return f"  {where}{self.rule.replace('_', ' ')}{times}{': ' if shown else ''}{shown}\n    {self.what_to_do}"


def _example(unit: str, line: int | None, value: str | None) -> str:
    place = f"{unit} {line:,}" if line is not None else ""
    return " ".join(part for part in (place, _shown(value)) if part)


def _shown(value: str | None) -> str:
    if value is None:
        return ""
    return repr(value if len(value) <= 80 else value[:77] + "...")


@dataclass(frozen=True)
class LoadReport:
    """What became of one file. `rows_read` = new + known + rejected, unless the file could not be read."""

    name: str
    file: str
    rows_read: int
    rows_new: int
    rows_known: int
    rows_rejected: int
    outcome: Outcome
    problems: tuple[ProblemGroup, ...] = ()
    report: Path | None = None
    unit: str = "line"

    def message(self) -> str:
        """The report in words; several lines where there are problems."""
        shown = [p.message(self.unit) for p in self.problems[:GROUPS]]
        return "\n".join([self._headline(), *shown, *self._footer()])

    def _headline(self) -> str:
        head = f"{self.file} into {self.name}: {self.outcome}"
        if self.outcome == "refused":
            rows = (
                f"; {self.rows_rejected:,} of {self.rows_read:,} rows have problems" if self.rows_read else ""
            )
            return f"{head}{rows}. Nothing was changed."
        rejected = f", {self.rows_rejected:,} rejected" if self.rows_rejected else ""
        counts = f"{self.rows_new:,} new, {self.rows_known:,} known or repeated{rejected}"
        unchanged = " Nothing was changed." if self.outcome == "dry run" else ""
        return f"{head}; {self.rows_read:,} rows read: {counts}.{unchanged}"

    def _footer(self) -> list[str]:
        more = len(self.problems) - GROUPS
        lines = [f"  And {more:,} more kinds of problem."] if more > 0 else []
        return [*lines, f"  Every bad row: {self.report}"] if self.report else lines


class Findings:
    """Collects problems while a file is read: groups in memory, every single one in the report file."""

    def __init__(self, file: str, path: Path | None) -> None:
        self._file = file
        self._path = path
        self._draft = path.with_name(path.name + ".tmp") if path else None
        self._handle: IO[str] | None = None
        self._groups: dict[tuple[str, str | None], list[Problem]] = {}
        self._counts: dict[tuple[str, str | None], int] = {}
        self._advice: dict[tuple[str, str | None], str] = {}

    def add(self, contract: Contract, problem: Problem) -> None:
        key = (problem.rule, problem.column)
        self._counts[key] = self._counts.get(key, 0) + 1
        kept = self._groups.setdefault(key, [])
        if len(kept) < EXAMPLES:
            kept.append(problem)
        if key not in self._advice:
            self._advice[key] = advice(contract, problem)
        self._write(problem, self._advice[key])

    def add_faults(self, contract: Contract, faults: tuple[Fault, ...], lines: Positions) -> None:
        """The faults of one batch, in the order of their lines."""
        found = [
            Problem(f.rule, int(lines[row]), f.column, value)
            for f in faults
            for row, value in zip(f.rows.tolist(), f.values, strict=True)
        ]
        for problem in sorted(found, key=lambda p: p.line or 0):
            self.add(contract, problem)

    def _write(self, problem: Problem, what_to_do: str) -> None:
        if self._draft is None:
            return
        if self._handle is None:
            self._draft.parent.mkdir(parents=True, exist_ok=True)
            opener = os.open(self._draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            self._handle = os.fdopen(opener, "w", encoding="utf-8", newline="")
            csv.writer(self._handle).writerow(COLUMNS)
        cells = (self._file, problem.line, problem.column, problem.value, problem.rule, what_to_do)
        csv.writer(self._handle).writerow([_inert(c) for c in cells])

    def groups(self) -> tuple[ProblemGroup, ...]:
        return tuple(
            ProblemGroup(
                rule, column, self._counts[rule, column], tuple((p.line, p.value) for p in kept),
                self._advice[rule, column],
            )
            for (rule, column), kept in self._groups.items()
        )  # fmt: skip

    def restart(self) -> None:
        """Forget everything: the file is read again from its start."""
        self.discard()
        self._groups, self._counts, self._advice = {}, {}, {}

    def discard(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None
        if self._draft is not None:
            self._draft.unlink(missing_ok=True)

    def publish(self) -> Path | None:
        """Close the report file under its final name; None where there was nothing to report."""
        if self._handle is None or self._path is None or self._draft is None:
            return None
        self._handle.close()
        self._handle = None
        self._draft.replace(self._path)
        return self._path


def advice(contract: Contract, problem: Problem) -> str:
    return FILE_ADVICE.get(problem.rule) or contract.advice(problem.rule, problem.column)


def _inert(cell: object) -> str:
    """Text that a spreadsheet will not take for a formula (numbers keep their sign)."""
    text = "" if cell is None else str(cell)
    if text.startswith(("=", "+", "-", "@", "\t", "\r")) and not _is_number(text):
        return "'" + text
    return text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def reject_path(home: Path, name: str, sha256: str, now: dt.datetime) -> Path:
    """Where the report of a file goes: one file a load attempt."""
    stamp = now.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    return home / "rejects" / f"{stamp}-{name}-{sha256[:12] or 'unread'}.csv"
