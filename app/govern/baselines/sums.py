"""Checked rows as canonical text, what they add up to, and how they differ from the baseline in force.

Rows come one at a time and in order, so a file of any length is added up in the same memory.
"""

from __future__ import annotations

import csv
from pathlib import Path

from app.govern.baselines.cells import Key
from app.govern.baselines.examine import Change, Difference, Sums
from app.govern.baselines.held import Figures, Held, Ordered
from app.govern.baselines.layout import Layout

EXAMPLES = 10


def header(layout: Layout) -> bytes:
    return (",".join(layout.names) + "\n").encode()


def told(key: Key, figures: Figures, layout: Layout) -> bytes:
    """A row as a CSV line: one text for one content, however the file was written."""
    name = '"' + key[1].replace('"', '""') + '"'
    keys = [key[0], name] if layout.by_unit else [key[0]]
    return (",".join([*keys, *map(_number, figures)]) + "\n").encode()


def _number(value: float) -> str:
    """The shortest digits that give the number back; whole ones without a point."""
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(value)


def summed(good: Held, layout: Layout) -> Sums:
    """Counts added up, or the mean of values weighted by n with its second moment over rows."""
    first = last = ""
    numerator = denominator = n = mean = m2 = 0.0
    for (last, _), figures in good.in_order():
        first = first or last
        if layout.shared:
            numerator += figures[0]
            denominator += figures[1]
            continue
        weight = figures[1] if len(figures) > 1 else 1.0
        n += weight
        step = figures[0] - mean
        mean += step * weight / n
        m2 += weight * step * (figures[0] - mean)
    return Sums(len(good), good.units(), first, last, numerator, denominator, n, mean, m2)


def read_rows(path: Path, layout: Layout) -> Ordered:
    """The rows that `told` wrote, in their order."""
    with path.open(encoding="utf-8", newline="") as handle:
        lines = csv.reader(handle)
        next(lines)
        split = 2 if layout.by_unit else 1
        for row in lines:
            yield (row[0], row[1] if layout.by_unit else ""), tuple(float(x) for x in row[split:])


def difference(good: Held, layout: Layout, before: Path | None) -> Difference | None:
    """What an approval would change against the rows in force; None where none are. Both are read side by side."""
    if before is None:
        return None
    changes: list[Change] = []
    new = changed = same = gone = 0
    olds, nows = read_rows(before, layout), good.in_order()
    old, now = next(olds, None), next(nows, None)
    while old is not None or now is not None:
        key = min(row[0] for row in (old, now) if row is not None)
        was = old[1] if old is not None and old[0] == key else None
        turned = now[1] if now is not None and now[0] == key else None
        new += was is None
        gone += turned is None
        same += was == turned
        changed += was is not None and turned is not None and was != turned
        if was != turned and len(changes) < EXAMPLES:
            changes.append(Change(*key, _told(was), _told(turned)))
        old = old if was is None else next(olds, None)
        now = now if turned is None else next(nows, None)
    return Difference(new, changed, same, gone, tuple(changes))


def _told(figures: Figures | None) -> str:
    return "" if figures is None else " / ".join(map(_number, figures))
