"""Suppression conformance: the worked example through files and refresh, and random worlds against the slow engine."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from app.measure.cases import case_list
from app.runtime import Runtime, open_runtime
from app.settings import Settings
from metrics import ALL, ROLLUPS
from metrics.core.metric import Reading, Scope
from tests import postgres
from tests.cases import CASES, needs_cases, turns
from tests.compare import differences, everything, headlines
from tests.metrics.homes import brought_up, loaded_into
from tests.metrics.worlds import Figures, Judges, cells, disagreements, many
from tests.oracle import conformance
from tests.oracle import identity as identities
from tests.oracle import suppression as oracle
from tests.oracle.engine import View, World, read_folder
from tests.oracle.warehouses import csv_text

MARCH_10 = dt.datetime(2026, 3, 10, tzinfo=dt.UTC)
OURS = [k for k in ALL if k.startswith(("suppression.", "identity."))]
KEPT = [k for k in OURS if ALL[k].rollup.stored]  # the others are asked of the warehouse each time
ROLLED = [r for k, r in ROLLUPS.items() if k.startswith(("suppression.", "identity."))]


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return json.loads((CASES / "golden" / "expected.json").read_text())


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    tables = {p.stem: p.read_text() for p in sorted((CASES / "golden").glob("*.csv"))}
    return loaded_into(tmp_path_factory.mktemp("golden") / "home", tables, ROLLED)


@pytest.fixture(scope="module")
def q_persons(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    """The persons of the suppression examples only, observed until a month later."""
    tables = {
        name: csv_text([r for r in rows if not str(r.get("person_id", "q")).startswith("p")])
        for name, rows in read_folder(CASES / "golden").items()
        if name not in ("signals", "activation_signals", "activation_hops", "outcomes", "data_watermarks")
    }
    tables["data_watermarks"] = "source,complete_through_at\nall,2026-04-10T00:00:00Z\n"
    return loaded_into(tmp_path_factory.mktemp("q") / "home", tables, ROLLED)


def read(
    runtime: Runtime, key: str, *by: str, as_of: dt.datetime | None = None, **settings: str
) -> list[Reading]:
    scope = Scope(by=by, as_of=as_of, settings=tuple(settings.items()))
    return list(runtime.readings.read(ALL[f"suppression.{key}" if "." not in key else key], scope))


def value(runtime: Runtime, key: str, as_of: dt.datetime | None = None, **settings: str) -> float | None:
    return read(runtime, key, as_of=as_of, **settings)[0].value


def by(readings: list[Reading], dim: str) -> dict[str | None, float | None]:
    return {dict(r.by)[dim]: r.value for r in readings}


@needs_cases
@pytest.mark.parametrize("as_of", [None, MARCH_10])
@pytest.mark.parametrize(
    ("policy", "key"), [("strict", "strict_all_channels"), ("industry", "industry_scope")]
)
def test_the_worked_example_comes_out_through_files_and_refresh(golden, expected, policy, key, as_of):
    want = expected["suppression"][key]
    tiers = by(read(golden, "violations_by_tier", as_of=as_of, policy=policy), "tier")
    assert {
        "violations": value(golden, "violations", as_of, policy=policy),
        "in_flight": tiers["in_flight"],
        "breach": tiers["breach"],
        "cross_channel": value(golden, "cross_channel_violations", as_of, policy=policy),
        "persons": value(golden, "persons_affected", as_of, policy=policy),
        "unknown_to_sender_at_send": value(golden, "intake_lag_violations", as_of, policy=policy),
        "identity_gap": value(golden, "identity_gap_violations", as_of, policy=policy),
    } == want
    assert value(golden, "near_misses", as_of, policy=policy) == len(expected["suppression"]["near_misses"])
    for view in ({"clock": "received"}, {"identity": "known"}):
        assert value(golden, "violations", as_of, policy=policy, **view) == want["violations"] - 1


@needs_cases
@pytest.mark.postgres
def test_postgresql_gives_the_same_digits_and_the_same_lists(golden, pg, tmp_path):
    postgres.mirror(golden.lake, pg, "golden_stops")
    there = Settings(home=tmp_path, warehouse_url=pg, warehouse_schema="golden_stops", person_lists=True)
    twin = brought_up(open_runtime(there), ROLLED)
    assert (
        differences(headlines(golden, OURS), headlines(twin, OURS)) == []
    )  # slices: tests/laws/test_parity.py
    here = replace(golden, settings=replace(golden.settings, person_lists=True))
    for key in ("suppression.violations", "suppression.at_risk_persons"):
        lists = [case_list(runtime, ALL[key], Scope()) for runtime in (here, twin)]
        assert lists[0] == lists[1]
        assert lists[0].rows


@needs_cases
def test_rates_clean_stops_and_consent_of_the_worked_example(q_persons, expected):
    want, consent = expected["suppression"], expected["consent"]
    rate = read(q_persons, "violation_rate")[0]
    assert rate.value == pytest.approx(10_000 * want["violation_rate_per_marketing_send_strict"], abs=0.01)
    assert rate.denominator == want["marketing_sends_q"]
    clean = read(q_persons, "clean_stop_rate")[0]
    assert (clean.value, clean.numerator, clean.n) == (
        want["clean_stop_rate"],
        1,
        want["suppression_events_distinct"],
    )
    gap = read(q_persons, "consent_gap_rate")[0]
    assert (gap.numerator, gap.denominator) == (len(consent["consent_gap_sends"]), consent["marketing_sends"])
    assert value(q_persons, "unproven_consents") == 0


@needs_cases
def test_slices_of_the_worked_example_add_up(golden):
    for dim in ("channel", "campaign_id", "provider", "trigger_type", "origin_channel", "model_id", "day"):
        parts = read(golden, "violations", dim)
        assert sum(r.value or 0 for r in parts) == 15, dim
    assert by(read(golden, "violations", "channel"), "channel") == {
        "email": 8, "push": 1, "sms": 5, "whatsapp": 1,
    }  # fmt: skip
    assert by(read(golden, "persons_affected", "channel"), "channel") == {
        "email": 6, "push": 1, "sms": 4, "whatsapp": 1,
    }  # fmt: skip


@needs_cases
def test_a_young_stop_is_not_yet_clean(golden):
    young = read(golden, "clean_stop_rate")[0]
    assert young.value is None
    assert "30 days" in young.reason


@needs_cases
def test_propagation_is_bounded_by_sends_and_refusals(golden, expected):
    from metrics._suppression_carried import CARRIED

    ((_, cells),) = golden.readings.cells(CARRIED, Scope())
    strict = (cells.policy == 0) & (cells.telling == 1)
    lows = sorted(x for x, n in zip(cells.low[strict], cells.n[strict], strict=True) for _ in range(n) if x)
    assert lows == sorted(expected["suppression"]["propagation_lower_bound_seconds"].values())
    ends = [x for x in cells.high[strict] if x != float("inf")]
    assert ends == list(expected["suppression"]["propagation_upper_bound_seconds"].values())
    median = read(golden, "propagation_median")[0]
    assert median.value is None
    assert median.reason.startswith("not reached")


# ----- deadlines -----

STOPS = (
    "suppression_event_id,person_id,trigger_type,action,origin_channel,scope_channels,scope_purpose,effective_at,"
    "jurisdiction\n"
)
SENDS = "activation_id,person_id,channel,purpose\n"
EVENTS = "source,event_id,activation_id,event_type,event_at\n"


def one_send(folder: Path, stops: str, sent: str) -> Runtime:
    tables = {
        "suppression_events": stops,
        "activations": f"{SENDS}a,p,email,marketing\n",
        "message_events": f"{EVENTS}prov,e,a,sent,{sent}\n",
    }
    return loaded_into(folder / "home", tables, ROLLED)


@pytest.mark.parametrize(
    ("jurisdiction", "trigger", "sent", "tier"),
    [
        ("US", "opt_out", "2026-07-14T03:59:59Z", "breach"),  # the 13th in New York
        ("US", "opt_out", "2026-07-14T04:00:00Z", "past_legal_deadline"),  # 10 July were the holiday ignored
        ("US", "opt_out", "2026-10-20T00:00:00Z", "past_legal_deadline"),
        ("US", "opt_out", "2026-06-26T15:00:30Z", "in_flight"),
        ("DE", "opt_out", "2026-06-26T15:00:30Z", "past_legal_deadline"),  # an objection counts at once
        ("US", "conversion", "2026-10-20T00:00:00Z", "breach"),
        ("", "opt_out", "2026-10-20T00:00:00Z", "breach"),
        ("ZZ", "opt_out", "2026-10-20T00:00:00Z", "breach"),
    ],
)
def test_tiers_follow_the_calendar_of_the_recorded_jurisdiction(tmp_path, jurisdiction, trigger, sent, tier):
    stops = f"{STOPS}x,p,{trigger},suppress,email,*,marketing,2026-06-26T15:00:00Z,{jurisdiction}\n"
    runtime = one_send(tmp_path, stops, sent)
    for as_of in (None, dt.datetime(2026, 10, 25, tzinfo=dt.UTC)):
        assert by(read(runtime, "violations_by_tier", as_of=as_of), "tier") == {tier: 1}
        assert value(runtime, "past_legal_deadline", as_of) == (tier == "past_legal_deadline")


def test_a_later_stop_with_a_law_counts_although_an_earlier_one_has_none(tmp_path):
    stops = (
        f"{STOPS}x,p,manual,suppress,email,*,marketing,2026-06-01T00:00:00Z,US\n"
        "y,p,opt_out,suppress,email,*,marketing,2026-06-02T00:00:00Z,US\n"
    )
    runtime = one_send(tmp_path, stops, "2026-08-01T00:00:00Z")
    assert by(read(runtime, "violations_by_tier"), "tier") == {"past_legal_deadline": 1}
    assert by(read(runtime, "violations", "trigger_type"), "trigger_type") == {"manual": 1}


# ----- incremental refresh -----


def in_two(rows: list[dict[str, Any]], part: int) -> list[dict[str, Any]]:
    return [r for i, r in enumerate(rows) if i % 2 == part]


@pytest.mark.parametrize("seed", turns(3, 0))  # each time: tests/laws/test_suppression_laws.py, in batches
def test_loading_in_two_parts_with_a_refresh_between_changes_no_digit(tmp_path, seed):
    tables = many(seed, 12)
    texts = {n: csv_text(rows) for n, rows in tables.items() if rows}
    whole = loaded_into(tmp_path / "whole" / "home", texts, ROLLED)
    parts = None
    for part in (0, 1):
        some = {n: csv_text(in_two(rows, part)) for n, rows in tables.items() if in_two(rows, part)}
        parts = loaded_into(tmp_path / "parts" / "home", some, ROLLED, parts)
    assert parts is not None
    assert differences(everything(whole, KEPT), everything(parts, KEPT)) == []
    before = everything(parts, KEPT)
    fresh = open_runtime(Settings(home=parts.settings.home))
    assert differences(before, everything(brought_up(fresh, ROLLED, full=True), KEPT)) == []


# ----- random worlds -----


def asked(w: World) -> dict[str, Any]:
    """The cells of every rollup: they hold all eight views."""
    return {k: c.get(()) for k, c in cells(w, ROLLED).items()}


def sql_figures(found: dict[str, Any], view: View) -> Figures:
    settings = {"policy": view.policy, "identity": view.identity, "clock": view.clock}

    def parts(key: str, **more: str) -> tuple[float, float]:
        metric = ALL[key]
        if found[metric.rollup.key] is None:
            return 0, 0
        names = {s.name for s in metric.settings}
        chosen = tuple((n, v) for n, v in (settings | more).items() if n in names)
        e = metric.finalise(found[metric.rollup.key], metric.choice(chosen))
        return e.numerator or 0, e.denominator or 0

    told = {k: parts(k)[0] for k in COUNTED}
    told |= {f"{k} of": parts(k)[1] for k in SHARED}
    told |= {f"risk {k}": parts("suppression.at_risk_persons", kind=k)[0] for k in ("any", "soft", "hard")}
    return told | {"delays": _delays(found["suppression.carried"], view.policy)}


def _delays(carried: Any, policy: str) -> list[tuple[float, float]]:
    if carried is None:
        return []
    kept = (carried.policy == ["strict", "industry"].index(policy)) & (carried.telling == 1)
    rows = zip(carried.low[kept], carried.high[kept], carried.n[kept], strict=True)
    return [(lo, hi) for lo, hi, n in rows for _ in range(n)]


COUNTED = [
    f"suppression.{k}"
    for k in "violations violation_rate cross_channel_violations persons_affected intake_lag_violations"
    " identity_gap_violations near_misses clean_stop_rate resurrected propagation_coverage consent_gap_rate"
    " unproven_consents over_suppression violation_rate_person_days".split()
] + ["identity.cross_record_violations", "identity.unlinkable_share"]
SHARED = [
    f"suppression.{k}"
    for k in "violation_rate clean_stop_rate propagation_coverage consent_gap_rate violation_rate_person_days".split()
] + ["identity.unlinkable_share"]


def engine_figures(w: World) -> Figures:
    def seen(**other: str) -> World:
        return replace(w, view=replace(w.view, **other), _past={})

    found, sends, stops = oracle.violations(w), conformance.marketing_sends(w), conformance.clean_stops(w)
    consent, days = conformance.consent(w), conformance.person_days(w)
    headline = seen(identity="truth", clock="effective")
    pairs = conformance.propagation(headline)
    soft, hard = conformance.at_risk(seen(identity="truth"))
    told = dict(zip(COUNTED, [
        len(found), sum(v.marketing for v in found), sum(v.cross_channel for v in found),
        len({v.person for v in found}),
        *(len(oracle.violations(seen(**{k: a}))) - len(oracle.violations(seen(**{k: b}))) for k, a, b in GAPS),
        len(conformance.near_misses(w)), len(stops[0]), len(conformance.resurrected(w)),
        conformance.propagation_coverage(headline)[0], len(consent.gaps), len(consent.unproven),
        len(conformance.over_suppressed(w)), len(found) if days > 0 else 0,
        sum(v.cross_record for v in found), identities.unlinkable(w)[0],
    ], strict=True))  # fmt: skip
    told |= dict(zip((f"{k} of" for k in SHARED), [
        len(sends), len(stops[1]), conformance.propagation_coverage(headline)[1], len(sends), days,
        identities.unlinkable(w)[1],
    ], strict=True))  # fmt: skip
    told |= {"risk any": len(soft | set(hard)), "risk soft": len(soft), "risk hard": len(hard)}
    delays = [
        (float(round(lo)), float("inf") if hi is None else float(round(hi))) for lo, hi in pairs.values()
    ]
    return told | {"delays": delays}


GAPS = (("clock", "effective", "received"), ("identity", "truth", "known"))


VIEWS = tuple(
    View(policy=policy, identity=identity, clock=clock)
    for policy, identity, clock in itertools.product(
        ("strict", "industry"), ("truth", "known"), ("effective", "received")
    )
)


def test_random_worlds_agree_with_the_slow_engine_in_all_eight_views():
    judges = Judges(asked, sql_figures, engine_figures)
    assert disagreements(judges, VIEWS, hypothesis.settings().max_examples) is None
