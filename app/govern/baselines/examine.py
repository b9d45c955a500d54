"""One file against its layout: header, cells, keys; good rows in their one order, bad ones with what to do about them."""

from __future__ import annotations

import csv
import datetime as dt
import difflib
import hashlib
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from app.govern.baselines.cells import Fields, guard, row_of, shown
from app.govern.baselines.dialect import Dialect
from app.govern.baselines.held import Held
from app.govern.baselines.layout import Layout
from app.govern.baselines.reading import Cell, Refused, Rows
from app.govern.baselines.repairs import CELLS, Example, Repair

if TYPE_CHECKING:
    import _csv

EXAMPLES, PREVIEW = 5, 20
MOST_MARKED = 16 << 20  # bytes of rows to mend that are handed back; beyond that they are counted only


@dataclass(frozen=True)
class Sums:
    """What an overall figure is made of: rows, and either counts or values weighted by n."""

    rows: int
    units: int
    first: str
    last: str
    numerator: float
    denominator: float
    n: float
    mean: float
    m2: float


@dataclass(frozen=True)
class Change:
    """A row that an approval would change: which, and its figures before and after ("" where there is none)."""

    period: str
    unit: str
    before: str
    after: str


@dataclass(frozen=True)
class Difference:
    """Against the baseline in force: how many rows are new, changed, the same and gone, and the first of them."""

    new: int
    changed: int
    same: int
    gone: int
    examples: tuple[Change, ...]


@dataclass(frozen=True)
class Findings:
    """What a file holds. `refused`: the file as a whole is not taken, and nothing else is filled in."""

    refused: str = ""
    detail: str = ""
    repairs: tuple[Repair, ...] = ()
    bad_rows: int = 0
    ignored: tuple[str, ...] = ()
    preview: tuple[tuple[str, ...], ...] = ()
    sums: Sums | None = None
    rows_sha256: str = ""
    difference: Difference | None = None


@dataclass
class _Tally:
    """Faults met so far, by code."""

    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[Example]] = field(default_factory=dict)

    def add(self, code: str, line: int, column: str, value: Cell) -> None:
        self.counts[code] = self.counts.get(code, 0) + 1
        kept = self.examples.setdefault(code, [])
        if len(kept) < EXAMPLES:
            kept.append(Example(line, column, shown(value)[:80]))

    def row(self, line: int, faults: Fields) -> str:
        """Count the faults of one row; what to do about it, in words."""
        for code, column, value in faults:
            self.add(code, line, column, value)
        return "; ".join(f"{column}: {CELLS[code]}".removeprefix(": ") for code, column, _ in faults)

    def repairs(self) -> tuple[Repair, ...]:
        """The most frequent first."""
        codes = sorted(self.counts, key=lambda c: (-self.counts[c], c))
        return tuple(Repair(c, CELLS[c], self.counts[c], tuple(self.examples[c])) for c in codes)


def examine(
    rows: Rows,
    layout: Layout,
    dialect: Dialect,
    now: dt.datetime,
    out: Path,
    before: Path | None,
    *,
    even: bool,
) -> Findings:
    """Check all rows. Good ones go to `out`/rows.csv in order, bad ones with their faults to `out`/marked.csv.

    `even`: every row must have as many cells as the header; rows of workbooks end at their last filled cell.
    """
    header = next(rows, None)
    if header is None:
        raise Refused("empty")
    places, ignored = match(header[1], layout)
    check = _Check(layout, dialect, now, places, len(header[1]), Held(out), even=even)
    preview: list[tuple[str, ...]] = []
    with (out / "marked.csv").open("w", encoding="utf-8-sig", newline="") as handle:
        marked = _Marked(csv.writer(handle), header[1])
        for line, cells in rows:
            if len(preview) < PREVIEW:
                preview.append(tuple(shown(c)[:60] for c in cells))
            faults = check.take(cells)
            if faults:
                marked.add(line, cells, check.tally.row(line, faults))
        marked.close()
    if not len(check.good) and not marked.rows:
        raise Refused("no_rows")
    if marked.rows:
        return Findings("", "", check.tally.repairs(), marked.rows, ignored, tuple(preview))
    return _sound(check.good, layout, out, before, ignored, tuple(preview))


