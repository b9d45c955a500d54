"""Large simulated warehouses written straight into a lake's files (the loader has its own benchmark)."""

from __future__ import annotations

from pathlib import Path

from data.lake import Lake, duck
from data.manifest import File, Load

FIRST_DAY = 20_000  # 2024-10-04


FEATURES = {  # five columns of a model's inputs, kept as text as the loader keeps them; `part` is the time's share
    "feat_age": "CAST(CAST(round(46 + 13 * n1) AS INT) AS VARCHAR)",
    "feat_amount": "CAST(round(exp(3 + 0.9 * n2 + 0.3 * part), 2) AS VARCHAR)",
    "feat_activity": "CAST(round(z, 3) AS VARCHAR)",
    "feat_channel": "['web', 'shop', 'phone', 'app'][1 + CAST(floor(4 * u2 * u2) AS INT)]",
    "feat_region": "'r' || CAST(floor(20 * u3) AS INT)",
}


def predictions(
    lake: Lake,
    *,
    rows: int,
    days: int,
    first_day: int = FIRST_DAY,
    segments: int = 8,
    models: int = 1,
    features: bool = False,
) -> None:
    """`rows` predictions and labels over `days` whole days: one file a table and day, one commit."""
    extra = "".join(f", {text} AS {name}" for name, text in FEATURES.items()) if features else ""
    drawn = _drawn(features=features)
    con = duck(lake.home, memory="2GB")
    made: list[File] = []
    per_day = rows // days
    for day in range(first_day, first_day + days):
        start = (day - first_day) * per_day
        con.execute(f"""
            CREATE OR REPLACE TEMP TABLE made AS
            SELECT 'p' || {day} || '-' || i AS prediction_id, 'model_' || (i % {models}) AS model_id,
              CAST(NULL AS VARCHAR) AS model_version, 'e' || (hash(i + {start}) % 1000000) AS entity_id,
              make_timestamptz({day} * 86400000000 + (i * 86400000000) // {per_day}) AS predicted_at,
              1 / (1 + exp(-(z - 1.2))) AS score, 0.5 AS threshold, CAST(NULL AS SMALLINT) AS decision,
              CAST(NULL AS DOUBLE) AS latency_ms, CAST(NULL AS DOUBLE) AS cost_amount,
              make_timestamptz({day} * 86400000000 + (i * 86400000000) // {per_day}) AS received_at,
              make_timestamptz({day} * 86400000000 + (i * 86400000000) // {per_day}) AS loaded_at,
              'segment_' || (hash(i + {start} + 7) % {segments}) AS attr_segment{extra}, u < 1 / (1 + exp(-(z - 1.4))) AS y
            FROM (SELECT i, sqrt(-2 * ln(1 - (hash(i + {start}) % 1000003) / 1000003.0))
                    * cos(6.283185307179586 * ((hash(i + {start} + 1) % 1000003) / 1000003.0)) AS z,
                    (hash(i + {start} + 2) % 1000003) / 1000003.0 AS u{drawn.format(start=start, part=(day - first_day) / days)}
                  FROM range({per_day}) r(i))
        """)
        made.append(_file(con, lake, "SELECT * EXCLUDE (y) FROM made", "predictions", day, per_day))
        labels = (
            "SELECT prediction_id, CAST(y AS SMALLINT) AS label, predicted_at + INTERVAL 3 DAY AS labelled_at,"
            " received_at, loaded_at FROM made"
        )
        made.append(_file(con, lake, labels, "labels", day, per_day))
    con.close()
    lake.manifest.commit_facts(
        tuple(made), (), Load("predictions", "bench", "bench", rows, rows, 0, 0, "loaded", "bench")
    )


def multiplied(lake: Lake, of: Lake, times: int) -> None:
    """The predictions and labels of another lake `times` over, each copy with names of its own: cheap to make, and as large."""
    con = duck(lake.home.parent, memory="1GB")
    made: list[File] = []
    for name in ("predictions", "labels"):
        for file in of.manifest.files("facts", name):
            copies = " UNION ALL ".join(f"SELECT '{k}-' AS copy" for k in range(times))
            rows = f"read_parquet('{of.home / file.path}')"
            select = (
                f"SELECT f.* REPLACE (c.copy || prediction_id AS prediction_id) FROM ({copies}) c, {rows} f"
            )
            made.append(_file(con, lake, select, name, file.day, file.rows * times))
    con.close()
    rows = sum(f.rows for f in made) // 2
    lake.manifest.commit_facts(
        tuple(made), (), Load("predictions", "bench", "bench", rows, rows, 0, 0, "loaded", "bench")
    )


def _drawn(*, features: bool) -> str:
    """The random numbers that the features are made of, as further columns."""
    if not features:
        return ""
    uniform = "(hash(i + {start} + %d) %% 1000003) / 1000003.0"
    normal = "sqrt(-2 * ln(1 - %s)) * cos(6.283185307179586 * (%s))"
    parts = {
        "n1": normal % (uniform % 11, uniform % 12), "n2": normal % (uniform % 13, uniform % 14),
        "u2": uniform % 15, "u3": uniform % 16, "part": "{part}",
    }  # fmt: skip
    return "".join(f", {text} AS {name}" for name, text in parts.items())


def _file(con: object, lake: Lake, select: str, name: str, day: int, rows: int) -> File:
    draft = lake.draft()
    con.execute(f"COPY ({select}) TO '{draft}' (FORMAT PARQUET, COMPRESSION ZSTD)")  # type: ignore[attr-defined]
    columns = [r[0] for r in con.execute(f"DESCRIBE {select}").fetchall()]  # type: ignore[attr-defined]
    return lake.seal(draft, "facts", name, day, rows, columns)


def fact_paths(home: Path, name: str) -> str:
    """A SQL list of a table's current files, for hand-written queries."""
    return ", ".join(f"'{home / f.path}'" for f in Lake(home).manifest.files("facts", name))
