"""Laws of the activation family that no load, order or clock may break, on random warehouses side by side."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from app.measure.refresh import refresh
from app.runtime import Runtime
from metrics import ALL, ROLLUPS
from metrics.core.metric import Reading, Scope
from tests.cases import turns
from tests.compare import differences, everything
from tests.conftest import clock
from tests.laws.activation_homes import harvest, load, loaded
from tests.oracle.draws import END, iso
from tests.oracle.warehouses import Tables, side_by_side

KEYS = [k for k in ALL if k.startswith("activation.")]
MINE = [r for k, r in ROLLUPS.items() if k.startswith("activation.")]
HEADLINES = [
    k for k in KEYS if k != "activation.signals"
]  # the count of all signals counts tests and holdouts too
LOT = max(20, hypothesis.settings().max_examples // 3)
TIMES = ("_at", "_lo", "_hi", "features_as_of", "valid_from", "valid_to", "scheduled_for")
HOUR = dt.timedelta(hours=1, seconds=7)


def refreshed(runtime: Runtime) -> Runtime:
    refresh(MINE, runtime.warehouse, runtime.store, clock)
    return runtime


def headlines(runtime: Runtime, *by: str) -> dict[tuple[object, ...], Reading]:
    return {(k, r.by): r for k in HEADLINES for r in runtime.readings.read(ALL[k], Scope(by=by))}


@pytest.fixture(scope="module")
def tables() -> Tables:
    return side_by_side(harvest(LOT, END, seed=77))


@pytest.fixture(scope="module")
def plain(tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    return refreshed(loaded(tables, tmp_path_factory.mktemp("plain")))


def shifted(tables: Tables, _: random.Random) -> Tables:
    """All clocks an hour and seven seconds later."""

    def later(name: str, value: Any) -> Any:
        if value is None or not name.endswith(TIMES):
            return value
        return (dt.datetime.fromisoformat(value) + HOUR).isoformat()

    return {t: [{n: later(n, v) for n, v in r.items()} for r in rows] for t, rows in tables.items()}


def shuffled(tables: Tables, chance: random.Random) -> Tables:
    return {t: chance.sample(rows, len(rows)) for t, rows in tables.items()}


def doubled(tables: Tables, chance: random.Random) -> Tables:
    """Half of the events twice, the copy known a day later."""
    out = dict(tables)
    for name in ("message_events", "suppression_events", "signals", "activation_hops", "outcomes"):
        again = [r | {"loaded_at": iso(5 * 86_400.0)} for r in tables[name] if chance.random() < 0.5]
        out[name] = [*tables[name], *again]
    return out


def split(tables: Tables, chance: random.Random) -> Tables:
    """Every person as two linked records, the rows dealt out between them."""
    halves: set[str] = set()

    def dealt(row: dict[str, Any]) -> dict[str, Any]:
        person = row.get("person_id")
        if person is None or chance.random() < 0.5:
            return row
        halves.add(person)
        return row | {"person_id": f"{person}~"}

    seen: dict[tuple[str, Any], dict[str, Any]] = {}  # copies of a row must stay copies
    keys = {"signals": "signal_id", "outcomes": "outcome_id", "suppression_events": "suppression_event_id"}
    out = dict(tables)
    for name, key in keys.items():
        person = {}
        for row in tables[name]:
            person[row[key]] = person.get(row[key]) or dealt(row)["person_id"]
        out[name] = [r | {"person_id": person[r[key]]} for r in tables[name]]
        seen |= {(name, k): {"person_id": v} for k, v in person.items()}
    merged = {"merged_at": iso(-86_400.0), "reverted_at": None, "received_at": None, "loaded_at": None}
    links = [{"from_person_id": f"{p}~", "to_person_id": p} | merged for p in sorted(halves)]
    return out | {"person_merges": [*tables["person_merges"], *links]}


def joined_by_others(tables: Tables, _: random.Random) -> Tables:
    """Holdouts and test traffic of other persons."""
    signals, links, activations, events = [], [], [], []
    for i, s in enumerate(tables["signals"][:40]):
        own = {"signal_id": f"new{i}", "person_id": f"new{i}", "features_as_of": None}
        arm = {"is_test": 1} if i % 2 else {"arm": "holdout", "decision": "hold_out", "is_test": 0}
        signals.append(s | own | arm)
        links.append({"signal_id": f"new{i}", "activation_id": f"new{i}"})
        a = tables["activations"][0] | {"activation_id": f"new{i}", "person_id": f"new{i}"}
        activations.append(a | {"is_test": 1, "purpose": "marketing"})
        sent = tables["message_events"][0] | {"event_id": f"new{i}", "activation_id": f"new{i}"}
        events.append(sent | {"event_type": "sent", "provider_code": None})
    added = {
        "signals": signals,
        "activation_signals": links,
        "activations": activations,
        "message_events": events,
    }
    return {t: [*rows, *added.get(t, [])] for t, rows in tables.items()}


@pytest.mark.parametrize(
    "change", [shifted, shuffled, doubled, split, joined_by_others], ids=lambda c: c.__name__
)
def test_no_headline_moves(
    plain: Runtime, tables: Tables, tmp_path: Path, change: Callable[[Tables, random.Random], Tables]
):
    other = refreshed(loaded(change(tables, random.Random(5)), tmp_path))
    assert differences(headlines(plain), headlines(other)) == []


@pytest.mark.parametrize("seed", turns(3))
def test_loads_in_parts_with_a_moving_watermark_give_what_one_load_gives(
    plain: Runtime, tables: Tables, tmp_path: Path, seed: int
):
    chance = random.Random(seed)
    parts: list[Tables] = [{}, {}, {}]
    for name, rows in tables.items():
        if name == "data_watermarks":
            continue
        home: dict[str, int] = {}
        for row in rows:
            word = repr({k: v for k, v in row.items() if k != "loaded_at"})
            parts[home.setdefault(word, chance.randrange(3))].setdefault(name, []).append(row)
    for i, part in enumerate(parts):
        mark = iso(END * (i + 1) / 3)
        part["data_watermarks"] = [{"source": "all", "complete_through_at": mark, "loaded_at": iso(i * 60.0)}]
    runtime = loaded(parts[0], tmp_path)
    refreshed(runtime)
    for part in parts[1:]:
        load(runtime, part, tmp_path)
        refreshed(runtime)
    assert differences(everything(plain, KEYS), everything(runtime, KEYS)) == []
