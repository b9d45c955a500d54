"""Small random warehouses for laws, as canonical rows, and how to hand them to the loader.

`warehouses()` draws a table's name -> rows of ISO strings and plain values (at most 12 persons and records, 25
signals, 25 activations). Rows of one key never contradict each other: a duplicate differs in `loaded_at` only.
`csv_text` and `ndjson_text` write a table as the loader takes it. `side_by_side` puts many warehouses into one,
with prefixed ids, so that one load judges many examples; give them all one `end`, since watermarks are common.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from tests.oracle import draws
from tests.oracle.draws import DAY, END, LATER, Row, after_base, as_ofs, ends, iso, placed, several

__all__ = ["END", "LATER", "Tables", "as_ofs", "csv_text", "ndjson_text", "side_by_side", "warehouses"]

Tables = dict[str, list[Row]]
IDS = set(
    "person_id from_person_id to_person_id record_id signal_id activation_id event_id suppression_event_id "
    "consent_id outcome_id link_id truth_entity_id id_value address".split()
)


@st.composite
def warehouses(draw: st.DrawFn, end: st.SearchStrategy[float | None] = ends) -> Tables:
    """A warehouse whose watermark lies `end` seconds after `draws.BASE` (None: it has no watermark)."""

    def some(row: st.SearchStrategy[Any], most: int, least: int = 0) -> list[Any]:
        return draw(st.lists(row, min_size=least, max_size=most))

    scorings = [placed(s, "scored_at", draw(draws.on_grid)) for s in some(draws.signal, 25, 3)]
    tables: Tables = {"signals": _numbered([_of_arm(s) for s in scorings], "signal_id", "S")}
    tables["suppression_events"] = _suppressions(draw, tables["signals"])
    merges = [
        placed(m, "merged_at", draw(draws.on_grid) - draw(several(2, 0.0, DAY))) for m in some(draws.merge, 5)
    ]
    merges = [m for m in merges if m["from_person_id"] != m["to_person_id"]]
    tables["person_merges"] = _unique(merges, "from_person_id", "to_person_id", "merged_at")
    tables |= _activations(draw, tables)
    tables["consents"] = _consents(draw, tables)
    tables["outcomes"] = _outcomes(draw, tables["signals"])
    tables["identity_links"] = _numbered(some(draws.link, 6), "link_id", "L")
    tables["activation_hops"] = _hops(draw, tables)
    tables["suppression_propagations"] = _acks(draw, tables["suppression_events"])
    tables["feedback_events"] = _feedback(draw, tables)
    _repeat(draw, tables)
    mark = draw(end)
    tables["data_watermarks"] = [{"source": "all", "complete_through_at": iso(mark)}] if mark else []
    return tables


def _of_arm(signal: Row) -> Row:
    held = signal["arm"] == "holdout" and signal["decision"] == "activate"
    return signal | {"decision": "hold_out"} if held else signal


def _suppressions(draw: st.DrawFn, signals: list[Row]) -> list[Row]:
    """Suppressions around the scorings of their persons, and releases after them."""
    found: list[Row] = []
    for s in draw(st.lists(draws.suppress, min_size=1, max_size=6)):
        near = draw(st.sampled_from(signals))
        at = max(after_base(near["scored_at"]) + draw(draws.around), -DAY)
        person = draw(several(1, near["person_id"], draw(draws.persons))) or "p0"
        found.append({"person_id": person, **placed(s, "effective_at", at)})
    for r in draw(st.lists(draws.release, max_size=3)):
        near = draw(st.sampled_from(found))
        at = max(after_base(near["effective_at"]), 0.0) + draw(draws.forward)
        found.append({"person_id": near["person_id"], "expires_at": None, **placed(r, "effective_at", at)})
    return _numbered(found, "suppression_event_id", "X")


def _activations(draw: st.DrawFn, tables: Tables) -> Tables:
    """Activations with their signals, and their events laid upon scorings, opt-outs and releases of the person."""
    activations, links, events = [], [], []
    for i, a in enumerate(draw(st.lists(draws.activation, min_size=3, max_size=25))):
        near = draw(st.lists(st.sampled_from(tables["signals"]), max_size=2, unique_by=_signal_id))
        about = near or [draw(st.sampled_from(tables["suppression_events"]))]
        person = draw(several(9, about[0]["person_id"], "p0", None))
        own = {"activation_id": f"A{i}", "person_id": person}
        activations.append(own | {"address": f"{person}@{a['channel']}"} | a)
        links += [{"signal_id": s["signal_id"], "activation_id": f"A{i}"} for s in near]
        stops = [s for s in tables["suppression_events"] if s["person_id"] == person]
        anchors = [after_base(s["scored_at"]) for s in near]
        anchors = anchors * 2 + [after_base(s["effective_at"]) for s in stops] or [0.0]
        for e in draw(st.lists(draws.event, min_size=draw(several(4, 1, 0)), max_size=2)):
            at = max(draw(st.sampled_from(anchors)) + draw(draws.steps), -DAY)
            events.append({"activation_id": f"A{i}", **placed(e, "event_at", at)})
    for row in events:
        row["provider_code"] = row["provider_code"] if row["event_type"] == "failed" else None
    named = _numbered(events, "event_id", "E")
    return {"activations": activations, "activation_signals": links, "message_events": named}


def _signal_id(row: Row) -> str:
    return str(row["signal_id"])


def _consents(draw: st.DrawFn, tables: Tables) -> list[Row]:
    """Consents for the channels that were used, about the time of a message."""
    found = []
    for c in draw(st.lists(draws.consent, max_size=8)):
        near = draw(st.sampled_from(tables["activations"]))
        times = [
            e["event_at"] for e in tables["message_events"] if e["activation_id"] == near["activation_id"]
        ]
        at = after_base(times[0]) + draw(draws.around) if times else draw(draws.on_grid)
        who = {"person_id": near["person_id"] or "p0", "channel": near["channel"]}
        found.append(who | placed(c, "captured_at", max(at, -DAY)))
    return _numbered(found, "consent_id", "C")


def _outcomes(draw: st.DrawFn, signals: list[Row]) -> list[Row]:
    found = []
    for o in draw(st.lists(draws.outcome, max_size=4)):
        near = draw(st.sampled_from(signals))
        at = after_base(near["scored_at"]) + draw(draws.steps)
        found.append({"person_id": near["person_id"] or "p0", **placed(o, "occurred_at", at)})
    return _numbered(found, "outcome_id", "O")


def _numbered(rows: Sequence[Row], column: str, prefix: str) -> list[Row]:
    return [{column: f"{prefix}{i}", **row} for i, row in enumerate(rows)]


def _unique(rows: Sequence[Row], *key: str) -> list[Row]:
    """The first row of each key."""
    return list({tuple(r[k] for k in key): r for r in reversed(rows)}.values())[::-1]


def _hops(draw: st.DrawFn, tables: Tables) -> list[Row]:
    """Chains of some signals, mostly in order, some with a step back and some with hops missing."""
    scored = {s["signal_id"]: after_base(s["scored_at"]) for s in tables["signals"]}
    bought = [after_base(o["occurred_at"]) for o in tables["outcomes"]]
    found = []
    links = tables["activation_signals"]
    for pair in draw(st.lists(st.sampled_from(links), max_size=4)) if links else ():
        at = scored[pair["signal_id"]]
        for name in draw(st.lists(st.sampled_from(draws.HOPS), max_size=7, unique=True).map(_in_order)):
            at += draw(several(5, 30.0, 0.0, 60.0, -3.0, -10.0))
            when = draw(st.sampled_from(bought)) if name == "converted" and bought else at
            row = placed(draw(draws.hop), "entered_at", when)
            whose = draw(several(4, pair["activation_id"], None))
            found.append({"signal_id": pair["signal_id"], "activation_id": whose, "hop": name, **row})
    return _unique(found, "signal_id", "activation_id", "hop")


def _in_order(names: list[str]) -> list[str]:
    return sorted(names, key=draws.HOPS.index)


def _acks(draw: st.DrawFn, events: list[Row]) -> list[Row]:
    rows = []
    for e in events[:3]:
        if e["action"] == "suppress":
            own = draw(st.lists(draws.ack, max_size=2))
            rows += [{"suppression_event_id": e["suppression_event_id"], **p} for p in own]
    return _unique(rows, "suppression_event_id", "channel", "system")


def _feedback(draw: st.DrawFn, tables: Tables) -> list[Row]:
    rows = []
    for o in tables["outcomes"]:
        for s in draw(st.lists(st.sampled_from(tables["signals"]), max_size=2)):
            at = iso(after_base(o["occurred_at"]) + draw(draws.steps))
            row = {"signal_id": s["signal_id"], "outcome_id": o["outcome_id"], "label": 1.0}
            rows.append({**row, "ingested_at": at})
    return _unique(rows, "signal_id", "outcome_id")


def _repeat(draw: st.DrawFn, tables: Tables) -> None:
    """Some rows twice: the same words, perhaps loaded again later."""
    for name in ("message_events", "suppression_events", "signals", "activation_hops", "outcomes"):
        rows = tables[name]
        for row in draw(st.lists(st.sampled_from(rows), max_size=2)) if rows else ():
            loaded = row["loaded_at"] and draw(st.sampled_from((row["loaded_at"], iso(3 * 86_400.0))))
            again = dict(row) | {"loaded_at": loaded and max(loaded, row["loaded_at"])}
            rows.insert(draw(st.integers(0, len(rows))), again)


# ----- as the loader takes them -----


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV with a header; None is empty."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def ndjson_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as one JSON object a line, empty fields left out."""
    return "".join(json.dumps({k: v for k, v in row.items() if v is not None}) + "\n" for row in rows)


def side_by_side(warehouses_: Sequence[Tables]) -> Tables:
    """Many warehouses as one: every id gets its warehouse's number in front (`3:p0`)."""
    out: Tables = {}
    for i, tables in enumerate(warehouses_):
        for name, rows in tables.items():
            if name != "data_watermarks":
                out.setdefault(name, []).extend(_prefixed(row, f"{i}:") for row in rows)
    marks = [row for tables in warehouses_ for row in tables["data_watermarks"]]
    out["data_watermarks"] = marks[:1]
    return out


def _prefixed(row: Row, prefix: str) -> Row:
    return {k: f"{prefix}{v}" if k in IDS and v is not None else v for k, v in row.items()}
