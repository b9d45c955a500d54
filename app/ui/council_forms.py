"""The council's forms: vote, delegate, condition, decision, revocation, request. What is saved is decided by the ledger."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from app.govern import views_council as acts
from app.govern.gates.evaluate import Sources
from app.govern.gates.review import Reasons, Request
from app.govern.views import Room
from app.govern.views_docket import Docket, docket
from app.govern.views_forms import Said, new_draft
from app.govern.views_gates import sources_of
from app.measure.judged import Frame
from app.runtime import Runtime
from app.ui import council, forms
from app.ui.marks import text
from data.policies.gates import GATES, TRACKS, VOTES
from metrics import ALL

_REASONS = (
    ("context", "Context"), ("options", "Options considered"), ("drivers", "Drivers"), ("consequences", "Consequences"),
)  # fmt: skip


def item(room: Room, frame: Frame, number: str) -> None:
    """One review with the forms that are open to the reader."""
    one = docket(room, frame.runtime, frame.readings, number)
    if one is None:
        return
    found = sources_of(room, frame.runtime, frame.readings)
    with st.container(border=True):
        forms.answer(f"council/{number}")
        council.docket(one)
        if one.phase == "open":
            open_item(room, frame, one)
        elif one.stands in ("in force", "provisional", "returned"):
            _revoke(room, found, one)


def open_item(room: Room, frame: Frame, one: Docket) -> None:
    """What is open to the reader in a review that is not decided; elsewhere nothing but what became of it."""
    found = sources_of(room, frame.runtime, frame.readings)
    if one.phase != "open":
        return
    _vote(room, found, one)
    _delegate(room, found, one)
    _condition(room, one)
    _decide(room, frame, one)


def _key(slot: str) -> str:
    """An idempotency key that stays with a form until it is saved."""
    name = f"draft/{slot}"
    if name not in st.session_state:
        st.session_state[name] = new_draft().key
    return str(st.session_state[name])


def _tell(number: str, slot: str, said: Said) -> None:
    forms.tell(f"council/{number}", said)
    if said.receipt:
        st.session_state.pop(f"draft/{slot}", None)


def _vote(room: Room, found: Sources, one: Docket) -> None:
    if one.may_vote:
        st.html(f'<p class="tl-note">You do not vote here: {text(one.may_vote)}.</p>')
        return
    with st.form(key=f"vote-{one.review}", border=False):
        st.radio(
            "Your vote",
            VOTES,
            index=None,
            key=f"vote/{one.review}",
            horizontal=True,
            format_func=str.capitalize,
        )
        st.text_area(
            "Statement", key=f"said-vote/{one.review}", height=80, max_chars=2000,
            help="Needed with a rejection, a condition or a conflict of interest. A vote is final.",
        )  # fmt: skip
        st.form_submit_button("Vote", type="primary", on_click=_cast, args=(room, found, one.review))


def _cast(room: Room, found: Sources, number: str) -> None:
    state = st.session_state
    vote = state.get(f"vote/{number}")
    said = (
        acts.cast(room, found, number, vote, str(state.get(f"said-vote/{number}") or ""))
        if vote
        else Said("Choose a vote first.")
    )
    _tell(number, f"vote/{number}", said)


def _delegate(room: Room, found: Sources, one: Docket) -> None:
    if one.may_vote:
        return
    people = {u.record_id: u.text("name") for u in room.live("users")}
    with st.expander("Let somebody else vote in your seat"):
        slot = f"delegate/{one.review}"
        with st.form(key=f"delegate-{one.review}", border=False):
            st.selectbox(
                "Delegate", list(people), index=None, key=slot, format_func=lambda i: people.get(i, i)
            )
            st.form_submit_button(
                "Hand over my vote", on_click=_hand_over, args=(room, found, one.review, slot)
            )


def _hand_over(room: Room, found: Sources, number: str, slot: str) -> None:
    who = st.session_state.get(slot)
    said = acts.hand_over(room, found, number, who, _key(slot)) if who else Said("Choose a delegate first.")
    _tell(number, slot, said)


def _condition(room: Room, one: Docket) -> None:
    people = {u.record_id: u.text("name") for u in room.live("users")}
    slot = f"condition/{one.review}"
    with st.expander("Propose a condition"), st.form(key=f"condition-{one.review}", border=False):
        st.text_input("Condition", key=f"{slot}/title", max_chars=300)
        st.selectbox("Kind", ("reach by the day", "hold from now"), key=f"{slot}/kind")
        st.selectbox("Criterion that it covers", one.criteria, index=None, key=f"{slot}/criterion")
        st.selectbox(
            "Or a metric",
            list(ALL),
            index=None,
            key=f"{slot}/metric",
            format_func=lambda k: f"{ALL[k].title} ({k})",
        )
        st.selectbox("Comparator", ("at least", "at most"), index=None, key=f"{slot}/comparator")
        st.number_input("Bound", value=None, key=f"{slot}/threshold", format="%.6g")
        st.text_input("Scope", key=f"{slot}/scope", placeholder="model_id=churn-1")
        st.selectbox(
            "Owner", list(people), index=None, key=f"{slot}/owner", format_func=lambda i: people.get(i, i)
        )
        st.date_input("Due", None, key=f"{slot}/due", format="YYYY-MM-DD")
        st.form_submit_button("Propose", on_click=_propose, args=(room, one.review, slot))


def _propose(room: Room, number: str, slot: str) -> None:
    names = ("title", "kind", "criterion", "metric", "comparator", "threshold", "scope", "owner", "due")
    values = tuple((n, st.session_state.get(f"{slot}/{n}")) for n in names)
    _tell(number, slot, acts.propose(room, number, values, _key(slot)))


def _decide(room: Room, frame: Frame, one: Docket) -> None:
    """The decision, on the evidence that is on this screen: its hash goes along."""
    if not one.outcomes:
        st.html(f'<p class="tl-note">No decision yet. {text(one.why_not)}</p>')
        return
    if one.why_not:
        st.html(f'<p class="tl-warn">Neither Go nor Conditional go is open. {text(one.why_not)}</p>')
    slot = f"decide/{one.review}"
    with st.form(key=f"decide-{one.review}", border=False):
        st.radio("Outcome", one.outcomes, key=f"{slot}/outcome", horizontal=True, format_func=str.capitalize)
        for name, title in _REASONS:
            st.text_area(f"{title} *", key=f"{slot}/{name}", height=80)
        st.html(f'<p class="tl-sub">Rests on the evidence above, SHA-256 {text(one.seen)}</p>')
        st.form_submit_button(
            "Record the decision",
            type="primary",
            on_click=_record,
            args=(room, frame.runtime, one.review, slot, one.seen),
        )


def _record(room: Room, runtime: Runtime, number: str, slot: str, seen: str) -> None:
    state = st.session_state
    said = {n: str(state.get(f"{slot}/{n}") or "") for n, _ in _REASONS}
    reasons = Reasons(said["context"], said["options"], said["drivers"], said["consequences"])
    _tell(
        number,
        slot,
        acts.decide(room, runtime, number, str(state.get(f"{slot}/outcome") or ""), reasons, seen),
    )


def _revoke(room: Room, found: Sources, one: Docket) -> None:
    if "council" not in room.roles:
        return
    slot = f"revoke/{one.review}"
    with st.expander("Revoke this decision"), st.form(key=f"revoke-{one.review}", border=False):
        st.text_area("Why", key=f"{slot}/why", height=80)
        st.form_submit_button("Revoke", on_click=_take_back, args=(room, found, one.review, slot))


def _take_back(room: Room, found: Sources, number: str, slot: str) -> None:
    why = str(st.session_state.get(f"{slot}/why") or "")
    _tell(number, slot, acts.revoke(room, found, number, why, _key(slot)))


def ask(room: Room, frame: Frame) -> None:
    """Open a review; for owners."""
    if "owner" not in room.roles:
        return
    names = {r.record_id: room.title("initiatives", r.record_id) for r in room.live("initiatives")}
    people = {u.record_id: u.text("name") for u in room.live("users")}
    slot = "ask"
    forms.answer("council/")
    with st.expander("Ask the council: open a review"), st.form(key="ask", border=False):
        st.selectbox(
            "Initiative *",
            list(names),
            index=None,
            key=f"{slot}/initiative",
            format_func=lambda i: names.get(i, i),
        )
        st.selectbox("Gate *", GATES, index=None, key=f"{slot}/gate", format_func=str.capitalize)
        st.text_area("Request *", key=f"{slot}/request", height=80)
        st.multiselect(
            "Further contributors",
            list(people),
            key=f"{slot}/contributors",
            format_func=lambda i: people.get(i, i),
        )
        st.selectbox("Track", TRACKS, key=f"{slot}/track", format_func=str.capitalize)
        st.text_area(
            "Why it cannot wait", key=f"{slot}/justification", height=80, help="For the expedited track."
        )
        st.date_input(
            "Ratify by", None, key=f"{slot}/ratify_by", format="YYYY-MM-DD", help="For the expedited track."
        )
        st.form_submit_button(
            "Freeze the evidence and open", type="primary", on_click=_open,
            args=(room, sources_of(room, frame.runtime, frame.readings), slot),
        )  # fmt: skip


def _open(room: Room, found: Sources, slot: str) -> None:
    state = st.session_state
    day = state.get(f"{slot}/ratify_by")
    initiative, gate = state.get(f"{slot}/initiative"), state.get(f"{slot}/gate")
    if not initiative or not gate:
        forms.tell("council/", Said("Choose an initiative and a gate first."))
        return
    asked = Request(
        initiative, gate, str(state.get(f"{slot}/request") or ""), str(state.get(f"{slot}/track") or "standard"),
        str(state.get(f"{slot}/justification") or ""), day if isinstance(day, dt.date) else None,
        tuple(state.get(f"{slot}/contributors") or ()),
    )  # fmt: skip
    said = acts.ask(room, found, asked, _key(slot))
    forms.tell("council/", said)
    if said.receipt:
        state.pop(f"draft/{slot}", None)
        council.pick(said.receipt.record_id)
