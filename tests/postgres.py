"""A real PostgreSQL from Debian's packages on a free loopback port, and the lake's rows copied into it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import sqlalchemy as sa

from data.engines import LakeWarehouse
from data.lake import Lake


def binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


def _as_server(command: list[str]) -> None:
    """PostgreSQL refuses to run as root, so root becomes the package's own user."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    done = subprocess.run([*prefix, *command], capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr or done.stdout}")


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@dataclass(frozen=True)
class Cluster:
    """A server that can be stopped at once, as by a crash, and started again."""

    folder: Path
    tools: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://throughline@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c fsync=off"
        log = str(self.folder / "log")
        self._control("-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        self._control("-m", "immediate", "-w", "stop")

    def _control(self, *words: str) -> None:
        _as_server([str(self.tools / "pg_ctl"), "-D", str(self.folder / "data"), *words])


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """A fresh server, stopped and deleted afterwards."""
    found = binaries()
    assert found is not None
    folder = Path(tempfile.mkdtemp(prefix="throughline-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    own = Cluster(folder, found, _free_port())
    try:
        _as_server(
            [
                str(found / "initdb"),
                "-D",
                str(folder / "data"),
                "-U",
                "throughline",
                "-A",
                "trust",
                "--no-sync",
            ]
        )
        own.start()
        try:
            yield own
        finally:
            own.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The URL of a fresh server, stopped and deleted afterwards."""
    with cluster() as own:
        yield own.url


def mirror(lake: Lake, url: str, schema_name: str) -> None:
    """Create the warehouse's tables in a schema and copy the lake's current rows into them."""
    engine = sa.create_engine(url)
    with engine.begin() as db:
        db.execute(sa.schema.DropSchema(schema_name, cascade=True, if_exists=True))
        db.execute(sa.schema.CreateSchema(schema_name))
        for table in LakeWarehouse(lake).tables().values():
            held = table.to_metadata(sa.MetaData(), schema=schema_name)
            held.create(db)
            _copy(db, held, lake)
    engine.dispose()


def _copy(db: sa.Connection, table: sa.Table, lake: Lake) -> None:
    names = [c.name for c in table.c]
    columns = ", ".join(f'"{n}"' for n in names)
    bits = {c.name for c in table.c if c.info["kind"] == "bit"}
    cursor = db.connection.cursor()
    with cursor.copy(f'COPY "{table.schema}"."{table.name}" ({columns}) FROM STDIN') as copy:
        for file in lake.manifest.files("facts", table.name):
            rows = pq.read_table(lake.home / file.path, partitioning=None).to_pydict()
            blank = [None] * file.rows
            for row in zip(*(rows.get(n, blank) for n in names), strict=True):
                copy.write_row(
                    [int(v) if n in bits and v is not None else v for n, v in zip(names, row, strict=True)]
                )
