"""The activation family against the brute-force engine, and laws that no load may break."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import numpy as np
import pytest
import sqlalchemy as sa

from data.sql import Facts
from metrics import _activation_continuity
from metrics._activation_episodes import episode_states
from metrics._activation_feedback import FEEDBACK, INVALID, STALENESS, WaitCells
from metrics._activation_figures import complete_chain_share, manual_share, manual_signals_share, value_lost
from metrics._activation_hop_cells import ChainCells, StepCells
from metrics._activation_hops import CHAINS, STEPS
from metrics._activation_hours import HOURS
from metrics._activation_slo import DUE, DueCells
from metrics._activation_states import STATE_CELLS, STATES, StateCells, resolved_states
from metrics.core.contact import NEVER
from metrics.core.metric import Choice
from tests.laws.activation_homes import Judged, harvest
from tests.oracle import activation, journeys
from tests.oracle import continuity as oracle_continuity
from tests.oracle.draws import END, GRID, LATER, iso
from tests.oracle.engine import SECOND

ENDS = (END, 20 * GRID, LATER, None)
VIEWS: tuple[tuple[float | None, float | None], ...] = (  # observation end, as of
    (END, None), (END, 10 * GRID), (20 * GRID, None), (20 * GRID, 20 * GRID), (LATER, END), (LATER, LATER), (None, None),
    (None, END),
)  # fmt: skip
EXAMPLES = max(40, hypothesis.settings().max_examples * 10 // 3)  # 200 by default, over 6,600 when fuzzing
NONE = Choice()
EXACT = {"rel": 1e-10, "abs": 0.5}  # whole counts, and sums of microseconds to the digits of a float


@pytest.fixture(scope="module")
def batches(tmp_path_factory: pytest.TempPathFactory) -> dict[float | None, Judged]:
    """So many warehouses of each observation end, each lot in one home."""
    lots = {end: harvest(EXAMPLES // len(ENDS), end, seed=i) for i, end in enumerate(ENDS)}
    return {end: Judged.of(parts, tmp_path_factory.mktemp("judged")) for end, parts in lots.items()}


@pytest.fixture(scope="module", params=VIEWS, ids=str)
def judged(batches: dict[float | None, Judged], request: pytest.FixtureRequest) -> Judged:
    end, as_of = request.param
    return batches[end].at(iso(as_of))


def numbered(judged: Judged) -> Iterator[tuple[str, Any]]:
    """Each warehouse's prefix and world."""
    for i, w in enumerate(judged.worlds()):
        yield f"{i}:", w


def us(seconds: float) -> int:
    return round(seconds * SECOND)


def test_episodes_have_the_state_and_the_time_of_the_oracle(judged: Judged):
    want = {p + ids[0]: told(p, s) for p, w in numbered(judged) for ids, s in journeys.episodes(w)}
    got = states_by_sql(judged, episode_states)
    wrong = {k: (got.get(k), want.get(k)) for k in want.keys() | got.keys() if got.get(k) != want.get(k)}
    assert not wrong, dict(list(wrong.items())[:5])


def states_by_sql(
    judged: Judged, resolve: Callable[[Facts], sa.Subquery] = resolved_states
) -> dict[str, tuple[object, ...]]:
    """signal_id -> (state, latency or competing time, clamped, first activation, channel, campaign)."""
    rows = resolve(judged.facts(STATE_CELLS))
    c = judged.columns(STATE_CELLS, rows.select())
    found = {}
    for i, name in enumerate(c["signal_id"]):
        state = STATES[int(c["code"][i])]
        sent, rival, scored = (int(c[k][i]) for k in ("sent_us", "rival_us", "us"))
        time = None
        if state in {"in_window", "late"}:
            time = max(0, sent - scored)
        elif state == "invalid_negative":
            time = sent - scored
        elif state.startswith("competing"):
            time = max(0, rival - scored)
        seen = sent < NEVER and not state.startswith(("excluded", "unlinked"))
        first = tuple(c[k][i] if seen else None for k in ("activation_id", "channel", "campaign_id"))
        found[str(name)] = (state, time, state == "in_window" and sent < scored, *first)
    return found


