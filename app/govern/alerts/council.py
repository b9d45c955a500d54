"""What a council is told: votes that wait, conditions due or failed, decisions that are back, ratifications due."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from app.govern.alerts.event import Event, made, stage
from app.govern.gates import decided, panel
from app.govern.gates.look import Look
from app.govern.gates.watch import Watched
from app.govern.model import Row
from app.govern.views import Room
from app.measure import words

RECENT = dt.timedelta(days=30)
AHEAD_OF_CONDITION, AHEAD_OF_RATIFICATION = (14, 3), (7, 2)
WAITS = (21, 7)  # days after which a member who has not voted is reminded


def council_events(room: Room, watched: tuple[Watched, ...]) -> Iterator[Event]:
    """Everything about reviews, conditions and decisions."""
    look = Look(room.now, room.shelf)
    yield from _votes(room, look)
    yield from _conditions(room, look, watched)
    yield from _returned(room, look)
    yield from _ratifications(room, look)


def _votes(room: Room, look: Look) -> Iterator[Event]:
    for review in room.rows("gate_reviews"):
        if decided.phase(look, review) is not decided.Phase.OPEN:
            continue
        people = []
        for seat in review.words("members"):
            voter = panel.delegate_of(look, review, seat) or seat
            if not panel.why_not_vote(look, review, voter, seat):
                people.append(voter)
        if people:
            waited = (room.today - review.at.date()).days
            at = next((f"{days} days" for days in WAITS if waited >= days), "opened")
            text = f"it was opened on {words.date(review.at.date())} and waits for your vote"
            key, title = f"vote waits/gate_reviews/{review.record_id}/{at}", title_of(room, review)
            yield made(room, "vote waits", "gate_reviews", review, key, text, tuple(people), title=title)


def _conditions(room: Room, look: Look, watched: tuple[Watched, ...]) -> Iterator[Event]:
    """Due ones to their owner, failed ones to owner and council. What was judged today counts before it is recorded."""
    for one in watched:
        row, day = one.condition, one.condition["due"]
        if one.verb in ("breach", "lapse"):
            yield _failed(room, look, row, one.finding.why)
        elif isinstance(day, dt.date) and (at := stage(day, room.today, AHEAD_OF_CONDITION)):
            text = f"it has to be met by {words.date(day)}; today it is {one.finding.state.value}"
            key = f"condition due/conditions/{row.record_id}/{day}/{at}"
            yield made(room, "condition due", "conditions", row, key, text, (row.text("owner"),), day)
    for row in room.rows("conditions"):
        if row.state in ("breached", "lapsed") and room.now - row.at <= RECENT:
            yield _failed(room, look, row, row.reason)


def _failed(room: Room, look: Look, row: Row, why: str) -> Event:
    review = look.find("gate_reviews", row.text("review"))
    members = review.words("members") if review else ()
    text = f"it has failed ({why}); the decision goes back to the council"
    people = (row.text("owner"), *members)
    return made(
        room,
        "condition failed",
        "conditions",
        row,
        f"condition failed/conditions/{row.record_id}",
        text,
        people,
    )


def _returned(room: Room, look: Look) -> Iterator[Event]:
    for event in room.rows("gate_events"):
        decision = look.find("gate_decisions", event.text("decision"))
        if decision is None or room.now - event.at > RECENT:
            continue
        review = decided.review_of(look, decision)
        what = "has lapsed" if event["event"] == "lapsed" else "is back on the agenda"
        text, title = f"it {what}: {event.text('why')}", title_of(room, review)
        key = f"decision back/gate_decisions/{decision.record_id}/{event.record_id}"
        people = (review.by.identity, *review.words("members"))
        yield made(room, "decision back", "gate_decisions", decision, key, text, people, title=title)


def _ratifications(room: Room, look: Look) -> Iterator[Event]:
    for decision in room.rows("gate_decisions"):
        review = decided.review_of(look, decision)
        day = review["ratify_by"]
        if decided.stands(look, decision) is not decided.Stands.PROVISIONAL or not isinstance(day, dt.date):
            continue
        at = stage(day, room.today, AHEAD_OF_RATIFICATION)
        if at:
            text, title = (
                f"it lapses unless the council ratifies it by {words.date(day)}",
                title_of(room, review),
            )
            key = f"ratification due/gate_decisions/{decision.record_id}/{day}/{at}"
            people = (review.by.identity, *review.words("members"))
            yield made(room, "ratification due", "gate_decisions", decision, key, text, people, day, title)


def title_of(room: Room, review: Row) -> str:
    return f"{room.title('initiatives', review.text('initiative'))}: {review.text('gate')}"
