"""PEP 249 over a Spark session: what SQLAlchemy needs to run statements on Spark, local or through Spark Connect.

Rows come back as Arrow. Statements only read, so commit and rollback have nothing to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import pyarrow as pa

apilevel = "2.0"
threadsafety = 2  # threads may share the session
paramstyle = "named"

# Times are UTC. The rule makes invalid plans of some of our statements (Spark 4.3: PLAN_VALIDATION_FAILED_RULE_IN_BATCH).
SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.optimizer.excludedRules": "org.apache.spark.sql.catalyst.optimizer.RemoveRedundantAliases",
}
Row = tuple[object, ...]
Session = Any  # pyspark.sql.SparkSession, of either kind; imported only when connecting, as it takes seconds


class Error(Exception):
    """Anything that Spark refuses; its own words follow."""


class Warning(Error):  # noqa: A001, N818 (PEP 249 names it)
    """Not raised; PEP 249 asks for the name."""


class InterfaceError(Error):
    """The adapter was used in a way it does not know."""


class DatabaseError(Error):
    """Spark could not run the statement."""


class DataError(DatabaseError):
    """Not raised; PEP 249 asks for the name."""


class OperationalError(DatabaseError):
    """Spark could not be reached."""


class IntegrityError(DatabaseError):
    """Not raised; PEP 249 asks for the name."""


class InternalError(DatabaseError):
    """Not raised; PEP 249 asks for the name."""


class ProgrammingError(DatabaseError):
    """The statement is not one that Spark reads."""


class NotSupportedError(DatabaseError):
    """Not raised; PEP 249 asks for the name."""


def connect(
    *,
    remote: str | None,
    master: str | None,
    options: Mapping[str, str],
    user_agent_entry: str = "",  # noqa: ARG001 (Databricks' dialect says who asks; Spark does not want to know)
) -> Connection:
    """A connection on the process's Spark session, which is made where there is none.

    `remote` is a Spark Connect address (`sc://host:15002`), `master` that of a cluster this process is the driver of.
    """
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    builder = SparkSession.builder
    builder = builder.remote(remote) if remote else builder.master(master or "local[2]")
    for name, value in options.items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
        for name, value in SETTINGS.items():
            session.conf.set(name, value)
    except (PySparkException, OSError) as error:
        raise OperationalError(f"no Spark session on {remote or master}: {error}") from error
    return Connection(session)


class Connection:
    """One user of the session. Spark has no transactions; each statement sees the tables as they are."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def cursor(self) -> Cursor:
        return Cursor(self.session)

    def commit(self) -> None:
        """Nothing was written."""

    def rollback(self) -> None:
        """Nothing was written."""

    def close(self) -> None:
        """The session stays: others of this process use it, and starting one takes many seconds."""


class Cursor:
    """One statement at a time, and its rows."""

    arraysize = 1
    rowcount = -1
    lastrowid = None

    def __init__(self, session: Session) -> None:
        self._session = session
        self._frame: Any = None
        self._rows: Iterator[Row] | None = None

    @property
    def description(self) -> Sequence[tuple[object, ...]] | None:
        """Names and Spark's type words of the columns; known before anything has run."""
        if self._frame is None:
            return None
        fields = self._frame.schema.fields
        return [
            (f.name, f.dataType.simpleString(), None, None, None, None, f.nullable) for f in fields
        ] or None

    def execute(self, statement: str, parameters: Mapping[str, object] | None = None) -> None:
        from pyspark.errors import PySparkException

        self._rows = None
        try:
            self._frame = self._session.sql(statement, args=dict(parameters or {}) or None)
        except PySparkException as error:
            raise ProgrammingError(_words(error)) from error

    def executemany(self, statement: str, rows: Sequence[Mapping[str, object]]) -> None:
        for row in rows:
            self.execute(statement, row)

    def arrow(self) -> pa.Table:
        """Run the statement and take all its rows as an Arrow table."""
        from pyspark.errors import PySparkException

        if self._frame is None:
            raise InterfaceError("no statement has been executed")
        try:
            return cast("pa.Table", self._frame.toArrow())
        except PySparkException as error:
            raise DatabaseError(_words(error)) from error
        except (
            Exception
        ) as error:  # a job that failed comes as Py4J's own error, which only a local session has
            raise DatabaseError(_words(error)) from error

    def _iterator(self) -> Iterator[Row]:
        if self._rows is None:
            table = self.arrow()
            self._rows = zip(*(c.to_pylist() for c in table.columns), strict=True)
        return self._rows

    def fetchone(self) -> Row | None:
        return next(self._iterator(), None)

    def fetchmany(self, size: int | None = None) -> list[Row]:
        rows = self._iterator()
        return [row for row, _ in zip(rows, range(size or self.arraysize), strict=False)]

    def fetchall(self) -> list[Row]:
        return list(self._iterator())

    def close(self) -> None:
        self._frame = self._rows = None

    def setinputsizes(self, *_: object) -> None:
        """Nothing to prepare."""

    def setoutputsize(self, *_: object) -> None:
        """Nothing to prepare."""


def _words(error: Exception) -> str:
    """What went wrong at the bottom of it, without the plans and stacks that Spark appends (pages of them)."""
    cause = getattr(error, "java_exception", None)
    while cause is not None and cause.getCause() is not None:
        cause = cause.getCause()
    text = str(cause.toString() if cause is not None else error)
    return re.split(r"\n\s*(?:at |==|JVM stacktrace|'?Aggregate|'?Project)", text, maxsplit=1)[0][:2000]
