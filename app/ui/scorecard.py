"""The scorecard's first screen: what AI contributed and cost, where value is lost, what waits for a decision."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app.govern.views import Room
from app.govern.worth import Decision, Worth, decisions, worth
from app.measure.judged import Frame
from app.measure.narrow import Narrow
from app.measure.scorecard import Scorecard
from app.ui import forms, go, scopebar, studies
from app.ui.council import pick
from app.ui.marks import label, text
from app.ui.terms import explained

MOST = 3


def about(room: Room | None) -> Narrow | None:
    """The initiative that the scope bar holds, with its models and experiments; None for the whole portfolio."""
    chosen = st.session_state.get(scopebar.INITIATIVE)
    row = room.shelf.get("initiatives", {}).get(str(chosen or "")) if room else None
    if row is None:
        return None
    return Narrow(row.record_id, row.text("title"), row.words("model_ids"), row.words("experiment_ids"))


def named(frame: Frame, room: Room | None) -> Frame:
    """The same frame with models and experiments called after their initiative, as its readers call them."""
    names: dict[str, str] = {}
    for row in room.live("initiatives") if room else ():
        title = row.text("title")
        lists = (row.words(n) for n in ("model_ids", "experiment_ids"))
        names |= {word: f"{title} ({word})" if len(held) > 1 else title for held in lists for word in held}
        names[row.record_id] = title
    return replace(frame, names=names)


def first_screen(frame: Frame, board: Scorecard, room: Room | None, chosen: Narrow | None) -> None:
    """Three answers in five seconds, for the portfolio or for one initiative."""
    if room is None or not room.roles:
        _constraint(board, chosen)
        return
    slug = chosen.initiative if chosen else ""
    found = worth(room, frame.runtime.settings, slug)
    left, middle, right = st.columns([1, 1.15, 1], gap="small")
    with left.container(border=True, height="stretch", key="first-value"):
        _worth(found)
    with middle.container(border=True, height="stretch", key="first-constraint"):
        _where(board, chosen)
    with right.container(border=True, height="stretch", key="first-decisions"):
        _decisions(decisions(room, slug))


def _worth(found: Worth) -> None:
    grades = " ".join(studies.badge(g) + _times(n) for g, n in found.grades)
    tone = {
        "more than it costs": " tl-good",
        "value is destroyed": " tl-bad",
        "less than it costs": " tl-bad",
    }
    way = f'<span class="tl-move{tone.get(found.way, "")}">{text(found.way)}</span>'
    facts = f"cost {text(found.cost)}" + (f" · net {text(found.net)}" if found.net else "")
    range_ = f'<div class="tl-range">{text(found.interval)} · 95 % interval</div>' if found.interval else ""
    st.html(
        f'<p class="tl-eyebrow">{explained("Attributed value")}</p><div class="tl-top">'
        f'<span class="tl-value">{text(found.value)}</span>{way}</div>'
        f'{range_}<p class="tl-count">{facts}</p><div class="tl-legend tl-grades">{grades}</div>'
        f'<p class="tl-sub">{text(found.missing or found.beside)}</p>'
    )
    if st.button("Value by study", key="to-value", type="tertiary"):
        go.to("value")


def _times(n: int) -> str:
    return f' <span class="tl-times">× {n}</span>' if n > 1 else ""


def _where(board: Scorecard, chosen: Narrow | None) -> None:
    none = (
        "No signal of this initiative was followed from a score to a person."
        if chosen
        else "No signal was followed from a score to a person yet."
    )
    st.html(
        f'<p class="tl-eyebrow">{explained("The constraint")}</p>'
        f'<p class="tl-lead tl-small">{explained(board.constraint or none)}</p>'
    )
    if not board.constraint:
        return
    model = chosen.models[0] if chosen and len(chosen.models) == 1 else ""
    errand = (scopebar.Control.MODEL.value, model)
    if st.button(
        "The whole chain", key="to-chain", type="tertiary", on_click=go.keep if model else None, args=errand
    ):
        go.to("chain")


def _constraint(board: Scorecard, chosen: Narrow | None) -> None:
    if board.constraint:
        with st.container(border=True, key="first-constraint"):
            _where(board, chosen)


def _decisions(found: tuple[Decision, ...]) -> None:
    mine = sum(d.mine for d in found)
    head = f"Needs a decision: {len(found)}" + (f", {mine} yours" if mine else "")
    st.html(f'<p class="tl-eyebrow">{head if found else "Needs a decision"}</p>')
    if not found:
        st.html('<p class="tl-note">Nothing waits for a decision.</p>')
    with st.container(gap=None, key="decisions"):
        for at, one in enumerate(found[:MOST]):
            _decision(one, at)
    if len(found) > MOST:
        st.html(f'<p class="tl-sub">and {len(found) - MOST} more on their pages</p>')


def _decision(one: Decision, at: int) -> None:
    with st.container(key=f"need-decision-{at}", gap=None):
        st.html(
            f'<div class="tl-need"><b>{text(one.title)}</b><span class="tl-num tl-rule">{text(one.kind)}</span>'
            f"<span>{text(one.text)}</span></div>"
        )
        if st.button(f"Decide on {label(one.title)}, {one.kind}", key=f"open-decision-{at}", type="tertiary"):
            if one.page == "council":
                pick(one.record)
            else:
                forms.pick(_register(one), one.record)
            go.to(one.page)


def _register(one: Decision) -> str:
    """The register that a record which needs something lies in, by its number."""
    by_prefix = {"ACC": "acceptances", "EXC": "exceptions", "RISK": "risks"}
    return by_prefix.get(one.record.partition("-")[0], "ownership" if one.page == "ownership" else "risks")
