"""Charts of suppression and identity: tiers that add up, how a stop travels, records of a person."""

from __future__ import annotations

from collections.abc import Sequence

from app.measure import words
from app.measure.suppression_cards import TIER_WORDS, Carrying, SuppressionBoard
from app.ui.charts import Chart, layout, thinned
from app.ui.spelled import Spec
from app.ui.theme import ALARM, SERIES, TARGET_LINE

TIER_COLOURS = {"in_flight": SERIES[5], "breach": SERIES[1], "past_legal_deadline": ALARM}
TICKS = ((1, "1 s"), (60, "1 min"), (3600, "1 h"), (86_400, "1 day"), (604_800, "7 days"))


def tiers(board: SuppressionBoard) -> Chart:
    """How late the messages were: one bar a tier, adding up to all violations."""
    counts = dict(board.tiers)
    names = [TIER_WORDS[t] for t in counts]
    late = counts["past_legal_deadline"]
    finding = (
        f"{words.count(late)} of {words.plural(board.violations, 'violation')} came after a legal deadline"
    )
    bar: Spec = {
        "type": "bar", "orientation": "h", "y": names, "x": list(counts.values()),
        "marker": {"color": [TIER_COLOURS[t] for t in counts]}, "text": [words.count(n) for n in counts.values()],
        "textposition": "outside", "cliponaxis": False, "hovertemplate": "%{y}: %{x:,}<extra></extra>", "width": 0.55,
    }  # fmt: skip
    most = max(*counts.values(), 1)
    axes: tuple[Spec, Spec] = (
        {"range": [0, most * 1.15], "visible": False},
        {"autorange": "reversed", "type": "category", "showgrid": False},
    )
    parts = " + ".join(words.count(n) for n in counts.values())
    note = f"{parts} = {words.count(board.violations)}, all violations. A tier never hides one."
    alt = f"Violations by tier. {finding}."
    return Chart(finding, alt, {"data": [bar], "layout": layout(200, *axes)}, note)


def propagation(found: Sequence[Carrying]) -> Chart:
    """The share of stops that a channel surely obeys by a time, with the band of what cannot be told."""
    drawn = [c for c in found if c.seconds.size]
    if not drawn:
        return Chart(
            "How a stop travels cannot be told yet", "", {}, "No stop was acknowledged or tried against."
        )
    data: list[Spec] = []
    for at, one in enumerate(drawn):
        data += _steps(one, SERIES[at % len(SERIES)])
    slowest = max(
        drawn, key=lambda c: c.median.reading.value if c.median.reading.value is not None else float("inf")
    )
    value = slowest.median.reading.value
    told = words.duration(value) if value is not None else "longer than the data reach"
    finding = f"A stop takes longest to reach {words.named(slowest.channel)}: half of them {told}"
    axes: tuple[Spec, Spec] = (
        {"type": "log", "tickvals": [t for t, _ in TICKS], "ticktext": [n for _, n in TICKS], "range": [-0.05, 6.5]},
        {"tickformat": ".0%", "range": [0, 1.03], "title": {"text": "stops obeyed"}},
    )  # fmt: skip
    shape = layout(
        380, *axes, showlegend=True, legend={"orientation": "h", "yanchor": "top", "y": -0.2, "x": 0}
    )
    half = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0.5, "y1": 0.5,
            "line": {"color": TARGET_LINE, "width": 1, "dash": "dot"}}  # fmt: skip
    note = (
        "Time runs from when the person said stop. Solid: surely obeyed by then. Tinted: between a late message and a"
        " refusal, where nobody can tell."
    )
    alt = f"Propagation of stops by channel. {finding}."
    return Chart(finding, alt, {"data": data, "layout": shape | {"shapes": [half]}}, note)


def _steps(one: Carrying, colour: str) -> list[Spec]:
    kept = thinned(one.seconds.size)
    x = [max(float(one.seconds[i]), 1.0) for i in kept]
    surely, possibly = ([float(a[i]) for i in kept] for a in (one.surely, one.possibly))
    line: Spec = {"type": "scatter", "mode": "lines", "x": x, "y": surely, "legendgroup": one.channel,
                  "name": words.named(one.channel), "line": {"color": colour, "width": 2, "shape": "hv"},
                  "hovertemplate": one.channel + ": %{y:.0%} surely<extra></extra>"}  # fmt: skip
    band: Spec = {"type": "scatter", "mode": "lines", "x": x, "y": possibly, "showlegend": False, "hoverinfo": "skip",
                  "legendgroup": one.channel, "fill": "tonexty", "fillcolor": _tint(colour),
                  "line": {"width": 0, "shape": "hv"}}  # fmt: skip
    return [line, band]


def _tint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.15)"


def sizes(found: Sequence[tuple[str, int]]) -> Chart:
    """Persons by how many records they have."""
    total = sum(n for _, n in found)
    if not total:
        return Chart("No record is linked to a person", "", {}, "Load identity_links, then run refresh.")
    single = dict(found).get("1 record", 0)
    finding = (
        f"{words.count(total - single)} of {words.plural(total, 'person', 'persons')} have several records"
    )
    bar: Spec = {
        "type": "bar", "orientation": "h", "y": [name for name, _ in found], "x": [n for _, n in found],
        "marker": {"color": SERIES[0]}, "text": [words.count(n) for _, n in found], "textposition": "outside",
        "cliponaxis": False, "hovertemplate": "%{y}: %{x:,} persons<extra></extra>", "width": 0.6,
    }  # fmt: skip
    most = max(n for _, n in found)
    axes: tuple[Spec, Spec] = (
        {"range": [0, most * 1.15], "visible": False},
        {"autorange": "reversed", "type": "category", "showgrid": False},
    )
    alt = f"Persons by number of records. {finding}."
    return Chart(finding, alt, {"data": [bar], "layout": layout(50 + 34 * len(found), *axes)})
