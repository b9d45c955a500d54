"""Answers about one state of a ledger, kept until the ledger moves on: its newest hash names the state, and never lies.

Answers hold words, so each manner of writing numbers and times has its own.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

import sqlalchemy as sa

from app.govern.model import Ledger
from app.measure.manner import manner
from data.ledger import AUDIT

T = TypeVar("T")
MOST = 192  # answers in memory; the largest is every row of a ledger, which the others share
_KEPT: OrderedDict[Hashable, object] = OrderedDict()
_GUARD = threading.Lock()


def state_of(ledger: Ledger, db: sa.Connection) -> str:
    """Names the ledger and the state it is in."""
    newest = db.execute(sa.select(AUDIT.c.hash).order_by(AUDIT.c.seq.desc()).limit(1)).scalar()
    return f"{ledger.store.shown} {newest}"


def kept(state: str, what: Hashable, make: Callable[[], T]) -> T:
    """The answer to a question about a state; made once. An empty state is never kept."""
    if not state:
        return make()
    key = (state, what, manner())
    with _GUARD:
        if key in _KEPT:
            _KEPT.move_to_end(key)
            return cast("T", _KEPT[key])
    made = make()
    with _GUARD:
        _KEPT[key] = made
        while len(_KEPT) > MOST:
            _KEPT.popitem(last=False)
    return made
