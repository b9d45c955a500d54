"""Delivery: how long ideas, pilots, gates, experiments and repairs take, how often something goes live, and what that breaks."""

from __future__ import annotations

from metrics._delivery_changes import CHANGES
from metrics._delivery_declared import DECLARED
from metrics._delivery_gates import GATE_CYCLE, GATE_WAITS
from metrics._delivery_waits import WAITS

ROLLUPS = (WAITS, CHANGES, GATE_WAITS)
METRICS = (*DECLARED, GATE_CYCLE)
