"""The ledger's own numbers on register pages: tiles of metrics that count in the registers, judged like all others."""

from __future__ import annotations

from dataclasses import replace

from app.measure.judged import Frame
from app.measure.scope import Window
from app.measure.scorecard import Tile
from metrics import ALL

OWNERSHIP = (
    "ownership.coverage",
    "ownership.orphans",
    "ownership.overdue_reviews",
    "ownership.time_to_decide",
)
RISK = (
    "risk.above_appetite", "risk.expired_relied_on", "risk.indicators_in_breach", "risk.aged_share",
)  # fmt: skip
PORTFOLIO = (
    "delivery.pilots_in_production", "delivery.lead_time_median", "learning.steps_on_time", "leading.integration_prepared",
)  # fmt: skip


def figures(frame: Frame, keys: tuple[str, ...]) -> tuple[Tile, ...]:
    """One tile a metric, of the ledger as it stands now and of all days, whatever the other pages look at."""
    now = replace(frame, view=replace(frame.view, as_of=None), days=Window(None, None))
    judged = (now.read(ALL[key])[0] for key in keys)
    return tuple(Tile(one, one.subject, (), None, (one,)) for one in judged)
