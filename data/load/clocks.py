"""The clocks of devices: corrected by exact durations, never by calendar periods."""

from __future__ import annotations

import datetime as dt

_MOST_AHEAD = dt.timedelta(minutes=5)


def skew_corrected(received: dt.datetime, sent: dt.datetime, created: dt.datetime) -> dt.datetime:
    """When it happened by the collector's clock: received - (sent - created).

    Segment's `timestamp` and Snowplow's `derived_tstamp`. A device that says it sent before it created would put
    the event after its arrival; such a time is capped at 5 minutes after `received`.
    """
    return min(received - (sent - created), received + _MOST_AHEAD)
