"""Stops as the warehouse holds them: what was said, and when each channel confirmed that it had heard."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from data.demo import files
from data.demo.directory import Directory
from data.demo.draws import SECOND, Bools, Ints, World, load_time
from data.demo.frames import FAR
from data.demo.plans import CAMPAIGNS
from data.demo.routes import CHANNELS, COUNTRIES, PROVIDERS
from data.demo.stops import DECEASED, ERASURE, RUN, TRIGGERS, Heard, Stops

_NOWHERE = 0.03  # stops without a jurisdiction
_LOGGED = 0.88  # channels that confirm at all


def stop_tables(
    world: World, book: Directory, stops: Stops, told: Heard, ids: pa.Array
) -> tuple[dict[str, pa.Table], Bools]:
    """`suppression_events`, `suppression_propagations`, and which stops the warehouse knows: shape (n,)."""
    draw = world.stream("stop tables")
    loaded = np.maximum(load_time(draw, stops.received, 20.0), stops.at)
    kept = (loaded < world.end) & (stops.received < world.end)
    index = np.flatnonzero(kept)
    placed = files.known(
        files.words(COUNTRIES, book.country[stops.person]), draw.random(len(stops)) >= _NOWHERE
    )
    events = _events(
        book, stops.rows(index), ids.take(pa.array(index)), placed.take(pa.array(index)), loaded[index]
    )
    acks = _propagations(world, book, stops, told, ids, kept, draw)
    return {"suppression_events": events, "suppression_propagations": acks}, kept


def _events(book: Directory, some: Stops, ids: pa.Array, country: pa.Array, loaded: Ints) -> pa.Table:
    origin = files.words(CHANNELS, some.channel)
    absolute = (some.trigger == ERASURE) | (some.trigger == DECEASED)
    programme = files.words(CAMPAIGNS, np.maximum(some.campaign, 0))
    return pa.table(
        {
            "suppression_event_id": ids,
            "person_id": book.person_ids(some.node),
            "record_id": book.record_ids(some.record),
            "trigger_type": files.words(TRIGGERS, some.trigger),
            "action": files.words(("suppress", "release"), some.release.astype(np.int64)),
            "origin_channel": origin,
            "scope_channels": files.either(some.everywhere, files.constant("*", len(some)), origin),
            "scope_purpose": files.words(("marketing", "all"), absolute.astype(np.int64)),
            "scope_program": files.known(programme, some.campaign >= 0),
            "effective_at": files.times(some.at),
            "expires_at": files.optional_times(some.expires, some.expires < FAR),
            "jurisdiction": country,
            "received_at": files.times(some.received),
            "loaded_at": files.times(loaded),
        }
    )


def _propagations(
    world: World,
    book: Directory,
    stops: Stops,
    told: Heard,
    ids: pa.Array,
    kept: Bools,
    draw: np.random.Generator,
) -> pa.Table:
    """One row a stop and reachable channel, for most of them; without a time where nobody has confirmed yet."""
    wanted = (kept & ~stops.release)[:, None] & book.reach[stops.person]
    wanted &= draw.random(wanted.shape) < _LOGGED
    row, channel = np.nonzero(wanted)
    at, low = told.at[row, channel], told.low[row, channel]
    ran = told.nightly[row, channel] & (draw.random(row.size) < 0.6)
    high = np.where(ran, low + RUN * SECOND, at)
    loaded = np.maximum(load_time(draw, np.minimum(at, world.end), 10.0), high)
    confirmed = (at < world.end) & (loaded < world.end)
    pending = np.minimum(stops.received[row] + 60 * SECOND, world.end - 1)
    by_hand = told.by_hand[row, channel]
    method = np.where(by_hand, 2, np.where(told.nightly[row, channel], 1, 0))
    return pa.table(
        {
            "suppression_event_id": ids.take(pa.array(row)),
            "channel": files.words(CHANNELS, channel),
            "system": files.words(PROVIDERS, channel),
            "acknowledged_at": files.optional_times(at, confirmed & ~ran),
            "ack_lo": files.optional_times(low, confirmed & ran),
            "ack_hi": files.optional_times(high, confirmed & ran),
            "method": files.words(("webhook", "batch", "manual"), method),
            "mode": files.words(("automatic", "manual"), by_hand.astype(np.int64)),
            "loaded_at": files.times(np.where(confirmed, loaded, pending)),
        }
    )
