"""The words of the trade, explained where they stand: by mouse, by keyboard and on the Definitions page."""

from __future__ import annotations

import re
from functools import cache

from app.ui.marks import text

TERMS = {
    "attributed value": "Money that a randomised or sound quasi-experimental study caused; what models merely claim is left out.",
    "AUC": "How often the model scores a true case above a false one: 0.5 is chance, 1 is perfect.",
    "95 % interval": "Where the true number lies, as far as the data tell: 95 of 100 such intervals hold it.",
    "constraint": "The link of the chain at which the most value could be recovered.",
    "holdout": "People left alone on purpose, so that one sees what would have come anyway.",
    "precision": "Of those flagged, the share that was right.",
    "recall": "Of the true cases, the share that was flagged.",
    "calibration slope": "1 where a score of 30 % comes true in 30 of 100 cases; below 1 the scores are too extreme.",
    "four-fifths rule": "The group flagged least is flagged at least four fifths as often as the group flagged most.",
    "randomised": "Chance decided who was treated, so nothing but the treatment tells the groups apart.",
    "quasi-experimental": "Nobody drew lots, but a comparison was found that passed every check for it.",
    "inconclusive": "The interval holds the target, so neither met nor not met can be said.",
    "stale": "The data are older than the target allows; such a number passes nothing.",
    "association": "Two numbers that move together. It does not say which moves which, or whether either does.",
    "latency": "Time from the score to the message.",
    "suppression": "A person's stop: after it nothing of its kind may be sent.",
    "orphan": "An initiative that nobody is accountable for.",
    "restated": "Published numbers whose days read otherwise now, because rows arrived late or were mended.",
    "net": "Attributed value less what the initiative cost.",
}


@cache
def _pattern() -> re.Pattern[str]:
    words = sorted(TERMS, key=len, reverse=True)
    return re.compile(r"(?<![\w-])(" + "|".join(re.escape(w) for w in words) + r")(?![\w-])", re.IGNORECASE)


def explained(said: str) -> str:
    """A sentence as safe markup, the first use of each term explained to whoever points at it or tabs to it."""
    seen: set[str] = set()
    parts, at = [], 0
    for found in _pattern().finditer(said):
        word = found.group(1)
        known = next(k for k in TERMS if k.lower() == word.lower())
        if known in seen:
            continue
        seen.add(known)
        parts += [text(said[at : found.start()]), term(word, TERMS[known])]
        at = found.end()
    return "".join((*parts, text(said[at:])))


def term(word: str, meaning: str) -> str:
    """One word with its meaning."""
    return (
        f'<span class="tl-term" tabindex="0" role="note" aria-label="{text(word)}: {text(meaning)}" data-tip="{text(meaning)}">'
        f"{text(word)}</span>"
    )
