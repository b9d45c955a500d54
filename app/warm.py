"""Reads what most readers will ask for first, so that nobody waits for it: after a start, and after each refresh.

It works in a thread of its own, one page after the other, and rests between them: readers come first.
"""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable

from app.govern.model import SYSTEM, Actor
from app.govern.views import open_room
from app.govern.views_figures import OWNERSHIP, PORTFOLIO, RISK, figures
from app.govern.views_portfolio import portfolio_board
from app.measure.activation_cards import activation_board
from app.measure.chain_cards import chain_board
from app.measure.early import early_board
from app.measure.experiment_cards import value_board
from app.measure.fairness_cards import fairness_board
from app.measure.generated_cards import generated_board
from app.measure.identity_cards import identity_board
from app.measure.judged import Frame
from app.measure.model_analysis import model_analysis
from app.measure.model_cards import model_detail, model_lines
from app.measure.model_words import model_words
from app.measure.scope import Period, View, ground, window
from app.measure.scorecard import scorecard
from app.measure.strategy import strategy_map
from app.measure.suppression_cards import (
    CHOICES,
    carrying,
    chosen,
    obligations,
    past_deadline,
    risk,
    suppression_board,
)  # fmt: skip
from app.runtime import Runtime, utc_now

LOOKS_EVERY = 5.0  # seconds between two looks whether the data moved
MOST_REST = 1.0  # seconds between two pages: as long as the last one took, at most so long
PERIODS = (Period.WEEKS_13, Period.WEEKS_4, Period.WEEKS_52, Period.ALL)  # the usual one first


def _models(frame: Frame) -> None:
    lines = model_lines(frame)
    for line in lines:
        model_words(frame, line.model)
    if lines:
        model_detail(frame, lines[0].model)
        model_analysis(frame, lines[0].model)


def _stops(frame: Frame) -> None:
    """The page as it opens, with what it asks of the warehouse: that is what a reader would wait for longest."""
    own = chosen(frame, tuple((s.name, s.default) for s in CHOICES))
    suppression_board(own)
    risk(own)
    carrying(own)
    past_deadline(own)
    obligations(own.moment.date())


def _registers(frame: Frame) -> None:
    for keys in (PORTFOLIO, OWNERSHIP, RISK):
        figures(frame, keys)
    ledger = frame.runtime.door.ledger()
    if ledger is not None:
        portfolio_board(open_room(ledger, Actor(SYSTEM, "throughline")), frame)


BOARDS: tuple[Callable[[Frame], object], ...] = (
    scorecard, chain_board, early_board, strategy_map, _models, fairness_board, generated_board, activation_board,
    _stops, identity_board, value_board, _registers,
)  # fmt: skip


def frames(runtime: Runtime) -> tuple[Frame, ...]:
    """What a reader who has chosen nothing but a period sees, all of one moment; none where nothing is computed."""
    readings = runtime.readings.pinned()
    on = ground(readings)
    if on.empty:
        return ()
    views = (View(period=p) for p in PERIODS)
    return tuple(Frame(runtime, readings, v, window(v, on), runtime.targets(), utc_now()) for v in views)


def warm(runtime: Runtime, rest: Callable[[float], object] = time.sleep) -> int:
    """Read every page's numbers in every period; how many boards were read. A newer refresh ends it early."""
    done, held = 0, runtime.store.held().generation
    for frame in frames(runtime):
        for board in BOARDS:
            if runtime.store.held().generation != held:
                return done
            began = time.monotonic()
            try:
                board(frame)
            except Exception:  # a page says its own faults; whoever opens it is told
                logging.getLogger("throughline").warning(
                    "%s was not read ahead", board.__name__, exc_info=True
                )
            done += 1
            rest(min(time.monotonic() - began, MOST_REST))
    return done


def _set_aside() -> None:
    """Keep the collector from walking everything that was read ahead while a reader waits: it is not garbage soon."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def keep_warm(runtime: Runtime) -> None:
    """Until the process ends: read ahead now, and again after each refresh."""
    seen = -1
    while True:
        newest = runtime.store.held().generation
        if newest != seen:
            warm(runtime)
            _set_aside()
            seen = newest
        time.sleep(LOOKS_EVERY)
