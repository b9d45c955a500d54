"""What initiatives cost, week by week, and the two bad days as delivery events."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from data.demo import files
from data.demo.draws import DAY, SECOND, Floats, Ints, World
from data.demo.frames import span_of
from data.demo.routes import EXPORT_DOWN, WEBHOOK_DROPPED

_EPOCH = dt.date(1970, 1, 1)
# initiative, category, layer, day since 1970, amount, quantity, unit
_Row = tuple[str, str, str, int, float, float | None, str | None]


@dataclass(frozen=True)
class Bill:
    """Money a week for a company of 20,000 customers, by category and value-chain layer."""

    slug: str
    category: str
    layer: str
    weekly: float


_BILLS = tuple(
    Bill(slug, category, layer, weekly)
    for slug, rows in {
        "churn-retention": (("run", "orchestration", 900), ("licence", "models", 1400), ("compute", "inference", 350),
                            ("maintenance", "data", 600), ("oversight", "orchestration", 250)),
        "lead-scoring": (("run", "orchestration", 180), ("compute", "inference", 60), ("maintenance", "models", 120),
                         ("oversight", "orchestration", 90)),
        "offer-engine": (("run", "orchestration", 1200), ("licence", "orchestration", 800), ("compute", "inference", 700),
                         ("maintenance", "data", 500)),
        "agent-assist": (("licence", "models", 1100), ("compute", "inference", 900), ("oversight", "orchestration", 700)),
        "developer-tool": (("licence", "models", 1900), ("training", "orchestration", 150)),
        "pricing-pilot": (("build", "models", 1500), ("compute", "infrastructure", 100)),
        "demand-forecast": (("run", "data", 500), ("compute", "inference", 200), ("maintenance", "models", 250)),
        "fraud-screening": (("run", "infrastructure", 1000), ("compute", "inference", 450), ("oversight", "orchestration", 900)),
    }.items()
    for category, layer, weekly in rows
)  # fmt: skip


def cost_table(world: World, slugs: tuple[str, ...], slug: Ints, at: Ints, amount: Floats) -> pa.Table:
    """`costs`: bills of every seventh day, and the messages of each week as they were sent (slug, time, money)."""
    draw = world.stream("costs")
    day = np.arange(0, world.days, 7) + world.first_day
    rows: list[_Row] = [
        (b.slug, b.category, b.layer, int(d), round(b.weekly * world.persons / 20_000 * f, 2), None, None)
        for b in _BILLS
        for d, f in zip(day.tolist(), draw.uniform(0.9, 1.1, day.size).tolist(), strict=True)
    ]
    week = (at // DAY - world.first_day) // 7
    for code, name in enumerate(slugs):
        own = slug == code
        money = np.bincount(week[own], amount[own], minlength=day.size)
        count = np.bincount(week[own], minlength=day.size)
        rows += [
            (name, "message", "orchestration", int(d), round(m, 4), float(c), "message")
            for d, m, c in zip(day.tolist(), money.tolist(), count.tolist(), strict=True)
            if c
        ]
    return _costs(world, rows)


def _costs(world: World, rows: list[_Row]) -> pa.Table:
    slug, category, layer, day, amount, quantity, unit = (list(c) for c in zip(*rows, strict=True))
    n = len(rows)
    at = np.minimum(np.array(day, np.int64) * DAY + 8 * DAY, world.end - 1)
    return pa.table(
        {
            "cost_id": files.numbered("cost-", n),
            "initiative_id": pa.array(slug, pa.string()),
            "cost_date": pa.array([_EPOCH + dt.timedelta(days=d) for d in day], pa.date32()),
            "category": pa.array(category, pa.string()),
            "layer": pa.array(layer, pa.string()),
            "quantity": pa.array(quantity, pa.float64()),
            "unit": pa.array(unit, pa.string()),
            "amount": pa.array(amount, pa.float64()),
            "currency": files.constant("USD", n),
            "loaded_at": files.times(at),
        }
    )


def incident_table(world: World) -> pa.Table:
    """`delivery_events` of the two incident days: when each began and when it was mended."""
    rows = []
    for incident in (EXPORT_DOWN, WEBHOOK_DROPPED):
        began, ended = span_of(world, incident)
        rows += [
            (incident.slug, "incident", began, incident.what),
            (incident.slug, "restored", ended, incident.what),
        ]
    slug, event, at, what = (list(c) for c in zip(*rows, strict=True))
    times = np.array(at, np.int64)
    return pa.table(
        {
            "delivery_id": files.numbered("incident-", len(rows)),
            "initiative_id": pa.array(slug, pa.string()),
            "event": pa.array(event, pa.string()),
            "event_at": files.times(times),
            "ref": pa.array(what, pa.string()),
            "loaded_at": files.times(times + 60 * SECOND),
        }
    )
