"""The pack as slides: native tables and native charts that whoever presents can still edit."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from pptx import Presentation  # type: ignore[import-untyped]
from pptx.enum.text import PP_ALIGN  # type: ignore[import-untyped]
from pptx.opc.constants import RELATIONSHIP_TYPE as RT  # type: ignore[import-untyped]
from pptx.util import Inches, Pt  # type: ignore[import-untyped]

from app.govern.pack.model import Figure
from app.govern.pack.slides import ACCENT, HUES, INK, MUTED, Box, chart, color, frame_text, table
from app.govern.pack.snapshot import Snapshot
from app.govern.pack.texts import DIMENSIONS, Listing, lists, moment, safe, scorecard

WIDE, HIGH = Inches(13.333), Inches(7.5)
LINES, CHARTS = 9, 4  # of a table, and charts, on one slide
LONGEST = 240  # characters of a cell; the rest is in the PDF and the workbook
LAYOUT = 5  # title only


Shape = Any  # python-pptx is untyped


class Deck:
    """Slides under way: each has a title, and a foot with the snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.book = Presentation()
        self.book.slide_width, self.book.slide_height = WIDE, HIGH
        self._foot = f"Snapshot {snapshot.id}"
        self._layout = self.book.slide_layouts[LAYOUT]
        _set_font(self.book)
        core, made = self.book.core_properties, snapshot.pack.made.replace(tzinfo=None)
        core.title, core.author, core.created, core.modified = (
            safe(snapshot.pack.title),
            "Throughline",
            made,
            made,
        )
        core.last_modified_by, core.language = "Throughline", "en-GB"

    def slide(self, title: str) -> Shape:
        slide = self.book.slides.add_slide(self._layout)
        head = slide.shapes.title
        head.left, head.top, head.width, head.height = Inches(0.5), Inches(0.3), Inches(12.3), Inches(0.8)
        frame_text(head.text_frame, [title], Pt(26), color(INK), bold=True)
        head.text_frame.paragraphs[0].alignment = PP_ALIGN.LEFT
        number = len(self.book.slides)
        self.text(slide, [f"{self._foot} · {number}"], Box(0.5, 7.05, 12.3, 0.3), Pt(9), MUTED)
        return slide

    def text(
        self, slide: Shape, lines: Sequence[str], box: Box, size: Shape, hue: str, *, bold: bool = False
    ) -> None:
        shape = slide.shapes.add_textbox(*box.emu)
        frame_text(shape.text_frame, lines, size, color(hue), bold=bold)


def _set_font(book: Shape) -> None:
    """One font for the whole deck, of a width that every office program has; set in the theme, where a reader can change it."""
    theme = book.slide_masters[0].part.part_related_by(RT.THEME)
    theme._blob = theme.blob.replace(b'typeface="Calibri"', b'typeface="Arial"')  # noqa: SLF001 (it has no setter)


def pptx(snapshot: Snapshot) -> tuple[bytes, int]:
    """The presentation and its number of slides."""
    deck = Deck(snapshot)
    pack = snapshot.pack
    _first(deck, snapshot)
    for name in DIMENSIONS:
        _tables(deck, scorecard(pack, name), f"Scorecard: {name.lower()}")
        figures = [
            f for f in pack.figures if f.dimension == name and sum(p.value is not None for p in f.trend) > 1
        ]
        for at in range(0, len(figures), CHARTS):
            _charts(deck, f"Trends: {name.lower()}", figures[at : at + CHARTS], snapshot.short)
    for one in lists(pack):
        _tables(deck, one, one.title)
    _proof(deck, snapshot)
    out = io.BytesIO()
    deck.book.save(out)
    return out.getvalue(), len(deck.book.slides)


def _first(deck: Deck, snapshot: Snapshot) -> None:
    pack = snapshot.pack
    slide = deck.slide(pack.title)
    deck.text(
        slide,
        [f"Made {moment(pack.made)} · figures of {pack.scope}"],
        Box(0.5, 1.05, 12.3, 0.35),
        Pt(13),
        MUTED,
    )
    deck.text(slide, [pack.sentence], Box(0.5, 1.45, 12.3, 0.9), Pt(22), ACCENT, bold=True)
    met, missed, unsure, unmeasured = pack.targets
    total = met + missed + unsure + unmeasured
    tally = f"{total} targets: {met} met, {missed} not met, {unsure} inconclusive, {unmeasured} not measured"
    deck.text(slide, [tally], Box(0.5, 2.4, 12.3, 0.4), Pt(15), INK)
    more = len(pack.needs) - 8
    lines = [
        "What needs attention",
        *pack.needs[:8],
        *([f"{more} more are in the scorecard."] if more > 0 else []),
    ]
    deck.text(slide, lines, Box(0.5, 2.9, 7.9, 4.0), Pt(13), INK)
    moved = ["What moved", *(pack.changes or ("Nothing moved by more than chance.",))]
    deck.text(slide, moved, Box(8.7, 2.9, 4.1, 4.0), Pt(13), INK)  # fmt: skip


def _tables(deck: Deck, one: Listing, title: str) -> None:
    """A list over as many slides as it needs."""
    if not one.rows:
        deck.text(deck.slide(title), [one.empty], Box(0.5, 1.3, 12.3, 1.0), Pt(18), INK)
        return
    for at in range(0, len(one.rows), LINES):
        rows = [tuple(_cut(c) for c in row) for row in one.rows[at : at + LINES]]
        part = f" ({at // LINES + 1} of {-(-len(one.rows) // LINES)})" if len(one.rows) > LINES else ""
        slide = deck.slide(title + part)
        if one.lead:
            deck.text(slide, [one.lead], Box(0.5, 1.0, 12.3, 0.4), Pt(12), MUTED)
        table(slide, one, rows, Box(0.5, 1.45, 12.3, 5.4))


def _cut(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def _charts(deck: Deck, title: str, figures: Sequence[Figure], short: str) -> None:
    """Up to four native charts; each says what it shows, where it stands and to which snapshot it belongs."""
    slide = deck.slide(title)
    for at, figure in enumerate(figures):
        left, top = 0.5 + 6.25 * (at % 2), 1.15 + 2.95 * (at // 2)
        deck.text(slide, [_cut(figure.label, 62)], Box(left, top, 6.05, 0.3), Pt(12), INK, bold=True)
        interval = f" ({figure.interval})" if figure.interval else ""
        state = "no target" if figure.state == "not applicable" else f"{figure.state}, {figure.aim}"
        stands = f"{figure.value}{interval} · {state} · n {figure.n} · snapshot {short}"
        deck.text(slide, [stands], Box(left, top + 0.28, 6.05, 0.28), Pt(9), HUES.get(figure.state, MUTED))
        chart(slide, figure, Box(left, top + 0.55, 6.05, 2.3))


def _proof(deck: Deck, snapshot: Snapshot) -> None:
    chain = snapshot.pack.chain
    slide = deck.slide("Proof")
    lines = [
        f"Snapshot {snapshot.id}", f"Ledger: {chain.entries} entries, head {chain.head}",
        f"Print it again: python -m app pack --from {snapshot.short} --out FILE.pptx", "Anchor of the ledger:",
        *(line for line in chain.anchor.splitlines() if line),
    ]  # fmt: skip
    deck.text(slide, lines, Box(0.5, 1.3, 12.3, 5.0), Pt(13), INK)
