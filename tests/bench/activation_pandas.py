"""What an analyst would write in pandas and statsmodels for the states of signals: the contenders of activation.py."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

Found = dict[str, int]


def pandas_states(home: Path) -> pd.DataFrame:
    """One row a signal with its state, from rows in memory."""
    import numpy as np
    import pandas as pd

    from data.lake import Lake

    files = Lake(home).manifest.files("facts")

    def read(name: str, *columns: str) -> pd.DataFrame:
        return pd.concat(
            pd.read_parquet(home / f.path, columns=list(columns)) for f in files if f.name == name
        )

    end = read("data_watermarks", "complete_through_at")["complete_through_at"].min()
    s = read(
        "signals",
        "signal_id",
        "person_id",
        "model_id",
        "scored_at",
        "window_seconds",
        "arm",
        "decision",
        "is_test",
        "model_version",
        "signal_name",
        "expected_value",
    )
    events = read("message_events", "activation_id", "event_type", "event_at")
    events = events[(events["event_type"] == "sent") & (events["event_at"] <= end)]
    sent = events.groupby("activation_id")["event_at"].min().rename("sent")
    a = read("activations", "activation_id", "purpose", "is_test", "channel", "campaign_id", "provider")
    a = a[(a["purpose"] == "marketing") & ~a["is_test"].eq(True)].merge(sent, on="activation_id")
    links = read("activation_signals", "signal_id", "activation_id").merge(a, on="activation_id")
    links = (
        links.sort_values("sent")
        .drop_duplicates("signal_id")
        .drop(columns=["purpose", "is_test", "activation_id"])
    )
    s = s.merge(links, on="signal_id", how="left")
    x = read("suppression_events", "person_id", "action", "effective_at", "expires_at")
    x = x[(x["action"] == "suppress") & (x["effective_at"] <= end)]
    met = s[["signal_id", "person_id", "scored_at"]].merge(x, on="person_id")
    met = met[(met["effective_at"] >= met["scored_at"]) | ~(met["expires_at"] <= met["scored_at"])]
    s = s.merge(met.groupby("signal_id")["effective_at"].min().rename("stop"), on="signal_id", how="left")
    o = read("outcomes", "person_id", "outcome_type", "occurred_at")
    o = o[(o["outcome_type"] != "churn") & (o["occurred_at"] <= end)]
    met = s[["signal_id", "person_id", "scored_at"]].merge(o, on="person_id")
    met = met[met["occurred_at"] >= met["scored_at"]]
    s = s.merge(met.groupby("signal_id")["occurred_at"].min().rename("won"), on="signal_id", how="left")
    window = pd.to_timedelta(s["window_seconds"], unit="s")
    took, rival = s["sent"] - s["scored_at"], s[["stop", "won"]].min(axis=1)
    first = (rival < s["sent"]) | (rival.notna() & s["sent"].isna())
    tests = [
        ("excluded_test", s["is_test"].eq(True)), ("excluded_holdout", s["arm"] == "holdout"),
        ("excluded_no_action", s["decision"] != "activate"), ("unlinked_identity", s["person_id"].isna()),
        ("invalid_negative", took < pd.Timedelta(-5, "s")),
        ("competing_converted", first & (s["won"] == rival)), ("competing_suppressed", first),
        ("late", took > window), ("in_window", s["sent"].notna()), ("open", end - s["scored_at"] < window),
    ]  # fmt: skip
    state = np.select([t for _, t in tests], [n for n, _ in tests], "missed")
    s["day"], s["state"] = s["scored_at"].dt.floor("D"), state
    s["seconds"] = (
        took.mask(first, rival - s["scored_at"])
        .where(first | s["sent"].notna(), end - s["scored_at"])
        .dt.total_seconds()
    )
    return s


def by_pandas(home: Path) -> Found:
    """The same cells, and from them the states."""
    s = pandas_states(home)
    cells = pandas_cells(s)
    found = {str(k): int(n) for k, n in cells.groupby("state")["n"].sum().items()}
    return found | {"cells": len(cells)}


def pandas_cells(s: pd.DataFrame) -> pd.DataFrame:
    """The rows summed to the cells of the rollup: by dimension, state, window and bucket of the time taken."""
    import numpy as np

    state, seconds = s["state"], s["seconds"].fillna(0).clip(lower=0)
    waiting, told = state.isin(["open", "missed"]), ~state.str.startswith(("excluded", "unlinked", "invalid"))
    minute = s["scored_at"].astype("int64") // 60_000_000
    log = np.floor(256 * np.log1p(seconds)).where(told, 0)
    s["bucket"] = np.where(waiting, minute, log).astype("int64")
    s["seconds"] = seconds
    keys = ["day", "model_id", "model_version", "signal_name", "channel", "campaign_id", "provider", "state",
            "window_seconds", "bucket"]  # fmt: skip
    cells = s.groupby(keys, dropna=False, sort=False, observed=True)
    return cells.agg(
        n=("state", "size"), took=("seconds", "sum"), expected=("expected_value", "sum")
    ).reset_index()


def by_statsmodels(home: Path) -> Found:
    """The same states, and the three figures with intervals for the whole and each model, by statsmodels."""
    import numpy as np
    from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight
    from statsmodels.stats.proportion import proportion_confint

    s = pandas_states(home)
    told = s[~s["state"].str.startswith(("excluded", "unlinked", "invalid"))]
    for rows in (told, *(g for _, g in told.groupby("model_id"))):
        good, all_ = (
            (rows["state"] == "in_window").sum(),
            rows["state"].isin(["in_window", "late", "missed"]).sum(),
        )
        proportion_confint(good, all_, method="wilson")
        seconds = rows["seconds"].clip(lower=0).to_numpy()
        happened = np.select(
            [rows["state"].isin(["in_window", "late"]), rows["state"].str.startswith("competing")], [1, 2], 0
        )
        SurvfuncRight(seconds, (happened == 1).astype(int)).quantile_ci(0.5)
        CumIncidenceRight(seconds, happened)
    return {str(k): int(n) for k, n in s["state"].value_counts().items()} | {"cells": len(pandas_cells(s))}
