"""A register on a page: what needs somebody, the list, one record with its history, its form, and CSV both ways."""

from __future__ import annotations

import streamlit as st

from app.govern.views import LISTED, Detail, Edit, Listing, Room, detail, listing
from app.govern.views_needs import Need
from app.measure import words
from app.ui import forms, sheets, tables, tiles
from app.ui.marks import text
from app.ui.tables import Column
from data.fields import Register
from data.registers import REGISTERS

MOST_NEEDS = 6
MOST_MORE = 30  # behind the fold; a thousand buttons help nobody
MOST_CHOICES = 300  # records to choose from; more are narrowed by their words first


def entrance(room: Room) -> bool:
    """Whether the reader may see the ledger; says what to do where not."""
    if room.roles:
        return True
    if room.actor is None:
        tiles.empty(
            "Nobody is signed in, so the ledger stays closed.",
            "In a demo run python -m app demo on an empty home. In production an administrator grants you a role:"
            " python -m app admin grant.",
        )
    else:
        tiles.empty("You have no role in the ledger.", "Ask an administrator for one; nothing was read.")
    return False


def needs(found: tuple[Need, ...], empty: str) -> None:
    """What asks for somebody; a click opens the record below."""
    mine = sum(n.mine for n in found)
    with st.container(border=True):
        head = f"Needs you first: {mine} of {len(found)}" if mine else f"Needs somebody: {len(found)}"
        st.html(f'<p class="tl-eyebrow">{head if found else "Needs somebody"}</p>')
        if not found:
            st.html(f'<p class="tl-note">{text(empty)}</p>')
        for at, need in enumerate(found[:MOST_NEEDS]):
            _need(need, at)
        if len(found) > MOST_NEEDS:
            with st.expander(f"{len(found) - MOST_NEEDS} more"):
                for at, need in enumerate(found[MOST_NEEDS:MOST_MORE], start=MOST_NEEDS):
                    _need(need, at)
                if len(found) > MOST_MORE:
                    st.html(
                        f'<p class="tl-note">and {words.count(len(found) - MOST_MORE)} more like these</p>'
                    )


def _need(need: Need, at: int) -> None:
    with st.container(key=f"need-{need.register}-{at}", gap=None):
        whose = "yours" if need.mine else need.rule
        st.html(
            f'<div class="tl-need"><b>{text(need.title)}</b><span class="tl-num tl-rule">{text(whose)}</span>'
            f"<span>{text(need.text)}</span></div>"
        )
        st.button(
            f"Open the {REGISTERS[need.register].noun}, need {at + 1}", key=f"open-need-{at}", type="tertiary",
            on_click=forms.pick, args=(need.register, need.record_id),
        )  # fmt: skip


def tabs(room: Room, names: tuple[str, ...]) -> None:
    """Several registers on one page; a record that was asked for brings its register to the front."""
    wanted = next((n for n in names if f"next_{n}" in st.session_state), None)
    if wanted is not None:
        st.session_state["register"] = wanted
    chosen = st.segmented_control(
        "Register", names, default=names[0] if "register" not in st.session_state else None, key="register",
        format_func=lambda n: REGISTERS[n].title, label_visibility="collapsed",
    )  # fmt: skip
    desk(room, chosen if chosen in names else names[0])


def desk(room: Room, name: str) -> None:
    """Everything about one register."""
    register = REGISTERS[name]
    found = listing(room, name)
    tiles.heading(
        f"{register.title}: {words.plural(len(found.ids), 'record')}" if found.ids else register.title,
        register.help,
    )
    if found.ids:
        if name in LISTED:
            _list(register, found)
        record(room, register, dict(zip(found.ids, (c[0] for c in found.cells), strict=True)))
    else:
        tiles.empty(f"No {register.noun} is recorded yet.", "Add the first one below, or bring in a file.")
    with st.expander(f"Add a new {register.noun}"):
        forms.answer(f"{name}/")
        forms.show(room, register)
    with st.expander("Take away or bring in as a sheet"):
        sheets.draw(room, register)