class _Marked:
    """The rows to mend as a file, each with what to do; the first of them where they are too many to hand back."""

    def __init__(self, writer: _csv.Writer, header: list[Cell]) -> None:
        self._writer, self._width, self._room, self._listed, self.rows = (
            writer,
            len(header),
            MOST_MARKED,
            0,
            0,
        )
        writer.writerow([*map(guard, map(shown, header)), "row", "error"])

    def add(self, line: int, cells: list[Cell], todo: str) -> None:
        self.rows += 1
        if self._room <= 0:
            return
        told = [guard(shown(c)) for c in cells]
        self._room -= sum(len(t.encode()) for t in (*told, todo))
        self._listed += 1
        self._writer.writerow([*told, line, todo])

    def close(self) -> None:
        """Say how many rows are not listed, if any."""
        if self.rows > self._listed:
            more = f"{self.rows - self._listed:,} further rows to mend are not listed; mend these and check again"
            self._writer.writerow([*[""] * self._width, "", more])


@dataclass
class _Check:
    """The rules of one file, the good rows by their key, and the faults met so far."""

    layout: Layout
    dialect: Dialect
    now: dt.datetime
    places: dict[str, int]
    width: int
    good: Held
    even: bool = field(kw_only=True)
    tally: _Tally = field(default_factory=_Tally)
    periods: dict[str, str] = field(default_factory=dict)

    def take(self, cells: list[Cell]) -> Fields:
        """Keep one row if it is sound; what is wrong with it otherwise."""
        if len(cells) > self.width or (self.even and len(cells) < self.width):
            return [("ragged", "", f"{len(cells)} cells, {self.width} in the header")]
        faults, key, figures = row_of(cells, self.places, self.layout, self.dialect, self.now, self.periods)
        if not faults and not self.good.add(key, figures):
            return [("duplicate", "period", cells[self.places["period"]])]
        return faults


def match(header: list[Cell], layout: Layout) -> tuple[dict[str, int], tuple[str, ...]]:
    """Where each column of the layout stands, and the columns that are not used. Raises Refused."""
    names = [_named(c) for c in header]
    for at, name in enumerate(names):
        if name and name in names[:at]:
            raise Refused("header_twice", f"{shown(header[names.index(name)])} and {shown(header[at])}")
    missing = [c for c in layout.names if c not in names]
    if missing:
        spare = [n for n in names if n and n not in layout.names]
        near = difflib.get_close_matches(missing[0], spare, 1, 0.5)
        hint = f"; is it {near[0]!r}?" if near else ""
        raise Refused("column_missing", f"{', '.join(missing)}{hint}")
    ignored = tuple(
        shown(c) or "(no name)" for c, n in zip(header, names, strict=True) if n not in layout.names
    )
    return {c: names.index(c) for c in layout.names}, ignored


def _named(cell: Cell) -> str:
    return unicodedata.normalize("NFKC", shown(cell)).strip().casefold().replace(" ", "_").replace("-", "_")


def _sound(
    good: Held,
    layout: Layout,
    out: Path,
    before: Path | None,
    ignored: tuple[str, ...],
    preview: tuple[tuple[str, ...], ...],
) -> Findings:
    """Write the rows in their one order, and add up what they come to."""
    from app.govern.baselines.sums import difference, header, summed, told

    first = header(layout)
    digest = hashlib.sha256(first)
    with (out / "rows.csv").open("wb") as handle:
        handle.write(first)
        for key, figures in good.in_order():
            line = told(key, figures, layout)
            digest.update(line)
            handle.write(line)
    return Findings(
        ignored=ignored, preview=preview, sums=summed(good, layout), rows_sha256=digest.hexdigest(),
        difference=difference(good, layout, before),
    )  # fmt: skip