def told(prefix: str, s: activation.State) -> tuple[object, ...]:
    """A state of the oracle in the words of `states_by_sql`."""
    time = s.latency if s.latency is not None else s.competing
    first = None if s.first_activation_id is None else prefix + s.first_activation_id
    return s.state, None if time is None else us(time), s.clamped, first, s.channel, s.campaign_id


def states_by_oracle(judged: Judged) -> dict[str, tuple[object, ...]]:
    return {p + name: told(p, s) for p, w in numbered(judged) for name, s in activation.states(w).items()}


def test_every_signal_has_the_state_the_time_and_the_first_send_of_the_oracle(judged: Judged):
    want, got = states_by_oracle(judged), states_by_sql(judged)
    wrong = {k: (got.get(k), want.get(k)) for k in want.keys() | got.keys() if got.get(k) != want.get(k)}
    assert not wrong, dict(list(wrong.items())[:5])


def test_survival_cells_hold_every_time_once(judged: Judged):
    cells = StateCells.of(judged.cells(STATE_CELLS))
    got: Counter[tuple[str, int]] = Counter()
    kept = cells.seconds >= 0
    for name, state in (("activated", ("in_window", "late")), ("censored", ("open", "missed")),
                        ("competing", ("competing_suppressed", "competing_converted"))):  # fmt: skip
        rows = kept & np.isin(cells.state, state)
        got[name, 0] = int(cells.n[rows].sum())
        got[name, 1] = us(float((cells.n[rows] * cells.seconds[rows]).sum()))
    want: Counter[tuple[str, int]] = Counter(
        {(n, k): 0 for n in ("activated", "censored", "competing") for k in (0, 1)}
    )
    counts: Counter[str] = Counter()
    for _, w in numbered(judged):
        found = activation.states(w)
        counts.update(activation.counts(found))
        for seconds, what in activation.survival_inputs(found):
            want[what, 0] += 1
            want[what, 1] += us(seconds)
    assert got == pytest.approx(want, **EXACT)
    assert {s: int(cells.n[cells.state == s].sum()) for s in set(cells.state)} == dict(counts)


def test_value_lost_is_the_expected_value_of_late_and_missed_signals(judged: Judged):
    lost = [journeys.value_lost(w) for _, w in numbered(judged)]
    found = value_lost(StateCells.of(judged.cells(STATE_CELLS)), NONE)
    if found.value is not None:
        assert found.value == pytest.approx(sum(sum(v.values()) for v, _, _ in lost), rel=1e-12)
    assert found.n == sum(n for _, n, _ in lost)


