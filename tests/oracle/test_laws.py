"""Laws the brute-force engine itself obeys on random warehouses: a judge that breaks them may judge nobody."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracle import activation, conformance, identity, journeys, suppression
from tests.oracle.engine import Tables, View, world
from tests.oracle.warehouses import END, as_ofs, side_by_side, warehouses

views = st.builds(
    View,
    policy=st.sampled_from(("strict", "industry")),
    identity=st.sampled_from(("truth", "known")),
    clock=st.sampled_from(("effective", "received")),
    as_of=as_ofs,
)
calm = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def everything(tables: Tables, view: View) -> dict[str, Any]:
    """Every figure, in a form that does not depend on the order of rows."""
    w = world(tables, view)
    found = activation.states(w)
    inputs = activation.survival_inputs(found)
    return {
        "states": found,
        "inputs": inputs,
        "curve": activation.aalen_johansen(inputs),
        "episodes": journeys.episodes(w),
        "chains": sorted(journeys.chains(w), key=lambda c: c.signal_id),
        "feedback": journeys.feedback(w),
        "staleness": journeys.staleness(w),
        "value": journeys.value_lost(w),
        "slo": journeys.slo_events(w),
        "violations": suppression.violations(w),
        "near": conformance.near_misses(w),
        "exempt": conformance.exempt(w),
        "clean": conformance.clean_stops(w),
        "consent": conformance.consent(w),
        "over": conformance.over_suppressed(w),
        "resurrected": conformance.resurrected(w),
        "days": conformance.person_days(w),
        "propagation": conformance.propagation(w),
        "coverage": conformance.propagation_coverage(w),
        "at_risk": conformance.at_risk(w),
        "records": identity.records(w),
        "shared": identity.shared_addresses(w),
        "linkage": identity.linkage(w),
        "cross_record": identity.cross_record(w),
    }


@calm
@given(warehouses(), views, st.randoms(use_true_random=False))
def test_order_and_repetition_of_rows_move_nothing(tables, view, chance: random.Random):
    mixed = {name: [*rows, *rows] for name, rows in tables.items()}
    for rows in mixed.values():
        chance.shuffle(rows)
    assert everything(mixed, view) == everything(tables, view)


@calm
@given(warehouses(), views)
def test_every_signal_has_one_state_and_the_curve_accounts_for_all(tables, view):
    w = world(tables, view)
    found = activation.states(w)
    assert sum(activation.counts(found).values()) == len({s["signal_id"] for s in w["signals"]})
    for _, _, naive, active, rival in activation.aalen_johansen(activation.survival_inputs(found)):
        assert 1 - naive >= active
        assert active + rival <= 1


@calm
@given(warehouses(), views)
def test_the_views_of_the_sender_are_parts_of_what_the_person_lived(tables, view):
    def sends(**settings_: str) -> set[str]:
        own = View(policy=view.policy, as_of=view.as_of, **settings_)
        return {v.activation_id for v in suppression.violations(world(tables, own))}

    lived = sends()
    assert sends(identity="known") | sends(clock="received") <= lived
    assert sends(identity="known", clock="received") <= sends(identity="known") & sends(clock="received")
    industry = {v.activation_id for v in suppression.violations(world(tables, View(policy="industry")))}
    assert industry <= {v.activation_id for v in suppression.violations(world(tables))}


@calm
@given(warehouses(), views)
def test_one_more_send_after_an_opt_out_is_one_more_violation(tables, view):
    if view.as_of is not None:
        return
    event = {"suppression_event_id": "Y", "person_id": "new", "trigger_type": "opt_out", "action": "suppress"}
    event |= {"origin_channel": "email", "scope_channels": "*", "scope_purpose": "marketing"}
    event |= {"effective_at": "2026-03-09T09:00:00Z"}
    before = dict(tables) | {"suppression_events": [*tables["suppression_events"], event]}
    send = {"activation_id": "Z", "person_id": "new", "channel": "sms", "purpose": "marketing"}
    sent = {"source": "prov", "event_id": "Z", "activation_id": "Z", "event_type": "sent"}
    sent |= {"event_at": "2026-03-09T09:00:30Z"}
    after = before | {"activations": [*tables["activations"], send]}
    after |= {"message_events": [*tables["message_events"], sent]}
    counts = [len(suppression.violations(world(t, view))) for t in (before, after)]
    assert counts[1] == counts[0] + 1


@settings(calm, max_examples=10)
@given(st.lists(warehouses(end=st.just(float(END))), min_size=2, max_size=4), views)
def test_warehouses_side_by_side_add_up(many, view):
    whole = world(side_by_side(many), view)
    parts = [world(t, view) for t in many]
    total = sum((Counter(activation.counts(activation.states(p))) for p in parts), Counter())
    assert activation.counts(activation.states(whole)) == dict(total)
    assert len(suppression.violations(whole)) == sum(len(suppression.violations(p)) for p in parts)
