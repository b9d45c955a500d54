"""Large simulated journeys written straight into a lake's files (the loader has its own benchmark)."""

from __future__ import annotations

from data import schema
from data.lake import Lake, duck
from data.manifest import File, Load
from tests.bench.warehouses import FIRST_DAY, _file

__all__ = ["FIRST_DAY", "journeys"]
DAY = 86_400_000_000


def _select(name: str, given: dict[str, str], source: str) -> str:
    """Every column of a table, those not given as typed NULLs."""
    columns = []
    for c in schema.METADATA.tables[name].c:
        text = given.get(c.name, "NULL")
        kind = {"VARCHAR": "VARCHAR", "FLOAT": "DOUBLE", "DOUBLE": "DOUBLE", "BOOLEAN": "BOOLEAN"}.get(
            str(c.type), "TIMESTAMPTZ" if "TIME" in str(c.type) else "VARCHAR"
        )
        columns.append(f"CAST({text} AS {kind}) AS {c.name}")
    return f"SELECT {', '.join(columns)} FROM {source}"


def _written(con: object, lake: Lake, select: str, name: str, day: int) -> File | None:
    """A file of these rows; None where there are none."""
    (n,) = con.execute(f"SELECT count(*) FROM ({select})").fetchone()  # type: ignore[attr-defined]
    return _file(con, lake, select, name, day, int(n)) if n else None


def journeys(lake: Lake, *, rows: int, days: int, first_day: int = FIRST_DAY) -> None:
    """`rows` signals, 0.41 activations, 0.04 suppressions and 0.02 outcomes each; a file a table and day or two, one commit."""
    con = duck(lake.home, memory="700MB")
    made: list[File | None] = []
    per_day = rows // days
    persons = max(rows // 5, 1000)
    for day in range(first_day, first_day + days):
        start = (day - first_day) * per_day
        con.execute(f"""
            CREATE OR REPLACE TEMP TABLE made AS
            SELECT i, '{day}-' || i AS id, 'p' || (hash(i + {start}) % {persons}) AS person,
              {day} * {DAY} + (i * {DAY}) // {per_day} AS us, hash(i + {start} + 1) % 100 AS what,
              CAST(-ln(1 - (hash(i + {start} + 2) % 1000003) / 1000003.0) * 2400e6 AS BIGINT) AS took
            FROM range({per_day}) r(i)
        """)
        clock = dict.fromkeys(("received_at", "loaded_at"), "make_timestamptz(us)")
        later = dict.fromkeys(("received_at", "loaded_at"), "make_timestamptz(us + took)")
        sent = "made WHERE i % 100 < 41"
        tables = {
            "signals": ({"signal_id": "'s' || id", "person_id": "person", "model_id": "'m' || (i % 4)", "model_version": "'1'",
                         "signal_name": "'hot'", "decision": "CASE WHEN what < 2 THEN 'no_action' ELSE 'activate' END",
                         "arm": "CASE WHEN what > 95 THEN 'holdout' ELSE 'treatment' END",
                         "scored_at": "make_timestamptz(us)", "window_seconds": "3600", "expected_value": "5",
                         "is_test": "false"} | clock, "made"),
            "activations": ({"activation_id": "'a' || id", "person_id": "person", "channel": "['email', 'sms', 'push'][1 + i % 3]",
                             "purpose": "'marketing'", "campaign_id": "'c' || (i % 10)", "provider": "'prov'",
                             "is_test": "false"} | clock, sent),
            "activation_signals": ({"signal_id": "'s' || id", "activation_id": "'a' || id"} | clock, sent),
            "message_events": ({"source": "'prov'", "event_id": "'e' || id", "activation_id": "'a' || id",
                                "event_type": "'sent'", "event_at": "make_timestamptz(us + took)"} | later, sent),
            "suppression_events": ({"suppression_event_id": "'x' || id", "person_id": "person", "trigger_type": "'opt_out'",
                                    "action": "'suppress'", "origin_channel": "'email'", "scope_channels": "'*'",
                                    "scope_purpose": "'marketing'", "effective_at": "make_timestamptz(us)"} | clock,
                                   "made WHERE i % 25 = 7"),
            "outcomes": ({"outcome_id": "'o' || id", "person_id": "person", "outcome_type": "'purchase'",
                          "occurred_at": "make_timestamptz(us + took)", "revenue": "10"} | later, "made WHERE i % 50 = 3"),
        }  # fmt: skip
        for name, (given, source) in tables.items():
            event = schema.METADATA.tables[name].info["event"]
            select = _select(name, given, source)
            if event is None:
                made.append(_written(con, lake, select, name, -1))
                continue
            for own in (day, day + 1):  # what came of a signal may have come the day after
                inside = f"epoch_us({event}) // {DAY} = {own}"
                made.append(_written(con, lake, f"SELECT * FROM ({select}) WHERE {inside}", name, own))
    mark = {"source": "'all'", "complete_through_at": f"make_timestamptz({(first_day + days) * DAY})"}
    made.append(_written(con, lake, _select("data_watermarks", mark, "range(1)"), "data_watermarks", -1))
    con.close()
    done = Load("signals", "bench", f"bench-{first_day}", rows, rows, 0, 0, "loaded", "bench")
    old = tuple(f for f in lake.manifest.files("facts") if f.name == "data_watermarks")
    lake.manifest.commit_facts(tuple(f for f in made if f), old, done)
