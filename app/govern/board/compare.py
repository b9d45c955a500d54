"""Two publications side by side, and one against what today's warehouse says of the same days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from app.govern.board.document import By, Document, Line, known, name_of
from app.measure import words
from app.measure.finished import ScopeError
from app.measure.readings import Readings
from app.measure.scope import View, Window, scope
from metrics import ALL
from metrics.core.metric import Reading, Scope

NEW, GONE = "new", "gone"


@dataclass(frozen=True)
class Moved:
    """A number that is not the same in both. `apart`: the two intervals do not overlap. `why`: what else changed."""

    key: str
    by: By
    title: str
    subject: str
    before: str
    after: str
    state_before: str
    state_after: str
    apart: bool
    why: str

    def message(self) -> str:
        verdicts = (
            "" if self.state_before == self.state_after else f"  {self.state_before} -> {self.state_after}"
        )
        subject = f" ({self.subject})" if self.subject else ""
        note = f"  [{self.why}]" if self.why else ""
        return f"{self.title}{subject}: {self.before} -> {self.after}{verdicts}{note}"


@dataclass(frozen=True)
class Comparison:
    """What differs between two publications, changed verdicts first, and how many numbers are the same."""

    first: str
    second: str
    same: int
    moved: tuple[Moved, ...]
    sentences: tuple[tuple[str, str], ...]

    def message(self) -> str:
        head = f"{self.first} and {self.second}: {self.same} numbers are the same, {len(self.moved)} differ"
        return "\n".join((head, *(m.message() for m in self.moved)))


def compare(first: tuple[str, Document], second: tuple[str, Document]) -> Comparison:
    """Two publications, the first taken as the earlier one. Each: its name and its content."""
    before = {line.name: line for line in first[1].lines}
    after = {line.name: line for line in second[1].lines}
    names = tuple(dict.fromkeys((*after, *before)))
    found = [m for name in names if (m := _moved(before.get(name), after.get(name))) is not None]
    found.sort(key=lambda m: (m.state_before == m.state_after, not m.apart))
    same = len(names) - len(found)
    said = tuple(zip(first[1].sentences[:1], second[1].sentences[:1], strict=False))
    return Comparison(first[0], second[0], same, tuple(found), said)


def _moved(a: Line | None, b: Line | None) -> Moved | None:
    some = b or a
    assert some is not None
    if (
        a is not None
        and b is not None
        and _same(a.reading, b.reading)
        and a.state is b.state
        and not _why(a, b)
    ):
        return None
    return Moved(
        some.reading.key, some.name[1], some.title, some.subject, NEW if a is None else amount(a.reading),
        GONE if b is None else amount(b.reading), a.state.value if a else "", b.state.value if b else "",
        a is not None and b is not None and apart(a.reading, b.reading), _why(a, b),
    )  # fmt: skip


def _why(a: Line | None, b: Line | None) -> str:
    """What changed besides the number itself."""
    if a is None or b is None:
        return ""
    reasons = (
        f"definition {a.definition} became {b.definition}" if a.definition != b.definition else "",
        "the target is another one" if a.aim != b.aim else "",
    )
    return "; ".join(r for r in reasons if r)


def _same(a: Reading, b: Reading) -> bool:
    return (a.value, a.low, a.high, a.n) == (b.value, b.low, b.high, b.n)


def apart(a: Reading, b: Reading) -> bool:
    """Whether two readings' intervals do not overlap; a number without one is its own interval."""
    if a.value is None or b.value is None:
        return False
    ends = ((r.value if r.low is None else r.low, r.value if r.high is None else r.high) for r in (a, b))
    (low, high), (low2, high2) = ends
    assert None not in (low, high, low2, high2)
    return bool(high < low2 or high2 < low)  # type: ignore[operator]


def amount(reading: Reading) -> str:
    """A reading in words; a metric that is not in the catalogue any more as its bare number."""
    if not known(reading.key):
        return words.DASH if reading.value is None else f"{reading.value:.6g}"
    shown = words.shown(ALL[reading.key], reading)
    return f"{shown.value} ({shown.interval})" if shown.interval else shown.value


