"""The Generated text page: what people found in a model's answers, and what a judge model adds once it is judged itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.measure import words
from app.measure.fairness_cards import RatePanel
from app.measure.judged import ORDER, Frame, Judged
from app.measure.scorecard import Tile, tile_of
from metrics import ALL
from metrics.core.verdict import State

HEADLINE = "generative.hallucination_rate"
RATES = (HEADLINE, "generative.groundedness_rate", "generative.correctness_rate", "generative.override_rate")
ALONE = "judge alone"
# The same share told in several ways; the judge's own word stands last because it is the least of them.
WAYS = (
    ("generative.prediction_powered_rate", "people and judge"),
    ("generative.corrected_rate", "judge, corrected"),
    ("generative.judged_rate", ALONE),
)
JUDGING = (
    "generative.judge_sensitivity", "generative.judge_specificity", "generative.judge_kappa",
    "generative.reviewer_agreement",
)  # fmt: skip


@dataclass(frozen=True)
class RubricCard:
    """One rubric of a model: its rate told by people and by the judge, and how far judge and people may be trusted."""

    rubric: str
    panel: RatePanel
    trust: tuple[Judged, ...]


@dataclass(frozen=True)
class GeneratedBoard:
    """The page: which model, the sentence that matters, the rates by people, and a card for each rubric."""

    model: str
    sentence: str
    detail: str
    verdict: Judged | None
    tiles: tuple[Tile, ...]
    rubrics: tuple[RubricCard, ...]
    missing: str = ""


def generated_board(frame: Frame) -> GeneratedBoard:
    """The board of the chosen model, else of the one whose answers ask for attention first."""
    found = frame.read(ALL[HEADLINE])
    known = [j for j in found if dict(j.reading.by).get("model_id")]
    if not known:
        reason = found[0].reading.reason if found else "no review in this scope"
        todo = frame.todo("reviews of what a model wrote", reason)
        return GeneratedBoard("", "No written answer has been reviewed yet.", "", None, (), (), todo)
    worst = min(known, key=_urgency)
    model = dict(worst.reading.by)["model_id"] or ""
    own = replace(frame, view=replace(frame.view, model=model))
    tiles = tuple(tile_of(own, key) for key in RATES)
    return GeneratedBoard(model, sentence(worst), _detail(worst), worst, tiles, _rubrics(own))


def _urgency(one: Judged) -> tuple[int, float]:
    return ORDER.index(one.verdict.state), -(one.reading.value or 0.0)


def sentence(one: Judged) -> str:
    """How many answers state what is not so, and how that stands to its target where there is one."""
    model = dict(one.reading.by)["model_id"]
    if one.reading.value is None:
        return f"{model}: how many answers invent facts is not known ({one.reading.reason})."
    shown = words.shown(one.metric, one.reading)
    said = f"{model}: {shown.value} of answers state what is not so ({shown.interval})"
    target = one.verdict.target
    if target is None:
        return f"{said}."
    ending = {
        State.MET: "within the target",
        State.NOT_MET: "above the target",
        State.INCONCLUSIVE: "whether that is within the target cannot be told yet",
    }.get(one.verdict.state, f"the verdict is {one.verdict.state.value}")
    return f"{said}: {ending} ({words.target_words(one.metric, target)})."


def _detail(one: Judged) -> str:
    return f"{words.plural(one.reading.n, 'answer')} read by people. {one.metric.why}"


def _rubrics(frame: Frame) -> tuple[RubricCard, ...]:
    every = {key: _by_rubric(frame, key) for key in (*(k for k, _ in WAYS), *JUDGING)}
    names = sorted({name for found in every.values() for name in found})
    return tuple(_rubric(frame, name, every) for name in names)


def _by_rubric(frame: Frame, key: str) -> dict[str, Judged]:
    return {dict(j.reading.by).get("rubric") or "": j for j in frame.read(ALL[key])}


def _rubric(frame: Frame, name: str, every: dict[str, dict[str, Judged]]) -> RubricCard:
    human = f"generative.{name}_rate"
    own = [replace(j, subject="people") for j in frame.read(ALL[human])[:1]] if human in RATES else []
    told = [replace(every[key][name], subject=how) for key, how in WAYS if name in every[key]]
    rows = tuple(j for j in (*own, *told) if j.reading.value is not None)
    trust = tuple(every[key][name] for key in JUDGING if name in every[key])
    metric = ALL[human if human in RATES else WAYS[0][0]]
    return RubricCard(name, RatePanel(metric, rows, finding(name, rows)), trust)


def finding(name: str, rows: tuple[Judged, ...]) -> str:
    """What the ways of telling one rate say together."""
    by = {j.subject: j for j in rows}
    people, raw = by.get("people"), by.get(ALONE)
    if people is None or raw is None:
        who = "people alone" if raw is None else "a judge alone"
        return f"{name.capitalize()}: told by {who}"
    apart = (raw.reading.value or 0.0) - (people.reading.value or 0.0)
    clear = (raw.reading.low or 0.0) > (people.reading.high or 0.0) or (raw.reading.high or 0.0) < (
        people.reading.low or 0.0
    )
    if not clear:
        return f"{name.capitalize()}: judge and people tell the same, within their intervals"
    return f"{name.capitalize()}: the judge reports {'more' if apart > 0 else 'less'} than people find"
