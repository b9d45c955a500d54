"""What every metric of the suppression family shares: settings, sources and the two kinds of declaration."""

from __future__ import annotations

from functools import partial
from typing import Any

from metrics._suppression_pairs import CLOCKS, IDENTITIES, POLICIES
from metrics._suppression_risk import KINDS
from metrics.core.metric import Dimension, Direction, Metric, Setting, Unit

OWNER = "head of customer data"
COUNTED = "none: a complete count"
POLICY = Setting("policy", "strict", "scope of a stop: every channel, or as the industry reads it", POLICIES)
IDENTITY = Setting(
    "identity", "truth", "who is one person: as known today, or at the moment of sending", IDENTITIES
)
CLOCK = Setting(
    "clock", "effective", "a stop counts from when the person said it, or the sender heard it", CLOCKS
)
KIND = Setting(
    "kind", "any", "soft: a channel has not acknowledged; hard: something is waiting to be sent", KINDS
)
VIEW = (POLICY, IDENTITY, CLOCK)
WILSON_1927 = "Wilson 1927, doi:10.1080/01621459.1927.10502953"
GARWOOD_1936 = "Garwood 1936, doi:10.1093/biomet/28.3-4.437"
TURNBULL_1976 = "Turnbull 1976, doi:10.1111/j.2517-6161.1976.tb01597.x"
TCPA = "47 CFR 64.1200(a)(10) and (a)(12)"
CAN_SPAM = "15 USC 7704(a)(4)"
GDPR = "GDPR Articles 7(3) and 21(3)"

count_metric = partial(
    Metric[Any],
    dimension=Dimension.PROCESS,
    unit=Unit.COUNT,
    direction=Direction.LOWER,
    interval=COUNTED,
    owner=OWNER,
    min_n=1,
    settings=VIEW,
)
rate_metric = partial(Metric[Any], dimension=Dimension.PROCESS, owner=OWNER, settings=VIEW)
