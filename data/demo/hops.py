"""The hops a signal took on its way to the person, and the way of the outcome back to the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from data.demo import files
from data.demo.draws import SECOND, Ints, World
from data.demo.frames import FAR, planted
from data.demo.messages import Sent
from data.demo.outcomes import Known, Outcomes
from data.demo.plans import Hops, Plans
from data.demo.signals import Signals

_STEPS = ("exported", "synced", "eligible", "approved", "queued")


@dataclass(frozen=True)
class _Log:
    """Where hops are written: signals, planned messages with their ids, and the end of the demo."""

    signals: Signals
    plans: Plans
    ids: pa.Array
    end: int

    def hop(self, row: Ints, name: str, at: Ints, hops: Hops | None) -> pa.Table:
        """One hop of the messages in `row`; batch exports carry the bounds of their run."""
        n = row.size
        batch = hops.batch if hops is not None and name == "exported" else np.zeros(n, np.bool_)
        manual = hops.manual if hops is not None and name == "approved" else np.zeros(n, np.bool_)
        low = hops.low if hops is not None else at
        high = hops.high if hops is not None else at
        return pa.table(
            {
                "signal_id": self.signals.ids(self.plans.signal[row]),
                "activation_id": self.ids.take(pa.array(row)),
                "hop": files.constant(name, n),
                "entered_at": files.times(at),
                "entered_at_lo": files.optional_times(low, batch),
                "entered_at_hi": files.optional_times(high, batch),
                "mode": files.words(("automatic", "manual"), manual.astype(np.int64)),
                "outcome": files.constant("ok", n),
                "loaded_at": files.times(
                    np.minimum(np.maximum(at, np.where(batch, high, at)) + 60 * SECOND, self.end - 1)
                ),
            }
        )


def hop_table(
    world: World, signals: Signals, plans: Plans, hops: Hops, sent: Sent, outcomes: Outcomes, known: Known
) -> pa.Table:
    """Hops of first messages up to the hand-off, then delivery, conversion and its way back to the model.

    The first messages are the first rows of `plans`, one for each row of `hops`. A few logs lost a middle hop; a
    few clocks put one before the hop that came earlier.
    """
    draw = world.stream("hops")
    first = np.arange(len(hops))
    kept = sent.written[first] & sent.seen[first]
    base, hops = first[kept], hops.rows(kept)
    n = base.size
    gap = np.where(planted(draw, n, 0.035), draw.integers(0, len(_STEPS), n), -1)
    turned = planted(draw, n, 0.004)
    log, parts = _Log(signals, plans, sent.ids, world.end), []
    for place, name in enumerate(_STEPS):
        at = getattr(hops, name) - np.where(turned & (name == "eligible"), 900 * SECOND, 0)
        inner = (gap != place) & (at < world.end)
        parts.append(log.hop(base[inner], name, at[inner], hops.rows(inner)))
    ends = (("scored", signals.at[plans.signal[base]]), ("sent", plans.due[base]))
    parts += [log.hop(base, name, at, None) for name, at in ends]
    told = base[sent.delivered[base] < FAR]
    parts.append(log.hop(told, "delivered", sent.delivered[told], None))
    return pa.concat_tables([*parts, *_back(log, sent, outcomes, known)])


def _back(log: _Log, sent: Sent, outcomes: Outcomes, known: Known) -> list[pa.Table]:
    """The conversion that a message led to, and when the model heard of it; half are told by hops."""
    chosen = known.fed_back & (outcomes.plan >= 0)
    chosen &= sent.seen[np.maximum(outcomes.plan, 0)] & (
        outcomes.at >= log.plans.due[np.maximum(outcomes.plan, 0)]
    )
    index = np.flatnonzero(chosen)
    _, once = np.unique(outcomes.plan[index], return_index=True)
    index = index[once]
    index = index[::2]
    row = outcomes.plan[index]
    return [
        log.hop(row, "converted", outcomes.at[index], None),
        log.hop(row, "fed_back", known.fed_at[index], None),
    ]