@dataclass(frozen=True)
class Restated:
    """One published number, the same asked again as of the same instant, and the same days as they are known now."""

    key: str
    by: By
    title: str
    subject: str
    published: str
    again: str
    now: str
    reproduced: bool
    restated: bool
    why: str

    def message(self) -> str:
        subject = f" ({self.subject})" if self.subject else ""
        mark = "restated" if self.restated else "as published"
        broken = "" if self.reproduced else f"  NOT REPRODUCED: as of then it is {self.again}"
        return f"{mark}  {self.title}{subject}: {self.published} -> {self.now}{broken}{f'  [{self.why}]' if self.why else ''}"


@dataclass(frozen=True)
class Restatement:
    """A publication against today's warehouse: how many numbers stand, and the others."""

    publication: str
    asked: int
    reproduced: int
    restated: int
    lines: tuple[Restated, ...]

    def message(self) -> str:
        head = (
            f"{self.publication}: {self.reproduced} of {self.asked} numbers come out the same as of the same instant,"
            f" {self.restated} are restated by what arrived since"
        )
        return "\n".join((head, *(line.message() for line in self.lines)))


def restate(name: str, found: Document, readings: Readings) -> Restatement:
    """Ask every published number again, as of the same instant and as known now. Raises nothing for what is gone."""
    days = Window(found.first, found.last)
    then = _asked(found, readings, days, found.as_of)
    now = _asked(found, readings, days, None)
    lines = tuple(_restated(line, then.get(line.name), now.get(line.name)) for line in found.lines)
    wrong = sorted((x for x in lines if x.restated or not x.reproduced), key=lambda x: x.reproduced)
    return Restatement(
        name, len(lines), sum(x.reproduced for x in lines), sum(x.restated for x in lines), tuple(wrong)
    )


def _asked(
    found: Document, readings: Readings, days: Window, as_of: dt.datetime | None
) -> Mapping[tuple[str, By], Reading]:
    """Every published metric read again under the publication's own days."""
    held: dict[tuple[str, By], Reading] = {}
    for key in dict.fromkeys(line.reading.key for line in found.lines if known(line.reading.key)):
        metric = ALL[key]
        asked = scope(metric, View(), days, readings.dimensions(metric.rollup))
        moment = _moment(found, key, as_of)
        for one in _read(readings, key, replace(asked, as_of=moment)):
            held[name_of(one)] = one
    return held


def _moment(found: Document, key: str, as_of: dt.datetime | None) -> dt.datetime | None:
    """The ledger is asked as it was when the publication was made; the warehouse as of its newest load."""
    if as_of is not None and ALL[key].rollup.ledger:
        return next((x.reading.as_of for x in found.lines if x.reading.key == key), found.made)
    return as_of


def _read(readings: Readings, key: str, asked: Scope) -> Iterable[Reading]:
    try:
        return readings.read(ALL[key], asked)
    except ScopeError:
        return ()  # a dimension that the warehouse had then is gone; the line says so


def _restated(line: Line, then: Reading | None, now: Reading | None) -> Restated:
    changed = known(line.reading.key) and ALL[line.reading.key].version != line.definition
    why = (
        f"its definition is version {ALL[line.reading.key].version} now, it was {line.definition}"
        if changed
        else ""
        if known(line.reading.key)
        else "the catalogue has no such metric any more"
    )
    return Restated(
        line.reading.key, line.name[1], line.title, line.subject, amount(line.reading),
        GONE if then is None else amount(then), GONE if now is None else amount(now),
        then is not None and _close(line.reading, then), now is None or not _close(line.reading, now), why,
    )  # fmt: skip


def _close(a: Reading, b: Reading) -> bool:
    """The same number; the last digits may come from another order of adding."""
    pairs = ((a.value, b.value), (a.low, b.low), (a.high, b.high))
    return a.n == b.n and all(
        x is y is None or (x is not None and y is not None and abs(x - y) <= 1e-9 * max(1.0, abs(x)))
        for x, y in pairs
    )
