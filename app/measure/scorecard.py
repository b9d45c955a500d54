"""The scorecard: four dimensions of tiles, the one sentence that matters, and what needs somebody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from app.measure import narrow, words
from app.measure.chain_cards import constraint_sentence
from app.measure.judged import ORDER, Frame, Judged, Movement, drawable, history, movement, weakest
from app.measure.lasting import Lasting, lasting
from app.measure.narrow import Narrow
from data import schema
from metrics import ALL
from metrics.core.metric import Dimension, Metric, Reading, Unit
from metrics.core.verdict import State

HEADLINE = (
    "model.auc", "model.precision", "model.recall", "model.label_coverage", "fairness.four_fifths",
    "value.mean_difference",
)  # fmt: skip
MOST_UNAIMED = 4  # tiles of a dimension without targets
MOST_CHANGES = 3
MOST_TRIALS = 6  # tiles of one metric by experiment; the Value page has them all
TITLES = {
    Dimension.TECHNICAL: "Technical",
    Dimension.BUSINESS: "Business impact",
    Dimension.PROCESS: "Process",
    Dimension.LEARNING: "Learning",
}
# Tables whose metrics arrive with later families; until then a column says what it will need.
WAITS_FOR = {
    Dimension.PROCESS: ("signals", "message_events", "suppression_events", "delivery_events"),
    Dimension.LEARNING: ("learning_events", "usage_events", "survey_answers"),
}


@dataclass(frozen=True)
class Tile:
    """One number on the scorecard: the reading shown, how it got there, and where it stands among its kind."""

    one: Judged
    note: str
    trend: tuple[Reading, ...]
    movement: Movement | None
    among: tuple[Judged, ...]
    lasts: Lasting | None = None

    @property
    def metric(self) -> Metric[object]:
        return self.one.metric

    @property
    def names(self) -> tuple[str, str]:
        """What the tile is called and the line under it; an experiment's tile is called after the experiment."""
        if self.metric.dimension is Dimension.BUSINESS and self.one.subject:
            return self.note, self.metric.title
        return self.metric.title, self.note

    @property
    def key(self) -> str:
        """Names the tile in the page: its metric and whose number it shows."""
        return "-".join((self.metric.key, *(str(v) for _, v in self.one.reading.by)))


@dataclass(frozen=True)
class Column:
    """A dimension's tiles; `missing` says what to do where there are none, `more` counts those without a target."""

    dimension: Dimension
    title: str
    tiles: tuple[Tile, ...]
    missing: str = ""
    more: int = 0


@dataclass(frozen=True)
class Tally:
    """How many targets stand where."""

    met: int
    not_met: int
    inconclusive: int
    unmeasured: int

    @property
    def total(self) -> int:
        return self.met + self.not_met + self.inconclusive + self.unmeasured


@dataclass(frozen=True)
class Scorecard:
    """The whole first screen."""

    sentence: str
    detail: str
    changes: tuple[str, ...]
    tally: Tally
    needs: tuple[Judged, ...]
    columns: tuple[Column, ...]
    constraint: str = ""


def scorecard(frame: Frame, *, everything: bool = False, about: Narrow | None = None) -> Scorecard:
    """Build the scorecard, of everything or of one initiative. `everything` adds the measures without a target."""
    asked = {m.key: m for m in ALL.values() if m.rollup.stored or m.rollup.ledger}
    read = _read(frame, asked, about, everything=everything)
    judged = tuple(j for found in read.values() for j in found if j.has_target)
    speaking = {k for k, m in asked.items() if about is None or narrow.pins(frame, m, about)}
    columns = tuple(_column(frame, d, read, speaking, everything=everything) for d in Dimension)
    needs = tuple(sorted((j for j in judged if j.verdict.state is State.NOT_MET), key=_importance))
    tally = _tally(judged)
    unread = (narrow.read(frame, m, about) for k, m in asked.items() if k not in read)
    measured = any(j.reading.value is not None for found in chain(read.values(), unread) for j in found)
    sentence, detail = headline(judged, needs, tally, measured=measured)
    if about is not None and not judged:
        sentence, detail = f"No target speaks of {about.title} alone, so nothing can be judged.", ""
    own = narrow.narrowed(frame, about)
    where = constraint_sentence(own) if own else ""
    return Scorecard(sentence, detail, _changes(columns), tally, needs, columns, where)


def _read(
    frame: Frame, asked: Mapping[str, Metric[object]], about: Narrow | None, *, everything: bool
) -> dict[str, tuple[Judged, ...]]:
    """The metrics that can have a tile, in their order: a number that nobody is shown is not computed."""
    aimed = {t.metric for t in frame.targets} | set(HEADLINE)
    found = {
        k: got
        for k, m in asked.items()
        if (everything or k in aimed) and (got := narrow.read(frame, m, about))
    }
    for dimension in Dimension:
        if not any(ALL[k].dimension is dimension for k in found):
            own = (m for k, m in asked.items() if m.dimension is dimension and k not in aimed)
            speak = ((m.key, got) for m in own if (got := narrow.read(frame, m, about)))
            found |= dict(islice(speak, MOST_UNAIMED))
    return {k: found[k] for k in asked if k in found}


def _changes(columns: Sequence[Column]) -> tuple[str, ...]:
    """Clear movements towards or away from what is wanted, setbacks first."""
    moved = [
        t for c in columns for t in c.tiles if t.movement and t.movement.clear and t.movement.good is not None
    ]
    moved.sort(key=lambda t: bool(t.movement and t.movement.good))
    return tuple(_change(t, t.movement) for t in moved[:MOST_CHANGES] if t.movement)


