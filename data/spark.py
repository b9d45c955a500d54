"""Spark behind SQLAlchemy: Databricks' maintained dialect, spoken to a plain Spark session.

`databricks+spark://host:15002/schema` is Spark Connect; `databricks+spark:///schema?master=local-cluster[2,1,768]`
makes this process the driver. Further query words that begin with `spark.` are options of the session.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import sqlalchemy as sa
from databricks.sqlalchemy.base import DatabricksDialect
from sqlalchemy.engine.interfaces import ReflectedColumn

TYPES: dict[str, type[sa.types.TypeEngine[Any]]] = {
    "string": sa.Text, "boolean": sa.Boolean, "tinyint": sa.SmallInteger, "smallint": sa.SmallInteger,
    "int": sa.Integer, "bigint": sa.BigInteger, "float": sa.Float, "double": sa.Double, "date": sa.Date,
    "timestamp": sa.TIMESTAMP, "timestamp_ntz": sa.DateTime,
}  # fmt: skip


class SparkDialect(DatabricksDialect):
    """SQL as on Databricks; tables are found with SHOW and described by an empty look at them."""

    driver = "spark"
    supports_statement_cache = True
    default_schema_name = "default"

    @classmethod
    def import_dbapi(cls) -> ModuleType:
        from data import spark_dbapi

        return spark_dbapi

    def create_connect_args(self, url: sa.URL) -> tuple[list[str], dict[str, Any]]:
        words = {k: v if isinstance(v, str) else v[-1] for k, v in url.query.items()}
        options = {k: v for k, v in words.items() if k.startswith("spark.")}
        self.schema = url.database or self.default_schema_name
        return [], {"remote": _remote(url, words), "master": words.get("master"), "options": options}

    def get_table_names(self, connection: sa.Connection, schema: str | None = None, **_: object) -> list[str]:
        shown = connection.exec_driver_sql(f"SHOW TABLES IN {self._quoted(schema or self.schema)}")
        return [str(r.tableName) for r in shown]

    def get_view_names(self, *_: object, **__: object) -> list[str]:
        return []  # SHOW TABLES has named them already

    def get_columns(
        self, connection: sa.Connection, table_name: str, schema: str | None = None, **_: object
    ) -> list[ReflectedColumn]:
        name = f"{self._quoted(schema or self.schema)}.{self._quoted(table_name)}"
        cursor = connection.exec_driver_sql(f"SELECT * FROM {name} LIMIT 0").cursor  # noqa: S608 (quoted)
        described = (cursor.description if cursor else None) or ()
        return [
            {
                "name": str(c[0]),
                "type": TYPES.get(str(c[1]), sa.types.NullType)(),
                "nullable": True,
                "default": None,
            }
            for c in described
        ]

    def _quoted(self, name: str) -> str:
        return f"`{name.replace('`', '``')}`"


def _remote(url: sa.URL, words: dict[str, str]) -> str | None:
    """The Spark Connect address, or None where this process is to be the driver."""
    if not url.host:
        return None
    extra = {"user_id": url.username, "token": url.password, "use_ssl": words.get("use_ssl")}
    given = "".join(f";{k}={v}" for k, v in extra.items() if v)
    return f"sc://{url.host}:{url.port or 15002}/{given}"
