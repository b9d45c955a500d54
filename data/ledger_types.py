"""How the ledger's columns are stored: the same text and numbers on SQLite and PostgreSQL, so the same hashes.

Times and days are ISO 8601 text, lists are JSON text, flags are 0 or 1. Comparing what is stored with what the
audit trail holds then needs no knowledge of a database's own types.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import sqlalchemy as sa

Value = str | int | float | bool | dt.date | dt.datetime | tuple[str, ...] | None
Stored = str | int | float | None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NUMBER: sa.Double[float] = sa.Double().with_variant(
    sa.REAL(), "sqlite"
)  # STRICT tables of SQLite know REAL only


def utc_text(time: dt.datetime) -> str:
    """`2026-11-01T09:00:00.000000Z`. Raises ValueError for a time without a zone."""
    if time.tzinfo is None or time.utcoffset() is None:
        raise ValueError(f"{time.isoformat()} has no time zone: the ledger takes UTC times only")
    return time.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def utc_time(text: str) -> dt.datetime:
    """The time that `utc_text` wrote."""
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


class UtcTime(sa.types.TypeDecorator[dt.datetime]):
    """UTC times as ISO 8601 text. Refuses naive times: a driver would drop or guess the offset in silence."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: sa.Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else utc_text(value)

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> dt.datetime | None:  # noqa: ANN401, ARG002
        return None if value is None else utc_time(str(value))


class Day(sa.types.TypeDecorator[dt.date]):
    """A calendar day as `YYYY-MM-DD`. Refuses times: the day of a time depends on a zone."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: dt.date | None, dialect: sa.Dialect) -> str | None:  # noqa: ARG002
        if isinstance(value, dt.datetime):
            raise TypeError(f"{value.isoformat()} is a time, not a day: say which day is meant")
        return None if value is None else value.isoformat()

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> dt.date | None:  # noqa: ANN401, ARG002
        return None if value is None else dt.date.fromisoformat(str(value))


class Words(sa.types.TypeDecorator[tuple[str, ...]]):
    """A list of words as a JSON array."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: sa.Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else words_text(value)

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> tuple[str, ...] | None:  # noqa: ANN401, ARG002
        return None if value is None else tuple(str(w) for w in json.loads(value))


class Flag(sa.types.TypeDecorator[bool]):
    """Yes or no as 1 or 0."""

    impl = INTEGER
    cache_ok = True

    def process_bind_param(self, value: bool | None, dialect: sa.Dialect) -> int | None:  # noqa: ARG002, FBT001
        return None if value is None else int(value)

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> bool | None:  # noqa: ANN401, ARG002
        return None if value is None else bool(value)


def words_text(words: tuple[str, ...]) -> str:
    return json.dumps(list(words), ensure_ascii=False, separators=(",", ":"))


def stored(value: Value) -> Stored:
    """A value as its column keeps it, which is also how the audit trail keeps it."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, dt.datetime):
        return utc_text(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    return words_text(value) if isinstance(value, tuple) else value
