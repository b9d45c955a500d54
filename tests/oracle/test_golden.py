"""The brute-force engine gives every figure of the worked warehouse: it may then judge the product."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from typing import Any

import pytest

from tests.cases import CASES, needs_cases
from tests.oracle import activation, conformance, identity, journeys, suppression
from tests.oracle.engine import View, World, read_folder, world

pytestmark = needs_cases
MARCH_10, MARCH_12 = "2026-03-10T00:00:00Z", "2026-03-12T00:00:00Z"


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return json.loads((CASES / "golden" / "expected.json").read_text())


def golden(**settings: Any) -> World:
    return world(read_folder(CASES / "golden"), View(**({"as_of": MARCH_10} | settings)))


def q_persons(end: str = MARCH_10) -> World:
    """The persons of the suppression examples only, as `marketing_sends_q` counts them, observed until `end`."""
    tables = {
        name: [r for r in rows if not str(r.get("person_id", "q")).startswith("p")]
        for name, rows in read_folder(CASES / "golden").items()
    }
    tables["data_watermarks"] = [{"source": "all", "complete_through_at": end}]
    return world(tables, View(as_of=end))


@pytest.mark.parametrize("as_of", [MARCH_10, MARCH_12])
def test_states_add_up_and_the_share_is_restated_after_a_late_row(expected, as_of):
    want = expected["activation"][f"as_of_{as_of[:10]}"]
    found = activation.states(golden(as_of=as_of))
    assert activation.counts(found) == want["states"]
    share = want["share_in_window"]
    assert activation.share_in_window(found) == (share["num"], share["den"])
    assert sum(activation.counts(found).values()) == 19


def test_survival_with_and_without_competing_events(expected):
    inputs = activation.survival_inputs(activation.states(golden()))
    rows = {str(int(t)): r for t, *r in activation.aalen_johansen(inputs)}
    naive = expected["activation"]["km_naive_competing_as_censored"]
    assert (len(inputs), sum(what == "activated" for _, what in inputs)) == (naive["n"], naive["events"])
    assert activation.km_quantile(inputs, Fraction(1, 2)) == naive["median"]
    for t, s in naive["S"].items():
        assert float(rows[t][1]) == pytest.approx(s, abs=1e-6)
    assert set(rows) == set(expected["activation"]["aalen_johansen"])
    for t, want in expected["activation"]["aalen_johansen"].items():
        assert rows[t][0] == want["at_risk"]
        assert float(rows[t][2]) == pytest.approx(want["cif_activated"], abs=1e-6)
        assert float(rows[t][3]) == pytest.approx(want["cif_competing"], abs=1e-6)


def test_latencies_episodes_hops_opens_and_value(expected):
    want, w = expected["activation"], golden()
    found = activation.states(w)
    got = sorted(s.latency for s in found.values() if s.state in {"in_window", "late"})
    assert got == want["latencies_sorted_seconds"]
    assert [s.signal_id for s in found.values() if s.clamped] == ["S09"]
    episode = {ids[0]: (ids, s) for ids, s in journeys.episodes(w)}["S13a"]
    assert episode[0] == ["S13a", "S13b"]
    assert episode[1].latency == want["episode_mode_latency_p13_seconds"]
    chain = next(c for c in journeys.chains(w) if c.signal_id == "S01")
    assert {f"{a}->{b}": s for (a, b), s in chain.steps.items()} == want["hop_seconds_S01"]
    manual = want["manual_share_scored_to_sent_S01"]
    assert journeys.manual_share(w) == (manual["manual_seconds"], manual["total_seconds"], 1, 1)
    assert journeys.complete_share(w) == (1, 8)
    assert journeys.human_opens(w, "A01") == want["human_opens_A01"]
    lost, n, unknown = journeys.value_lost(w)
    step = want["value_lost_step"]
    assert (lost, n, unknown) == ({"USD": step["value"]}, step["late_plus_missed"], 0)
    assert (7200.0, True) in journeys.feedback(w)[0]


@pytest.mark.parametrize(
    ("policy", "key"), [("strict", "strict_all_channels"), ("industry", "industry_scope")]
)
def test_violations_by_tier_channel_and_view(expected, policy, key):
    want = expected["suppression"][key]
    found = suppression.violations(golden(policy=policy))
    assert {
        "violations": len(found),
        "in_flight": sum(v.tier == "in_flight" for v in found),
        "breach": sum(v.tier == "breach" for v in found),
        "cross_channel": sum(v.cross_channel for v in found),
        "persons": len({v.person for v in found}),
        "unknown_to_sender_at_send": sum(not v.known_to_sender for v in found),
        "identity_gap": sum(not v.identity_known for v in found),
    } == want
    for view in ({"clock": "received"}, {"identity": "known"}):
        assert len(suppression.violations(golden(policy=policy, **view))) == want["violations"] - 1


def test_the_list_of_violations_and_what_is_none(expected):
    want, w = expected["suppression"], golden()
    found = suppression.violations(w)
    names = want["violation_list_strict"][0].keys()
    assert [{n: getattr(v, n) for n in names} for v in found] == want["violation_list_strict"]
    assert [[m.activation_id, m.delay_s] for m in conformance.near_misses(w)] == want["near_misses"]
    assert conformance.exempt(w) == want["exempt"]
    assert [v.activation_id for v in found if v.cross_record] == ["B7a", "B7b"]


def test_rates_clean_stops_and_propagation(expected):
    want, w = expected["suppression"], q_persons()
    sends = len(conformance.marketing_sends(w))
    assert sends == want["marketing_sends_q"]
    rate = sum(v.marketing for v in suppression.violations(w)) / sends
    assert rate == pytest.approx(want["violation_rate_per_marketing_send_strict"], abs=1e-6)
    clean, matured = conformance.clean_stops(q_persons("2026-04-10T00:00:00Z"))
    assert (clean, len(matured)) == (want["clean_stop_events"], want["suppression_events_distinct"])
    bounds = {f"{e}/{c}": b for (e, c), b in conformance.propagation(w).items()}
    assert {k: lo for k, (lo, _) in bounds.items() if lo} == want["propagation_lower_bound_seconds"]
    assert {k: hi for k, (_, hi) in bounds.items() if hi} == want["propagation_upper_bound_seconds"]


def test_no_stop_is_matured_on_the_day_after():
    assert conformance.clean_stops(golden()) == ([], [])


def test_consent_gaps_are_not_cured_by_later_consent(expected):
    want = expected["consent"]
    found = conformance.consent(q_persons())
    assert (found.sends, found.gaps) == (want["marketing_sends"], want["consent_gap_sends"])
    assert (len(found.persons), found.unproven) == (want["persons_with_gap"], [])


def test_labelled_records_have_500_entities_and_500_pairs_and_a_rule_finds_450_of_them():
    with (CASES / "identity" / "febrl_dataset1.csv").open(newline="") as file:
        rows = [{k.strip(): v.strip() for k, v in r.items()} for r in csv.DictReader(file)]
    truth = {r["rec_id"]: r["rec_id"].split("-")[1] for r in rows}
    person = {r["rec_id"]: r["soc_sec_id"] for r in rows}
    found = identity.score(person, truth)
    assert (len(truth), found.entities, found.actual) == (1000, 500, 500)
    assert (found.true_positives, found.predicted, found.recall) == (450, 450, Fraction(9, 10))
