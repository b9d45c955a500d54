"""The lake in two states on one connection: as a rollup's cells saw it, and as it is now.

A refresh needs both for the few rows whose cells changed. Large tables are cut to those rows once, in temporary
tables that say for each row in which of the two states it stands; small ones stay views of their files.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement, FromClause

from data import schema
from data.lake import DUCK_TYPES, Lake
from data.manifest import File
from data.sql import DAY_US, WHOLE, Facts

WORLD = "world_"  # 0: a row of both states, OLD or NEW: of one alone
OLD, NEW = 1, 2


class Desk(Protocol):
    """A connection that can be written to, in temporary tables only."""

    def view(self, name: str, select: str) -> None: ...

    def run(self, statement: sa.Executable | str) -> None: ...


class Difference:
    """Names of tables are views of the old or the new state, whichever was asked for last."""

    def __init__(
        self, desk: Desk, lake: Lake, tables: Mapping[str, FromClause], names: tuple[str, ...],
        old: Sequence[File], new: Sequence[File],
    ) -> None:  # fmt: skip
        self._desk, self._lake, self.tables, self._names = desk, lake, tables, names
        self._old = {n: [f for f in old if f.name == n] for n in names}
        self._new = {n: [f for f in new if f.name == n] for n in names}
        self._cuts: dict[str, sa.Table] = {}
        self._apart: set[str] | None = None  # names that do not show the new state; None: any may not

    def days(self, name: str, from_us: int) -> set[int]:
        """Days on or after a time that have rows of a table now."""
        return {f.day for f in self._new[name] if f.day >= from_us // DAY_US}

    def rows(self, name: str) -> Mapping[int, int]:
        """Rows of a table now, by day."""
        rows: dict[int, int] = {}
        for file in self._new[name]:
            rows[file.day] = rows.get(file.day, 0) + file.rows
        return rows

    def newest(self, name: str) -> int | None:
        """Newest load of the files that are new, whether or not an older one said the same."""
        return self._lake.newest_load(_only(self._new[name], self._old[name]))

    def changes(self, name: str, after_us: int) -> Mapping[str, FromClause]:
        """The tables as they are now, of which `name` shows rows that came, went, or lie later than `after_us`.

        The table WHOLE holds all of its rows in either state.
        """
        self._all_new()
        fresh, gone = _only(self._new[name], self._old[name]), _only(self._old[name], self._new[name])
        later = [f for f in self._new[name] if f.day >= after_us // DAY_US]
        table = self.tables[name]
        came, went = (self._lake.view_sql(table, files) for files in (fresh, gone))
        moved = f"({came} EXCEPT {went}) UNION ALL ({went} EXCEPT {came})" if gone else came
        event = schema.METADATA.tables[name].info["event"]
        late = f'SELECT * FROM ({self._lake.view_sql(table, later)}) WHERE epoch_us("{event}") > {after_us}'  # noqa: S608
        shown = f"{moved} UNION ALL {late}" if later else moved
        self._desk.view(name, shown)
        self._apart = {name}
        full = schema.renamed(table, f"{WHOLE}_{name}")
        self._desk.view(full.name, self._lake.view_sql(full, [*self._new[name], *gone]))
        return {**self.tables, WHOLE: full}

    def _all_new(self) -> None:
        for name in self._names if self._apart is None else self._apart:
            self._desk.view(name, self._sql(name, self._new[name]))
        self._apart = set()

    def texts(self, name: str) -> sa.TableClause:
        """A new temporary table of texts, in the column `key`."""
        self._desk.run(f'CREATE OR REPLACE TEMP TABLE "{name}" (key VARCHAR)')
        return sa.table(name, sa.column("key", sa.Text()))

    def add(self, to: sa.TableClause, select: sa.Select[tuple[str]]) -> None:
        self._desk.run(sa.insert(to).from_select(["key"], select))

    def cut(
        self,
        name: str,
        columns: Collection[str],
        where: Callable[[Facts], ColumnElement[bool]],
        whole: Collection[int] = (),
    ) -> sa.Table:
        """Keep only those rows of a table in both states; of the days `whole` all new rows and no old ones."""
        held = [c for c in self.tables[name].c if c.name in columns]
        kept = sa.Table(
            f"cut_{name}", sa.MetaData(), *(sa.Column(c.name, c.type) for c in held), sa.Column(WORLD, sa.Integer)
        )  # fmt: skip
        types = ", ".join(f'"{c.name}" {DUCK_TYPES[c.info["kind"]]}' for c in held)
        self._desk.run(f'CREATE OR REPLACE TEMP TABLE "{kept.name}" ({types}, {WORLD} INTEGER)')
        either = kept.to_metadata(sa.MetaData(), name=f"either_{name}")
        self._desk.view(either.name, self._either(name, whole))
        facts = Facts({**self.tables, **self._cuts, name: either})
        names = [c.name for c in kept.c]
        self._desk.run(sa.insert(kept).from_select(names, sa.select(either).where(where(facts))))
        if own := [f for f in self._new[name] if f.day in whole]:
            self._desk.view(either.name, f"SELECT *, {NEW} AS {WORLD} FROM ({self._sql(name, own)})")  # noqa: S608 (names from our schema)
            self._desk.run(sa.insert(kept).from_select(names, sa.select(either)))
        self._cuts[name] = kept
        return kept

    def _sql(self, name: str, files: Sequence[File]) -> str:
        return self._lake.view_sql(self.tables[name], files)

    def _either(self, name: str, but: Collection[int]) -> str:
        """Rows of both states with the one they stand in, those of some days left out."""
        old, new = ([f for f in own[name] if f.day not in but] for own in (self._old, self._new))
        paths = {f.path for f in old}
        parts = (
            (0, [f for f in new if f.path in paths]),
            (OLD, _only(old, new)),
            (NEW, _only(new, old)),
        )
        held = [
            f"SELECT *, {world} AS {WORLD} FROM ({self._sql(name, files)})"  # noqa: S608 (names from our schema)
            for world, files in parts
            if files or not world
        ]
        return " UNION ALL ".join(held)

    def show(self, world: int) -> None:
        """Let every name stand for one of the states."""
        for name in self._names:
            if name in self._cuts:
                self._desk.view(name, _shown(self.tables[name], self._cuts[name], world))
            else:
                self._desk.view(name, self._sql(name, self._old[name] if world == OLD else self._new[name]))


def _only(files: Sequence[File], but: Sequence[File]) -> list[File]:
    known = {f.path for f in but}
    return [f for f in files if f.path not in known]


def _shown(table: FromClause, cut: sa.Table, world: int) -> str:
    """The cut table in the columns of the whole one; columns that nothing asked for are NULL."""
    columns = ", ".join(
        f'"{c.name}"' if c.name in cut.c else f'CAST(NULL AS {DUCK_TYPES[c.info["kind"]]}) AS "{c.name}"'
        for c in table.c
    )
    return f'SELECT {columns} FROM "{cut.name}" WHERE {WORLD} IN (0, {world})'  # noqa: S608 (names from our schema)
