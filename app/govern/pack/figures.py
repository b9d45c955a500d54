"""The scorecard's tiles as figures of a pack: the Reading, its words, its target, who answers for it, and its trend."""

from __future__ import annotations

import datetime as dt

from app.govern.books import target_of
from app.govern.pack.model import Figure, Point
from app.govern.views import Room
from app.measure import words
from app.measure.judged import Frame, bucket_of
from app.measure.scorecard import Scorecard, Tile
from metrics.core.metric import Dimension, Metric, Reading
from metrics.core.verdict import Target


def figures(frame: Frame, card: Scorecard, room: Room) -> tuple[Figure, ...]:
    """Every tile of the scorecard in the order of the screen."""
    owners = _owners(room)
    return tuple(_figure(frame, c.title, t, owners) for c in card.columns for t in c.tiles)


def missing(card: Scorecard) -> tuple[tuple[str, str], ...]:
    """Dimensions without a tile, and why."""
    return tuple((c.title, c.missing) for c in card.columns if not c.tiles)


def _owners(room: Room) -> dict[Target, str]:
    """Who answers for each target."""
    return {target_of(r): room.name(r.text("owner")) for r in room.live("targets") if r.text("owner")}


def _figure(frame: Frame, column: str, tile: Tile, owners: dict[Target, str]) -> Figure:
    one, metric = tile.one, tile.metric
    shown, how, target = words.shown(metric, one.reading), words.style(metric), one.verdict.target
    title, note = tile.names
    fresh, late = _freshness(metric, one.reading, frame.moment)
    business = metric.dimension is Dimension.BUSINESS and bool(one.subject)
    return Figure(
        name=metric.title, subject=title if business else note, dimension=column, reading=one.reading, value=shown.value,
        interval=shown.interval, n=shown.n, state=one.verdict.state.value, why=one.verdict.why,
        aim=words.target_words(metric, target) if target else "no target",
        threshold=target.threshold if target else None, owner=(owners.get(target) if target else None) or metric.owner,
        fresh=fresh, late=late, moved=_moved(metric, tile), question=metric.question, definition=metric.definition,
        axis=how.suffix.strip() or metric.unit.value, scale=how.scale, trend=tuple(_point(r) for r in tile.trend),
    )  # fmt: skip


def _freshness(metric: Metric[object], reading: Reading, now: dt.datetime) -> tuple[str, bool]:
    if reading.as_of is None:
        return "counted in the ledger now" if metric.rollup.ledger else "no data", False
    late = now - reading.as_of > metric.stale_after
    return f"data of {words.moment(reading.as_of)}", late


def _moved(metric: Metric[object], tile: Tile) -> str:
    """The change from the stretch before, and whether it is more than chance."""
    move = tile.movement
    if move is None:
        return ""
    size = words.change(metric, move.change, tile.one.reading)
    clear = "" if move.clear else ", within chance"
    return f"{'up' if move.change > 0 else 'down'} {size}{clear}"


def _point(reading: Reading) -> Point:
    return Point(bucket_of(reading) or "", reading.value, reading.low, reading.high)
