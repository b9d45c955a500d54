"""Recursion over links on engines that take only UNION ALL in it.

A recursive UNION drops rows it has seen and so ends. Where only UNION ALL is known, the same statement is written
with a trail of the records on the way, and no record twice in it: simple paths, which give the same closure and the
same earliest times, since a detour over a cycle can only be later. The first two columns of such a query are the
start and the end of a path. These engines stop with an error, never with less, where a path or their number exceeds
their own limits.
"""

from __future__ import annotations

from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement

MARK = "\x1f"  # unit separator: no identifier holds one
ONLY_UNION_ALL = ("databricks", "trino", "snowflake", "bigquery", "clickhousedb")


def _compiled(cte: sa.CTE, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401 (the compiler's own words)
    return cast("str", compiler.visit_cte(_rewritten(cte, compiler), **kw))


def teach() -> None:
    """Let the dialects that need it write recursion this way; from then on, wherever in the process."""
    for name in ONLY_UNION_ALL:
        compiles(sa.CTE, name)(_compiled)


def _rewritten(cte: sa.CTE, compiler: SQLCompiler) -> sa.CTE:
    """The query with a trail where it is a recursive UNION, else itself; one object for each, as the compiler asks."""
    made: dict[int, tuple[sa.CTE, sa.CTE]] = compiler.__dict__.setdefault("_throughline_paths", {})
    if id(cte) not in made:
        made[id(cte)] = (cte, _with_trail(cte, compiler))
    return made[id(cte)][1]


def _with_trail(cte: sa.CTE, compiler: SQLCompiler) -> sa.CTE:
    if cte._cte_alias is not None:  # noqa: SLF001 (SQLAlchemy names no other way to the aliased query)
        whole = _rewritten(cte._cte_alias, compiler)  # noqa: SLF001
        return cte if whole is cte._cte_alias else whole.alias(cte.name)  # noqa: SLF001
    union = cte.element
    if not (cte.recursive and isinstance(union, sa.CompoundSelect) and union.keyword.value == "UNION"):
        return cte
    first, step = (cast("sa.Select[tuple[object, ...]]", s) for s in union.selects)
    start, end = list(first.selected_columns)[:2]
    reached = list(step.selected_columns)[1]
    trail: ColumnElement[str] = sa.literal_column(
        f"{compiler.preparer.quote(str(cte.name))}.trail", sa.Text()
    )
    longer = _text(_joined(trail, reached, MARK))
    unseen = sa.func.replace(trail, _joined(MARK, reached, MARK), "") == trail
    paths = first.add_columns(_text(_joined(MARK, start, MARK, end, MARK)).label("trail")).union_all(
        step.add_columns(longer.label("trail")).where(unseen)
    )
    return sa.CTE._construct(  # noqa: SLF001 (the compiler must know it for the query that the step refers to)
        paths, name=cte.name, recursive=True, nesting=cte.nesting, _restates=cte._restates  # noqa: SLF001
    )  # fmt: skip


def _text(value: ColumnElement[str]) -> ColumnElement[str]:
    return sa.cast(value, sa.Text)


def _joined(*parts: ColumnElement[str] | str) -> ColumnElement[str]:
    """Texts one after the other."""
    words = [sa.literal(p, sa.Text()) if isinstance(p, str) else _text(p) for p in parts]
    whole = words[0]
    for word in words[1:]:
        whole = whole.concat(word)
    return whole
