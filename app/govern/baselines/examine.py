"""One file against its layout: header, cells, keys; good rows in their one order, bad ones with what to do about them."""

from __future__ import annotations

import csv
import datetime as dt
import difflib
import hashlib
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from app.govern.baselines.cells import Fields, Key, guard, row_of, shown
from app.govern.baselines.dialect import Dialect
from app.govern.baselines.layout import Layout
from app.govern.baselines.reading import Cell, Refused, Rows
from app.govern.baselines.repairs import CELLS, Example, Repair

EXAMPLES, PREVIEW = 5, 20


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
    check = _Check(layout, dialect, now, places, len(header[1]), even=even)
    preview: list[tuple[str, ...]] = []
    bad = 0
    with (out / "marked.csv").open("w", encoding="utf-8-sig", newline="") as handle:
        marked = csv.writer(handle)
        marked.writerow([*map(guard, map(shown, header[1])), "row", "error"])
        for line, cells in rows:
            if len(preview) < PREVIEW:
                preview.append(tuple(shown(c)[:60] for c in cells))
            faults = check.take(cells)
            if faults:
                bad += 1
                marked.writerow([*(guard(shown(c)) for c in cells), line, check.tally.row(line, faults)])
    if not check.good and not bad:
        raise Refused("no_rows")
    if bad:
        return Findings("", "", check.tally.repairs(), bad, ignored, tuple(preview))
    return _sound(check.good, layout, out, before, ignored, tuple(preview))


@dataclass
class _Check:
    """The rules of one file, the good rows by their key, and the faults met so far."""

    layout: Layout
    dialect: Dialect
    now: dt.datetime
    places: dict[str, int]
    width: int
    even: bool = field(kw_only=True)
    good: dict[Key, tuple[float, ...]] = field(default_factory=dict)
    tally: _Tally = field(default_factory=_Tally)

    def take(self, cells: list[Cell]) -> Fields:
        """Keep one row if it is sound; what is wrong with it otherwise."""
        if len(cells) > self.width or (self.even and len(cells) < self.width):
            return [("ragged", "", f"{len(cells)} cells, {self.width} in the header")]
        faults, key, figures = row_of(cells, self.places, self.layout, self.dialect, self.now)
        if not faults and key in self.good:
            return [("duplicate", "period", cells[self.places["period"]])]
        if not faults:
            self.good[key] = figures
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
    good: dict[Key, tuple[float, ...]],
    layout: Layout,
    out: Path,
    before: Path | None,
    ignored: tuple[str, ...],
    preview: tuple[tuple[str, ...], ...],
) -> Findings:
    """Write the rows in their one order, and add up what they come to."""
    from app.govern.baselines.sums import difference, summed, told

    digest = hashlib.sha256()
    with (out / "rows.csv").open("wb") as handle:
        for line in told(good, layout):
            digest.update(line)
            handle.write(line)
    return Findings(
        ignored=ignored, preview=preview, sums=summed(good, layout), rows_sha256=digest.hexdigest(),
        difference=difference(good, layout, before),
    )  # fmt: skip
