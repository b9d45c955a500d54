"""The pack as PDF, by typst: tagged, from the fonts that lie here, and the same bytes from the same snapshot.

What people wrote reaches the printer as JSON and is shown as text: nothing in it can be a command. The document's date is
the snapshot's. Where a text needs letters that our fonts do not have, those of the machine are asked.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import typst

from app.govern.pack.drawn import chart
from app.govern.pack.model import Figure
from app.govern.pack.snapshot import PackError, Snapshot, plain
from app.govern.pack.texts import DIMENSIONS, clean, lists, moment, scorecard, stretch
from data.audit import Json

if TYPE_CHECKING:
    from typst import PDFStandard

# Our fonts, then those of the machine, then without the claim that every letter can be shown.
_ATTEMPTS: tuple[tuple[bool, list[PDFStandard]], ...] = ((False, ["ua-1"]), (True, ["ua-1"]), (True, []))
_HERE = Path(__file__).resolve().parent
_PAGES = re.compile(rb"/Type\s*/Page\b(?!s)")


def pdf(snapshot: Snapshot) -> tuple[bytes, int]:
    """The document and its number of pages. PDF/UA-1 where every letter can be shown, else tagged without that claim."""
    inputs = {"pack": json.dumps(_data(snapshot), ensure_ascii=False)}
    for system, standards in _ATTEMPTS:
        try:
            made = _compiled(snapshot, inputs, standards, system=system)
        except typst.TypstError as error:
            if "could not be displayed" in error.message and standards:
                continue
            raise PackError(f"the PDF could not be set: {error.message}") from error
        return made, len(_PAGES.findall(made))
    raise PackError("the PDF could not be set with any font")


def _compiled(
    snapshot: Snapshot, inputs: dict[str, str], standards: list[PDFStandard], *, system: bool
) -> bytes:
    printer = typst.Compiler(_template(), root=_HERE / "fonts", font_paths=_fonts(system), sys_inputs=inputs)
    made = printer.compile(
        format="pdf", pdf_standards=standards, timestamp=int(snapshot.pack.made.timestamp())
    )
    assert isinstance(made, bytes)
    return made


@cache
def _fonts(system: bool) -> typst.Fonts:  # noqa: FBT001 (cached by its value)
    return typst.Fonts(include_system_fonts=system, font_paths=[_HERE / "fonts"])


@cache
def _template() -> bytes:
    return (_HERE / "pack.typ").read_bytes()


def _data(snapshot: Snapshot) -> Json:
    """Everything that the template shows."""
    pack = snapshot.pack
    return clean({
        "id": snapshot.id, "short": snapshot.short, "pack": plain(pack), "made": moment(pack.made),
        "day": pack.made.date().isoformat(), "figures": [_figure(f) for f in pack.figures], "lists": plain(lists(pack)),
        "scorecards": plain([scorecard(pack, name) for name in DIMENSIONS]),
    })  # fmt: skip


def _figure(figure: Figure) -> Json:
    drawn = chart(figure)
    return {
        "label": figure.label, "value": figure.value, "interval": figure.interval, "n": figure.n, "state": figure.state,
        "reason": figure.reading.reason, "aim": figure.aim, "owner": figure.owner, "fresh": figure.fresh,
        "late": figure.late, "moved": figure.moved, "axis": figure.axis, "dimension": figure.dimension,
        "chart": None if drawn is None else plain(drawn),
        "days": stretch(drawn.first, drawn.last) if drawn else "", "alt": _alt(figure),
    }  # fmt: skip


def _alt(figure: Figure) -> str:
    """The chart in words, for those who do not see it."""
    known = [p for p in figure.trend if p.value is not None]
    if not known:
        return f"{figure.label}: no trend"
    moved = f" It went {figure.moved} against the stretch before." if figure.moved else ""
    interval = f", interval {figure.interval}" if figure.interval else ""
    return (
        f"{figure.label} from {known[0].day} to {known[-1].day}, {len(known)} points; now {figure.value}{interval};"
        f" {figure.aim}: {figure.state}.{moved}"
    )
