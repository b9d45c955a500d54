"""Consents: what people agreed to, with the gaps that a company would rather not have."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from data.demo import files
from data.demo.directory import Directory
from data.demo.draws import DAY, SECOND, Ints, World, load_time
from data.demo.frames import FAR, planted
from data.demo.routes import CHANNELS, COUNTRIES
from data.demo.stops import COMPLAINT, OPT_OUT, RE_OPT_IN, WITHDRAWN, Stops

SUBSCRIBED, UNSUBSCRIBED, DID_NOT = range(3)
_STATUS = ("subscribed", "unsubscribed", "did_not_subscribe")
_MISSING, _DECLINED, _EXPIRING, _UNPROVEN = 0.008, 0.004, 0.02, 0.04


def consent_table(world: World, book: Directory, stops: Stops, known: Ints) -> pa.Table:
    """`consents`: an import on the first morning, then what opt-outs and returns changed (rows `known` of stops)."""
    draw = world.stream("consents")
    node, channel = np.nonzero(book.reach[book.owner])
    kept = ~planted(draw, node.size, _MISSING)
    node, channel = node[kept], channel[kept]
    n, start = node.size, world.end - world.days * DAY
    declined = planted(draw, n, _DECLINED)
    expires = start + (draw.random(n) * world.days * DAY).astype(np.int64) + DAY // 2
    expires = np.where(planted(draw, n, _EXPIRING), expires, FAR)
    first = (
        node,
        channel,
        np.where(declined, DID_NOT, SUBSCRIBED),
        start + draw.integers(0, 1200 * SECOND, n),
        expires,
    )
    later = _changes(book, stops, known)
    columns = [np.concatenate(pair) for pair in zip(first, later, strict=True)]
    return _table(world, book, draw, columns)


def _changes(book: Directory, stops: Stops, known: Ints) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """One row a channel that a stop or a return named."""
    some = stops.rows(known)
    chosen = np.isin(some.trigger, (OPT_OUT, COMPLAINT, WITHDRAWN, RE_OPT_IN))
    some = some.rows(chosen)
    named = some.everywhere[:, None] | (np.arange(len(CHANNELS)) == some.channel[:, None])
    row, channel = np.nonzero(named & book.reach[some.person])
    status = np.where(some.trigger[row] == RE_OPT_IN, SUBSCRIBED, UNSUBSCRIBED)
    return some.node[row], channel, status, some.at[row], np.full(row.size, FAR)


def _table(world: World, book: Directory, draw: np.random.Generator, columns: list[Ints]) -> pa.Table:
    node, channel, status, at, expires = columns
    n = node.size
    loaded = load_time(draw, at, 30.0)
    proven = ~planted(draw, n, _UNPROVEN)
    table = pa.table(
        {
            "consent_id": files.numbered("c-", n),
            "person_id": book.person_ids(node),
            "channel": files.words(CHANNELS, channel),
            "purpose": files.constant("marketing", n),
            "status": files.words(_STATUS, status),
            "captured_at": files.times(at),
            "expires_at": files.optional_times(expires, expires < FAR),
            "proof_ref": files.known(files.numbered("form:", n), proven),
            "jurisdiction": files.words(COUNTRIES, book.country[book.owner[node]]),
            "loaded_at": files.times(loaded),
        }
    )
    return table.filter(pa.array(loaded < world.end))
