"""A publication's content: every number of the scorecard as it was shown, as canonical JSON that is read back exactly."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from app.govern.model import CommandError
from app.measure.judged import Judged
from data.audit import Json, canonical, sha256
from metrics import ALL
from metrics.core.metric import Reading, Unit, protected
from metrics.core.verdict import State

FORMAT = "throughline-publication-1"
By = tuple[tuple[str, str | None], ...]


class PublicationError(CommandError):
    """A publication that cannot be made, found or read; the message says what to do."""


@dataclass(frozen=True)
class Aim:
    """The target that a number was held against."""

    comparator: str
    threshold: float
    note: str = ""


@dataclass(frozen=True)
class Line:
    """One number as the board saw it. `definition`: version of the metric's definition."""

    reading: Reading
    title: str
    subject: str
    owner: str
    definition: int
    state: State
    why: str
    aim: Aim | None = None

    @property
    def name(self) -> tuple[str, By]:
        """What makes it the same number in another publication."""
        return name_of(self.reading)


def name_of(reading: Reading) -> tuple[str, By]:
    """What makes it the same number in another publication. Which group of people fares worst is part of the answer."""
    kept = (pair for pair in reading.by if not protected(pair[0]) and pair[0] != "attributes")
    return reading.key, tuple(sorted(kept, key=lambda pair: pair[0]))


@dataclass(frozen=True)
class Document:
    """A whole publication. `kind`: day or month; `first`, `last`: the days it speaks of, both included (UTC)."""

    kind: str
    as_of: dt.datetime
    made: dt.datetime
    first: dt.date
    last: dt.date
    sentences: tuple[str, ...]
    lines: tuple[Line, ...]


def line_of(one: Judged) -> Line:
    """A judged reading as it is kept."""
    target, metric = one.verdict.target, one.metric
    aim = Aim(target.comparator.value, target.threshold, target.note) if target else None
    return Line(
        one.reading,
        metric.title,
        one.subject,
        metric.owner,
        metric.version,
        one.verdict.state,
        one.verdict.why,
        aim,
    )


def text_of(found: Document) -> str:
    """The document as canonical JSON: the same content has the same text."""
    return canonical(
        {
            "format": FORMAT, "kind": found.kind, "as_of": found.as_of.isoformat(), "made": found.made.isoformat(),
            "first": found.first.isoformat(), "last": found.last.isoformat(), "sentences": list(found.sentences),
            "lines": [_line(one) for one in found.lines],
        }
    )  # fmt: skip


def _line(one: Line) -> dict[str, Json]:
    r, aim = one.reading, one.aim
    return {
        "key": r.key, "by": [[k, v] for k, v in r.by], "value": r.value, "low": r.low, "high": r.high, "n": r.n,
        "numerator": r.numerator, "denominator": r.denominator, "unit": r.unit.value, "method": r.method, "reason": r.reason,
        "warnings": list(r.warnings), "as_of": None if r.as_of is None else r.as_of.isoformat(), "version": r.version,
        "inadmissible": list(r.inadmissible), "title": one.title, "subject": one.subject, "owner": one.owner,
        "definition": one.definition, "state": one.state.value, "why": one.why,
        "target": None if aim is None else [aim.comparator, aim.threshold, aim.note],
    }  # fmt: skip


def read(text: str, digest: str) -> Document:
    """The document of a text. Raises PublicationError unless the text is what the digest names."""
    if sha256(text) != digest:
        raise PublicationError(
            "the publication is not what its SHA-256 names; run: python -m app verify --deep"
        )
    try:
        found = json.loads(text)
        if found["format"] != FORMAT:
            raise PublicationError(f"its form is {found['format']!r}; this app reads {FORMAT}")
        return Document(
            found["kind"], dt.datetime.fromisoformat(found["as_of"]), dt.datetime.fromisoformat(found["made"]),
            dt.date.fromisoformat(found["first"]), dt.date.fromisoformat(found["last"]), tuple(found["sentences"]),
            tuple(_read(one) for one in found["lines"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise PublicationError(f"this text is no publication: {error}") from error


def _read(one: dict[str, Any]) -> Line:  # the values of JSON
    as_of = one["as_of"]
    reading = Reading(
        one["key"], tuple((str(k), v) for k, v in one["by"]), one["value"], one["low"], one["high"], one["n"],
        one["numerator"], one["denominator"], Unit(one["unit"]), one["method"], one["reason"], tuple(one["warnings"]),
        None if as_of is None else dt.datetime.fromisoformat(as_of), one["version"], tuple(one["inadmissible"]),
    )  # fmt: skip
    aim = None if one["target"] is None else Aim(*one["target"])
    return Line(
        reading,
        one["title"],
        one["subject"],
        one["owner"],
        one["definition"],
        State(one["state"]),
        one["why"],
        aim,
    )


def known(key: str) -> bool:
    """Whether the catalogue still has a published metric."""
    return key in ALL
