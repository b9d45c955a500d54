"""The difference of two independent numbers from their own intervals (MOVER: method of variance estimates recovery).

Zou and Donner 2008, doi:10.1002/sim.3095. With Wilson intervals of two shares it is Newcombe's interval.
"""

from __future__ import annotations

import math

from metrics.core.intervals import Interval


def difference(before: Interval, after: Interval) -> Interval:
    """`after` less `before`, with an interval of the same level as theirs. The two must rest on different rows."""
    value = after.value - before.value
    down = math.hypot(after.value - after.low, before.high - before.value)
    up = math.hypot(after.high - after.value, before.value - before.low)
    return Interval(value, value - down, value + up)
