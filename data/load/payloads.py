"""Providers' payloads as records: JSON documents, NDJSON, webhook batches (arrays on a line), CSV exports, gzip.

A record is looked at through `Payload`, which knows its place in the file and turns a bad value into a `BadRecord`
that names the record, the field, the value and what to do.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path

from data.load.bytes_in import disguise, head, opened, undecodable
from data.load.report import Problem, Unreadable

FUTURE_TOLERANCE = dt.timedelta(minutes=5)
_TRUE, _FALSE = ("true", "1", "yes", "t"), ("false", "0", "no", "f", "")
_WRAPPERS = {"string", "long", "int", "double", "float", "boolean"}


class BadRecord(ValueError):  # noqa: N818 (a finding, carried to the report)
    """One record that cannot be mapped: `place` (record or line number), `field`, `value`, `advice`."""

    def __init__(self, place: int, field_: str, value: object, advice: str) -> None:
        super().__init__(f"record {place:,}, field {field_}: {_shown(value)}. {advice}")
        self.place, self.field, self.value, self.advice = place, field_, value, advice


def _shown(value: object) -> str:
    text = "nothing there" if value is None else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


@dataclass(frozen=True)
class Payload:
    """One record of a file. Field names are paths (`context.traits.email`); the first that holds a value counts."""

    place: int
    values: Mapping[str, object]
    now: dt.datetime
    section: str = ""
    fallback: Mapping[str, object] = field(default_factory=dict)

    def get(self, *paths: str) -> object | None:
        for source in (self.values, self.fallback):
            for path in paths:
                found = _at(source, path)
                if found is not None and found != "":
                    return found
        return None

    def text(self, *paths: str) -> str | None:
        """A value as text, without blanks around it; None where there is none."""
        found = self.get(*paths)
        if found is None:
            return None
        if isinstance(found, (Mapping, list)):
            raise BadRecord(self.place, paths[0], found, "Write a single value.")
        if isinstance(found, bool):
            return "true" if found else "false"
        return str(found).strip() or None

    def needs(self, *paths: str) -> str:
        found = self.text(*paths)
        if found is None:
            raise BadRecord(self.place, paths[0], None, "The record needs this field.")
        return found

    def number(self, *paths: str) -> float | None:
        found = self.text(*paths)
        if found is None:
            return None
        try:
            value = float(found)
        except ValueError as fault:
            raise BadRecord(self.place, paths[0], found, "Write a number.") from fault
        if not math.isfinite(value):
            raise BadRecord(self.place, paths[0], found, "Write a finite number.")
        return value

    def flag(self, *paths: str) -> bool:
        """A true value; absent is false."""
        found = (self.text(*paths) or "").lower()
        if found not in _TRUE + _FALSE:
            raise BadRecord(self.place, paths[0], found, "Write true or false.")
        return found in _TRUE

    def time(self, *paths: str) -> dt.datetime | None:
        """Unix seconds, ISO 8601 with an offset, or an RFC 2822 date, as UTC. Naive and future times are refused."""
        time = self.device_time(*paths)
        found = self.text(*paths)
        if time is not None and time > self.now + FUTURE_TOLERANCE:
            raise BadRecord(
                self.place, paths[0], found, "The time lies more than 5 minutes ahead of the clock."
            )
        return time

    def device_time(self, *paths: str) -> dt.datetime | None:
        """A time by a clock nobody vouches for: it may lie ahead of ours."""
        found = self.text(*paths)
        if found is None:
            return None
        time = _instant(found)
        if time is None:
            advice = "Write Unix seconds, or ISO 8601 with an offset, such as 2026-01-31T14:05:00Z."
            raise BadRecord(self.place, paths[0], found, advice)
        return time

    def instant(self, *paths: str) -> dt.datetime:
        found = self.time(*paths)
        if found is None:
            raise BadRecord(self.place, paths[0], None, "The record needs this time.")
        return found

    def flags(self, *paths: str) -> tuple[tuple[str, bool], ...]:
        """An object of true and false values as pairs."""
        found = self.get(*paths)
        if not isinstance(found, Mapping):
            return ()
        inner = Payload(self.place, found, self.now)
        return tuple((str(name), inner.flag(str(name))) for name in found)

    def inner(self, path: str) -> Payload | None:
        """An object inside the record as a payload of its own, or None."""
        found = self.get(path)
        return Payload(self.place, found, self.now, self.section) if isinstance(found, Mapping) else None

    def over(self, **values: object) -> Payload:
        """The same record with values that stand in for missing ones."""
        return Payload(self.place, self.values, self.now, self.section, {**self.fallback, **values})


def _at(source: Mapping[str, object], path: str) -> object | None:
    """The value at a path; Avro's {"string": v} is unwrapped."""
    found: object | None = source.get(path)
    if found is None and "." in path:
        found = source
        for part in path.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, Mapping) and len(found) == 1 and next(iter(found)) in _WRAPPERS:
        found = next(iter(found.values()))
    return found


