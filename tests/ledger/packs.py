"""Board packs to test on: made by hand with every part filled, as long and as hostile as a test needs them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from app.govern.pack import model
from metrics.core.metric import Reading, Unit

MADE = dt.datetime(2026, 11, 21, 9, 30, 15, 123456, tzinfo=dt.UTC)
DIMENSIONS = ("Technical", "Business impact", "Process", "Learning")
DAY, HASH = "1 Dec 2026", "d" * 64


def reading(at: int, value: float | None = 0.5) -> Reading:
    low, high = (None, None) if value is None else (value - 0.1, value + 0.1)
    reason = "" if value is not None else "nothing is loaded"
    return Reading(
        f"model.m{at}", (("model_id", f"m{at}"),), value, low, high, 1000 + at, None, None, Unit.SHARE, "Wilson", reason, (),
        MADE, "g1.d1",
    )  # fmt: skip


def figure(at: int, name: str = "Precision", **changes: object) -> model.Figure:
    days = [dt.date(2026, 8, 3) + dt.timedelta(weeks=w) for w in range(13)]
    trend = tuple(
        model.Point(d.isoformat(), None if w == 4 else 0.4 + w / 100, 0.3 + w / 100, 0.5 + w / 100)
        for w, d in enumerate(days)
    )
    value = 0.5 + at / 1000
    made = model.Figure(
        name, f"m{at}", DIMENSIONS[at % 4], reading(at, value), f"{100 * value:.1f}\u00a0%",
        f"{100 * value - 10:.1f} to {100 * value + 10:.1f}\u00a0%", f"{1000 + at:,}", "met", "the whole interval",
        "at least 30\u00a0%", 0.3, "Omar", "data of today", False, "up 2\u00a0points", "Of those flagged?", "Right / flagged.",
        "%", 100.0, trend,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def pack(figures: int = 6, said: tuple[str, ...] = ("Churn retention",) * 3) -> model.BoardPack:
    """`said` is what people wrote: a line of every list for each, in every place that holds their words."""
    n = tuple(enumerate(said))
    first = said[0] if said else ""
    return model.BoardPack(
        format=model.FORMAT, made=MADE, title="Throughline board pack", scope="22 Aug to 20 Nov 2026", code="c" * 64,
        sentence=first, detail=first, targets=(3, 2, 1, 1), changes=said[:2], needs=said[:3],
        figures=tuple(figure(i, said[i % len(said)] if said else "Precision") for i in range(figures)), missing=(),
        initiatives=tuple(_initiative(i, s) for i, s in n), decisions=tuple(_decision(i, s) for i, s in n), kept=first,
        conditions=tuple(_condition(i, s) for i, s in n), risk_sentence=first, risks=tuple(_risk(i, s) for i, s in n),
        acceptances=tuple(model.Acceptance(f"ACC-{i:04d}", s, "acceptance", "expired", s, late=True) for i, s in n),
        alerts=tuple(model.Due("review due", s, s, s) for _, s in n), value_sentence=first,
        studies=tuple(model.Study(s, s, "did", "randomised", s, s, s, adds=True, why_not="") for _, s in n),
        chain=model.Chain(7, HASH, "throughline-ledger/e\n7\n", HASH), left_out=(("risks above appetite", 12),),
    )  # fmt: skip


def _initiative(i: int, s: str) -> model.Initiative:
    return model.Initiative(f"i{i}", s, "pilot", "tier 1", s, "scale", False, s, s, DAY, late=False)


def _decision(i: int, s: str) -> model.Decision:
    return model.Decision(f"GATE-{i:04d}", s, "go", DAY, "in force", s, outdated=True, basis=f"{i:064x}")


def _condition(i: int, s: str) -> model.Condition:
    return model.Condition(f"COND-{i:04d}", s, s, s, DAY, "in force", "met", s)


def _risk(i: int, s: str) -> model.Risk:
    return model.Risk(
        f"RISK-{i:04d}", s, s, "privacy", s, 16, 12, 9, None, "above appetite 4", "mitigate", s, "not met"
    )
