"""A digest of a text that is the same on every engine."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class digest(FunctionElement[str]):  # noqa: N801 (reads as a SQL function)
    """MD5 of a text as 32 hexadecimal digits: the same on every engine, which their own hashes are not."""

    type = sa.Text()
    inherit_cache = True
    name = "digest"


_DIGESTS = {
    "bigquery": "to_hex(md5({}))",
    "trino": "lower(to_hex(md5(to_utf8({}))))",
    "clickhousedb": "lower(hex(MD5({})))",
    "clickhouse": "lower(hex(MD5({})))",
}


@compiles(digest)
def _digest(element: digest, compiler: SQLCompiler, **kw: object) -> str:
    text = compiler.process(element.clauses, **kw)
    return _DIGESTS.get(compiler.dialect.name, "md5({})").format(text)