def test_signals_count_for_the_objective_in_the_minute_their_answer_was_due(judged: Judged):
    cells = DueCells.of(judged.cells(DUE))
    got: Counter[tuple[int, bool]] = Counter()
    for minute, good, bad in zip(cells.minute, cells.good, cells.bad, strict=True):
        got[int(minute), True] += int(good)
        got[int(minute), False] += int(bad)
    want = Counter(
        (at // (60 * SECOND), ok) for _, w in numbered(judged) for at, ok in journeys.slo_events(w)
    )
    assert +got == want


def test_steps_of_the_chains_are_those_of_the_oracle(judged: Judged):
    cells = StepCells.of(judged.cells(STEPS))
    got: Counter[tuple[str, str]] = Counter()
    for hop in set(cells.hop):
        rows = cells.hop == hop
        got[hop, "n"] = int(cells.n[rows].sum())
        got[hop, "inverted"] = int(cells.inverted[rows].sum())
        got[hop, "us"] = us(float((cells.n[rows] * cells.seconds[rows]).sum()))
    want: Counter[tuple[str, str]] = Counter()
    for _, w in numbered(judged):
        for chain in journeys.chains(w):
            for (a, b), seconds in chain.steps.items():
                want[f"{a}->{b}", "n"] += 1
                want[f"{a}->{b}", "us"] += us(seconds)
            want.update((f"{a}->{b}", "inverted") for a, b in chain.inverted)
    assert +got == pytest.approx(+want, **EXACT)


def test_complete_chains_and_manual_waits_are_those_of_the_oracle(judged: Judged):
    chains = [c for _, w in numbered(judged) for c in journeys.chains(w)]
    if not chains:
        return
    held = [{h for step in (*c.steps, *c.inverted) for h in step} & set(activation.TO_SENT) for c in chains]
    occurring = set().union(*held)
    broken = [any(to in activation.TO_SENT for _, to in c.inverted) for c in chains]
    full = sum(h == occurring and not b for h, b in zip(held, broken, strict=True))
    cells = ChainCells.of(judged.cells(CHAINS))
    share = complete_chain_share(cells, NONE)
    assert (share.numerator, share.denominator) == (full, len(chains))
    seen = [c for c in chains if c.observed]
    manual, worked = (manual_share(cells, Choice((("hours", c),))) for c in HOURS.choices)
    signals = manual_signals_share(cells, NONE)
    assert manual.n == len(seen)
    assert signals.n == len(seen)
    if manual.value is not None:
        assert manual.numerator == pytest.approx(sum(c.manual_seconds for c in seen))
        assert manual.denominator == pytest.approx(sum(c.total_seconds for c in seen))
    if worked.value is not None:
        assert worked.numerator == pytest.approx(sum(c.manual_worked for c in seen))
        assert worked.denominator == pytest.approx(sum(c.total_worked for c in seen))
    else:
        assert sum(c.total_worked for c in seen) == 0
    if seen:
        assert signals.numerator == sum(c.has_manual for c in seen)


def waits(cells: WaitCells) -> Counter[str]:
    got: Counter[str] = Counter({"invalid": int(cells.n[cells.code == INVALID].sum())})
    for name, code in (("reached", 1), ("waiting", 0)):
        rows = cells.code == code
        got[name] = int(cells.n[rows].sum())
        got[name + " us"] = us(float((cells.n[rows] * cells.seconds[rows]).sum()))
    return got


def test_feedback_waits_are_those_of_the_oracle(judged: Judged):
    cells = judged.cells(FEEDBACK)
    want: Counter[str] = Counter()
    for _, w in numbered(judged):
        w.end = int(cells["observed_us"][0])  # this measure uses feedback events too, so their end counts
        inputs, invalid = journeys.feedback(w)
        want["invalid"] += invalid
        for seconds, reached in inputs:
            name = "reached" if reached else "waiting"
            want[name] += 1
            want[name + " us"] += us(seconds)
    assert +waits(WaitCells.of(cells)) == pytest.approx(+want, **EXACT)


def test_the_age_of_the_data_behind_a_score_is_that_of_the_oracle(judged: Judged):
    want: Counter[str] = Counter()
    for _, w in numbered(judged):
        ages, invalid = journeys.staleness(w)
        want["invalid"] += invalid
        want["reached"] += len(ages)
        want["reached us"] += sum(us(a) for a in ages)
    assert +waits(WaitCells.of(judged.cells(STALENESS))) == pytest.approx(+want, **EXACT)


def concerned(judged: Judged) -> tuple[Counter[str], dict[tuple[str, int], bool]]:
    """How signals in degraded time fared, and the quarters judged, by the oracle; one attempt judges a quarter at once."""
    worlds = [w for _, w in numbered(judged)]
    quarters = oracle_continuity.quarters(worlds, _activation_continuity.OBJECTIVE, 1, 0)
    want: Counter[str] = Counter()
    for w in worlds:
        want.update(oracle_continuity.fates(w, quarters))
    return want, quarters


def test_continuity_is_that_of_the_oracle(judged: Judged, monkeypatch):
    monkeypatch.setattr(_activation_continuity, "FEWEST", 1)
    monkeypatch.setattr(_activation_continuity, "SETTLED_US", 0)
    want, quarters = concerned(judged)
    cells = _activation_continuity.ContinuityCells.of(judged.cells(_activation_continuity.CONTINUITY))
    fates = enumerate(("rerouted", "same", "stranded"))
    assert {name: int(cells.n[cells.fate == i].sum()) for i, name in fates} == {
        name: want[name] for name in ("rerouted", "same", "stranded")
    }
    found = _activation_continuity.DegradedCells.of(judged.cells(_activation_continuity.DEGRADED))
    assert (int(found.judged.sum()), int(found.degraded.sum())) == (len(quarters), sum(quarters.values()))


def test_random_warehouses_have_signals_in_degraded_time(batches):
    assert set(concerned(batches[LATER])[0]) >= {"same", "stranded"}
