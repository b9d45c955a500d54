"""A mapping held against the contract and against the company's tables: what is missing, exactly and with what to do."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement, FromClause

from data import schema
from data.contracts import FUTURE_TOLERANCE
from data.mappings.model import Form, Mapped, Plan, Source
from data.mappings.views import Theirs, columns_of, kind_of, select_of
from data.sql import Instant

START = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Finding:
    """One thing that a mapping lacks or breaks. `must`: the table cannot be used before it is mended.

    `rows`: how many rows are concerned, None where it concerns the mapping itself.
    """

    table: str
    column: str
    what: str
    to_do: str
    must: bool = True
    rows: int | None = None

    def message(self) -> str:
        where = f"{self.table}.{self.column}" if self.column else self.table
        count = "" if self.rows is None else f" ({self.rows:,} rows)"
        return f"{'MISSING' if self.must else 'note   '}  {where}: {self.what}{count}. {self.to_do}"


Rule = tuple[Finding, ColumnElement[bool]]


def on_paper(plan: Plan) -> tuple[Finding, ...]:
    """What the file alone shows: required columns not mapped, and constants outside the contract's words."""
    return tuple(f for mapped in plan.tables for f in (*_required(mapped), *_constants(mapped)))


def _required(mapped: Mapped) -> Iterator[Finding]:
    table = schema.METADATA.tables[mapped.name]
    needed = [c for c in table.c if not c.info["optional"]]
    for source in mapped.sources:
        given = {c for c, _ in source.columns}
        for column in needed:
            if column.name not in given:
                what = f"not mapped from {source.origin}; {column.comment or 'required'}"
                yield Finding(mapped.name, column.name, what, f"Write `{column.name}:` below `columns:`.")
    if "loaded_at" not in columns_of(mapped):
        what = "not mapped, so every refresh computes the days of all rows of this table again"
        yield Finding(
            mapped.name,
            "loaded_at",
            what,
            "Map the time at which a row arrived in your warehouse.",
            must=False,
        )


def _constants(mapped: Mapped) -> Iterator[Finding]:
    table = schema.METADATA.tables[mapped.name]
    for source in mapped.sources:
        for column, form in source.columns:
            allowed = table.c[column].info["values"] if column in table.c else ()
            for word in _said(form):
                if allowed and str(word) not in allowed:
                    what = f"{word!r} is none of the contract's words"
                    yield Finding(mapped.name, column, what, f"Write one of: {', '.join(allowed)}.")


def _said(form: Form) -> tuple[object, ...]:
    """The words of ours that a form can give by itself."""
    if form.name == "value":
        return (form.given,)
    if form.name == "words":
        other = form.get("otherwise")
        return (*form.given.values(), *(() if other is None else (other,)))
    return ()


def their_tables(connection: sa.Connection, plan: Plan) -> Theirs:
    """The columns of those of their tables that the mapping names and the warehouse holds."""
    inspector = sa.inspect(connection)
    held = set(inspector.get_table_names(plan.source)) | set(inspector.get_view_names(plan.source))
    wanted = {s.origin for m in plan.tables for s in m.sources}
    return {
        n: tuple(c["name"] for c in inspector.get_columns(n, plan.source)) for n in sorted(wanted & held)
    } | {"": tuple(sorted(held))}


def against(plan: Plan, theirs: Theirs) -> tuple[Finding, ...]:
    """Tables and columns that the mapping reads and the warehouse does not hold."""
    return tuple(
        f for mapped in plan.tables for s in mapped.sources for f in _absent(mapped.name, s, plan, theirs)
    )


def _absent(name: str, source: Source, plan: Plan, theirs: Theirs) -> Iterator[Finding]:
    where = f"schema {plan.source}" if plan.source else "the default schema"
    held = theirs.get(source.origin)
    if held is None:
        near = _near(source.origin, theirs.get("", ()))
        yield Finding(
            name,
            "",
            f"there is no table {source.origin} in {where}{near}",
            "Correct `from:` or leave the source out.",
        )
        return
    for column, form in source.columns:
        for c in form.columns():
            if c not in held:
                near = _near(c, held)
                yield Finding(
                    name,
                    column,
                    f"{source.origin} has no column {c}{near}",
                    "Correct the name or leave the column out.",
                )
    for test in source.tests:
        if test.column not in held:
            what = (
                f"`where` reads {test.column}, which {source.origin} does not have{_near(test.column, held)}"
            )
            yield Finding(name, "", what, "Correct the name.")


