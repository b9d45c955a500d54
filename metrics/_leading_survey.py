"""Do the technical and the business side say the same of the same initiative? Answers to the questions put to both."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from data.sql import Facts, day_number, micros, whole
from metrics.core.alpha import ordinal_alpha
from metrics.core.estimates import share
from metrics.core.metric import Choice, Estimate, Rollup, undefined
from metrics.core.shapes import Columns, Counts

SIDES = ("technical", "business")
Unit = tuple[str, str, str]  # survey, question, initiative


@dataclass(frozen=True)
class AnswerCells:
    """Answers of one slice by unit and side: answers 1 to 5 and how many people gave each."""

    units: dict[Unit, dict[str, list[tuple[int, int]]]]

    @classmethod
    def of(cls, columns: Columns) -> AnswerCells:
        units: dict[Unit, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
        names = ("survey", "question", "about", "side", "answer", "answers")
        for survey, question, about, side, answer, n in zip(*(columns[k] for k in names), strict=True):
            units[str(survey), str(question), str(about)][str(side)].append((int(answer), int(n)))
        return cls({u: dict(sides) for u, sides in units.items()})

    def medians(self) -> np.ndarray:
        """The median answer of each side to each unit, shape (units, 2); NaN where a side did not answer."""
        found = [[_median(self.units[u].get(s, [])) for s in SIDES] for u in sorted(self.units)]
        return np.array(found).reshape(-1, 2)

    def heard(self) -> tuple[int, int]:
        """Pairs of survey and initiative answered by both sides, and by any."""
        sides: dict[tuple[str, str], set[str]] = defaultdict(set)
        for (survey, _, about), given in self.units.items():
            sides[survey, about] |= set(given)
        return sum(len(s) == len(SIDES) for s in sides.values()), len(sides)


def _median(answers: list[tuple[int, int]]) -> float:
    given = np.repeat([a for a, _ in answers], [n for _, n in answers])
    return float(np.median(given)) if given.size else float("nan")


def _answers(facts: Facts) -> sa.Select[tuple[object, ...]]:
    s = facts["survey_answers"]
    rows = (
        sa.select(
            micros(s.c.answered_at).label("us"), s.c.initiative_id, s.c.survey_id, s.c.question_id,
            s.c.survey_id.label("survey"), s.c.question_id.label("question"), s.c.initiative_id.label("about"),
            s.c.side, s.c.answer,
        )
        .where(facts.within(s.c.answered_at), facts.pinned(s))
        .subquery("answers")
    )  # fmt: skip
    dated = sa.select(rows, day_number(rows.c.us).label("day")).subquery("dated_answers")
    keys = [dated.c[k] for k in ("day", *facts.dims, "survey", "question", "about", "side", "answer")]
    return sa.select(*keys, whole(sa.func.count()).label("answers")).group_by(*keys)


ANSWERS: Rollup[AnswerCells] = Rollup(
    key="leading.answers",
    title="Answers of both sides to the same questions",
    tables=("survey_answers",),
    dims=("initiative_id", "survey_id", "question_id"),
    inner=("survey", "question", "about", "side", "answer"),
    words=("survey", "question", "about", "side"),
    shapes=(Counts(("answers",)),),
    select=_answers,
    cells=AnswerCells.of,
)


def alignment(cells: AnswerCells, _: Choice) -> Estimate:
    """Krippendorff's alpha (ordinal) of the two sides' median answers, with a bootstrap over the questions asked."""
    medians = cells.medians()
    both = int((~np.isnan(medians)).all(axis=1).sum())
    if not both:
        return undefined("no question was answered by both sides in this scope")
    found = ordinal_alpha(medians)
    if found is None:
        return undefined("all answers are the same: agreement cannot be told from habit", both)
    return Estimate(
        found.value, found.low, found.high, both, method="Krippendorff's alpha, ordinal; bootstrap of the questions"
    )  # fmt: skip


def heard(cells: AnswerCells, _: Choice) -> Estimate:
    both, asked = cells.heard()
    return share(both, asked, "no survey was answered in this scope")
