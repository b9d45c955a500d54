"""Registers as CSV: exported so that no cell runs as a formula, and imported as ordinary commands.

A text cell that a spreadsheet would run begins with an apostrophe in the file; the import takes it away again, so a file
that was exported and not touched changes nothing.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.govern.model import Add, Change, Command, Row
from data.field_text import FieldError, parse, shown
from data.fields import Field, Kind, Register

_RUNS = re.compile(r"^'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
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
    """What an import would do. It does nothing while there are faults."""

    commands: tuple[Command, ...]
    unchanged: int
    faults: tuple[SheetFault, ...]


def guarded(text: str) -> str:
    """Text that a spreadsheet shows and never runs."""
    return "'" + text if _RUNS.match(text) else text


def unguarded(text: str) -> str:
    """The text that `guarded` was given."""
    return text[1:] if text.startswith("'") and _RUNS.match(text) else text


def export_csv(register: Register, rows: Iterable[Row]) -> str:
    """All fields of rows, with identifier, version and state first. Numbers and days stay what they are."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow((*_OWN, *(f.name for f in register.fields)))
    for row in rows:
        cells = [_cell(f, row) for f in register.fields]
        writer.writerow((guarded(row.record_id), row.version, row.state, *cells))
    return out.getvalue()


def _cell(field: Field, row: Row) -> str:
    text = shown(row[field.name])
    return text if field.kind in _NUMBERS else guarded(text)


def plan_csv(register: Register, text: str, held: Mapping[str, Row]) -> Plan:
    """The commands that bring a register to what a file says. `held`: current rows by identifier.

    A line without `record_id` (or with one not held, where users name records) adds; a line with one changes, and its
    `version` says which version the file was made from. Lines that change nothing are counted and left out.
    """
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        numbered = [(lines.line_num, cells) for cells in lines if any(cells)]
    except csv.Error as error:
        return Plan((), 0, (SheetFault(lines.line_num, "", "", f"Mend the quoting: {error}."),))
    if not numbered:
        return Plan(
            (), 0, (SheetFault(1, "", "", "The file is empty; write the header and one line a record."),)
        )
    header = tuple(h.strip() for h in numbered[0][1])
    faults = _header_faults(register, header)
    if faults:
        return Plan((), 0, tuple(faults))
    commands: list[Command] = []
    unchanged = 0
    for line, cells in numbered[1:]:
        found, wrong = _line(register, header, line, cells, held)
        faults += wrong
        if found is not None:
            commands.append(found)
        elif not wrong:
            unchanged += 1
    return Plan(() if faults else tuple(commands), unchanged, tuple(faults))


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
