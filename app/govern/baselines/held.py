"""Sound rows by their key, in their one order: in memory while they are few, in a file of their own from then on.

A dictionary of 15 million rows takes 5 GB; a file sorted as it is written takes a page cache of a fixed size. Both give
the rows in the order of their text, so the digits and the hash of a content do not depend on which was used.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from app.govern.baselines.cells import Key

Figures = tuple[float, ...]
Ordered = Iterator[tuple[Key, Figures]]
IN_MEMORY = 200_000  # rows; about 80 MB
_CACHE_KIB = 96 << 10
_SETUP = (
    "PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "PRAGMA locking_mode = EXCLUSIVE",
    f"PRAGMA cache_size = -{_CACHE_KIB}", "PRAGMA temp_store = FILE",
    "CREATE TABLE held (period TEXT, unit TEXT, a REAL, b REAL, PRIMARY KEY (period, unit)) WITHOUT ROWID",
)  # fmt: skip


class Held:
    """Rows of one file; `folder` is the file's own and goes with it, so nothing here need survive a stop."""

    def __init__(self, folder: Path, most: int = IN_MEMORY) -> None:
        self._folder, self._most = folder, most
        self._few: dict[Key, Figures] = {}
        self._file: sqlite3.Connection | None = None
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, key: Key, figures: Figures) -> bool:
        """Keep a row of one or two figures; False where its key is held already."""
        if self._file is not None:
            kept = self._file.execute(_INSERT, _flat(key, figures)).rowcount == 1
        else:
            kept = key not in self._few
            if kept:
                self._few[key] = figures
        self._count += kept
        if self._file is None and self._count > self._most:
            self._to_file()
        return kept

    def _to_file(self) -> None:
        file = sqlite3.connect(self._folder / "held.sqlite", isolation_level=None)
        for statement in _SETUP:
            file.execute(statement)
        file.execute("BEGIN")
        file.executemany(_INSERT, (_flat(key, self._few[key]) for key in sorted(self._few)))
        self._few, self._file = {}, file

    def in_order(self) -> Ordered:
        """The rows by period and unit."""
        if self._file is None:
            yield from ((key, self._few[key]) for key in sorted(self._few))
            return
        for period, unit, a, b in self._file.execute("SELECT * FROM held ORDER BY period, unit"):
            yield (period, unit), (a,) if b is None else (a, b)

    def units(self) -> int:
        """How many units the rows name."""
        if self._file is None:
            return len({unit for _, unit in self._few})
        return int(self._file.execute("SELECT count(DISTINCT unit) FROM held").fetchone()[0])


_INSERT = "INSERT OR IGNORE INTO held VALUES (?, ?, ?, ?)"


def _flat(key: Key, figures: Figures) -> tuple[str, str, float, float | None]:
    return (*key, figures[0], figures[1] if len(figures) > 1 else None)
