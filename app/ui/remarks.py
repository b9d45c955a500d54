"""Under a number: what happened around it, what people said of it, and what was done for it. Both can be added to."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from app.govern.access import Relation, why_not
from app.govern.happenings import KINDS, MOST, Happening
from app.govern.model import Ledger
from app.govern.remarks import Effect, comment, comments_on, day_of, effects, intervene, interventions_on
from app.govern.views import Room
from app.govern.views_forms import new_draft
from app.measure import words
from app.measure.judged import Frame, Judged
from app.ui import forms, tables
from app.ui.charts import Flag
from app.ui.marks import text
from app.ui.tables import Column, Table

MOST_SHOWN = 8
FIRST_DAY = forms.FIRST_DAY


def happened(found: tuple[Happening, ...]) -> None:
    """The marks of the chart as a table."""
    if not found:
        return
    with st.expander(f"What happened: {words.plural(len(found), 'event')}"):
        columns = (Column("Day"), Column("What"), Column("Whose"), Column("Note"))
        rows = tuple((words.date(h.day), h.kind, h.whose, h.text[:200]) for h in found[:40])
        tables.show(tables.plain("What happened", columns, rows))
        if len(found) > 40:
            st.caption(f"and {len(found) - 40} older ones")


def show(frame: Frame, one: Judged, room: Room | None) -> None:
    """Comments and interventions of one number, and the forms that add to them."""
    if room is None or not room.roles:
        return
    said, done = comments_on(room, one), interventions_on(room, one)
    with st.expander(f"Comments: {len(said)}", expanded=bool(said)):
        for row in said[:MOST_SHOWN]:
            head = f"{room.name(row.by.identity)}, {words.date(day_of(row, 'about'))}"
            st.html(f'<p class="tl-said"><b>{text(head)}</b>{text(row.text("comment"))}</p>')
        if len(said) > MOST_SHOWN:
            st.caption(f"and {len(said) - MOST_SHOWN} older ones")
        _comment_form(one, room)
    with st.expander(f"What was done for this number: {len(done)}", expanded=bool(done)):
        if done:
            table(effects(frame, room, done[:MOST_SHOWN]))
        _intervention_form(frame, one, room)


def table(found: tuple[Effect, ...], *, named: bool = False) -> None:
    """Interventions with the number before and after; a difference in time is not yet a cause."""
    first = (Column("Number"),) if named else ()
    columns = (
        *first, Column("Done"), Column("Before", right=True), Column("After", right=True), Column("Change", right=True),
    )  # fmt: skip
    tables.show(
        Table("What was done and what was measured", columns, tuple(_line(e, named=named) for e in found))
    )
    st.caption(
        "28 days before and after, 95 % interval of the difference. Before and after is not yet cause and effect."
    )


def _line(one: Effect, *, named: bool) -> tuple[str, ...]:
    first = (f"<b>{text(one.title)}</b><br>{text(one.subject)}",) if named else ()
    done = f"{text(one.what)}<br><small>{text(one.owner)}, {text(words.date(one.done_on))}</small>"
    tone = "" if one.good is None else ' class="tl-good"' if one.good else ' class="tl-bad"'
    mark = "" if one.good is None else "for the better" if one.good else "for the worse"
    parts = [p for p in (one.change, mark, one.why) if p]
    change = f"<span{tone}>{'<br>'.join(text(p) for p in parts)}</span>"
    return *first, done, text(one.before), text(one.after), change


def _slot(kind: str, one: Judged) -> str:
    return f"{kind}/{one.metric.key}/{'-'.join(str(v) for _, v in one.reading.by)}"


def _key(slot: str) -> str:
    """The idempotency key of a form: made when it is first drawn, kept until it is saved."""
    found = st.session_state.get(f"key/{slot}")
    if isinstance(found, str):
        return found
    made = new_draft().key
    st.session_state[f"key/{slot}"] = made
    return made


def _may(room: Room, register: str) -> bool:
    return why_not(register, "add", room.roles, Relation()) is None


def _comment_form(one: Judged, room: Room) -> None:
    slot = _slot("comment", one)
    forms.answer(slot)
    if not _may(room, "comments"):
        return
    key = _key(slot)
    with st.form(key=f"form-{key}", border=False, enter_to_submit=False):
        st.text_area("Your comment", key=f"{key}/text", max_chars=4000, height=80)
        st.date_input(
            "About the day", value=None, min_value=FIRST_DAY, max_value="today", key=f"{key}/day", format="YYYY-MM-DD",
            help="Where it stands on the time axis. Empty means today.",
        )  # fmt: skip
        st.form_submit_button(
            "Add the comment", on_click=_save_comment, args=(room.ledger, room, one, slot, key)
        )
    st.caption("A comment is signed with your name and cannot be changed; say more in a new one.")


def _save_comment(ledger: Ledger, room: Room, one: Judged, slot: str, key: str) -> None:
    if room.actor is None:
        return
    state = st.session_state
    said = comment(ledger, room.actor, one, str(state.get(f"{key}/text") or ""), state.get(f"{key}/day"), key)
    if said.receipt is not None:
        state.pop(f"key/{slot}", None)
    forms.tell(slot, said)


def _intervention_form(frame: Frame, one: Judged, room: Room) -> None:
    slot = _slot("intervention", one)
    forms.answer(slot)
    if not _may(room, "interventions") or room.actor is None:
        return
    key = _key(slot)
    people = {u.record_id: u.text("name") for u in room.live("users")}
    names = list(people)
    at = names.index(room.actor.identity) if room.actor.identity in people else 0
    with st.form(key=f"form-{key}", border=False, enter_to_submit=False):
        st.text_area("What was done", key=f"{key}/what", max_chars=4000, height=80)
        st.date_input(
            "Done on", frame.now.date(), FIRST_DAY, "today", key=f"{key}/day", format="YYYY-MM-DD",
            help="The first day on which it could act.",
        )  # fmt: skip
        st.selectbox("Owner", names, at, format_func=lambda n: people.get(n, n), key=f"{key}/owner")
        st.form_submit_button(
            "Log the intervention", on_click=_save_intervention, args=(room, one, slot, key)
        )


def _save_intervention(room: Room, one: Judged, slot: str, key: str) -> None:
    if room.actor is None:
        return
    state = st.session_state
    said = intervene(
        room.ledger, room.actor, one, str(state.get(f"{key}/what") or ""), state[f"{key}/day"],
        str(state.get(f"{key}/owner") or ""), key,
    )  # fmt: skip
    if said.receipt is not None:
        state.pop(f"key/{slot}", None)
    forms.tell(slot, said)


def flags(found: tuple[Happening, ...]) -> tuple[Flag, ...]:
    """One mark a day for the chart, with the letters of what happened on it."""
    days: dict[dt.date, list[Happening]] = {}
    for one in found[:MOST]:
        days.setdefault(one.day, []).append(one)
    return tuple(
        Flag(
            day, "".join(dict.fromkeys(KINDS[h.kind] for h in held)), "<br>".join(_told(h) for h in held[:6])
        )
        for day, held in days.items()
    )


def _told(one: Happening) -> str:
    return f"{words.date(one.day)}: {one.kind}, {one.whose}, {one.text[:80]}"


def legend(found: tuple[Happening, ...]) -> None:
    """What the letters on the line stand for."""
    used = [k for k in KINDS if any(h.kind == k for h in found)]
    if used:
        st.caption("On the line: " + ", ".join(f"{KINDS[k]} {k}" for k in used) + ".")
