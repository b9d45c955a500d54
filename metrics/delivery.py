"""Delivery: how soon what broke is mended. Further measures wait in `_delivery_declared.py` for milestones in the demo."""

from __future__ import annotations

from metrics._delivery_declared import median_of
from metrics._delivery_waits import WAITS

ROLLUPS = (WAITS,)
METRICS = (
    median_of(
        "time_to_restore_median",
        "incident to restored",
        "Time to restore",
        "How long does an incident last until the service works again?",
        "Incidents will happen; how long they last is what a team decides.",
    ),
)
