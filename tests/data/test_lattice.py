"""Lattice data: the plain engine of tests/oracle finds exactly the figures that the lattice states."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.runtime import open_runtime
from app.settings import Settings
from data import schema
from data.demo import lattice
from data.demo.lattice import EARLY, Lattice, Plants, Slots, plants
from data.load.tables import load_tables
from tests.cases import CASES, needs_cases
from tests.oracle import activation, conformance, identity, suppression
from tests.oracle.engine import Tables, View, World, world

NOW = dt.datetime(2026, 11, 1, 9, 0, tzinfo=dt.UTC)
OTHER = Plants(
    in_window=12, late=2, missed=9, open=1, holdout=4, test=1, no_action=1, unlinked=3, clamped=1, invalid=4, converted=5,
    suppressed=2, duplicate_events=12, duplicate_sends=5, loaded_late=2, breach=3, in_flight=4, same_instant=1, blocked=5,
    transactional=2, withheld=1, re_opt_in=4, resurrected=1, merged_before=3, merged_after=4, slow_intake=1, no_consent=2,
    unproven=1,
)  # fmt: skip


def rows(found: Lattice) -> Tables:
    """Canonical rows as the oracle reads them: ISO times, no NaN."""
    return {
        name: [{k: _plain(v) for k, v in row.items()} for row in t.to_pylist()]
        for name, t in found.tables.items()
    }


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, dt.datetime) else value


def seen(found: Lattice, **view: object) -> World:
    return world(rows(found), View(**view))  # type: ignore[arg-type]


def latencies(found: Lattice) -> np.ndarray:
    """Seconds from scoring to sending of every sent signal, straight from the tables."""
    scored = dict(
        zip(*(found.tables["signals"][c].to_pylist() for c in ("signal_id", "scored_at")), strict=True)
    )
    link = dict(
        zip(
            *(found.tables["activation_signals"][c].to_pylist() for c in ("activation_id", "signal_id")),
            strict=True,
        )
    )
    sent = found.tables["message_events"]
    pairs = zip(sent["activation_id"].to_pylist(), sent["event_at"].to_pylist(), strict=True)
    return np.array([(at - scored[link[a]]).total_seconds() for a, at in pairs])


@needs_cases
def test_the_batch_lattice_is_the_published_one() -> None:
    case = _case("lattice-batch")
    found, took = lattice.batch(), np.sort(latencies(lattice.batch()))
    assert (took <= 3600).sum() == case["in_window"] == 3510
    assert took.mean() == case["mean"] == found.figure("mean_latency").value
    assert took[10_799] == case["median"] == found.figure("activation.latency_median").value
    assert took[19_439] == case["p90"] == found.figure("activation.latency_p90").value
    assert found.figure("activation.in_window_share").value == case["share"]


@needs_cases
def test_the_horizon_and_the_suppression_lattice_are_the_published_ones() -> None:
    case, found = _case("lattice-horizon-bias"), lattice.horizon()
    assert found.figure("activation.latency_median").value == case["km_median_biased"]
    assert found.figure("activation.latency_median", horizon="whole").value == case["truth_median"]
    assert found.figure("activation.in_window_share").value == pytest.approx(
        case["matured_share_biased"], abs=5e-8
    )
    whole = found.figure("activation.in_window_share", horizon="whole").value
    assert whole == pytest.approx(case["whole_cycle_share_truth"], abs=5e-8)
    stops = lattice.suppressions(1440, tuple(s for s in lattice.CASE_SLOTS if s.delay % 60 == 0))
    published = _case("lattice-suppression")["violations"]
    for channel, name in (
        ("email", "email"),
        ("sms", "sms"),
        ("push", "push(2/day)"),
        ("whatsapp", "whatsapp"),
        ("voice", "voice"),
    ):
        assert stops.figure("suppression.violations", channel=channel).value * 60 == published[name]


@pytest.mark.parametrize(
    ("n", "period", "rest", "window", "cycles"),
    [(216, 21_600, 90, 3_600, 1), (50, 3_600, 30, 900, 3), (8, 60, 0, 3_600, 2)],
)
def test_the_plain_engine_finds_the_batch_figures(
    n: int, period: int, rest: int, window: int, cycles: int
) -> None:
    found = lattice.batch(n, period=period, rest=rest, window=window, cycles=cycles)
    w = seen(found)
    states = activation.states(w)
    inside, valid = activation.share_in_window(states)
    assert inside / valid == found.figure("activation.in_window_share").value
    assert valid == len(states) == found.figure("activation.signals").value
    inputs = activation.survival_inputs(states)
    for name, share in (("median", "1/2"), ("p90", "9/10"), ("p95", "19/20")):
        p = activation.Fraction(share)
        assert activation.km_quantile(inputs, p) == pytest.approx(
            found.figure(f"activation.latency_{name}").value, abs=1e-9
        )
    assert latencies(found).mean() == pytest.approx(found.figure("mean_latency").value, abs=1e-9)


def test_the_plain_engine_falls_into_the_trap_of_the_horizon() -> None:
    found = lattice.horizon(120, period=600, window=100, cycles=4)
    states = activation.states(seen(found))
    inside, valid = activation.share_in_window(states)
    assert inside / valid == pytest.approx(found.figure("activation.in_window_share").value)
    median = activation.km_quantile(activation.survival_inputs(states), activation.Fraction(1, 2))
    assert median == found.figure("activation.latency_median").value
    assert median > found.figure("activation.latency_median", horizon="whole").value


def test_the_plain_engine_finds_delay_times_slots_violations() -> None:
    slots = (
        Slots("email", 0),
        Slots("sms", 3_600),
        Slots("push", 7_200, 2),
        Slots("whatsapp", 86_400),
        Slots("voice", 172_800),
    )
    found = lattice.suppressions(24, slots)
    violations = suppression.violations(seen(found))
    by_channel = Counter(v.channel for v in violations)
    for slot in slots:
        assert by_channel[slot.channel] == found.figure("suppression.violations", channel=slot.channel).value
    assert len(violations) == found.figure("suppression.violations").value
    assert (
        sum(v.cross_channel for v in violations) == found.figure("suppression.cross_channel_violations").value
    )


@pytest.mark.parametrize("counts", [Plants(), OTHER], ids=["default", "other"])
def test_the_plain_engine_finds_every_planted_state(counts: Plants) -> None:
    found = plants(counts)
    states = activation.states(seen(found))
    for state, n in activation.counts(states).items():
        assert n == found.figure("activation.signals", state=state).value, state
    assert len(states) == found.figure("activation.signals").value
    inside, valid = activation.share_in_window(states)
    assert inside / valid == pytest.approx(found.figure("activation.in_window_share").value)
    early = activation.share_in_window(activation.states(seen(found, as_of=EARLY)))
    assert early[0] == counts.in_window + counts.clamped
    assert sum(s.clamped for s in states.values()) == counts.clamped


@pytest.mark.parametrize("counts", [Plants(), OTHER], ids=["default", "other"])
@pytest.mark.parametrize(
    "view", [{}, {"identity": "known"}, {"clock": "received"}], ids=["headline", "known", "received"]
)
def test_the_plain_engine_finds_every_planted_violation(counts: Plants, view: dict[str, str]) -> None:
    found = plants(counts)
    w = seen(found, **view)
    violations = suppression.violations(w)
    assert len(violations) == found.figure("suppression.violations", **view).value
    if view:
        return
    assert sum(v.tier == "in_flight" for v in violations) == counts.in_flight
    assert sum(v.cross_channel for v in violations) == counts.breach
    assert sum(not v.known_to_sender for v in violations) == counts.slow_intake
    assert sum(not v.identity_known for v in violations) == counts.merged_after
    assert sum(v.cross_record for v in violations) == counts.merged_before + counts.merged_after
    assert identity.unlinkable(w)[0] == counts.unlinked
    marketing = [a for a, _ in suppression.sends(w) if a["purpose"] == "marketing"]
    assert len(marketing) == found.figure("marketing_sends").value


@pytest.mark.parametrize("counts", [Plants(), OTHER], ids=["default", "other"])
def test_the_plain_engine_finds_the_rest_of_the_conduct(counts: Plants) -> None:
    found = plants(counts)
    w = seen(found)
    clean, mature = conformance.clean_stops(w)
    assert len(clean) / len(mature) == pytest.approx(found.figure("suppression.clean_stop_rate").value)
    assert len(conformance.near_misses(w)) == found.figure("suppression.near_misses").value
    assert len(conformance.over_suppressed(w)) == found.figure("suppression.over_suppression").value
    assert len(conformance.resurrected(w)) == found.figure("suppression.resurrected").value
    sends = found.figure("marketing_sends").value
    consent = conformance.consent(w)
    assert len(consent.gaps) / sends == pytest.approx(found.figure("suppression.consent_gap_rate").value)
    assert len(consent.unproven) == counts.unproven
    assert (
        len({v.person for v in suppression.violations(w)})
        == found.figure("suppression.persons_affected").value
    )


@pytest.mark.parametrize(
    "found",
    [
        lattice.batch(24),
        lattice.horizon(24, cycles=3),
        lattice.suppressions(24, (Slots("sms", 3_600),)),
        plants(),
    ],
    ids=["batch", "horizon", "suppressions", "plants"],
)
def test_the_loader_takes_every_lattice(found: Lattice, tmp_path: Path) -> None:
    lake = open_runtime(Settings(home=tmp_path / "home")).lake
    for file in found.write(tmp_path / "files"):
        for report in load_tables(lake, file.stem, [file], now=NOW):
            assert report.outcome == "loaded", report.message()
            repeated = file.stem == "message_events" and len(found.tables) == 9
            assert report.rows_new == report.rows_read - (Plants().duplicate_events if repeated else 0)


@pytest.mark.parametrize(
    "found", [lattice.batch(24), lattice.suppressions(24, (Slots("sms", 3_600),)), plants()]
)
def test_a_lattice_holds_the_columns_that_its_tables_need(found: Lattice) -> None:
    for name, table in found.tables.items():
        contract = schema.METADATA.tables[name]
        assert {c.name for c in contract.c if not c.info["optional"]} <= set(table.column_names)
        assert set(table.column_names) <= {c.name for c in contract.c}


def test_what_does_not_fall_on_the_lattice_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="whole microseconds"):
        lattice.batch(7, period=11)
    with pytest.raises(ValueError, match="do not divide"):
        lattice.suppressions(24, (Slots("web_push", 30),))
    with pytest.raises(ValueError, match="cannot be negative"):
        Plants(late=-1)
    with pytest.raises(ValueError, match="cannot be more"):
        Plants(in_window=1, duplicate_sends=2)
    with pytest.raises(KeyError, match="no figure"):
        plants().figure("activation.nothing")


def _case(name: str) -> Any:
    cases = json.loads((CASES / "activation_cases.json").read_text())
    return next(c["expected"] for c in cases if c["id"] == name)
