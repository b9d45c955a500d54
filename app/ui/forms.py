"""Forms over a register's fields. What is saved is decided by the ledger; here a key is kept so that it is saved once.

The key is made when a form is first drawn and stays with it until it is saved: a double click, Enter and a click, or a
retry after a lost answer send the same key, and the ledger answers with the same receipt.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping

import streamlit as st

from app.govern.model import Row, Step
from app.govern.views import Room
from app.govern.views_forms import Draft, Said, carry_out, command_of, new_draft, receipt_words
from app.ui.marks import text
from data.fields import Field, Kind, Register
from data.ledger_types import Value
from data.registers import REGISTERS
from metrics import ALL

STANDS = 60.0  # seconds that a receipt stays: a page drawn twice by a double click shows it twice
FIRST_DAY, LAST_DAY = dt.date(2000, 1, 1), dt.date(2100, 12, 31)


def picked(register: str) -> str:
    """The widget key that holds which record of a register is open."""
    return f"open_{register}"


def pick(register: str, record_id: str) -> None:
    """Open a record when the page is drawn next."""
    st.session_state[f"next_{register}"] = record_id


def show(room: Room, register: Register, row: Row | None = None) -> None:
    """A form that adds a record, or changes the one given."""
    slot = f"{register.name}/{row.record_id if row else ''}"
    draft = _draft(slot, row)
    said = _said(slot)
    if row is not None and row.version != draft.version:
        st.html(
            f'<p class="tl-warn">Version {row.version} was written by {text(room.name(row.by.identity))} while this form'
            " was open. What you wrote is still here, but it cannot be saved over it.</p>"
        )
        st.button(
            "Start again from the newest version", key=f"renew-{draft.key}", on_click=_renew, args=(slot,)
        )
    with st.form(key=f"form-{draft.key}", border=False):
        if row is None and _named_by_hand(register):
            st.text_input(
                "Identifier *", key=f"{draft.key}/record_id", max_chars=200, help="It never changes."
            )
            _advice(said, "record_id")
        for field in register.fields:
            _field(room, draft, field, said)
        st.text_input(
            "Reason", key=f"{draft.key}/reason", help="Why; it stands in the history.", max_chars=2000
        )
        label = f"Save as version {row.version + 1}" if row else f"Add the {register.noun}"
        st.form_submit_button(label, type="primary", on_click=_save, args=(room, register, slot, draft))


def step(room: Room, row: Row, verb: str) -> None:
    """A button for a step of the record's flow."""
    slot = f"{row.register}/{row.record_id}"
    key = f"step-{verb}-{row.record_id}-{row.version}"
    st.button(verb.capitalize(), key=key, on_click=_step, args=(room, row, verb, slot))


def answer(slot: str) -> None:
    """What became of the last command of a form; a receipt for a minute."""
    said = _said(slot)
    if said is None:
        return
    if said.receipt and time.monotonic() > st.session_state.get(f"stands/{slot}", 0.0):
        del st.session_state[f"said/{slot}"]
        return
    mark = "tl-done" if said.receipt else "tl-warn"
    words = receipt_words(said.receipt) if said.receipt and not said.text else said.text
    st.html(f'<p class="{mark}" role="status">{text(words)}</p>')


def tell(slot: str, said: Said) -> None:
    st.session_state[f"said/{slot}"] = said
    st.session_state[f"stands/{slot}"] = time.monotonic() + STANDS


def _said(slot: str) -> Said | None:
    found = st.session_state.get(f"said/{slot}")
    return found if isinstance(found, Said) else None


def _draft(slot: str, row: Row | None) -> Draft:
    found = st.session_state.get(f"draft/{slot}")
    if isinstance(found, Draft):
        return found
    made = new_draft(row)
    st.session_state[f"draft/{slot}"] = made
    return made


def _renew(slot: str) -> None:
    st.session_state.pop(f"draft/{slot}", None)
    st.session_state.pop(f"said/{slot}", None)


def _save(room: Room, register: Register, slot: str, draft: Draft) -> None:
    """Runs before the page is drawn again, so that the page shows what was saved."""
    known = st.session_state.get(f"receipt/{draft.key}")
    if isinstance(known, Said):
        _shown(register, known)
        return
    state = st.session_state
    given: Mapping[str, Value] = {f.name: _read(state.get(f"{draft.key}/{f.name}")) for f in register.fields}
    reason = str(state.get(f"{draft.key}/reason") or "")
    command = command_of(register, draft, given, str(state.get(f"{draft.key}/record_id") or ""), reason)
    if command is None or room.actor is None:
        tell(slot, Said("Nothing was changed, so nothing was saved."))
        return
    said = carry_out(room.ledger, command, room.actor, draft.key)
    if said.receipt is None:
        tell(slot, said)
        return
    state[f"receipt/{draft.key}"] = said
    _renew(slot)
    _shown(register, said)