def _change(tile: Tile, movement: Movement) -> str:
    """One movement in words, "demand_v4: ranking quality (AUC) down 0.07, from 0.80 to 0.73"."""
    title, subject = tile.metric.title, tile.one.subject
    size = words.change(tile.metric, movement.change, tile.one.reading)
    ends = words.from_to(tile.metric, movement.before, tile.one.reading)
    whose = f"{subject}: {title[0].lower()}{title[1:]}" if subject else title
    return f"{whose} {'up' if movement.change > 0 else 'down'} {size}, from {ends}"


def _column(
    frame: Frame,
    dimension: Dimension,
    read: dict[str, tuple[Judged, ...]],
    speaking: set[str],
    *,
    everything: bool,
) -> Column:
    own = {k: found for k, found in read.items() if ALL[k].dimension is dimension}
    if not own:
        return Column(dimension, TITLES[dimension], (), _nothing(dimension))
    usual = _chosen(own)
    chosen = tuple(own) if everything else usual
    groups = tuple(group for key in chosen for group in _groups(own[key], everything=everything))
    tiles = tuple(_tile(frame, group) for group in groups)
    hidden = sum(ALL[k].dimension is dimension and k not in usual for k in speaking)
    if not any(t.one.reading.value is not None or t.one.has_target for t in tiles):
        reason = next((t.one.reading.reason for t in tiles), "")
        return Column(dimension, TITLES[dimension], (), f"Nothing to show: {reason}.", hidden)
    return Column(dimension, TITLES[dimension], tiles, more=hidden)


def _chosen(own: dict[str, tuple[Judged, ...]]) -> tuple[str, ...]:
    """Metrics with a tile: those with a target, else the headline ones, else the family's first."""
    aimed = tuple(k for k, found in own.items() if any(j.has_target for j in found))
    return aimed or tuple(k for k in HEADLINE if k in own) or tuple(own)[:MOST_UNAIMED]


def _groups(found: tuple[Judged, ...], *, everything: bool) -> tuple[tuple[Judged, ...], ...]:
    """What shares a tile: models do, the weakest speaks; experiments have outcomes of their own and never do."""
    if "experiment_id" not in found[0].metric.rollup.dims:
        return (found,)
    aimed = tuple((j,) for j in found if j.has_target)
    return (aimed if aimed and not everything else tuple((j,) for j in found))[:MOST_TRIALS]


def _tile(frame: Frame, group: tuple[Judged, ...]) -> Tile:
    one = weakest(group)
    trend = drawable(one.metric, history(frame, one))
    return Tile(one, _note(one, group), trend, movement(frame, one), group, lasting(frame, one))


def tile_of(frame: Frame, key: str) -> Tile:
    """A metric that a page shows as one number: its first reading under the page's view, with its way there."""
    found = frame.read(ALL[key])
    trend = drawable(found[0].metric, history(frame, found[0]))
    return Tile(found[0], "", trend, movement(frame, found[0]), found)


def _note(one: Judged, group: tuple[Judged, ...]) -> str:
    """Whose number a tile shows, and how it was chosen: "weakest of 5: churn_v3"."""
    aimed = [j for j in group if j.has_target]
    if len(group) == 1 or not one.subject:
        return one.subject
    if len(aimed) == 1:
        return f"{one.subject}, the only one with a target"
    return f"weakest of {len(aimed) or len(group)}: {one.subject}"


def _nothing(dimension: Dimension) -> str:
    tables = [n for n in WAITS_FOR.get(dimension, ()) if n in schema.METADATA.tables]
    return f"Nothing is measured here yet. It will need {words.listed(tuple(tables), 4)} in the warehouse."


def _importance(one: Judged) -> tuple[int, float]:
    """Business before technical, then the widest miss."""
    return (0 if one.metric.dimension is Dimension.BUSINESS else 1), -one.margin


def _tally(judged: Sequence[Judged]) -> Tally:
    states = [j.verdict.state for j in judged]
    met, missed, close = (states.count(s) for s in (State.MET, State.NOT_MET, State.INCONCLUSIVE))
    return Tally(met, missed, close, len(states) - met - missed - close)


def headline(
    judged: Sequence[Judged], needs: Sequence[Judged], tally: Tally, *, measured: bool
) -> tuple[str, str]:
    """The sentence that matters and the line under it, by rules: no word goes further than its verdict."""
    if not measured:
        return (
            "There is nothing to judge yet.",
            "Load predictions, labels or experiment units, then run refresh.",
        )
    if not judged:
        return (
            "No target is set, so nothing can be judged.",
            "Write targets.toml in the home folder; see the README.",
        )
    if needs:
        return finding(needs[0]), needs[0].metric.why
    unsure = tally.inconclusive + tally.unmeasured
    if unsure:
        first = min((j for j in judged if not j.verdict.passes), key=lambda j: ORDER.index(j.verdict.state))
        return f"No target is missed, but {unsure} of {tally.total} cannot be called yet.", finding(first)
    return "The one target is met." if tally.total == 1 else f"All {tally.total} targets are met.", ""


def finding(one: Judged) -> str:
    """One judged reading as a sentence: whose, what, value with its interval, and the target."""
    whose = f"{one.subject}: " if one.subject else ""
    title = one.metric.title[0].lower() + one.metric.title[1:] if whose else one.metric.title
    aim = (
        f"; the target is {words.target_words(one.metric, one.verdict.target)}" if one.verdict.target else ""
    )
    if one.reading.value is None:
        return f"{whose}{title} is not known ({one.reading.reason}){aim}."
    text = words.shown(one.metric, one.reading)
    interval = f" ({text.interval})" if text.interval else ""
    verb = ":" if one.metric.unit is Unit.COUNT else " is"  # counted things are many: "messages sent: 24"
    return f"{whose}{title}{verb} {text.value}{interval}{aim}."
