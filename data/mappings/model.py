"""The mapping file: read, typed, and refused with the place of whatever it does not understand."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from data import schema

FOLDER = Path(__file__).parent
# How a column comes about, and what each form takes.
FORMS = {
    "column": "one of their columns, as it is",
    "value": "a constant",
    "first": "the first of their columns that is filled",
    "join": "columns joined into one text, with `with` between them; a constant in it is {value: ...}",
    "words": "their words to ours, a mapping; of the column `of`; any other word is `otherwise`",
    "seconds": "a number of seconds since 1970 as a time",
    "milliseconds": "a number of milliseconds since 1970 as a time",
    "utc": "a time that is in UTC, with or without a zone in its type",
    "number": "the number a text or a column holds",
    "truth": "true where the column is one of these words",
    "lower": "a text in small letters",
}
EXTRAS = {"join": {"with"}, "words": {"of", "otherwise"}, "truth": {"of"}}
TESTS = ("is", "is_not", "filled")


class MappingError(ValueError):
    """A mapping file that cannot be read; the message names the place and what to do."""


@dataclass(frozen=True)
class Form:
    """One column's origin: the form's name, its argument, and its further words."""

    name: str
    given: Any  # as YAML has it: a word, a list or a mapping, checked for the form
    extra: tuple[tuple[str, Any], ...] = ()

    def get(self, name: str) -> object:
        return dict(self.extra).get(name)

    def columns(self) -> tuple[str, ...]:
        """Their columns that the form reads."""
        if self.name == "value":
            return ()
        if self.name in ("words", "truth"):
            return (str(self.get("of")),)
        given = self.given if isinstance(self.given, list) else [self.given]
        return tuple(str(g) for g in given if not isinstance(g, dict))


@dataclass(frozen=True)
class Test:
    """Which of their rows count: a column `is` or `is_not` one of some words, or is `filled` or not."""

    column: str
    kind: str
    words: tuple[str, ...] = ()
    filled: bool = True


@dataclass(frozen=True)
class Source:
    """One of their tables, and how its rows become rows of one of ours."""

    origin: str
    columns: tuple[tuple[str, Form], ...]
    tests: tuple[Test, ...] = ()


@dataclass(frozen=True)
class Mapped:
    """One of our tables from one or more of theirs, put below one another."""

    name: str
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Plan:
    """A whole mapping: what it is of, in which schema their tables lie, in which the views are to be, the tables."""

    title: str
    source: str | None
    target: str | None
    tables: tuple[Mapped, ...]


def read(path: Path) -> Plan:
    """A mapping from a YAML file. Raises MappingError, OSError."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise MappingError(f"{path} is no sound YAML: {error}") from error
    top = _known(found, {"mapping", "source", "target", "tables"}, str(path))
    tables = top.get("tables")
    if not isinstance(tables, dict) or not tables:
        raise MappingError(f"{path}: write `tables:` with at least one of our tables below it")
    mapped = tuple(_mapped(str(name), body) for name, body in tables.items())
    return Plan(str(top.get("mapping") or path.stem), _word(top, "source"), _word(top, "target"), mapped)


def _mapped(name: str, body: object) -> Mapped:
    if name not in schema.METADATA.tables:
        raise MappingError(f"tables: there is no table {name!r}{_near(name, schema.METADATA.tables)}")
    sources = body if isinstance(body, list) else [body]
    if not sources:
        raise MappingError(f"{name}: write at least one `from:`")
    return Mapped(name, tuple(_source(s, f"{name}[{i + 1}]", name) for i, s in enumerate(sources)))


def _source(body: object, place: str, name: str) -> Source:
    top = _known(body, {"from", "columns", "where"}, place)
    if not top.get("from") or not isinstance(top.get("columns"), dict):
        raise MappingError(f"{place}: write `from:` (their table) and `columns:` (ours to theirs)")
    table = schema.METADATA.tables[name]
    columns = []
    for column, said in top["columns"].items():
        if column not in table.c and schema.open_kind(str(column)) is None:
            raise MappingError(
                f"{place}: {name} has no column {column!r}{_near(str(column), table.c.keys())}"
            )
        columns.append((str(column), _form(said, f"{place}.{column}")))
    return Source(str(top["from"]), tuple(columns), tuple(_test(t, place) for t in _list(top.get("where"))))


def _form(said: object, place: str) -> Form:
    if isinstance(said, str):
        return Form("column", said)
    if not isinstance(said, dict):
        raise MappingError(f"{place}: write a column's name or one of: {', '.join(FORMS)}")
    names = [str(k) for k in said if k in FORMS]
    if len(names) != 1:
        raise MappingError(f"{place}: write exactly one of: {', '.join(FORMS)}")
    name = names[0]
    extra = tuple((str(k), v) for k, v in said.items() if k != name)
    if unknown := {k for k, _ in extra} - EXTRAS.get(name, set()):
        raise MappingError(f"{place}: {name} does not take {sorted(unknown)[0]!r}")
    form = Form(name, said[name], extra)
    _argument(form, place)
    return form


def _argument(form: Form, place: str) -> None:
    wanted: dict[str, type] = {"first": list, "join": list, "words": dict, "truth": list}
    kind = wanted.get(form.name)
    if kind and not (isinstance(form.given, kind) and form.given):
        raise MappingError(
            f"{place}: {form.name} takes {'a mapping' if kind is dict else 'a list'}: {FORMS[form.name]}"
        )
    if kind is None and isinstance(form.given, list | dict):
        raise MappingError(f"{place}: {form.name} takes one word: {FORMS[form.name]}")
    if form.name in ("words", "truth") and not isinstance(form.get("of"), str):
        raise MappingError(f"{place}: say with `of:` which column holds the words")


def _test(said: object, place: str) -> Test:
    top = _known(said, {"column", *TESTS}, f"{place}.where")
    kinds = [k for k in TESTS if k in top]
    if not isinstance(top.get("column"), str) or len(kinds) != 1:
        raise MappingError(f"{place}.where: write `column:` and one of: {', '.join(TESTS)}")
    given = top[kinds[0]]
    if kinds[0] == "filled":
        return Test(str(top["column"]), "filled", filled=bool(given))
    return Test(str(top["column"]), kinds[0], tuple(str(w) for w in _list(given)))


def _known(found: object, names: set[str], place: str) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise MappingError(f"{place}: write a mapping with: {', '.join(sorted(names))}")
    for name in found:
        if name not in names:
            raise MappingError(f"{place}: {name!r} means nothing here{_near(str(name), names)}")
    return found


def _list(value: object) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _word(top: Mapping[str, Any], name: str) -> str | None:
    return str(top[name]) if top.get(name) else None


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), 1)
    return f"; did you mean {near[0]}?" if near else f"; there is: {', '.join(sorted(known))}"
