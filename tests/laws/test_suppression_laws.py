"""Laws of suppression and identity that no load, order, clock or linking may break, on random warehouses side by side."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from app.runtime import Runtime
from metrics import ALL, ROLLUPS
from metrics.core.metric import Metric, Reading, Scope
from tests.cases import turns
from tests.compare import differences, everything
from tests.laws.activation_homes import Judged, harvest, load, loaded, moment
from tests.laws.test_activation_refresh import doubled, joined_by_others, shifted, shuffled, split
from tests.metrics.homes import brought_up
from tests.oracle import conformance
from tests.oracle import suppression as oracle
from tests.oracle.draws import LATER, iso
from tests.oracle.warehouses import Tables, side_by_side

FAMILIES = ("suppression.", "identity.")
KEYS = [k for k in ALL if k.startswith(FAMILIES)]
KEPT = [k for k in KEYS if ALL[k].rollup.stored]
MINE = [r for k, r in ROLLUPS.items() if k.startswith(FAMILIES)]
LOT = max(16, hypothesis.settings().max_examples // 4)
VIEWS = [
    {"policy": p, "identity": i, "clock": c}
    for p in ("strict", "industry")
    for i in ("truth", "known")
    for c in ("effective", "received")
]
# What a change is about may move; everything else may not.
ABOUT_RECORDS = {"identity.records_per_person", "identity.cross_record_violations"}
OF_OTHERS = ("n", "denominator")


def settings(metric: Metric[Any], view: dict[str, str]) -> tuple[tuple[str, str], ...]:
    names = {s.name for s in metric.settings}
    return tuple((n, v) for n, v in view.items() if n in names)


def headlines(
    runtime: Runtime, views: Iterable[dict[str, str]] = ({}, VIEWS[7]), but: Iterable[str] = ()
) -> dict[tuple[object, ...], Reading]:
    found = {}
    for view in views:
        for key in sorted(set(KEYS) - set(but)):
            asked = Scope(settings=settings(ALL[key], view))
            found |= {(key, asked.settings, r.by): r for r in runtime.readings.read(ALL[key], asked)}
    return found


@pytest.fixture(scope="module")
def tables() -> Tables:
    return side_by_side(harvest(LOT, LATER, seed=78))


@pytest.fixture(scope="module")
def plain(tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    return brought_up(loaded(tables, tmp_path_factory.mktemp("plain")), MINE)


def test_the_random_warehouses_hold_every_trap(tables: Tables):
    actions = {r["action"] for r in tables["suppression_events"]}
    assert actions == {"suppress", "release"}
    assert any(r["reverted_at"] for r in tables["person_merges"])
    assert any(not r["reverted_at"] for r in tables["person_merges"])
    assert any(r["is_test"] for r in tables["activations"])
    assert any(r["arm"] == "holdout" for r in tables["signals"])
    assert any(r["loaded_at"] for r in tables["message_events"])
    events = [r["event_id"] for r in tables["message_events"]]
    assert len(events) > len(set(events))


@pytest.mark.parametrize("change", [shifted, shuffled, doubled], ids=lambda c: c.__name__)
def test_no_headline_moves(
    plain: Runtime, tables: Tables, tmp_path: Path, change: Callable[[Tables, random.Random], Tables]
):
    other = brought_up(loaded(change(tables, random.Random(5)), tmp_path), MINE)
    assert differences(headlines(plain), headlines(other)) == []


def dealt(tables: Tables, chance: random.Random) -> Tables:
    """Every person's stops, signals and outcomes split over two records that were linked from the start.

    A stop that names no record of its own names the one it came with, so that records stay what they were.
    """
    named = [{"record_id": r["person_id"], **r} for r in tables["suppression_events"]]
    return split(tables | {"suppression_events": named}, chance)


def test_splitting_a_person_into_two_linked_records_moves_no_headline(plain, tables, tmp_path):
    other = brought_up(loaded(dealt(tables, random.Random(6)), tmp_path), MINE)
    but = {*ABOUT_RECORDS}
    assert differences(headlines(plain, but=but), headlines(other, but=but)) == []


def test_holdouts_and_test_traffic_of_others_move_no_headline(plain, tables, tmp_path):
    """Their signals do name persons, so the share that names none is over more signals; its numerator stays."""
    added = joined_by_others(tables, random.Random(7))
    other = brought_up(loaded(added, tmp_path), MINE)
    but = {"identity.unlinkable_share"}
    assert differences(headlines(plain, but=but), headlines(other, but=but)) == []
    before, after = (r.readings.read(ALL["identity.unlinkable_share"], Scope())[0] for r in (plain, other))
    assert before.numerator == after.numerator


def one_more(tables: Tables, person: str, at: str, stop: dict[str, Any], *, test: int = 0) -> Tables:
    """One send more, to somebody never seen before, after a stop of theirs (or exactly at it)."""
    a = {
        "activation_id": "extra",
        "person_id": person,
        "channel": "sms",
        "purpose": "marketing",
        "is_test": test,
    }
    e = {
        "source": "prov",
        "event_id": "extra",
        "activation_id": "extra",
        "event_type": "sent",
        "event_at": at,
    }
    added = {"activations": [a], "message_events": [e], "suppression_events": [stop]}
    return {t: [*rows, *added.get(t, [])] for t, rows in tables.items()}


@pytest.mark.parametrize(
    ("after", "test", "more"), [(1.0, 0, 1), (0.000001, 0, 1), (0.0, 0, 0), (-1.0, 0, 0), (1.0, 1, 0)]
)
def test_one_more_send_after_an_opt_out_is_one_more_violation(plain, tables, tmp_path, after, test, more):
    stop = next(s for s in tables["suppression_events"] if s["action"] == "suppress") | {
        "suppression_event_id": "extra", "person_id": "newcomer", "record_id": None, "trigger_type": "opt_out",
        "effective_at": iso(0.0), "received_at": iso(0.0), "scope_channels": "*", "scope_purpose": "marketing",
        "scope_program": None, "expires_at": None,
    }  # fmt: skip
    with_send = one_more(tables, "newcomer", iso(after), stop, test=test)
    other = brought_up(loaded(with_send, tmp_path), MINE)
    for view in VIEWS:
        metric = ALL["suppression.violations"]
        before, now = (
            r.readings.read(metric, Scope(settings=settings(metric, view)))[0].value for r in (plain, other)
        )
        assert (now or 0) - (before or 0) == more, view


# ----- as it was known -----


@pytest.mark.parametrize("as_of", [iso(600.0), iso(86_400.0), iso(LATER)])
def test_a_past_view_is_what_the_slow_engine_says_was_known_then(plain, as_of):
    parts = harvest(LOT, LATER, seed=78)
    judged = Judged(plain, tuple(parts), moment(as_of))
    worlds = judged.worlds()
    asked = [conformance.consent(w) for w in worlds]
    stops = [conformance.clean_stops(w) for w in worlds]
    risks = [conformance.at_risk(w) for w in worlds]
    found = [oracle.violations(w) for w in worlds]
    wanted = {
        "suppression.violations": sum(len(v) for v in found),
        "suppression.persons_affected": sum(len({x.person for x in v}) for v in found),
        "suppression.near_misses": sum(len(conformance.near_misses(w)) for w in worlds),
        "suppression.clean_stop_rate": sum(len(s[0]) for s in stops),
        "suppression.consent_gap_rate": sum(len(c.gaps) for c in asked),
        "suppression.over_suppression": sum(len(conformance.over_suppressed(w)) for w in worlds),
        "suppression.at_risk_persons": sum(len(soft | set(hard)) for soft, hard in risks),
    }
    scope = Scope(as_of=judged.as_of)
    told = {k: plain.readings.read(ALL[k], scope)[0].numerator or 0 for k in wanted}
    assert told == wanted


# ----- incremental = full -----


def in_batches(tables: Tables, parts: int, chance: random.Random) -> list[Tables]:
    """The rows dealt out at random, copies of a row too: a copy may come before or after the row it repeats."""
    batches: list[Tables] = [{} for _ in range(parts)]
    for name, rows in tables.items():
        for row in rows if name != "data_watermarks" else ():
            batches[chance.randrange(parts)].setdefault(name, []).append(row)
    for i, batch in enumerate(batches):
        mark = iso(LATER * (i + 1) / parts)
        batch["data_watermarks"] = [
            {"source": "all", "complete_through_at": mark, "loaded_at": iso(i * 60.0)}
        ]
    return batches


@pytest.mark.parametrize("seed", turns(4))
def test_loading_in_random_batches_with_a_refresh_after_each_gives_what_one_load_gives(
    plain: Runtime, tables: Tables, tmp_path: Path, seed: int
):
    chance = random.Random(seed)
    first, *others = in_batches(tables, chance.choice((2, 3, 5)), chance)
    runtime = brought_up(loaded(first, tmp_path), MINE)
    for batch in others:
        load(runtime, batch, tmp_path)
        brought_up(runtime, MINE)
    assert differences(everything(plain, KEPT), everything(runtime, KEPT)) == []
    again = {k: runtime.store.files(k) for k in {ALL[key].rollup.key for key in KEPT}}
    assert all(again.values())


@pytest.mark.parametrize(
    "last", ["person_merges", "suppression_events", "message_events", "consents", "signals"]
)
def test_a_table_that_comes_last_moves_the_days_it_speaks_of(
    plain: Runtime, tables: Tables, tmp_path: Path, last: str
):
    """Merges, stops and sends that arrive after everything else reach back to the days they change."""
    early = {n: rows for n, rows in tables.items() if n != last}
    runtime = brought_up(loaded(early, tmp_path), MINE)
    half = len(tables[last]) // 2
    for rows in (tables[last][:half], tables[last][half:]):
        load(runtime, {last: rows}, tmp_path)
        brought_up(runtime, MINE)
    assert differences(everything(plain, KEPT), everything(runtime, KEPT)) == []