def _instant(text: str) -> dt.datetime | None:
    try:
        number = float(text)
    except ValueError:
        return _written_time(text)
    if not math.isfinite(number) or not 0 < number < 1e14:
        return None
    micros = round(number * (1e3 if number > 1e11 else 1e6))  # milliseconds, where seconds would be past 5138
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=micros)


def _written_time(text: str) -> dt.datetime | None:
    """ISO 8601 (also `2026-03-09 09:00:00 UTC`, as warehouses export it) or RFC 2822; None for naive times."""
    for parse in (dt.datetime.fromisoformat, parsedate_to_datetime):
        try:
            time = parse(text.removesuffix(" UTC") + "+00:00" if text.endswith(" UTC") else text)
        except (ValueError, TypeError, IndexError):
            continue
        return time.astimezone(dt.UTC) if time.tzinfo else None
    return None


def read_payloads(path: Path, now: dt.datetime) -> Iterator[Payload]:
    """The records of a file, in order, with their record number (NDJSON and CSV: line number).

    A JSON document may be an array, one record, `{"batch": [...]}`, or an object of named arrays (its names
    become `section`). Raises Unreadable where the file has no meaning.
    """
    if not path.is_file():
        raise Unreadable(Problem("unreadable", value="there is no such file, or it is a folder"))
    suffixes = [s.lower() for s in path.suffixes]
    packed = suffixes[-1:] == [".gz"]
    kind = (suffixes[:-1] if packed else suffixes)[-1:]
    if kind not in ([".json"], [".ndjson"], [".jsonl"], [".csv"]):
        raise Unreadable(Problem("wrong_extension", value=path.name))
    start = head(path, packed=packed)
    if not start.strip():
        raise Unreadable(Problem("empty"))
    what = disguise(start)
    if what:
        raise Unreadable(Problem("not_csv" if kind == [".csv"] else "not_json", value=f"this is {what}"))
    try:
        yield from (_csv_rows if kind == [".csv"] else _json_records)(path, now, packed=packed)
    except UnicodeDecodeError as fault:
        raise undecodable(path, packed=packed) from fault


def _csv_rows(path: Path, now: dt.datetime, *, packed: bool) -> Iterator[Payload]:
    """Rows by lower-case column name; the file's own name says which table it is."""
    with opened(path, packed=packed) as raw:
        reader = csv.reader(io.TextIOWrapper(raw, encoding="utf-8-sig", newline=""), strict=True)
        table = path.name.split(".")[0].lower()
        try:
            header = [h.strip().lower() for h in next(reader)]
            if len(set(header)) < len(header):
                raise Unreadable(Problem("duplicate_column", 1, value=", ".join(header)))
            line = reader.line_num + 1
            for row in reader:
                if row and len(row) != len(header):
                    raise Unreadable(
                        Problem("ragged_row", line, value=f"{len(row)} fields, {len(header)} column names")
                    )
                if row:
                    yield Payload(line, dict(zip(header, row, strict=True)), now, table)
                line = reader.line_num + 1
        except csv.Error as fault:
            raise Unreadable(Problem("unclosed_quote", reader.line_num, value=str(fault))) from fault


def _json_records(path: Path, now: dt.datetime, *, packed: bool) -> Iterator[Payload]:
    """One document if the file is one; otherwise a document a line."""
    with opened(path, packed=packed) as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8-sig").read()
    try:
        document = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as fault:
        if not _looks_like_lines(text):
            line = getattr(fault, "lineno", None)
            raise Unreadable(Problem("not_json", line, value=str(fault)[:200])) from fault
        yield from _lines(text, now)
        return
    yield from _numbered(document, now)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _looks_like_lines(text: str) -> bool:
    """Whether the first line that is not blank is a JSON document of its own."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    try:
        return isinstance(json.loads(first), (dict, list))
    except (ValueError, RecursionError):
        return False


def _lines(text: str, now: dt.datetime) -> Iterator[Payload]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            document = json.loads(line, parse_constant=_no_constant)
        except (ValueError, RecursionError) as fault:
            raise Unreadable(Problem("not_json", number, value=str(fault)[:200])) from fault
        for record in _numbered(document, now):
            yield Payload(number, record.values, now, record.section, record.fallback)


def _numbered(document: object, now: dt.datetime) -> Iterator[Payload]:
    for number, (section, values, fallback) in enumerate(_flat(document), 1):
        if not isinstance(values, Mapping):
            raise Unreadable(
                Problem("not_json", None, value=f"record {number:,} is not an object: {_shown(values)}")
            )
        yield Payload(number, values, now, section, fallback)


def _flat(document: object) -> Iterator[tuple[str, object, Mapping[str, object]]]:
    """(section, record, stand-ins) of a document: what a Segment batch says once holds for each of its records."""
    if isinstance(document, list):
        yield from (("", record, {}) for record in document)
    elif isinstance(document, Mapping) and isinstance(document.get("batch"), list):
        shared = {k: document[k] for k in ("sentAt", "receivedAt", "context") if k in document}
        yield from (("", record, shared) for record in document["batch"])
    elif isinstance(document, Mapping) and document and all(isinstance(v, list) for v in document.values()):
        yield from ((str(name), record, {}) for name, records in document.items() for record in records)
    else:
        yield "", document, {}
