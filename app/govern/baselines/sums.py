"""Checked rows as canonical text, what they add up to, and how they differ from the baseline in force."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from app.govern.baselines.cells import Key
from app.govern.baselines.examine import Change, Difference, Sums
from app.govern.baselines.layout import Layout

EXAMPLES = 10
Figures = tuple[float, ...]


def told(good: Mapping[Key, Figures], layout: Layout) -> Iterator[bytes]:
    """The rows by period and unit as CSV lines: one text for one content, however the file was written."""
    yield (",".join(layout.names) + "\n").encode()
    for period, unit in sorted(good):
        name = '"' + unit.replace('"', '""') + '"'
        keys = [period, name] if layout.by_unit else [period]
        yield (",".join([*keys, *map(_number, good[period, unit])]) + "\n").encode()


def _number(value: float) -> str:
    """The shortest digits that give the number back; whole ones without a point."""
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(value)


def summed(good: Mapping[Key, Figures], layout: Layout) -> Sums:
    """Counts added up, or the mean of values weighted by n with its second moment over rows."""
    periods = [p for p, _ in good]
    numerator = denominator = n = mean = m2 = 0.0
    for figures in (good[key] for key in sorted(good)):
        if layout.shared:
            numerator += figures[0]
            denominator += figures[1]
            continue
        weight = figures[1] if len(figures) > 1 else 1.0
        n += weight
        step = figures[0] - mean
        mean += step * weight / n
        m2 += weight * step * (figures[0] - mean)
    units = len({u for _, u in good})
    return Sums(len(good), units, min(periods), max(periods), numerator, denominator, n, mean, m2)


def read_rows(path: Path, layout: Layout) -> dict[Key, Figures]:
    """The rows that `told` wrote."""
    with path.open(encoding="utf-8", newline="") as handle:
        lines = csv.reader(handle)
        next(lines)
        split = 2 if layout.by_unit else 1
        return {
            (row[0], row[1] if layout.by_unit else ""): tuple(float(x) for x in row[split:]) for row in lines
        }


def difference(good: Mapping[Key, Figures], layout: Layout, before: Path | None) -> Difference | None:
    """What an approval would change against the rows in force; None where none are."""
    if before is None:
        return None
    held = read_rows(before, layout)
    changes: list[Change] = []
    new = changed = 0
    for key in sorted({*held, *good}):
        old, now = held.get(key), good.get(key)
        new += old is None
        changed += old is not None and now is not None and old != now
        if old != now and len(changes) < EXAMPLES:
            changes.append(Change(*key, _told(old), _told(now)))
    gone = len(held.keys() - good.keys())
    return Difference(new, changed, len(good) - new - changed, gone, tuple(changes))


def _told(figures: Figures | None) -> str:
    return "" if figures is None else " / ".join(map(_number, figures))
