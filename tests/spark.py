"""A real Spark cluster on this machine: a driver and two executors, each a JVM of its own, and the lake's rows in it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import tempfile
from collections.abc import Collection
from pathlib import Path

import sqlalchemy as sa

from data.dialects import engine_at
from data.engines import LakeWarehouse
from data.lake import Lake
from tests.exports import export

CLUSTER = "local-cluster[2,1,768]"
OPTIONS = {
    "spark.executor.memory": "768m",
    "spark.driver.memory": "1g",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.codegen.wholeStage": "false",  # Java compiled for each statement takes longer than these few rows
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
}


def java() -> bool:
    return shutil.which("java") is not None


def installed() -> bool:
    return importlib.util.find_spec("pyspark") is not None


def url(schema: str) -> str:
    """SQLAlchemy's address of the cluster that this process drives; the first connection starts it."""
    return sa.URL.create(
        "databricks+spark", database=schema, query={"master": CLUSTER, **OPTIONS}
    ).render_as_string(hide_password=False)


def mirror(lake: Lake, address: str, schema: str, only: Collection[str] | None = None) -> Path:
    """The lake's rows (of some tables) as external tables of a schema. Returns their folder, which the caller deletes."""
    folder = Path(tempfile.mkdtemp(prefix="throughline-spark-"))
    engine = engine_at(address)
    columns = {  # said, as finding them out is a job of the cluster for each table
        name: ", ".join(f"`{c.name}` {c.type.compile(dialect=engine.dialect)}" for c in table.c)
        for name, table in LakeWarehouse(lake).tables().items()
    }
    with engine.connect() as db:
        db.exec_driver_sql(f"CREATE DATABASE IF NOT EXISTS `{schema}` LOCATION '{folder / 'own'}'")
        for name, path in export(lake, folder / "rows", only).items():
            db.exec_driver_sql(f"DROP TABLE IF EXISTS `{schema}`.`{name}`")
            db.exec_driver_sql(
                f"CREATE TABLE `{schema}`.`{name}` ({columns[name]}) USING PARQUET LOCATION '{path}'"
            )
    engine.dispose()
    return folder


def executors() -> list[int]:
    """Process ids of this process's executors."""
    running = (
        p for p in Path("/proc").iterdir() if p.name.isdigit() and _runs(p, b"CoarseGrainedExecutorBackend")
    )
    return sorted(int(p.name) for p in running if _is_ours(int(p.name)))


def _runs(process: Path, word: bytes) -> bool:
    try:
        return word in (process / "cmdline").read_bytes()
    except OSError:  # it ended meanwhile
        return False


def kill_one() -> int:
    """Kill the first executor as the kernel would. Returns its process id."""
    pid = executors()[0]
    os.kill(pid, signal.SIGKILL)
    return pid


def busy() -> bool:
    """Whether a stage of this process's cluster is running."""
    from pyspark import SparkContext

    context = SparkContext._active_spark_context
    return context is not None and bool(context.statusTracker().getActiveStageIds())


def _is_ours(pid: int) -> bool:
    while pid not in (0, 1, os.getpid()):
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return pid == os.getpid()


def stop() -> None:
    """End the cluster of this process."""
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    if active is not None:
        active.stop()