def _near(name: str, held: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, held, 1)
    return f"; did you mean {near[0]}?" if near else ""


def in_rows(connection: sa.Connection, mapped: Mapped, plan: Plan, now: dt.datetime) -> tuple[Finding, ...]:
    """What their rows break: empty required columns, words outside the contract, repeated keys, impossible times.

    One aggregate over the mapped rows and one over their keys; no row leaves the warehouse.
    """
    rows = select_of(mapped, plan).subquery("mapped")
    rules = _rules(mapped.name, rows, now)
    counts = [sa.func.sum(sa.case((test, 1), else_=0)).label(f"n{i}") for i, (_, test) in enumerate(rules)]
    found = connection.execute(sa.select(sa.func.count().label("n"), *counts)).one()
    total = int(found[0])
    if total == 0:
        return (
            Finding(
                mapped.name,
                "",
                "no row is mapped",
                "Check `where:` and the tables it reads.",
                must=False,
                rows=0,
            ),
        )
    broken = tuple(replace(rule, rows=int(n)) for (rule, _), n in zip(rules, found[1:], strict=True) if n)
    return (*broken, *_repeated(connection, mapped, rows))


def _rules(name: str, rows: FromClause, now: dt.datetime) -> list[Rule]:
    return [
        rule
        for column in rows.c
        for rule in (*_filled(name, column), *_worded(name, column), *_timely(name, column, now))
    ]


def _info(name: str, column: str) -> Mapping[str, object]:
    """What the contract says of a column; nothing of open ones."""
    table = schema.METADATA.tables[name]
    return table.c[column].info if column in table.c else {}


def _filled(name: str, column: ColumnElement[Any]) -> Iterator[Rule]:
    info = _info(name, str(column.key))
    if info and not info["optional"]:
        to_do = "Map another column, or leave such rows out with `where:`."
        yield Finding(name, str(column.key), "empty, and the contract needs it", to_do), column.is_(None)


def _worded(name: str, column: ColumnElement[Any]) -> Iterator[Rule]:
    allowed = _info(name, str(column.key)).get("values")
    if isinstance(allowed, tuple) and allowed and kind_of(name, str(column.key)) == "text":
        to_do = f"Map them with `words:` to: {', '.join(allowed)}."
        broken = sa.and_(column.is_not(None), column.not_in(allowed))
        yield Finding(name, str(column.key), "words that the contract does not know", to_do), broken


def _timely(name: str, column: ColumnElement[Any], now: dt.datetime) -> Iterator[Rule]:
    key = str(column.key)
    if kind_of(name, key) != "time":
        return
    if not _info(name, key).get("future_ok"):
        to_do = "Check the unit (seconds or milliseconds) and the zone."
        late = column > sa.literal(now + FUTURE_TOLERANCE, Instant())
        yield Finding(name, key, "times in the future", to_do), late
    if key == schema.METADATA.tables[name].info["event"]:
        early = column < sa.literal(START, Instant())
        yield Finding(name, key, "times before 1970", "Check the unit of the column."), early


def _repeated(connection: sa.Connection, mapped: Mapped, rows: FromClause) -> tuple[Finding, ...]:
    key = [rows.c[c] for c in schema.METADATA.tables[mapped.name].info["key"] if c in rows.c]
    if not key:
        return ()
    each = sa.select(sa.func.count().label("n")).select_from(rows).group_by(*key).subquery("keys_held")
    extra = connection.execute(sa.select(sa.func.sum(each.c.n - 1))).scalar()
    if not extra:
        return ()
    names = ", ".join(c.name for c in key)
    what = f"rows that repeat the key ({names})"
    return (
        Finding(
            mapped.name,
            "",
            what,
            "Count each row once: map a key that tells them apart, or read a deduplicated table.",
            must=True,
            rows=int(extra),
        ),
    )
