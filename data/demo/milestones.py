"""How the eight initiatives came to where they are: ideas, pilots, production, deployments, trials and retraining.

Told as a diary in days before the end of the demo, and so longer than its days: an initiative is older than its data.
Deployments alone are simulated, inside the days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from data.demo import files
from data.demo.draws import DAY, SECOND, World
from data.demo.enterprise import INITIATIVES

_HOUR = 3600 * SECOND
_NOON = DAY // 2


@dataclass(frozen=True)
class _Event:
    """One line: initiative, event, microseconds since 1970, what it is about, and when it was planned (or None)."""

    slug: str
    event: str
    at: int
    ref: str | None = None
    planned: int | None = None


# initiative: days ago of the idea, of the pilot's start, and of production (None: the pilot still runs)
_WAYS: tuple[tuple[str, int, int, int | None], ...] = (
    ("churn-retention", 390, 250, None),  # the batches were never mended, so nobody dares to end the pilot
    ("lead-scoring", 385, 330, 210),
    ("offer-engine", 380, 320, 240),
    ("agent-assist", 300, 139, None),
    ("developer-tool", 260, 250, None),  # the pilot trap: its trial says no, and its seats are paid for
    ("pricing-pilot", 60, 40, None),
    ("demand-forecast", 370, 290, 200),
    ("fraud-screening", 395, 345, 270),
)
# trial, initiative, days ago of its start and its conclusion (None: it still runs)
TRIALS: tuple[tuple[str, str, int, int | None], ...] = (
    ("fraud_rules_01", "fraud-screening", 350, 308), ("lead_calls_01", "lead-scoring", 326, 284),
    ("offers_ranking_01", "offer-engine", 318, 276), ("demand_pilot", "demand-forecast", 288, 238),
    ("lead_calls_02", "lead-scoring", 262, 216), ("churn_holdout", "churn-retention", 250, None),
    ("devtool_trial", "developer-tool", 250, None), ("fraud_review_02", "fraud-screening", 222, 187),
    ("offers_channel_02", "offer-engine", 196, 175), ("demand_trial", "demand-forecast", 190, None),
    ("lead_script_03", "lead-scoring", 168, 140), ("assist_tone_01", "agent-assist", 120, 71),
    ("offers_subject_03", "offer-engine", 96, 75), ("churn_timing_01", "churn-retention", 88, None),
    ("fraud_queue_03", "fraud-screening", 70, 21), ("lead_order_04", "lead-scoring", 45, 17),
    ("offers_quiet_04", "offer-engine", 30, None),
)  # fmt: skip
# model, initiative, and retrainings as (planned, done) in days ago. The forecast's plan stopped being kept.
_RETRAINED: tuple[tuple[str, str, tuple[tuple[int, int], ...]], ...] = (
    ("churn_v3", "churn-retention", ((240, 236), (180, 178), (120, 131), (60, 80))),
    ("lead_v2", "lead-scoring", ((200, 205), (140, 142), (80, 78), (20, 15))),
    ("offer_v5", "offer-engine", ((230, 230), (170, 169), (110, 96), (50, 54))),
    ("demand_v4", "demand-forecast", ((190, 184), (160, 152))),
    ("fraud_v7", "fraud-screening", ((250, 252), (160, 158), (70, 66))),
)
# initiative and days ago on which going back was tried: as the ledger's register of operability says
_ROLLBACKS = (("lead-scoring", 130), ("fraud-screening", 30), ("demand-forecast", 60), ("agent-assist", 90))
# initiative, days between two deployments on average, share of them that break something
_CADENCE = (
    ("churn-retention", 12.0, 0.10), ("lead-scoring", 7.0, 0.06), ("offer-engine", 5.0, 0.17), ("agent-assist", 8.0, 0.12),
    ("developer-tool", 30.0, 0.10), ("pricing-pilot", 9.0, 0.20), ("demand-forecast", 21.0, 0.10),
    ("fraud-screening", 14.0, 0.05),
)  # fmt: skip


def milestone_table(world: World) -> pa.Table:
    """`delivery_events` of the eight initiatives, the oldest some 400 days before the end."""
    lines = [*_diary(world), *_released(world), *_deployed(world)]
    rows = sorted(
        (e for e in lines if e.at < world.end - 120 * SECOND), key=lambda e: (e.at, e.slug, e.event)
    )
    at = np.array([e.at for e in rows], np.int64)
    planned = np.array([e.planned or 0 for e in rows], np.int64)
    return pa.table(
        {
            "delivery_id": files.numbered("milestone-", len(rows)),
            "initiative_id": pa.array([e.slug for e in rows], pa.string()),
            "event": pa.array([e.event for e in rows], pa.string()),
            "event_at": files.times(at),
            "ref": pa.array([e.ref for e in rows], pa.string()),
            "planned_at": files.optional_times(planned, planned > 0),
            "loaded_at": files.times(at + 60 * SECOND),
        }
    )


def ago(world: World, days: int) -> int:
    """Noon so many days before the end of the demo."""
    return world.end - days * DAY + _NOON


def _diary(world: World) -> list[_Event]:
    """Everything but deployments."""
    rows: list[_Event] = []
    for slug, idea, pilot, live in _WAYS:
        told = (("idea", idea), ("pilot_started", pilot), *((("production", live),) if live else ()))
        rows += [_Event(slug, event, ago(world, days)) for event, days in told]
    for trial, slug, began, ended in TRIALS:
        rows.append(_Event(slug, "experiment_started", ago(world, began), trial))
        rows += [_Event(slug, "experiment_concluded", ago(world, ended), trial)] if ended else []
    for model, slug, runs in _RETRAINED:
        rows += [_Event(slug, "retrained", ago(world, done), model, ago(world, due)) for due, done in runs]
    rows += [_Event(slug, "rollback_tested", ago(world, days), "rollback") for slug, days in _ROLLBACKS]
    return rows


def _released(world: World) -> list[_Event]:
    """The model versions that took over within the days: each went live in the night before its first score."""
    releases = ((i.slug, m.model_id, r) for i in INITIATIVES for m in i.models for r in m.releases)
    return [
        _Event(
            slug,
            "deployment",
            (world.first_day + round(r.from_share * world.days)) * DAY - 2 * _HOUR,
            f"{model} {r.version}",
        )
        for slug, model, r in releases
        if r.from_share
    ]


def _deployed(world: World) -> list[_Event]:
    """Builds of every initiative since its pilot began; one that breaks something is mended within hours."""
    rows: list[_Event] = []
    pilots = {slug: pilot for slug, _, pilot, _ in _WAYS}
    for slug, gap, breaks in _CADENCE:
        draw = world.stream(f"deployments {slug}")
        at = max(world.first_day * DAY, ago(world, pilots[slug])) + int(draw.uniform(0, gap) * DAY)
        number = 0
        while at < world.end:
            number += 1
            name, failed = f"build {number}", draw.random() < breaks
            rows.append(_Event(slug, "deployment_failed" if failed else "deployment", at, name))
            if failed:
                mended = at + 600 * SECOND + int(draw.uniform(0.5, 9) * _HOUR)
                rows += [
                    _Event(slug, "incident", at + 600 * SECOND, name),
                    _Event(slug, "restored", mended, name),
                ]
            at += int(draw.uniform(0.5, 1.5) * gap * DAY)
    return rows
