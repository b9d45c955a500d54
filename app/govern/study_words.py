"""A study in plain words: what was found, what it is worth, how far it can be trusted, what would raise its grade."""

from __future__ import annotations

from dataclasses import dataclass

from app.measure import words
from app.measure.studies.outcome import StudyResult
from metrics.attribution.result import Diagnostic, Verdict
from metrics.core.persistence import LONGEST

_DESIGNS = {
    "randomised": "By its plan units were assigned at random, so that nothing but the treatment tells the groups apart.",
    "did": "The change of treated units is compared with the change of others over the same time.",
    "staggered": "Units adopted at different times; each is compared with those that had not adopted yet.",
    "synthetic_control": "A weighted mix of untreated units that moved alike before stands for what would have happened.",
    "interrupted_series": "The series after the start is compared with where it was heading before.",
}
_GRADES = {
    "randomised": "Randomised: the strongest evidence there is. The effect is attributed.",
    "quasi-experimental": "Quasi-experimental, and every gate it must pass was passed. The effect is attributed.",
    "modelled": "Modelled: something it must rest on was not checked or did not hold. The figure is shown, never added.",
    "claimed": "Claimed: nobody has measured it. The figure is shown, never added.",
    "blocked": "Blocked: a gate says that these numbers must not be relied on. They are shown grey and are in no sum.",
}
_HIGHER = {
    "randomised": "Nothing stands above it; keep a holdout, so that it can be seen whether the effect lasts.",
    "did": "Assign the next roll-out at random: half of the units now, the rest later.",
    "staggered": "Draw the order of the next roll-out by lot.",
    "synthetic_control": "Treat several units at random instead of one that was chosen.",
    "interrupted_series": "Keep some units untreated for a while, and compare with them.",
}


@dataclass(frozen=True)
class Told:
    """`headline` is one line; `report` paragraphs for a reader who signs budgets; `raises` what would raise the grade."""

    headline: str
    report: tuple[str, ...]
    raises: tuple[str, ...]


def amount(value: float) -> str:
    """Money without its currency, to three digits; below nothing with a minus sign."""
    size, sign = abs(value), words.MINUS if value < 0 else ""
    for bound, unit in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if size >= bound:
            return f"{sign}{words.formatted(size / bound, ',.3g')}{words.NBSP}{unit}"
    return f"{sign}{words.formatted(size, ',.3g')}"


def number(value: float, form: str) -> str:
    """A number in a format of Python's, with a minus sign where that writes a hyphen."""
    return words.formatted(value, form)


def told(result: StudyResult) -> Told:
    """The study in words; none of them goes further than its grade."""
    report = (
        _found(result), _DESIGNS[result.design], _trust(result), *_lasts(result), *_gains(result), *_worth(result),
        *_limits(result),
    )  # fmt: skip
    return Told(_headline(result), report, _raises(result))


def _headline(result: StudyResult) -> str:
    if result.estimate is None:
        return f"no estimate: {result.reason}"
    interval = (
        ""
        if result.low is None or result.high is None
        else f" ({number(result.low, '.3g')} to {number(result.high, '.3g')})"
    )
    share = f", {number(result.relative.estimate, '+.1%')}" if result.relative else ""
    return f"{number(result.estimate, '+.3g')}{interval}{share}"


def _found(result: StudyResult) -> str:
    """The effect as a sentence: caused only where attributed and clear of zero."""
    if result.estimate is None:
        return f"{result.name}: there is no estimate, because {result.reason}."
    size = _headline(result)
    if not result.counted:
        return (
            f"{result.name}: the difference is {size}. Nobody should say that it was caused by the treatment."
        )
    if result.beneficial is None:
        return f"{result.name}: an effect of {size}, which cannot be told from none."
    way = "improved the outcome" if result.beneficial else "made the outcome worse"
    return f"{result.name}: the treatment {way} by {size}."


_VERDICTS = {
    Verdict.PASS: ("passed", "passed"), Verdict.WARN: ("warns", "warn"), Verdict.BLOCK: ("blocks", "block"),
    Verdict.UNKNOWN: ("could not be computed", "could not be computed"),
}  # fmt: skip


def _trust(result: StudyResult) -> str:
    """The grade, and how many gates said what; verdicts that no gate gave are not mentioned."""
    counts = [(sum(d.verdict is v for d in result.diagnostics), said) for v, said in _VERDICTS.items()]
    told = tuple(f"{count} {said[count > 1]}" for count, said in counts if count)
    return f"{_GRADES[result.grade]} Of {words.plural(len(result.diagnostics), 'gate')} {words.listed(told)}."


def gate_name(name: str) -> str:
    """A gate as people call it."""
    return name.replace("_", " ").replace("roi", "ROI")


def _lasts(result: StudyResult) -> tuple[str, ...]:
    """Whether it lasts, and how fast it fades."""
    found = result.lasts
    if found is None:
        return ()
    text = f"{words.sentence(found.course.value).rstrip('.')}: {found.why}."
    half = found.half_life
    if half is not None:
        longest = "longer than can be told" if half.high >= LONGEST else f"{half.high:,.0f}"
        text += f" It halves in about {half.value:,.0f} {found.unit}s ({half.low:,.0f} to {longest})."
    return (text,)


def _gains(result: StudyResult) -> tuple[str, ...]:
    """Whether the columns that the plan names tell who gains."""
    found = result.uplift
    if found is None:
        return ()
    by = words.listed(found.by, 6)
    if found.qini is None or found.low is None or found.high is None:
        return (f"Who gains cannot be told from {by}: {found.reason}.",)
    size = f"Qini {number(found.qini, '.3g')} ({number(found.low, '.3g')} to {number(found.high, '.3g')}, {found.method})"
    if not found.ranks:
        return (f"Who gains cannot be told from {by}: the order is no better than chance, {size}.",)
    return (f"{by} tell who gains beyond chance: {size}.",)


def _worth(result: StudyResult) -> tuple[str, ...]:
    roi = result.roi
    if roi is None:
        return ("No unit value was registered, so it is not put into money.",)
    lines = [f"In money: {amount(roi.value)}, between {amount(roi.value_low)} and {amount(roi.value_high)}."]
    if roi.cost is not None and roi.roi is not None and roi.probability_positive is not None:
        lines.append(
            f"It cost {amount(roi.cost)}; the return is {number(roi.roi, '+.2f')} per unit of money spent, and the chance that it"
            f" pays is {roi.probability_positive:.0%}."
        )
    if roi.break_even_effect is not None:
        lines.append(f"It breaks even at an effect of {number(roi.break_even_effect, '.3g')}.")
    if roi.recapture < 1:
        lines.append(f"Only {roi.recapture:.0%} of the gain is taken as recaptured.")
    if roi.reason:
        lines.append(words.sentence(roi.reason))
    return (" ".join(lines),)


def _limits(result: StudyResult) -> tuple[str, ...]:
    return tuple(words.sentence(w) for w in result.warnings)


def _raises(result: StudyResult) -> tuple[str, ...]:
    """What to do about every gate that did not pass, blocking ones first; then what a stronger design would be."""
    order = (Verdict.BLOCK, Verdict.WARN, Verdict.UNKNOWN)
    wanting: list[Diagnostic] = [
        d for v in order for d in result.diagnostics if d.verdict is v and d.what_to_do
    ]
    found = [words.sentence(d.what_to_do) for d in wanting]
    last = _HIGHER[result.design]
    if result.design == "randomised" and not result.counted:
        last = "No design stands above this one: once its gates hold, the evidence is the strongest there is."
    return (*dict.fromkeys(found), last)
