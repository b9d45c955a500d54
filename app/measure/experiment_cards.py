"""The Value page: what each experiment showed to have been caused, in words that go no further than the evidence."""

from __future__ import annotations

from dataclasses import dataclass

from app.measure import words
from app.measure.judged import Frame, Judged
from app.measure.lasting import Lasting, lasting
from metrics import ALL
from metrics.value import SRM_LIMIT

EFFECT, RELATIVE, RESPONDERS = (
    "value.mean_difference",
    "value.relative_difference",
    "value.responder_difference",
)
SPLIT, UNITS, MEAN = "value.srm_p_value", "value.units", "value.arm_mean"
RANDOMISED, BROKEN = "randomised", "none, the split is broken"
ROWS = (EFFECT, RELATIVE, RESPONDERS, SPLIT)


@dataclass(frozen=True)
class ExperimentCard:
    """One treated arm of one experiment. `evidence` is "randomised" only where the split between arms holds."""

    experiment: str
    arm: str
    sentence: str
    detail: str
    evidence: str
    effect: Judged
    relative: Judged | None
    rows: tuple[Judged, ...]
    arms: tuple[Judged, ...]
    warnings: tuple[str, ...]
    lasts: Lasting | None = None

    @property
    def broken(self) -> bool:
        """Whether the arms are not comparable: units did not fall as registered."""
        return self.evidence != RANDOMISED

    @property
    def name(self) -> str:
        return self.effect.subject or self.experiment


@dataclass(frozen=True)
class ValueBoard:
    """The page: the sentence that matters and a card an experiment (`missing` says what to do where there is none)."""

    sentence: str
    cards: tuple[ExperimentCard, ...]
    missing: str = ""


def value_board(frame: Frame) -> ValueBoard:
    """Every experiment in scope, those with a clear effect first."""
    effects = frame.read(ALL[EFFECT])
    known = [j for j in effects if dict(j.reading.by).get("experiment_id")]
    if not known:
        todo = frame.todo("experiment_units", effects[0].reading.reason)
        return ValueBoard("No experiment is loaded, so no value can be attributed.", (), todo)
    others = {key: frame.read(ALL[key]) for key in (RELATIVE, RESPONDERS, SPLIT, UNITS, MEAN)}
    cards = tuple(
        sorted((_card(frame, one, others) for one in known), key=lambda c: (-_clarity(c), c.experiment))
    )
    return ValueBoard(_sentence(cards), cards)


def _card(frame: Frame, one: Judged, others: dict[str, tuple[Judged, ...]]) -> ExperimentCard:
    by = dict(one.reading.by)
    experiment, arm = by.get("experiment_id") or "", by.get("arm") or ""
    matching = {k: _matching(found, experiment, arm) for k, found in others.items()}
    units = next((j for j in others[UNITS] if dict(j.reading.by).get("experiment_id") == experiment), None)
    arms = tuple(j for j in others[MEAN] if dict(j.reading.by).get("experiment_id") == experiment)
    split = matching[SPLIT]
    broken = split is not None and split.reading.value is not None and split.reading.value < SRM_LIMIT
    rows = tuple(j for j in (one, *(matching[k] for k in ROWS[1:])) if j is not None)
    return ExperimentCard(
        experiment, arm, claim(one, broken=broken), _detail(one, units, matching[RELATIVE]),
        BROKEN if broken else RANDOMISED, one, matching[RELATIVE], rows, arms, one.reading.warnings,
        None if broken else lasting(frame, one),
    )  # fmt: skip


def _matching(found: tuple[Judged, ...], experiment: str, arm: str) -> Judged | None:
    wanted = {("experiment_id", experiment), ("arm", arm)}
    return next((j for j in found if wanted <= set(j.reading.by)), None)


def claim(one: Judged, *, broken: bool) -> str:
    """One effect in words: caused only where randomised and clear of zero, never more."""
    reading = one.reading
    if reading.value is None or reading.low is None or reading.high is None:
        return f"No effect can be given: {reading.reason}."
    shown = words.shown(one.metric, reading)
    if broken:
        return "The split between the arms is broken, so no effect is claimed."
    size = shown.value.removeprefix("+").removeprefix(words.MINUS)
    if reading.low > 0:
        return f"Treatment caused {size} more per unit ({shown.interval})."
    if reading.high < 0:
        return f"Treatment caused {size} less per unit ({shown.interval})."
    return f"No effect that can be told from chance: {shown.value} per unit ({shown.interval})."


def _detail(one: Judged, units: Judged | None, relative: Judged | None) -> str:
    parts = []
    if units is not None and units.reading.value is not None:
        parts.append(
            f"{words.shown(units.metric, units.reading).value} units, {words.count(one.reading.n)} with an outcome"
        )
    if relative is not None and relative.reading.value is not None:
        shown = words.shown(relative.metric, relative.reading)
        parts.append(f"{shown.value} against those left alone ({shown.interval})")
    return "; ".join(parts) + "." if parts else ""


def direction(card: ExperimentCard) -> int:
    """1 a clear gain, -1 a clear loss, 0 neither or not claimable."""
    reading = card.effect.reading
    if card.broken or reading.low is None or reading.high is None:
        return 0
    return int(reading.low > 0) - int(reading.high < 0)


def _clarity(card: ExperimentCard) -> int:
    return abs(direction(card))


def _sentence(cards: tuple[ExperimentCard, ...]) -> str:
    gains, losses = (sum(1 for c in cards if direction(c) == way) for way in (1, -1))
    rest = len(cards) - gains - losses
    counts = (
        (gains, "a clear gain"),
        (losses, "a clear loss"),
        (rest, "no effect that can be told from chance"),
    )
    said = [f"{n} {'shows' if n == 1 else 'show'} {what}" for n, what in counts if n]
    return f"Of {words.plural(len(cards), 'experiment')}, {words.listed(tuple(said))}."
