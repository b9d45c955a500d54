"""Parts of a slide: text, tables and charts, all native. Text goes in as text; python-pptx writes it as such."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pptx.chart.data import CategoryChartData  # type: ignore[import-untyped]
from pptx.dml.color import RGBColor  # type: ignore[import-untyped]
from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION, XL_TICK_LABEL_POSITION  # type: ignore[import-untyped]
from pptx.enum.dml import MSO_LINE  # type: ignore[import-untyped]
from pptx.enum.text import PP_ALIGN  # type: ignore[import-untyped]
from pptx.oxml.ns import qn  # type: ignore[import-untyped]
from pptx.util import Inches, Pt  # type: ignore[import-untyped]

from app.govern.pack.drawn import chart as measured
from app.govern.pack.model import Figure
from app.govern.pack.texts import Listing, safe

INK, MUTED, ACCENT, RULE = "1B1F24", "57606A", "0072B2", "EAEEF2"
HUES = {"met": "006B4F", "not met": "B3261E", "inconclusive": "9A5B00"}
SHAPES = {"met": "\u25cf", "not met": "\u25c6", "inconclusive": "\u25b2"}
SMALL = Pt(10)
BARE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"  # the table style without fills and lines


@dataclass(frozen=True)
class Box:
    """A place on a slide in inches."""

    left: float
    top: float
    width: float
    height: float

    @property
    def emu(self) -> tuple[int, int, int, int]:
        return Inches(self.left), Inches(self.top), Inches(self.width), Inches(self.height)


def color(hexadecimal: str) -> Any:  # noqa: ANN401 (python-pptx is untyped)
    return RGBColor.from_string(hexadecimal)  # type: ignore[no-untyped-call]


def frame_text(frame: Any, lines: Sequence[str], size: Any, hue: Any, *, bold: bool = False) -> None:  # noqa: ANN401
    """Lines as paragraphs; the first is set in bold where there are several."""
    frame.word_wrap = True
    for at, line in enumerate(lines):
        paragraph = frame.paragraphs[0] if at == 0 else frame.add_paragraph()
        run = paragraph.add_run()
        run.text = " ".join(safe(line).split("\n"))
        font = run.font
        font.size, font.color.rgb = size, hue
        if bold or (at == 0 and len(lines) > 1):
            font.bold = True
        if len(lines) > 1:
            paragraph.space_after = Pt(4)


def table(slide: Any, one: Listing, rows: Sequence[tuple[str, ...]], box: Box) -> None:  # noqa: ANN401
    """A native table with a header row. Verdicts are a shape and a word, coloured."""
    shape = slide.shapes.add_table(
        len(rows) + 1, len(one.columns), *box.emu[:3], Inches(0.3 * (len(rows) + 1))
    )
    shape._element._nvXxPr.cNvPr.set("descr", safe(f"{one.title}, {len(rows)} lines"))  # noqa: SLF001 (it has no setter)
    grid, total = shape.table, sum(one.shares)
    grid.horz_banding = False
    grid._tbl.tblPr.find(qn("a:tableStyleId")).text = BARE  # noqa: SLF001
    for at, share in enumerate(one.shares):
        grid.columns[at].width = int(Inches(box.width) * share / total)
    for at, title in enumerate(one.columns):
        _cell(grid.cell(0, at), title, MUTED, ground=RULE, bold=True, right=at in one.right)
    for line, row in enumerate(rows, start=1):
        for at, text in enumerate(row):
            verdict = at == one.marked and bool(text)
            shown = f"{SHAPES.get(text, chr(0x25CB))} {text}" if verdict else text
            hue = HUES.get(text, MUTED) if verdict else INK
            _cell(grid.cell(line, at), shown, hue, bold=verdict, right=at in one.right)


def _cell(cell: Any, text: str, hue: str, *, ground: str = "", bold: bool, right: bool) -> None:  # noqa: ANN401
    cell.margin_left = cell.margin_right = Inches(0.05)
    cell.margin_top = cell.margin_bottom = Inches(0.03)
    if ground:
        cell.fill.solid()
        cell.fill.fore_color.rgb = color(ground)
    frame_text(cell.text_frame, [text], SMALL, color(hue), bold=bold)
    if right:
        cell.text_frame.paragraphs[0].alignment = PP_ALIGN.RIGHT


def chart(slide: Any, figure: Figure, box: Box) -> None:  # noqa: ANN401
    """A native line chart: the value, the ends of its interval, and the target dashed. Gaps stay gaps."""
    data = CategoryChartData(number_format="General")  # type: ignore[no-untyped-call]
    data.categories = [_day(p.day) for p in figure.trend]
    series = [("Value", [p.value for p in figure.trend])]
    if any(p.low is not None for p in figure.trend):
        series += [("Low", [p.low for p in figure.trend]), ("High", [p.high for p in figure.trend])]
    if figure.threshold is not None:
        series.append(("Target", [figure.threshold] * len(figure.trend)))
    for name, values in series:
        data.add_series(name, [None if v is None else v * figure.scale for v in values])  # type: ignore[no-untyped-call]
    frame = slide.shapes.add_chart(XL_CHART_TYPE.LINE, *box.emu, data)
    words = f"{figure.label}, {figure.axis}: {figure.value}; {figure.aim}: {figure.state}"
    frame._element._nvXxPr.cNvPr.set("descr", safe(words))  # noqa: SLF001
    _styled(frame.chart)
    ends = measured(figure)
    if ends is not None:  # a line may start above zero; a scale from zero hides what moved
        axis = frame.chart.value_axis
        axis.minimum_scale, axis.maximum_scale = _round(ends.bottom, ends.top)


def _round(bottom: float, top: float) -> tuple[float, float]:
    """Ends of an axis at round numbers outside both."""
    step = 10 ** math.floor(math.log10(top - bottom)) / 2
    return math.floor(bottom / step) * step, math.ceil(top / step) * step


def _day(day: str) -> str:
    """24 Aug, of an ISO day."""
    return f"{dt.date.fromisoformat(day):%-d %b}" if day else ""


def _styled(drawn: Any) -> None:  # noqa: ANN401
    drawn.has_title = False
    drawn.has_legend, drawn.font.size = True, Pt(9)
    drawn.legend.position, drawn.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
    drawn.value_axis.major_gridlines.format.line.color.rgb = color(RULE)
    drawn.value_axis.format.line.fill.background()
    drawn.category_axis.tick_label_position = XL_TICK_LABEL_POSITION.LOW  # below negative values too
    drawn.value_axis.tick_labels.number_format, drawn.value_axis.tick_labels.number_format_is_linked = (
        "#,##0.##",
        False,
    )
    looks = {"Value": (ACCENT, 2.25, None), "Low": ("8CBCD9", 1.0, None), "High": ("8CBCD9", 1.0, None),
             "Target": (MUTED, 1.5, MSO_LINE.DASH)}  # fmt: skip
    for one in drawn.plots[0].series:
        hue, width, dash = looks[one.name]
        one.smooth = False
        one.format.line.color.rgb, one.format.line.width = color(hue), Pt(width)
        if dash is not None:
            one.format.line.dash_style = dash
