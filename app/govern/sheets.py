"""Registers as sheets: exported so that no cell runs as a formula, and imported as ordinary commands.

A text cell that a spreadsheet would run begins with an apostrophe in the file; the import takes it away again, so a file
that was exported and not touched changes nothing.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from app.govern.model import Add, Change, Command, CommandError, Invalid, Row
from data.field_text import FieldError, parse, shown
from data.fields import Field, Kind, Register

_RUNS = re.compile(r"^'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
MOST_CHARACTERS = 5_000_000
MOST_LINES = 20_001
_OWN = ("record_id", "version", "state")
_NUMBERS = (Kind.INT, Kind.NUMBER, Kind.DAY, Kind.TIME, Kind.FLAG)


@dataclass(frozen=True)
class SheetFault:
    """What is wrong with a cell, and what to do. `line` is that of the file, 1 the header."""

    line: int
    column: str
    value: str
    advice: str


@dataclass(frozen=True)
class Plan:
    """What an import would do. It does nothing while there are faults. `lines`: where each command comes from."""

    commands: tuple[Command, ...]
    unchanged: int
    faults: tuple[SheetFault, ...]
    lines: tuple[int, ...] = ()


Numbered = list[tuple[int, list[str]]]  # the lines of a file that are not empty, with their numbers


def guarded(text: str) -> str:
    """Text that a spreadsheet shows and never runs."""
    return "'" + text if _RUNS.match(text) else text


def unguarded(text: str) -> str:
    """The text that `guarded` was given."""
    return text[1:] if text.startswith("'") and _RUNS.match(text) else text


def export_csv(register: Register, rows: Iterable[Row]) -> str:
    """All fields of rows, with identifier, version and state first. Numbers and days stay what they are."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(exported(register, rows))
    return out.getvalue()


def exported(register: Register, rows: Iterable[Row]) -> Iterator[tuple[str, ...]]:
    """The header, then one line a row, every cell as text that runs nowhere."""
    yield (*_OWN, *(f.name for f in register.fields))
    for row in rows:
        cells = (_cell(f, row) for f in register.fields)
        yield (guarded(row.record_id), str(row.version), row.state, *cells)


def _cell(field: Field, row: Row) -> str:
    text = shown(row[field.name])
    return text if field.kind in _NUMBERS else guarded(text)


def refused(advice: str, line: int = 1) -> Plan:
    """The plan of a file that cannot be read."""
    return Plan((), 0, (SheetFault(line, "", "", advice),))


def plan_csv(register: Register, text: str, held: Mapping[str, Row]) -> Plan:
    """The commands that bring a register to what a CSV file says; see `plan_lines`."""
    if len(text) > MOST_CHARACTERS:
        return refused(f"The file is longer than {MOST_CHARACTERS:,} characters; split it.")
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        numbered = [(lines.line_num, cells) for cells in lines if any(cells)]
    except csv.Error as error:
        return refused(f"Mend the quoting: {error}.", lines.line_num)
    return plan_lines(register, numbered, held)


def plan_lines(register: Register, numbered: Numbered, held: Mapping[str, Row]) -> Plan:
    """The commands that bring a register to what a file says. `held`: current rows by identifier.

    A line without `record_id` (or with one not held, where users name records) adds; a line with one changes, and its
    `version` says which version the file was made from. Lines that change nothing are counted and left out.
    """
    if not numbered:
        return refused("The file is empty; write the header and one line a record.")
    if len(numbered) > MOST_LINES:
        return refused(f"The file has more than {MOST_LINES:,} lines; split it.")
    header = tuple(h.strip() for h in numbered[0][1])
    faults = _header_faults(register, header)
    if faults:
        return Plan((), 0, tuple(faults))
    commands: list[tuple[Command, int]] = []
    unchanged = 0
    for line, cells in numbered[1:]:
        found, wrong = _line(register, header, line, cells, held)
        faults += wrong
        if found is not None:
            commands.append((found, line))
        elif not wrong:
            unchanged += 1
    faults += _twice(commands)
    chosen = () if faults else tuple(commands)
    return Plan(tuple(c for c, _ in chosen), unchanged, tuple(faults), tuple(at for _, at in chosen))


def _twice(commands: list[tuple[Command, int]]) -> list[SheetFault]:
    """Two lines about one record would overwrite each other."""
    seen: dict[str, int] = {}
    faults = []
    for command, line in commands:
        if command.record_id and command.record_id in seen:
            advice = f"Line {seen[command.record_id]} is about this record too; keep one of them."
            faults.append(SheetFault(line, "record_id", command.record_id, advice))
        seen.setdefault(command.record_id, line)
    return faults


def rehearsed(plan: Plan, said: tuple[CommandError | None, ...]) -> Plan:
    """The plan with what the ledger would say to each command, as faults of its line."""
    faults = list(plan.faults)
    for command, line, error in zip(plan.commands, plan.lines, said, strict=True):
        given = dict(command.values)
        if isinstance(error, Invalid):
            faults += [
                SheetFault(line, n, shown(given.get(n)), advice.removeprefix(f"{n}: "))
                for n, advice in error.faults
            ]
        elif error is not None:
            faults.append(SheetFault(line, "record_id", command.record_id, f"{error}."))
    return Plan(plan.commands, plan.unchanged, tuple(faults), plan.lines)


def _header_faults(register: Register, header: tuple[str, ...]) -> list[SheetFault]:
    known = (*_OWN, *(f.name for f in register.fields))
    faults = [
        SheetFault(1, h, h, f"Remove the column or name it one of: {', '.join(known)}.")
        for h in header
        if h not in known
    ]
    twice = {h for h in header if header.count(h) > 1}
    return faults + [SheetFault(1, h, h, "Keep one column of this name.") for h in sorted(twice)]


def _line(
    register: Register, header: tuple[str, ...], line: int, cells: list[str], held: Mapping[str, Row]
) -> tuple[Command | None, list[SheetFault]]:
    if len(cells) != len(header):
        return None, [
            SheetFault(line, "", "", f"Write {len(header)} cells, as in the header; there are {len(cells)}.")
        ]
    texts = dict(zip(header, cells, strict=True))
    record_id = unguarded(texts.get("record_id", "").strip())
    faults: list[SheetFault] = []
    values = []
    for field in register.fields:
        if field.name in texts:
            try:
                values.append((field.name, parse(field, unguarded(texts[field.name]))))
            except FieldError as error:
                faults.append(SheetFault(line, field.name, texts[field.name], error.advice))
    row = held.get(record_id)
    if row is None:
        if record_id and register.prefix:
            advice = f"There is no {register.noun} of this identifier; leave it empty to add one."
            faults.append(SheetFault(line, "record_id", record_id, advice))
        return (None if faults else Add(register.name, tuple(values), record_id, "imported")), faults
    changed = tuple((name, value) for name, value in values if value != row[name])
    version = texts.get("version", "").strip()
    if changed and not version.isdigit():
        faults.append(
            SheetFault(line, "version", version, "Write the version this line was made from, as exported.")
        )
    if faults or not changed:
        return None, faults
    return Change(register.name, record_id, int(version), changed, "imported"), []