def _shown(register: Register, said: Said) -> None:
    """Open the record that was saved, with its receipt."""
    if said.receipt is not None:
        pick(register.name, said.receipt.record_id)
        tell(f"{register.name}/{said.receipt.record_id}", said)


def _step(room: Room, row: Row, verb: str, slot: str) -> None:
    if room.actor is None:
        return
    command = Step(verb, row.register, row.record_id, row.version)
    # One step of one version by one person can be meant once only, so its key needs no session.
    key = f"step/{row.register}/{row.record_id}/{row.version}/{verb}/{room.actor.subject}"
    said = carry_out(room.ledger, command, room.actor, key[:200])
    if said.receipt:
        _renew(slot)
    tell(slot, said)


def _read(value: object) -> Value:
    """A widget's value as the ledger takes it."""
    if isinstance(value, list):
        return tuple(str(v) for v in value)
    return value if isinstance(value, str | int | float | bool | dt.date) else None


def _named_by_hand(register: Register) -> bool:
    """Whether the user names a new record; others are numbered or called like what they are about."""
    return not register.prefix and register.name not in ("users", "ownership", "operability", "appetites")


def _advice(said: Said | None, name: str) -> None:
    advice = said.advice(name) if said else ""
    if advice:
        st.html(f'<p class="tl-warn" role="alert">{text(advice)}</p>')


def _field(room: Room, draft: Draft, field: Field, said: Said | None) -> None:
    held = draft.base[field.name] if draft.base else field.default
    label = f"{field.title} *" if field.required else field.title
    _widget(room, field, label, f"{draft.key}/{field.name}", held)
    _advice(said, field.name)


def _widget(room: Room, field: Field, label: str, key: str, held: Value) -> None:
    tip = field.help or None
    match field.kind:
        case Kind.LONG:
            st.text_area(label, str(held or ""), key=key, help=tip, height=90)
        case Kind.CHOICE | Kind.REF | Kind.PERSON | Kind.METRIC:
            _choose(room, field, label, key, held)
        case Kind.CHOICES:
            st.multiselect(
                label, field.choices, list(held) if isinstance(held, tuple) else [], key=key, help=tip
            )
        case Kind.WORDS:
            st.text_input(
                label, "; ".join(held) if isinstance(held, tuple) else "", key=key, help=tip,
                placeholder="Parted by semicolons",
            )  # fmt: skip
        case Kind.DAY:
            day = held if isinstance(held, dt.date) else None
            st.date_input(
                label, day, FIRST_DAY, max(LAST_DAY, day or LAST_DAY), key=key, help=tip, format="YYYY-MM-DD"
            )
        case Kind.INT | Kind.NUMBER:
            _number(field, label, key, held)
        case Kind.FLAG:
            st.checkbox(label, bool(held), key=key, help=tip)
        case _:
            st.text_input(label, str(held or ""), key=key, help=tip, max_chars=300)


def _number(field: Field, label: str, key: str, held: Value) -> None:
    given = held if isinstance(held, int | float) else None
    tip = field.help or None
    if field.kind is Kind.INT:
        low, high, whole = (None if x is None else int(x) for x in (field.low, field.high, given))
        st.number_input(label, low, high, whole, 1, key=key, help=tip)
    else:
        least, most, number = (None if x is None else float(x) for x in (field.low, field.high, given))
        st.number_input(label, least, most, number, key=key, help=tip, format="%.6g")


def _choose(room: Room, field: Field, label: str, key: str, held: Value) -> None:
    """One of a list; what the record holds now stays choosable even where it is no longer in use."""
    names = _names(room, field)
    if isinstance(held, str):
        names.setdefault(held, room.tell(field, held))
    options = ["", *names]
    at = options.index(str(held)) if held in names else 0
    st.selectbox(
        label, options, at, format_func=lambda n: names.get(n, "Not chosen"), key=key, help=field.help or None
    )


def _names(room: Room, field: Field) -> dict[str, str]:
    match field.kind:
        case Kind.PERSON:
            return {u.record_id: u.text("name") for u in room.live("users")}
        case Kind.METRIC:
            return {m.key: f"{m.title} ({m.key})" for m in ALL.values()}
        case Kind.REF:
            live = room.live(field.ref) if field.ref in REGISTERS else ()
            return {r.record_id: _titled(room, field.ref, r.record_id) for r in live}
        case _:
            return {choice: choice for choice in field.choices}


def _titled(room: Room, register: str, record_id: str) -> str:
    title = room.title(register, record_id)
    return title if title == record_id else f"{title} ({record_id})"
