"""Views under a name: a page with the reader's choices, kept in the ledger. Everybody lists their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from app.govern.model import Actor, Add, Ledger, Row, Step
from app.govern.views import Room
from app.govern.views_forms import Said, carry_out

LEFT_OUT = ("tour", "persona")  # who reads and what they have seen is nobody's view
LONGEST = 2_000  # characters of choices; browsers take no much longer address


@dataclass(frozen=True)
class SavedView:
    """One view: its name, its page as it stands in the address, and the choices."""

    row: Row
    title: str
    page: str
    choices: Mapping[str, str]


def saved_views(room: Room) -> tuple[SavedView, ...]:
    """The reader's own, by name."""
    if room.actor is None:
        return ()
    own = (r for r in room.live("saved_views") if r.by == room.actor)
    found = (SavedView(r, r.text("title"), r.text("page"), dict(parse_qsl(r.text("choices")))) for r in own)
    return tuple(sorted(found, key=lambda v: v.title.lower()))


def save(ledger: Ledger, actor: Actor, title: str, page: str, choices: Mapping[str, str], key: str) -> Said:
    """Keep the choices of a page under a name. `key` is made when the form is first drawn."""
    kept = urlencode({k: v for k, v in choices.items() if k not in LEFT_OUT})
    if len(kept) > LONGEST:
        return Said("Nothing was saved: these choices are too long to keep. Choose fewer, or share the link.")
    values = (("title", title.strip()), ("page", page), *((("choices", kept),) if kept else ()))
    return carry_out(ledger, Add("saved_views", values), actor, key)


def forget(room: Room, row: Row, key: str) -> Said:
    """Take a view off the list; it stays in the ledger's history."""
    if room.actor is None:
        return Said("Nobody is signed in.")
    return carry_out(room.ledger, Step("retire", row.register, row.record_id, row.version), room.actor, key)
