"""Opt-outs on a lattice: violations are delay x sends a day / spacing, to the unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from data.demo import files
from data.demo.draws import DAY, SECOND, Ints
from data.demo.lattice_base import BASE, Figure, Lattice, activation_table, sent_table, watermark


@dataclass(frozen=True)
class Slots:
    """A channel: seconds until it hears of an opt-out, and sends a day at evenly spaced moments."""

    channel: str
    delay: int
    sends_a_day: int = 1


CASE_SLOTS = (
    Slots("email", 0), Slots("web_push", 30), Slots("sms", 900), Slots("push", 3_600, 2), Slots("whatsapp", 86_400),
    Slots("voice", 172_800),
)  # fmt: skip


def suppressions(
    n: int = 1_440, slots: tuple[Slots, ...] = (Slots("sms", 900), Slots("push", 3_600, 2))
) -> Lattice:
    """n opt-outs in a day, one every 86,400 / n seconds; every person is sent to until the channel has heard.

    Violations of a channel are delay x sends a day / spacing, exactly. The origin is the first channel's `email`.
    Raises ValueError where a delay is no multiple of the spacing.
    """
    if 86_400 % n or any(s.delay % (86_400 // n) or 86_400 % s.sends_a_day for s in slots):
        raise ValueError(
            f"{n} opt-outs a day do not divide the day and the delays {[s.delay for s in slots]}"
        )
    gap = 86_400 // n
    asked = BASE + DAY + (2 * np.arange(n) + 1) * (gap * SECOND // 2)
    person, channel, at = _slot_sends(asked, slots)
    ids = files.numbered("a", at.size)
    names = tuple(s.channel for s in slots)
    tables = {
        "activations": activation_table(ids, files.numbered("p", n).take(pa.array(person)), channel, names),
        "message_events": sent_table(ids, at),
        "suppression_events": _opt_outs(asked),
        "suppression_propagations": _acks(asked, slots),
        "data_watermarks": watermark(BASE + 40 * DAY),
    }
    return Lattice(tables, _slot_figures(n, gap, slots, at.size))


def _slot_sends(asked: Ints, slots: tuple[Slots, ...]) -> tuple[Ints, Ints, Ints]:
    """Sends of the day before each opt-out and of the time until each channel has heard: person, channel, time."""
    found = []
    for code, slot in enumerate(slots):
        step = DAY // slot.sends_a_day
        ticks = BASE + np.arange(5 * slot.sends_a_day) * step
        sees = (ticks[None, :] > asked[:, None] - DAY) & (
            ticks[None, :] < asked[:, None] + slot.delay * SECOND
        )
        person, tick = np.nonzero(sees)
        found.append((person, np.full(person.size, code), ticks[tick]))
    return tuple(np.concatenate(c) for c in zip(*found, strict=True))  # type: ignore[return-value]


def _opt_outs(asked: Ints) -> pa.Table:
    n = asked.size
    people = files.numbered("p", n)
    return pa.table(
        {
            "suppression_event_id": files.numbered("x", n), "person_id": people, "record_id": people,
            "trigger_type": files.constant("opt_out", n), "action": files.constant("suppress", n),
            "origin_channel": files.constant("email", n), "scope_channels": files.constant("*", n),
            "scope_purpose": files.constant("marketing", n), "effective_at": files.times(asked),
        }
    )  # fmt: skip


def _acks(asked: Ints, slots: tuple[Slots, ...]) -> pa.Table:
    n = asked.size
    parts = [
        pa.table(
            {
                "suppression_event_id": files.numbered("x", n), "channel": files.constant(s.channel, n),
                "system": files.constant("lattice", n), "acknowledged_at": files.times(asked + s.delay * SECOND),
                "mode": files.constant("automatic", n),
            }
        )
        for s in slots
    ]  # fmt: skip
    return pa.concat_tables(parts)


def _slot_figures(n: int, gap: int, slots: tuple[Slots, ...], sends: int) -> tuple[Figure, ...]:
    by_channel = {s.channel: s.delay * s.sends_a_day // gap for s in slots}
    reached = max(min(n, s.delay * s.sends_a_day // gap) for s in slots)
    total = sum(by_channel.values())
    away = sum(v for c, v in by_channel.items() if c != "email")
    formula = "delay x sends a day / spacing"
    return (
        *(Figure("suppression.violations", v, formula, (("channel", c),)) for c, v in by_channel.items()),
        *(
            Figure("suppression.propagation_median", float(s.delay), "delay", (("channel", s.channel),))
            for s in slots
        ),
        Figure("suppression.violations", total, f"sum of {formula}"),
        Figure(
            "suppression.cross_channel_violations", away, "violations outside e-mail, where all opted out"
        ),
        Figure("suppression.violation_rate", total / sends * 10_000, "violations / sends x 10,000"),
        Figure("marketing_sends", sends, "one a slot in the day before each opt-out, and the violations"),
        Figure("most_persons_of_a_channel", reached, "delay x sends a day / spacing, at most n"),
    )
