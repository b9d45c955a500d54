"""Everything that a board pack holds, read once from one look at the ledger and one state of the data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TypeVar

from app.govern import lint
from app.govern.alerts.events import events
from app.govern.gates.basis import code_version
from app.govern.gates.evaluate import Sources, evaluate
from app.govern.gates.then import ThenNow, calibration, compare
from app.govern.gates.watch import Watched, judge_condition, watched
from app.govern.model import Row
from app.govern.pack import model
from app.govern.pack.figures import figures, missing
from app.govern.views import Room
from app.govern.views_gates import kept_words, sources_of, title_of
from app.govern.views_initiatives import initiative_board
from app.govern.views_risks import Acceptance, RiskLine, risk_board
from app.govern.views_value import StudyLine, portfolio
from app.measure import words
from app.measure.judged import Frame
from app.measure.readings import Readings
from app.measure.scope import View, ground, window
from app.measure.scorecard import finding, scorecard
from app.runtime import Runtime
from data.policies.gates import GATES

TITLE = "Throughline board pack"
MOST = 60  # lines of a list; more are counted
T = TypeVar("T")
NEXT = {
    "hypothesis": "data reality", "data reality": "pilot", "pilot": "production", "production": "scale",
    "scale": "sustain", "sustain": "sustain",
}  # fmt: skip


class _Kept:
    """Cuts long lists and remembers by how much."""

    def __init__(self) -> None:
        self.left_out: list[tuple[str, int]] = []

    def first(self, name: str, found: Sequence[T]) -> tuple[T, ...]:
        if len(found) > MOST:
            self.left_out.append((name, len(found) - MOST))
        return tuple(found[:MOST])


def gather(runtime: Runtime, room: Room, chain: model.Chain) -> model.BoardPack:
    """The pack as things are now. `room`: the ledger as its reader sees it."""
    readings = runtime.readings.pinned()
    view = View()
    days = window(view, ground(readings))
    frame = Frame(runtime, readings, view, days, runtime.targets(), room.now)
    card = scorecard(frame)
    found = sources_of(room, runtime, readings)
    conditions = watched(found)
    risks = risk_board(room, readings)
    studies = portfolio(room, runtime.settings)
    cut = _Kept()
    tally = card.tally
    return model.BoardPack(
        format=model.FORMAT, made=room.now, title=TITLE, scope=days.words(), code=code_version(), sentence=card.sentence,
        detail=card.detail, targets=(tally.met, tally.not_met, tally.inconclusive, tally.unmeasured), changes=card.changes,
        needs=tuple(finding(n) for n in cut.first("what needs attention", card.needs)), figures=figures(frame, card, room),
        missing=missing(card), initiatives=cut.first("initiatives", _initiatives(room, found)),
        decisions=cut.first("decisions", _decisions(room, found)), kept=kept_words(calibration(runtime, room.ledger)),
        conditions=cut.first("conditions", _conditions(room, found, conditions)), risk_sentence=risks.sentence,
        risks=cut.first("risks above appetite", _risks(room, readings)),
        acceptances=cut.first("acceptances", _acceptances(risks.acceptances)),
        alerts=cut.first("alerts", _alerts(room, conditions)),
        value_sentence=studies.sentence, studies=cut.first("studies", _studies(studies.lines)), chain=chain,
        left_out=tuple(cut.left_out),
    )  # fmt: skip


def _initiatives(room: Room, found: Sources) -> list[model.Initiative]:
    return [
        model.Initiative(
            i.record_id, i.title, i.stage, i.materiality, i.owner, *_next(found, i.record_id, i.stage), i.risks, i.review, i.late,
        )
        for i in initiative_board(room).initiatives
    ]  # fmt: skip


def _next(found: Sources, initiative: str, stage: str) -> tuple[str, bool | None, str]:
    """The gate that comes next, whether it would be passed today, and why not."""
    gate = NEXT.get(stage, "")
    if gate not in GATES:
        return "none", None, ""
    standing = evaluate(found, initiative, gate).standing
    return gate, standing.holds, standing.why


def _decisions(room: Room, found: Sources) -> list[model.Decision]:
    rows = sorted(room.rows("gate_decisions"), key=lambda d: -d.seq)
    return [_decision(room, compare(found, row)) for row in rows]


def _decision(room: Room, one: ThenNow) -> model.Decision:
    today = "would pass" if one.passes else f"would not pass: {one.standing.why}"
    return model.Decision(
        one.decision.record_id, title_of(room, one.review), one.decision.text("outcome"), words.date(one.decision.at.date()),
        one.stands.value, today, one.outdated, one.then.sha256,
    )  # fmt: skip


def _conditions(room: Room, found: Sources, live: tuple[Watched, ...]) -> list[model.Condition]:
    """Those in force with their state today, then those that failed."""
    failed = [r for r in room.rows("conditions") if r.state in ("breached", "lapsed")]
    pairs = [(w.condition, w.finding.state.value, w.finding.why) for w in live]
    for row in failed:
        review = found.look.find("gate_reviews", row.text("review"))
        if review is not None:
            now = judge_condition(found, row, review)
            pairs.append((row, now.state.value, now.why))
    return [_condition(room, found, *pair) for pair in pairs]


def _condition(room: Room, found: Sources, row: Row, today: str, why: str) -> model.Condition:
    review = found.look.find("gate_reviews", row.text("review"))
    day = row["due"]
    about = title_of(room, review) if review else row.text("review")
    due = words.date(day) if isinstance(day, dt.date) else words.DASH
    state = "in force" if row.state == "proposed" else row.state
    return model.Condition(
        row.record_id, row.text("title"), about, room.name(row.text("owner")), due, state, today, why
    )


def _risks(room: Room, readings: Readings) -> list[model.Risk]:
    """Risks whose residual score lies above the appetite or the tolerance of their category, the worst first."""
    wanted = [r.record_id for r in room.live("risks") if _above(room, r)]
    found: dict[str, RiskLine] = {}
    for record in wanted[:MOST]:
        for line in risk_board(room, readings, record.lower()).risks:
            if line.record_id == record:
                found[record] = line
    lines = sorted(found.values(), key=lambda x: (not x.over, -(x.scores[2] or 0), x.record_id))
    return [
        model.Risk(
            r.record_id, r.title, r.initiative, r.category, r.owner, *r.scores, r.appetite, r.treatment,
            r.indicator.text if r.indicator else "", r.indicator.verdict.state.value if r.indicator else "",
        )
        for r in lines
    ]  # fmt: skip


def _above(room: Room, row: Row) -> bool:
    left, held = lint.score(row, "residual"), room.shelf["appetites"].get(row.text("category"))
    sought = held["appetite"] if held and held.state == "active" else None
    return left is not None and isinstance(sought, int) and left > sought


def _acceptances(found: Sequence[Acceptance]) -> list[model.Acceptance]:
    """What has ended, and what ends within the month."""
    return [
        model.Acceptance(a.record_id, a.about, a.kind, a.state, a.ends, a.late)
        for a in found
        if a.late or ", in " in a.ends
    ]


def _studies(lines: Sequence[StudyLine]) -> list[model.Study]:
    return [
        model.Study(s.title, s.initiative, s.design, s.grade, s.effect, s.value, s.cost, s.adds, s.why_not)
        for s in lines
    ]


def _alerts(room: Room, conditions: tuple[Watched, ...]) -> list[model.Due]:
    return [
        model.Due(e.kind, f"{e.title} ({e.record_id})", e.text, ", ".join(room.name(p) for p in e.people))
        for e in events(room, conditions)
    ]
