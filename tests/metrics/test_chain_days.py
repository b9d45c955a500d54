"""The chain asked day by day has the cells of the chain asked at once: signals look back and outcomes lie ahead of any day."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from app.measure import chunks
from app.measure.refresh import refresh
from app.runtime import Runtime
from metrics._chain_line import LINKS
from metrics._chain_rows import LINE
from tests.conftest import clock
from tests.metrics.homes import loaded_into

FIRST = dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
SIGNALS, DAYS, PERSONS = 400, 45, 20
WINDOWS = (600, 3600, 259_200, 1_728_000)  # to twenty days: longer than what persons bring is followed


def at(hours: float) -> str:
    return (FIRST + dt.timedelta(seconds=round(hours * 3600))).isoformat()


def drawn(seed: int) -> dict[str, str]:
    """Signals of few persons, close together and days apart, with sends, stops and purchases around them, as CSV text."""
    rng = np.random.default_rng(seed)
    rows: dict[str, list[str]] = {
        "signals": ["signal_id,person_id,model_id,signal_name,decision,arm,scored_at,window_seconds,expected_value,currency"],
        "activations": ["activation_id,person_id,channel,purpose,campaign_id"],
        "activation_signals": ["signal_id,activation_id"],
        "message_events": ["source,event_id,activation_id,event_type,event_at"],
        "suppression_events": [
            "suppression_event_id,person_id,trigger_type,action,origin_channel,scope_channels,scope_purpose,effective_at"
        ],
        "outcomes": ["outcome_id,person_id,outcome_type,occurred_at,revenue,currency"],
    }  # fmt: skip
    for i, hours in enumerate(rng.choice([0.1, 1, 2, 24], SIGNALS).cumsum() % (24 * DAYS)):
        person = f"p{rng.integers(PERSONS)}" if rng.random() < 0.95 else ""
        arm = "holdout" if rng.random() < 0.2 else "treatment"
        window = WINDOWS[rng.integers(len(WINDOWS))]
        rows["signals"].append(f"s{i},{person},m{i % 2},hot,activate,{arm},{at(hours)},{window},{i % 7},EUR")
        for k in range(rng.integers(3) if person else 0):
            sent = at(hours + rng.exponential(5))
            rows["activations"].append(f"a{i}-{k},{person},{('email', 'push')[k]},marketing,c{i % 3}")
            rows["activation_signals"].append(f"s{i},a{i}-{k}")
            for kind in ("sent", "failed", "delivered")[: rng.integers(4)]:
                rows["message_events"].append(f"esp,{i}-{k}-{kind},a{i}-{k},{kind},{sent}")
        if person and rng.random() < 0.05:
            rows["suppression_events"].append(
                f"x{i},{person},opt_out,suppress,email,*,marketing,{at(hours + 30)}"
            )
        if person and rng.random() < 0.3:
            won = at(hours + rng.exponential(100))
            rows["outcomes"].append(f"o{i},{person},purchase,{won},{rng.integers(1, 99)},EUR")
    return {name: "\n".join(lines) + "\n" for name, lines in rows.items()}


def told(runtime: Runtime) -> pd.DataFrame:
    keys = ["day", *runtime.store.dims(LINE), *LINE.inner]
    frame = pd.DataFrame(runtime.store.columns(LINE, keys, (), None))
    frame[keys] = frame[keys].astype(str)
    return frame.sort_values(keys, ignore_index=True)


@pytest.mark.parametrize("seed", range(4))
def test_days_asked_apart_have_the_cells_of_days_asked_together(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    runtime = loaded_into(tmp_path / "home", drawn(seed), (LINE,))
    together = told(runtime)
    assert {LINKS[int(code)] for code in together.code} >= {
        "latency",
        "holdout",
        "suppressed",
        "bought_first",
        "reached",
    }
    assert 0 < together.units.sum() < together.n.sum()
    assert together.converted.sum() > 0
    monkeypatch.setattr(chunks, "ROWS_A_QUERY_BY_DAYS", 0)
    monkeypatch.setattr(chunks, "QUERIES_BY_DAYS", SIGNALS)
    steps: list[int] = []
    refresh(
        (LINE,), runtime.warehouse, runtime.store, clock, full=True, progress=lambda p: steps.append(p.done)
    )
    assert len(steps) > DAYS / 2
    pd.testing.assert_frame_equal(told(runtime), together, rtol=1e-9)
