"""A mapping as SQL: one SELECT for each of our tables, in every dialect, and the views around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement, FromClause

from data import schema
from data.columns import KINDS
from data.dialects import text_of
from data.mappings.model import Form, Mapped, Plan, Source
from data.sql import double, micros, number_in, time_at, whole

Theirs = Mapping[str, tuple[str, ...]]  # their columns by table, as the warehouse has them


def table_of(source: Source, plan: Plan) -> FromClause:
    """Their table with just the columns that the mapping reads; types are as the warehouse has them."""
    names = dict.fromkeys(c for _, form in source.columns for c in form.columns())
    names.update(dict.fromkeys(t.column for t in source.tests))
    return sa.table(source.origin, *(sa.column(n) for n in names), schema=plan.source)


def select_of(mapped: Mapped, plan: Plan) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """Our table as a SELECT over theirs. Columns that only some sources have are NULL in the others."""
    names = columns_of(mapped)
    parts = [_part(mapped.name, source, plan, names) for source in mapped.sources]
    return parts[0] if len(parts) == 1 else sa.union_all(*parts)


def columns_of(mapped: Mapped) -> tuple[str, ...]:
    """Our columns that some source fills, in the contract's order; open columns last."""
    filled = {c for source in mapped.sources for c, _ in source.columns}
    table = schema.METADATA.tables[mapped.name]
    return (*(c.name for c in table.c if c.name in filled), *sorted(filled - set(table.c.keys())))


def kind_of(name: str, column: str) -> str:
    """The contract's kind of a column, open ones included."""
    table = schema.METADATA.tables[name]
    return str(table.c[column].info["kind"]) if column in table.c else schema.open_kind(column) or "text"


def _part(name: str, source: Source, plan: Plan, names: tuple[str, ...]) -> sa.Select[Any]:
    table, forms = table_of(source, plan), dict(source.columns)
    columns = []
    for column in names:
        kind = kind_of(name, column)
        found = _expression(forms[column], table, kind) if column in forms else sa.null()
        columns.append(
            _typed(found, kind, as_is=column in forms and _timed(forms[column], kind)).label(column)
        )
    return sa.select(*columns).where(*_tests(source, table))


def _timed(form: Form, kind: str) -> bool:
    """Whether the expression is a time already, so that a cast could only move it."""
    return kind == "time" and form.name in ("seconds", "milliseconds", "utc")


def _typed(found: ColumnElement[Any], kind: str, *, as_is: bool) -> ColumnElement[Any]:
    if as_is:
        return found
    return sa.cast(found, sa.TIMESTAMP(timezone=True) if kind == "time" else KINDS[kind]())


def _expression(form: Form, table: FromClause, kind: str) -> ColumnElement[Any]:
    if form.name in ("seconds", "milliseconds"):
        factor = 1_000_000 if form.name == "seconds" else 1_000
        return time_at(whole(double(table.c[form.given]) * sa.literal_column(f"{factor}.0", sa.Double())))
    if form.name == "utc":
        return time_at(micros(table.c[form.given]))
    if form.name == "first":
        return sa.func.coalesce(*(table.c[c] for c in form.given))
    if form.name == "join":
        return _joined(form, table)
    if form.name in ("words", "truth"):
        return _words(form, table, kind)
    return _plain(form, table)


def _plain(form: Form, table: FromClause) -> ColumnElement[Any]:
    if form.name == "value":
        return sa.literal(form.given)
    if form.name == "number":
        return number_in(sa.cast(table.c[form.given], sa.Text))
    column: ColumnElement[Any] = table.c[form.given]
    return sa.func.lower(sa.cast(column, sa.Text)) if form.name == "lower" else column


def _joined(form: Form, table: FromClause) -> ColumnElement[str]:
    """Texts with a separator; what is missing is an empty text, as an identifier must not vanish for one part."""
    parts: list[ColumnElement[str]] = []
    for given in form.given:
        if isinstance(given, dict):
            parts.append(sa.literal(str(given.get("value", "")), sa.Text()))
        else:
            parts.append(sa.func.coalesce(sa.cast(table.c[given], sa.Text), sa.literal("", sa.Text())))
    between = sa.literal(str(form.get("with") or ""), sa.Text())
    whole_text = parts[0]
    for part in parts[1:]:
        whole_text = whole_text.concat(between).concat(part)
    return whole_text


def _words(form: Form, table: FromClause, kind: str) -> ColumnElement[Any]:
    column = sa.cast(table.c[str(form.get("of"))], sa.Text)
    if form.name == "truth":
        yes, no = (sa.true(), sa.false()) if kind == "bool" else (sa.literal(1), sa.literal(0))
        return sa.case((column.in_([_word(w) for w in form.given]), yes), else_=no)
    other = form.get("otherwise")
    whens = [(column == _word(theirs), sa.literal(ours)) for theirs, ours in form.given.items()]
    return sa.case(*whens, else_=sa.null() if other is None else sa.literal(other))


def _word(value: object) -> str:
    """A word of theirs as its text cast would give it; YAML reads a bare true or false as a truth value."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _tests(source: Source, table: FromClause) -> Iterator[ColumnElement[bool]]:
    for test in source.tests:
        column = table.c[test.column]
        if test.kind == "filled":
            yield column.is_not(None) if test.filled else column.is_(None)
        elif test.kind == "is":
            yield sa.cast(column, sa.Text).in_(test.words)
        else:
            yield sa.or_(column.is_(None), sa.cast(column, sa.Text).not_in(test.words))


def script(plan: Plan, dialect: sa.Dialect) -> str:
    """The views as a script that whoever may create views in the warehouse runs."""
    quote = dialect.identifier_preparer.quote
    target = f"{quote(plan.target)}." if plan.target else ""
    # PostgreSQL replaces no view whose columns changed, so there it is dropped and made again in one transaction.
    again = dialect.name == "postgresql"
    verb = "CREATE VIEW" if again else "CREATE OR REPLACE VIEW"
    out = [f"-- {plan.title}: views for Throughline, made by `python -m app map`; {dialect.name}"]
    if plan.target:
        out.append(f"CREATE SCHEMA IF NOT EXISTS {quote(plan.target)};")
    for mapped in plan.tables:
        select = text_of(select_of(mapped, plan), dialect)
        out += [f"DROP VIEW IF EXISTS {target}{quote(mapped.name)};"] if again else []
        out.append(f"{verb} {target}{quote(mapped.name)} AS\n{select};")
    body = ["BEGIN;", *out, "COMMIT;"] if again else out
    return "\n\n".join(body) + "\n"