def _list(register: Register, found: Listing) -> None:
    columns = (Column(found.columns[0]), Column("Identifier"), *(Column(c) for c in found.columns[1:]))
    cells = tuple((c[0], i, *c[1:]) for i, c in zip(found.ids, found.cells, strict=True))
    tables.show(tables.plain(register.title, columns, cells))


def record(room: Room, register: Register, titles: dict[str, str]) -> None:
    """Choose a record and look at it."""
    key = forms.picked(register.name)
    wanted = st.session_state.pop(f"next_{register.name}", None)
    if wanted in titles:
        st.session_state[key] = wanted
    choices = _choices(register, titles, st.session_state.get(key))
    chosen = st.selectbox(
        f"Open {words.article(register.noun)}", choices, index=None, key=key,
        format_func=lambda i: f"{titles.get(i, i)} ({i})",
        placeholder="Choose a record to see its history or change it", persist_state="session",
    )  # fmt: skip
    found = detail(room, register.name, chosen) if chosen else None
    if found is not None:
        with st.container(border=True):
            _detail(room, register, found)


def _choices(register: Register, titles: dict[str, str], held: object) -> list[str]:
    """The records to choose from: all of a short register, of a long one those that hold the words looked for."""
    if len(titles) <= MOST_CHOICES:
        return list(titles)
    asked = st.text_input(
        f"Find {words.article(register.noun)}", key=f"find_{register.name}_record", placeholder="Words of its title"
    ).lower().split()  # fmt: skip
    found = [i for i, title in titles.items() if all(w in f"{title} {i}".lower() for w in asked)]
    kept = found[:MOST_CHOICES]
    if len(found) > len(kept):
        st.html(
            f'<p class="tl-note">{len(kept)} of {words.count(len(found))} can be chosen; write more words to narrow them.</p>'
        )
    return [held, *kept] if isinstance(held, str) and held in titles and held not in kept else kept


def _detail(room: Room, register: Register, found: Detail) -> None:
    row = found.row
    st.html(
        f'<p class="tl-eyebrow">{text(register.noun.capitalize())} {text(row.record_id)}, version {row.version},'
        f" {text(row.state)}</p>"
        f'<p class="tl-lead">{text(found.title)}</p>'
    )
    forms.answer(f"{register.name}/{row.record_id}")
    lines = "".join(f"<dt>{text(name)}</dt><dd>{text(_short(value))}</dd>" for name, value in found.facts)
    st.html(f'<dl class="tl-dl">{lines}</dl>')
    if found.steps:
        with st.container(horizontal=True):
            for verb in found.steps:
                forms.step(room, row, verb)
    with st.expander(f"History: {words.plural(len(found.edits), 'version')}"):
        tables.show(_history(found.edits))
    if register.flow.editable:
        with st.expander(f"Change this {register.noun}"):
            if found.refused:
                st.html(f'<p class="tl-note">{text(words.sentence(found.refused))}</p>')
            forms.show(room, register, row)


def _short(value: str) -> str:
    return value if len(value) <= 600 else value[:597] + "..."


def _history(edits: tuple[Edit, ...]) -> tables.Table:
    """One line a changed field, newest first."""
    lines = []
    for edit in edits:
        what = edit.changes or (("State", "", edit.state),)
        for name, old, new in what:
            when = words.moment(edit.at)
            lines.append(
                (when, edit.who, name, _short(old), _short(new), edit.reason, str(edit.version), str(edit.entry))
            )  # fmt: skip
    columns = (
        Column("When"), Column("Who"), Column("What"), Column("From"), Column("To"), Column("Reason"),
        Column("Version", right=True), Column("Audit entry", right=True),
    )  # fmt: skip
    return tables.plain("History", columns, lines)
