"""Which days of attempts a late row moves: those on or after it that its person's messages lie on, and no others."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from app.measure.refresh import refresh
from app.runtime import Runtime
from metrics import ROLLUPS
from tests.conftest import clock
from tests.metrics.homes import loaded_into

ATTEMPTS, CONSENTS = ROLLUPS["suppression.attempts"], ROLLUPS["suppression.consents"]
SENT = {"ann": (1, 4, 6), "bob": (2, 5), "cid": (3, 4)}  # days of September


def day(n: int, hour: int = 12) -> str:
    return f"2026-09-{n:02}T{hour:02}:00:00Z"


def messages() -> dict[str, str]:
    plan = [(f"{who}-{n}", who, n) for who, days in SENT.items() for n in days]
    return {
        "activations": "\n".join(
            ["activation_id,person_id,channel,purpose,is_test", *(f"{a},{who},email,marketing,false" for a, who, _ in plan)]
        ),
        "message_events": "\n".join(
            ["source,event_id,activation_id,event_type,event_at", *(f"esp,{a},{a},sent,{day(n)}" for a, _, n in plan)]
        ),
    }  # fmt: skip


STOP = "suppression_event_id,person_id,trigger_type,action,origin_channel,scope_channels,scope_purpose,effective_at\n"
CONSENT = "consent_id,person_id,channel,purpose,status,captured_at\n"
SIGNAL = "signal_id,person_id,model_id,signal_name,decision,arm,scored_at,window_seconds\n"
MERGE = "from_person_id,to_person_id,merged_at\n"


def stopped(who: str, at: str) -> str:
    return f"x-{who},{who},opt_out,suppress,email,*,marketing,{at}\n"


LATE = {
    "a stop": ("suppression_events", STOP + stopped("ann", day(2)), ATTEMPTS, (4, 6)),
    "a stop between two sends": ("suppression_events", STOP + stopped("ann", day(5)), ATTEMPTS, (6,)),
    "a stop after all": ("suppression_events", STOP + stopped("ann", day(7)), ATTEMPTS, ()),
    "stops of two": (
        "suppression_events", STOP + stopped("ann", day(5)) + stopped("cid", day(3, 18)), ATTEMPTS, (4, 6),
    ),
    "a consent": ("consents", f"{CONSENT}c1,bob,email,marketing,subscribed,{day(3)}\n", CONSENTS, (5,)),
    "a signal of a link": ("signals", f"{SIGNAL}s1,cid,m,hot,activate,treatment,{day(2)},3600\n", ATTEMPTS, (3,)),
    "a merge": ("person_merges", f"{MERGE}bob,cid,{day(9)}\n", ATTEMPTS, (2, 3, 4, 5)),
}  # fmt: skip


def told(runtime: Runtime, rollup: object) -> pd.DataFrame:
    keys = ["day", *runtime.store.dims(rollup), *rollup.inner]  # type: ignore[arg-type,attr-defined]
    frame = pd.DataFrame(runtime.store.columns(rollup, keys, (), None))  # type: ignore[arg-type]
    frame[keys] = frame[keys].astype(str)
    return frame.sort_values(keys, ignore_index=True)


@pytest.mark.parametrize("what", LATE)
def test_a_late_row_moves_the_days_it_speaks_of_and_no_others(tmp_path: Path, what: str):
    table, rows, rollup, days = LATE[what]
    links = {"activation_signals": "signal_id,activation_id\ns1,cid-3\n"}
    runtime = loaded_into(tmp_path / "home", messages() | links, (rollup,))
    loaded_into(tmp_path / "home", {table: rows}, (), runtime)
    (outcome,) = refresh((rollup,), runtime.warehouse, runtime.store, clock)
    assert (outcome.full, outcome.days) == (False, len(days))
    found = told(runtime, rollup)
    refresh((rollup,), runtime.warehouse, runtime.store, clock, full=True)
    pd.testing.assert_frame_equal(told(runtime, rollup), found)
